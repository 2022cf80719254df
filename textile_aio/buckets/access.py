"""Calls about who may do what in a bucket."""

from __future__ import annotations

from collections.abc import Mapping

from textile_aio._arguments import one_of
from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc.calls import ServiceCalls
from textile_aio.auth import AuthContext
from textile_aio.buckets import _convert, _methods
from textile_aio.buckets._checks import check
from textile_aio.buckets.paths import BucketPath, for_reading, without_seed
from textile_aio.buckets.roles import AccessExplanation, Grantee, RolesLike, checked_roles, explain_access
from textile_aio.buckets.values import Role, Root
from textile_aio.errors import OwnerLockout


class AccessCalls(ServiceCalls):
    """The group of calls about roles."""

    async def push_path_access_roles(
        self,
        ctx: AuthContext,
        key: str,
        path: BucketPath,
        roles: RolesLike,
        *,
        lock_out: bool = False,
        timeout: float | None = None,
    ) -> dict[str, Role]:
        """Give roles at a path, and everywhere below it. Not repeated.

        Each role replaces the one that somebody has at that very path, and ``Role.NONE`` takes it away;
        others stay. In a private bucket what is at the path is encrypted anew, so that who lost access cannot
        open later content.

        Args:
            ctx: Who calls, in which thread.
            key: The bucket.
            path: The file or directory; ``""`` for the bucket's root.
            roles: Roles by public key, its text, or ``"*"`` for everybody.
            lock_out: Let the owner lose the admin's role at the root, with which goes the right to change
                existing paths and roles: it cannot be got back.
            timeout: See the class; covers each call.

        Returns:
            All roles that the path has now.

        Raises:
            OwnerLockout: The owner would lose that role, and ``lock_out`` is not set; nothing was sent.
            InvalidInput: A key is no public key.
            PathNotFound: There is nothing at the path, or it is hidden from the caller.
            WriteDenied: The caller's role does not allow it.
        """
        check(ctx, key)
        clean = without_seed(for_reading(path))
        given = checked_roles(roles)
        if not one_of(bool, lock_out, "lock_out") and not clean and min(given.values()) < Role.ADMIN:
            await self._check_lockout(ctx, key, given, timeout)
        request = pb.PushPathAccessRolesRequest(
            key=key, path=clean, roles={who: pb.PathAccessRole(role) for who, role in given.items()}
        )
        await self._call(_methods.PUSH_ROLES, request, ctx, timeout=timeout, about=clean or key)
        return await self.pull_path_access_roles(ctx, key, clean, timeout=timeout)

    async def pull_path_access_roles(
        self, ctx: AuthContext, key: str, path: BucketPath = "", *, timeout: float | None = None
    ) -> dict[str, Role]:
        """The roles of a path, or of the nearest directory above it that has an entry. Safe to repeat.

        Not merged with those further up: :meth:`explain_access` tells what holds.

        Returns:
            Roles by the text of a public key, or ``*`` for everybody.

        Raises:
            PathNotFound: There is nothing at the path, or it is hidden from the caller.
        """
        check(ctx, key)
        clean = without_seed(for_reading(path))
        request = pb.PullPathAccessRolesRequest(key=key, path=clean)
        reply = await self._call(_methods.PULL_ROLES, request, ctx, timeout=timeout, about=clean or key)
        return _convert.roles(reply.roles)

    async def explain_access(
        self,
        ctx: AuthContext,
        key: str,
        path: BucketPath,
        identity: Grantee,
        *,
        timeout: float | None = None,
    ) -> AccessExplanation:
        """What an identity may do at a path as the bucket stands, and which entry decides. Safe to repeat.

        As :func:`textile_aio.explain_access`, on the root that the caller sees.

        Raises:
            InvalidPath: The path is not allowed.
            InvalidInput: The identity is no public key.
        """
        return explain_access(await self._root(ctx, key, timeout), path, identity)

    async def _check_lockout(
        self, ctx: AuthContext, key: str, given: Mapping[str, Role], timeout: float | None
    ) -> None:
        owner = (await self._root(ctx, key, timeout)).owner
        role = given.get(str(owner), Role.ADMIN)
        if owner is not None and role < Role.ADMIN:
            raise OwnerLockout(
                f"with the role {role.name.lower()} at the root the owner could not change existing paths "
                f"and roles any more; {OwnerLockout.hint}",
                about=key,
            )

    async def _root(self, ctx: AuthContext, key: str, timeout: float | None) -> Root:
        check(ctx, key)
        request = pb.RootRequest(key=key)
        return _convert.root((await self._call(_methods.ROOT, request, ctx, timeout=timeout, about=key)).root)
