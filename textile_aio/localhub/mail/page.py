"""Which messages of a box a listing shows (spec: users-and-mail §4.3).

Owns that a page costs about as much as what is on it, however large the box is: messages are read in the
order of their ids from where the page begins. Where only some of them are wanted, by whether they were read,
they may be far apart; the index of ``read_at`` is looked through at the same time, step by step, and whoever
is first has the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import zip_longest

from textile_aio.errors import InvalidInput, MessageTooLarge, StatusCode
from textile_aio.localhub.mail.boxes import INBOX
from textile_aio.localhub.mail.message import StoredMessage, decode
from textile_aio.storage.store import View
from textile_aio.threaddb.query.keys import order_key

MOST = 10_000
"""Messages of one page."""

DEFAULT = 100

_READ_AT = "read_at"
_UNREAD = order_key(0) or b""


class Status(Enum):
    """Which messages are wanted."""

    ALL = "all"
    READ = "read"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Listing:
    """What is asked for.

    Attributes:
        seek: Id of the first message, or where it would be; empty for the end of the box that is first.
        limit: How many messages at most; 0 for :data:`DEFAULT`, and never more than :data:`MOST`.
        ascending: Oldest first.
        status: Which of them.
    """

    seek: str = ""
    limit: int = 0
    ascending: bool = False
    status: Status = Status.ALL

    def __post_init__(self) -> None:
        if self.limit < 0:
            raise InvalidInput(
                f"a limit cannot be negative, got {self.limit}", code=StatusCode.INVALID_ARGUMENT
            )

    @property
    def most(self) -> int:
        """How many messages there may be."""
        return min(self.limit or DEFAULT, MOST)

    def wants(self, message: StoredMessage) -> bool:
        """Whether a message is one of those."""
        match self.status:
            case Status.READ:
                return message.read_at > 0
            case Status.UNREAD:
                return message.read_at == 0
            case Status.ALL:
                return True

    def bounds(self) -> tuple[bytes, bytes | None]:
        """From which id on, and before which."""
        seek = self.seek.encode("utf-8", "surrogatepass")
        if not seek:
            return b"", None
        return (seek, None) if self.ascending else (b"", seek + b"\0")


Visible = Callable[[bytes], bytes | None]
"""From a document to what the owner sees of it, if anything."""

_Steps = Iterator[StoredMessage | None]
"""Messages that are wanted, in their order; None after a step that led to none."""


def read_page(
    view: View, database: bytes, box: str, listing: Listing, visible: Visible, *, limit_bytes: int
) -> list[StoredMessage]:
    """The messages of a page. Documents that are no messages are passed over.

    Raises:
        MessageTooLarge: They take more than ``limit_bytes`` together. A page is never cut short otherwise:
            clients take one that is not full for the last.
    """
    reader = _Reader(view, database, box, listing, visible)
    ways = [reader.in_order()]
    if listing.status is not Status.ALL and reader.is_indexed():
        ways.append(reader.unread_by_index() if listing.status is Status.UNREAD else reader.read_by_index())
    pages = [_Page(listing.most, limit_bytes) for _ in ways]
    for steps in zip_longest(*ways, fillvalue=_END):
        for page, step in zip(pages, steps, strict=True):
            if page.take(step):
                return page.messages
    return pages[0].messages


class _End(Enum):
    """The type of :data:`_END`."""

    END = "end"


_END = _End.END


class _Page:
    """A page that is being filled."""

    def __init__(self, most: int, limit_bytes: int) -> None:
        self.messages: list[StoredMessage] = []
        self._most = most
        self._left = limit_bytes
        self._limit_bytes = limit_bytes

    def take(self, step: StoredMessage | _End | None) -> bool:
        """Note a step; whether the page is complete."""
        if step is None:
            return False
        if isinstance(step, _End):
            return True
        self._left -= step.size
        if self._left < 0:
            raise MessageTooLarge(
                f"the result is larger than a message may be ({self._limit_bytes} bytes); "
                "ask for fewer messages at once",
                code=StatusCode.RESOURCE_EXHAUSTED,
            )
        self.messages.append(step)
        return len(self.messages) == self._most


class _Reader:
    """The ways to the wanted messages of a box; all give the same ones in the same order."""

    def __init__(self, view: View, database: bytes, box: str, listing: Listing, visible: Visible) -> None:
        self._view = view
        self._database = database
        self._box = box
        self._listing = listing
        self._low, self._high = listing.bounds()
        self._visible = visible

    def is_indexed(self) -> bool:
        """Whether the box has the index that upstream gives it; its owner may have dropped it."""
        return any(
            index.path == _READ_AT and index.ready for index in self._view.indexes(self._database, self._box)
        )

    def in_order(self) -> _Steps:
        """By reading message after message."""
        for document in self._view.scan(
            self._database, self._box, low=self._low, high=self._high, reverse=not self._listing.ascending
        ):
            yield self._wanted(document.body)

    def unread_by_index(self) -> _Steps:
        """Through the index's entries of unread messages, which are in the order of their ids."""
        for _, id_ in self._view.entries(
            self._database,
            self._box,
            _READ_AT,
            low=_UNREAD,
            high=_UNREAD + b"\0",
            reverse=not self._listing.ascending,
        ):
            yield self._at(id_) if self._holds(id_) else None

    def read_by_index(self) -> _Steps:
        """By gathering all entries of messages that were read: these are in the order in which that was."""
        ids = []
        for _, id_ in self._view.entries(self._database, self._box, _READ_AT, low=_UNREAD + b"\0"):
            if self._holds(id_):
                ids.append(id_)
            yield None
        for id_ in sorted(ids, reverse=not self._listing.ascending):
            yield self._at(id_)

    def _holds(self, id: bytes) -> bool:  # noqa: A002
        return self._low <= id and (self._high is None or id < self._high)

    def _at(self, id: bytes) -> StoredMessage | None:  # noqa: A002
        body = self._view.document(self._database, self._box, id)
        return None if body is None else self._wanted(body)

    def _wanted(self, body: bytes) -> StoredMessage | None:
        seen = self._visible(body)
        message = None if seen is None else decode(seen, with_read_at=self._box == INBOX)
        return message if message is not None and self._listing.wants(message) else None
