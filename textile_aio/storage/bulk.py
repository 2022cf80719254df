"""The boundary to bulk bytes: immutable places, deliberately so poor that any S3 server will do.

A place is written once, becomes durable as a whole on :meth:`PlaceWriter.commit`, and is never
changed afterwards; its name is never used again. Beside what each method names, implementations
raise ``StoreFull`` where no room is left and ``StoreError`` for any other failure of the medium.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from textile_aio.storage.store import StoreError


class PlaceMissing(StoreError):
    """A place or a range of it is not there: the bytes are lost or were deleted meanwhile."""


class PlaceWriter(Protocol):
    """A place being written. Not usable by two tasks at once.

    A writer whose ``write`` or ``commit`` failed has forgotten its place, as after :meth:`abort`.
    """

    @property
    def name(self) -> str:
        """The place's name."""
        ...

    @property
    def position(self) -> int:
        """Bytes written so far."""
        ...

    async def write(self, buffers: Sequence[bytes | bytearray | memoryview]) -> None:
        """Append buffers in order. They may be reused once this returns or raises."""
        ...

    async def commit(self) -> None:
        """Make every byte durable, and the place's name with it. Once; readable from here on."""
        ...

    async def abort(self) -> None:
        """Forget the place. Idempotent, and harmless after :meth:`commit`."""
        ...


class Bulk(Protocol):
    """Where leaves are kept."""

    async def create(self) -> PlaceWriter:
        """Begin a new place under a name never used before."""
        ...

    async def read(self, place: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Read ``(offset, size)`` ranges of a committed place. Raises :class:`PlaceMissing`."""
        ...

    async def size(self, place: str) -> int:
        """Bytes of a committed place; 0 if it is not there."""
        ...

    async def delete(self, place: str) -> None:
        """Delete a place. Missing is no error."""
        ...

    async def places(self) -> list[str]:
        """The names of all committed places, sorted."""
        ...

    async def close(self) -> None:
        """Release files and threads. Idempotent."""
        ...
