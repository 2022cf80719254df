"""What is written during a transaction: kept on this side until the transaction ends."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import IO, Final, Protocol

from textile_aio.buckets.sources import Source

_IN_MEMORY: Final = 1024 * 1024  # bytes; larger files go to the disk


class Pending(Protocol):
    """A file that is to be pushed when the transaction ends: one that was open, or one given whole.

    Attributes:
        path: Where it goes, with the bucket's key.
        closed: Whether it is complete.
        discarded: Whether it is not to be pushed after all.
    """

    path: str
    closed: bool
    discarded: bool

    @property
    def source(self) -> Source:
        """What it holds."""
        ...

    def release(self) -> None:
        """Free what it holds."""
        ...


@dataclass(slots=True)
class Whole:
    """A file that was given whole."""

    path: str
    source: Source
    closed: bool = True
    discarded: bool = False

    def release(self) -> None:
        """It holds nothing of its own."""


class Spool:
    """Where an open file puts its pieces."""

    def __init__(self) -> None:
        self.file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - see abandon

    async def send(self, piece: bytes) -> None:
        """Take the next piece."""
        self.file.write(piece)

    async def commit(self) -> None:
        """Take it for complete; it goes out with the others of the transaction."""
        self.file.seek(0)

    async def discard(self) -> None:
        """Drop what was written."""
        self.file.close()

    def abandon(self) -> None:
        """The same, from any thread."""
        self.file.close()
