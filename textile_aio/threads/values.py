"""What thread calls give back, as values of ours."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from textile_aio.ids import Multiaddr, ThreadID, ThreadKey


@dataclass(frozen=True, slots=True)
class DatabaseInfo:
    """A thread database at a hub.

    Attributes:
        id: The thread it lives in.
        name: ``unnamed`` unless one was given; not unique.
        addrs: Where other hosts reach the thread: ``<host>/p2p/<peer id>/thread/<thread id>``.
        key: The thread's keys, which open everything in it; None if the hub did not say.
    """

    id: ThreadID
    _: KW_ONLY
    name: str
    addrs: tuple[Multiaddr, ...]
    key: ThreadKey | None
