"""Taking an account away with everything it owns (spec: hub-accounts §4.8)."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from textile_aio.errors import FailedPrecondition, NotFound, StatusCode
from textile_aio.localhub.accounts.registry import Registry
from textile_aio.localhub.live import LiveCalls
from textile_aio.storage.changes import Batch, DeleteAccount
from textile_aio.storage.store import View
from textile_aio.storage.values import Account, Role


class Closing:
    """Ends accounts.

    Args:
        registry: Forgets them.
        live: Their calls.
        closed: Called after one is gone, by whoever remembers what belonged to it.
    """

    def __init__(self, registry: Registry, live: LiveCalls, closed: Callable[[], None]) -> None:
        self._registry = registry
        self._live = live
        self._closed = closed

    async def close(self, account: bytes) -> None:
        """Delete an account, its sessions and keys, its threads and those its keys made: all in one step.

        Calls of the account that are in progress, the present one excepted, end first.

        Raises:
            NotFound: It is gone already.
            FailedPrecondition: It owns organisations.
        """
        registry = self._registry
        async with registry.store.turns.hold(account):
            names = await registry.store.read(lambda view: _names(view, account))
            registry.closing.add(account)
            try:
                await self._live.ended(*names)
                await registry.store.apply_to_end(Batch((DeleteAccount(account),)))
            finally:
                registry.closing.discard(account)
                registry.forget_all()
                self._closed()


def _names(view: View, account: bytes) -> list[Hashable]:
    """What calls of the account come with.

    Raises:
        NotFound: It is gone.
        FailedPrecondition: It owns organisations.
    """
    row: Account | None = view.account(account)
    if row is None:
        raise NotFound("User not found", code=StatusCode.NOT_FOUND)
    if any(each.role is Role.OWNER for each in view.memberships(account)):
        raise FailedPrecondition("Account not empty (delete orgs first)", code=StatusCode.FAILED_PRECONDITION)
    return [
        *(each.id for each in view.sessions_of(account)),
        *(each.key for each in view.api_keys(account)),
        *((account, each.account) for each in view.members(account)),
    ]
