"""API keys."""

from __future__ import annotations

from textile_aio._arguments import one_of, text
from textile_aio._proto.api.hubd import pb
from textile_aio._rpc.calls import ServiceCalls
from textile_aio.accounts import _convert, _methods
from textile_aio.accounts.values import ApiKey, KeyType
from textile_aio.auth import AuthContext


class KeyCalls(ServiceCalls):
    """The part of :class:`AccountsClient <textile_aio.AccountsClient>` about API keys."""

    async def create_key(
        self,
        ctx: AuthContext,
        type: KeyType = KeyType.ACCOUNT,  # noqa: A002 - the field's word for it
        *,
        secure: bool = True,
        timeout: float | None = None,
    ) -> ApiKey:
        """Make an API key for the account: for the organisation where the context names one. Not repeated.

        Args:
            ctx: Who calls.
            type: Whom the key stands for. A key of type ACCOUNT may do all that a session may.
            secure: Whether calls with it have to be signed with its secret.
            timeout: See the class.

        Raises:
            PermissionDenied: The caller is an application's user.
        """
        request = pb.CreateKeyRequest(
            type=pb.KeyType(one_of(KeyType, type, "the type")), secure=one_of(bool, secure, "secure")
        )
        reply = await self._call(_methods.CREATE_KEY, request, ctx, timeout=timeout)
        return _convert.api_key(reply.key_info)

    async def list_keys(self, ctx: AuthContext, *, timeout: float | None = None) -> list[ApiKey]:
        """All keys of the account, in the order they were made. Safe to repeat.

        Those that are no longer valid are among them, and all have their secrets.

        Raises:
            PermissionDenied: The caller is an application's user.
        """
        reply = await self._call(_methods.LIST_KEYS, pb.ListKeysRequest(), ctx, timeout=timeout)
        return [_convert.api_key(key) for key in reply.list]

    async def invalidate_key(
        self, ctx: AuthContext, key: ApiKey | str, *, timeout: float | None = None
    ) -> None:
        """Make every further call with the key fail. It cannot be undone. Safe to repeat.

        The embedded hub also ends calls that are under way with it, within a second. What was made with the
        key stays.

        Raises:
            ApiKeyNotFound: There is no such key.
            PermissionDenied: It belongs to another account.
        """
        named = key.key if isinstance(key, ApiKey) else text(key, "the key")
        await self._call(_methods.INVALIDATE_KEY, pb.InvalidateKeyRequest(key=named), ctx, timeout=timeout)
