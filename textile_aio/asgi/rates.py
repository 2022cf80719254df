"""How often one client may come, and how many exchanges may be open at once. No I/O; the clock is given.

A client is an address. Of IPv6 the first 64 bits count, which is what one subscriber has.
"""

from __future__ import annotations

import ipaddress
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from textile_aio.errors import QuotaExceeded, ResourceExhausted, Unavailable

_MOST_CLIENTS: Final = 10_000
"""Clients that are remembered; then the one that has not come for the longest time is forgotten."""


def client_of(host: str | None) -> str:
    """Who counts as one, by the address that a server reports; all without an address are one."""
    try:
        address = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:
        return host or ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.IPv6Network((address.packed[:8] + bytes(8), 64)))
    return str(address)


class Rates:
    """So many requests a minute for each client, as many at once.

    Args:
        minute: Requests in a minute.
        clock: Seconds that never run backwards.
    """

    def __init__(self, minute: int, clock: Callable[[], float]) -> None:
        self._minute = minute
        self._clock = clock
        self._clients: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is left, and since when

    def count(self, client: str) -> None:
        """Count one request.

        Raises:
            QuotaExceeded: It is one too many.
        """
        now = self._clock()
        left, since = self._clients.pop(client, (float(self._minute), now))
        left = min(self._minute, left + (now - since) * self._minute / 60)
        self._clients[client] = (left - 1 if left >= 1 else left, now)
        if len(self._clients) > _MOST_CLIENTS:
            self._clients.popitem(last=False)
        if left < 1:
            raise QuotaExceeded(f"at most {self._minute} requests a minute are answered")

    @property
    def pause(self) -> float:
        """Seconds after which a client that was refused may come again."""
        return 60 / self._minute


class Places:
    """A limited number of exchanges at once, and a smaller one for each client.

    Each holds a call at the hub: without a limit, whoever asks and never answers could use them all up.
    """

    def __init__(self, most: int, *, each: int) -> None:
        self._most = most
        self._each = each
        self._taken: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """How many there are."""
        return self._taken.total()

    @contextmanager
    def one(self, client: str) -> Iterator[None]:
        """Have a place for as long as the block lasts.

        Raises:
            ResourceExhausted: The client has as many as it may.
            Unavailable: All are taken.
        """
        if self._taken[client] >= self._each:
            raise ResourceExhausted(f"at most {self._each} challenges wait for one client's answers")
        if self.taken >= self._most:
            raise Unavailable("too many people are signing in at this moment")
        self._taken[client] += 1
        try:
            yield
        finally:
            self._taken[client] -= 1
            if not self._taken[client]:
                del self._taken[client]
