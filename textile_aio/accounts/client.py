"""The client of a hub's accounts service, and its calls about the hub and about money."""

from __future__ import annotations

from textile_aio._arguments import text
from textile_aio._proto.api.hubd import pb
from textile_aio.accounts import _convert, _methods
from textile_aio.accounts.billing import BillingUsers
from textile_aio.accounts.keys import KeyCalls
from textile_aio.accounts.organisations import OrganisationCalls
from textile_aio.accounts.sessions import SessionCalls
from textile_aio.accounts.values import BuildInfo
from textile_aio.auth import AuthContext
from textile_aio.errors import AlreadyExists, InvalidInput

_INT64 = 2**63


class AccountsClient(SessionCalls, KeyCalls, OrganisationCalls):
    """Developers' accounts at a hub: sessions, API keys, organisations.

    Reached as :attr:`HubClient.accounts <textile_aio.HubClient.accounts>`. Every call takes the context
    first. A developer calls with a session (:meth:`Session.context <textile_aio.Session.context>`) or with a
    key of type ACCOUNT. With a session, :meth:`AuthContext.with_org <textile_aio.AuthContext.with_org>` means
    one of the developer's organisations.

    Errors that can come from every call and are not repeated below: :class:`~textile_aio.ClosedError` before
    anything is sent, :class:`~textile_aio.Unimplemented` where the hub has no accounts,
    :class:`~textile_aio.Unauthenticated`, :class:`~textile_aio.ApiKeyNotFound`,
    :class:`~textile_aio.PermissionDenied` where the context names an organisation and the caller is not a
    member, :class:`~textile_aio.Unavailable`, :class:`~textile_aio.DeadlineExceeded` and
    :class:`~textile_aio.ProtocolError`.

    ``timeout`` is in seconds and includes repetitions; without one the client's default applies, but for
    :meth:`sign_up` and :meth:`sign_in`, which wait for a person.

    Args:
        channel: The hub.
        timeout: Default for all other calls; None for no limit.
    """

    async def build_info(self, ctx: AuthContext, *, timeout: float | None = None) -> BuildInfo:
        """Which program the hub is. Safe to repeat."""
        reply = await self._call(_methods.BUILD_INFO, pb.BuildInfoRequest(), ctx, timeout=timeout)
        return _convert.build_info(reply)

    async def is_username_available(
        self, ctx: AuthContext, name: str, *, timeout: float | None = None
    ) -> bool:
        """Whether no account has exactly that name. Safe to repeat.

        A hub's answer may be yes where one has it in another case; :meth:`sign_up` is then refused.

        Args:
            ctx: Who calls; ``AuthContext()`` will do.
            name: The name.
            timeout: See the class.

        Raises:
            InvalidInput: No account can have that name.
        """
        request = pb.IsUsernameAvailableRequest(username=text(name, "the username"))
        try:
            await self._call(_methods.IS_USERNAME_AVAILABLE, request, ctx, timeout=timeout, about=name)
        except AlreadyExists:
            return False
        return True

    async def setup_billing(self, ctx: AuthContext, *, timeout: float | None = None) -> None:
        """Let the account be billed, so that it may use more than what is free. Not repeated.

        Raises:
            Unimplemented: The hub bills nobody.
            AlreadyExists: It is set up already.
            PermissionDenied: The caller is an application's user.
        """
        await self._call(_methods.SETUP_BILLING, pb.SetupBillingRequest(), ctx, timeout=timeout)

    async def billing_session(self, ctx: AuthContext, *, timeout: float | None = None) -> str:
        """The address of a page where bills and payment are seen to. Not repeated.

        Whoever has the address is let in: it is a credential.

        Raises:
            Unimplemented: The hub bills nobody.
            PermissionDenied: The caller is an application's user.
        """
        reply = await self._call(
            _methods.BILLING_SESSION, pb.GetBillingSessionRequest(), ctx, timeout=timeout
        )
        return reply.url

    async def list_billing_users(
        self, ctx: AuthContext, *, offset: int = 0, limit: int = 0, timeout: float | None = None
    ) -> BillingUsers:
        """Some of the users that the account pays for. Safe to repeat.

        Args:
            ctx: Who calls.
            offset: Where to go on: ``next_offset`` of the page before, 0 for the first.
            limit: How many, 1000 at most; 0 for as many as the hub likes.
            timeout: See the class.

        Raises:
            InvalidInput: Offset or limit are below 0 or too large.
            Unimplemented: The hub bills nobody.
            PermissionDenied: The caller is an application's user.
        """
        request = pb.ListBillingUsersRequest(
            offset=_count(offset, "the offset"), limit=_count(limit, "the limit")
        )
        reply = await self._call(_methods.LIST_BILLING_USERS, request, ctx, timeout=timeout)
        return _convert.billing_users(reply)


def _count(value: int, what: str) -> int:
    if not isinstance(value, int) or not 0 <= value < _INT64:
        raise InvalidInput(f"{what} has to be a whole number from 0 to 2^63-1, not {value!r}")
    return value
