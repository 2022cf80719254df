"""Results larger than one message: the same query asked again and again for the next part.

Owns how a query is cut into pages. How a page is got is given; it knows neither calls nor transactions. Pages
follow the order of ids: each begins at the last id seen, which the query then excludes. What is there all the
time is seen exactly once; instances that are written meanwhile are seen in one of their states, or not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Generic, Self, TypeVar

from textile_aio import errors
from textile_aio.errors import ProtocolError, QuotaExceeded, ResourceExhausted, StatusCode
from textile_aio.threads.decoding import decode
from textile_aio.threads.query.builder import ID, Order, Query, where

T = TypeVar("T")

#: Gets the instances that a query finds, as JSON texts, in one message.
Ask = Callable[[Query], Awaitable[list[bytes]]]

_FIRST = 100  # instances, as long as nothing is known of their size
_MOST = 2_000
_BYTES = 1024 * 1024  # that a page should have, a quarter of what a message may


class Found(Generic[T]):
    """The instances that a query finds, one after another: an async iterator that asks for pages by itself.

    Made by :meth:`ThreadsClient.find_iter <textile_aio.ThreadsClient.find_iter>`; iterated once, by one task.
    No more than a page is held, and nothing has to be closed when the iteration is left early. Each page is a
    call of its own and sees the database as it then is; in a read transaction all see the same.
    """

    def __init__(self, ask: Ask, query: Query, read: Callable[[bytes], T]) -> None:
        self._ask = ask
        self._query = query
        self._read = read
        self._pages = None if is_sorted(query) else Pages(ask, query)
        self._rows: deque[bytes] = deque()
        self._done = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._rows:
            if self._done:
                raise StopAsyncIteration
            await self._fetch()
        return self._read(self._rows.popleft())

    async def _fetch(self) -> None:
        if self._pages is None:
            self._rows.extend(await find_all(self._ask, self._query))
            self._done = True
        else:
            self._rows.extend(await self._pages.next())
            self._done = self._pages.done


class Pages:
    """The parts of a result in the order of ids.

    Attributes:
        done: True when there are no more.
    """

    def __init__(self, ask: Ask, query: Query) -> None:
        self._ask = ask
        self._query = query
        self._page = replace(query, index="")  # through an index, Go hubs give another order
        self._last: str | None = None
        self._wanted = query.most
        self._size = _FIRST
        self.done: bool = False

    async def next(self) -> list[bytes]:
        """The next part. Where even a single instance is too large, the hub's error is raised."""
        while True:
            count = min(self._size, self._wanted) if self._wanted else self._size
            try:
                rows = await self._ask(replace(self._page, most=count))
            except ResourceExhausted as error:
                if count == 1 or not is_too_large(error):
                    raise
                self._size = max(1, count // 4)
            else:
                self._advance(rows, count)
                return rows

    async def all(self) -> list[bytes]:
        """All parts, put together."""
        rows: list[bytes] = []
        while not self.done:
            rows += await self.next()
        return rows

    async def count(self) -> int:
        """How many there are in all parts."""
        total = 0
        while not self.done:
            total += len(await self.next())
        return total

    def _advance(self, rows: list[bytes], count: int) -> None:
        order = self._query.order or Order(ID)
        if self._last is not None and rows:
            first = _id(rows[0])
            if first >= self._last if order.descending else first <= self._last:
                raise ProtocolError("the hub does not give instances in the order of their ids", about=first)
        if self._wanted:
            self._wanted -= len(rows)
        if len(rows) < count or (self._query.most and self._wanted <= 0):
            self.done = True
            return
        self._last = last = _id(rows[-1])
        # Seeking begins at the id itself, so a criterion leaves it out again.
        rest = Query(self._query.condition) & (where(ID) != last)
        self._page = replace(rest, order=order, first=last)
        self._size = max(1, min(_MOST, _BYTES * len(rows) // (sum(map(len, rows)) + 1)))


def wire(query: Query) -> bytes:
    """The query as it is sent: Go hubs answer a skip without a limit by nothing (spec: threads-api §6.3)."""
    return (replace(query, most=-1) if query.skipped and not query.most else query).to_json()


async def find_all(ask: Ask, query: Query) -> list[bytes]:
    """All instances that a query finds: at once, and in pages if that is too much for one message."""
    try:
        return await ask(query)
    except ResourceExhausted as error:
        if not is_too_large(error):
            raise
    return await _sorted(ask, query) if is_sorted(query) else await Pages(ask, query).all()


def is_too_large(error: ResourceExhausted) -> bool:
    """True if it was the result that was too large, so that smaller pages help."""
    return not isinstance(error, QuotaExceeded)


def is_sorted(query: Query) -> bool:
    """True if the results are to be in another order than that of ids."""
    return query.order is not None and query.order.path != ID


async def _sorted(ask: Ask, query: Query) -> list[bytes]:
    """What the hub would answer if it could: all pages, sorted here, then skipped and limited."""
    order = query.order or Order(ID)
    rows = await Pages(ask, replace(query, order=None, most=0, skipped=0)).all()
    keyed = [(_key(order.path, row), row) for row in rows]
    if len({kind for (kind, _), _ in keyed}) > 1:
        raise _unsortable()
    keyed.sort(key=lambda pair: pair[0][1], reverse=order.descending)
    end = query.skipped + query.most if query.most else None
    return [row for _, row in keyed[query.skipped : end]]


def _key(path: str, row: bytes) -> tuple[str, Any]:
    """The kind of the value that a row is sorted by, and what to compare."""
    value = decode(row)
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    match value:
        case bool():
            return "bool", value
        case int() | float():
            return "number", value
        case str():
            return "text", value.encode("utf-8", "surrogatepass")
        case _:
            raise _unsortable()


def _unsortable() -> errors.TextileError:
    text = "sorting field doesn't correspond to instance type"  # as hubs say it (spec: threads-api §6.3)
    return errors.from_status(StatusCode.UNKNOWN, text)


def _id(row: bytes) -> str:
    document = decode(row)
    found = document.get(ID) if isinstance(document, dict) else None
    if not isinstance(found, str):
        raise ProtocolError(
            "the result is too large for one message and cannot be read in pages, because the read filter "
            "hides the ids; ask for less at once"
        )
    return found
