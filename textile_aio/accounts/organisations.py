"""Organisations: accounts that developers share."""

from __future__ import annotations

from textile_aio._arguments import context, text
from textile_aio._proto.api.hubd import pb
from textile_aio._rpc.calls import ServiceCalls
from textile_aio.accounts import _convert, _methods
from textile_aio.accounts.values import Org, OrgName
from textile_aio.auth import AuthContext


class OrganisationCalls(ServiceCalls):
    """The part of :class:`AccountsClient <textile_aio.AccountsClient>` about organisations."""

    async def create_org(self, ctx: AuthContext, name: str, *, timeout: float | None = None) -> Org:
        """Make an organisation whose owner is the caller. Not repeated.

        Args:
            ctx: Who calls.
            name: Any text. What of it can stand in a header becomes the slug, which no other organisation or
                developer may have, in whatever case.
            timeout: See the class.

        Raises:
            InvalidInput: The slug would be empty.
            AlreadyExists: The slug is taken.
            PermissionDenied: The caller is no developer.
        """
        reply = await self._call(
            _methods.CREATE_ORG,
            pb.CreateOrgRequest(name=text(name, "the name")),
            ctx,
            timeout=timeout,
            about=name,
        )
        return _convert.org(reply.org_info)

    async def org(self, ctx: AuthContext, *, timeout: float | None = None) -> Org:
        """The organisation that the context names, or whose key it has. Safe to repeat.

        Raises:
            OrgRequired: The context is no organisation's.
            PermissionDenied: The caller is not a member, or there is no such organisation.
        """
        reply = await self._call(_methods.ORG, pb.GetOrgRequest(), ctx, timeout=timeout, about=_org_of(ctx))
        return _convert.org(reply.org_info)

    async def list_orgs(self, ctx: AuthContext, *, timeout: float | None = None) -> list[Org]:
        """The organisations that the developer is a member of, in whatever role. Safe to repeat.

        Raises:
            PermissionDenied: The caller is no developer.
        """
        reply = await self._call(_methods.LIST_ORGS, pb.ListOrgsRequest(), ctx, timeout=timeout)
        return [_convert.org(org) for org in reply.list]

    async def remove_org(self, ctx: AuthContext, *, timeout: float | None = None) -> None:
        """Remove the organisation and all it owns: threads, buckets, keys, invitations. Not repeated.

        It cannot be undone.

        Raises:
            OrgRequired: The context is no organisation's.
            PermissionDenied: The caller is not an owner of it.
        """
        await self._call(_methods.REMOVE_ORG, pb.RemoveOrgRequest(), ctx, timeout=timeout, about=_org_of(ctx))

    async def invite_to_org(self, ctx: AuthContext, email: str, *, timeout: float | None = None) -> str:
        """Invite somebody to the organisation by mail. Every member may. Not repeated.

        The mail has a link to ``<gateway>/consent/<token>``. Whoever follows it lets the account with that
        address become a member: at once if there is one, else when it signs up. The link lasts for 210 days.

        Args:
            ctx: Who calls, and for which organisation.
            email: The address, which has to be exactly the one that the developer signs up with.
            timeout: See the class.

        Returns:
            The token.

        Raises:
            OrgRequired: The context is no organisation's.
            PermissionDenied: The caller is not a member, or no developer.
            InvalidInput: The address is none.
        """
        reply = await self._call(
            _methods.INVITE_TO_ORG,
            pb.InviteToOrgRequest(email=text(email, "the e-mail address")),
            ctx,
            timeout=timeout,
            about=email,
        )
        return reply.token

    async def leave_org(self, ctx: AuthContext, *, timeout: float | None = None) -> None:
        """Be no member any more; the caller's outstanding invitations to it end. Not repeated.

        Raises:
            OrgRequired: The context is no organisation's.
            PermissionDenied: The caller is not a member.
            FailedPrecondition: The caller is its owner: an organisation has one until it is removed.
        """
        await self._call(_methods.LEAVE_ORG, pb.LeaveOrgRequest(), ctx, timeout=timeout, about=_org_of(ctx))

    async def is_org_name_available(
        self, ctx: AuthContext, name: str, *, timeout: float | None = None
    ) -> OrgName:
        """What an organisation of that name would be called in headers and addresses. Safe to repeat.

        The hub looks for exactly that slug; it is a different question than :meth:`create_org`'s where there
        is one that differs in case.

        Raises:
            AlreadyExists: The slug is taken.
        """
        reply = await self._call(
            _methods.IS_ORG_NAME_AVAILABLE,
            pb.IsOrgNameAvailableRequest(name=text(name, "the name")),
            ctx,
            timeout=timeout,
            about=name,
        )
        return _convert.org_name(reply)


def _org_of(ctx: AuthContext) -> str:
    return context(ctx).org or ""
