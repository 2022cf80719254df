"""API keys (spec: hub-accounts §4.5)."""

from __future__ import annotations

from dataclasses import replace

from textile_aio.errors import NotFound, PermissionDenied, StatusCode
from textile_aio.localhub.accounts.credentials import make_token
from textile_aio.localhub.accounts.registry import KnownKey, Registry
from textile_aio.localhub.live import LiveCalls
from textile_aio.storage.changes import Batch, PutApiKey
from textile_aio.storage.store import View
from textile_aio.storage.values import ApiKey, KeyKind


class ApiKeys:
    """Makes, lists and invalidates API keys."""

    def __init__(self, registry: Registry, live: LiveCalls) -> None:
        self._registry = registry
        self._live = live

    async def create(self, owner: bytes, kind: KeyKind, *, secure: bool) -> KnownKey:
        """Make a key for an account.

        Raises:
            NotFound: The account is gone.
        """
        registry = self._registry
        key, secret = make_token(16), make_token(24)
        id_ = registry.vault.name(key)
        row = ApiKey(
            key=id_,
            sealed=registry.vault.seal(f"{key} {secret}".encode(), id_.encode()),
            owner=owner,
            kind=kind,
            secure=secure,
            valid=True,
            created_at=registry.clock(),
        )
        async with registry.store.turns.hold(owner):
            if await registry.account(owner) is None:
                raise NotFound("Account not found", code=StatusCode.NOT_FOUND)
            await registry.store.apply_to_end(Batch((PutApiKey(row),)))
        return KnownKey(id_, key, secret, owner, kind, secure, valid=True)

    async def list(self, owner: bytes) -> list[tuple[KnownKey, int]]:
        """An owner's keys in order of creation, invalid ones too, each with the number of its threads."""

        def look(view: View) -> list[tuple[ApiKey, int]]:
            return [(row, view.tracked_with(row.key)) for row in view.api_keys(owner)]

        rows = await self._registry.store.read(look)
        return [(self._registry.open_key(row), threads) for row, threads in rows]

    async def invalidate(self, key: str, owner: bytes | None = None) -> None:
        """Make every further call with a key fail, and end those in progress. Cannot be undone.

        Args:
            key: What callers send.
            owner: Who may do it; None for whoever it is.

        Raises:
            NotFound: There is no such key.
            PermissionDenied: It belongs to somebody else.
        """
        registry = self._registry
        id_ = registry.vault.name(key)
        row = await registry.store.read(lambda view: view.api_key(id_))
        if row is None:
            raise NotFound("mongo: no documents in result", code=StatusCode.UNKNOWN)
        if owner is not None and row.owner != owner:
            raise PermissionDenied("User does not own key", code=StatusCode.PERMISSION_DENIED)
        async with registry.store.turns.hold(row.owner):
            if await registry.store.read(lambda view: view.api_key(id_)) is not None:
                await registry.change(
                    Batch((PutApiKey(replace(row, valid=False)),)), lambda: self._ended(id_)
                )

    def _ended(self, id_: str) -> None:
        self._registry.forget_key(id_)
        self._live.end(id_)
