"""Places in memory."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from textile_aio.storage.bulk import PlaceMissing
from textile_aio.storage.store import StoreClosed, StoreError


class MemoryPlaceWriter:
    """A place being written (see ``PlaceWriter``)."""

    def __init__(self, places: dict[str, bytes], name: str) -> None:
        self._places = places
        self._name = name
        self._buffers: list[bytes] | None = []
        self._position = 0

    @property
    def name(self) -> str:
        """The place's name."""
        return self._name

    @property
    def position(self) -> int:
        """Bytes written so far."""
        return self._position

    async def write(self, buffers: Sequence[bytes | bytearray | memoryview]) -> None:
        """Append copies of the buffers."""
        held = self._held()
        for buffer in buffers:
            data = bytes(buffer)
            held.append(data)
            self._position += len(data)

    async def commit(self) -> None:
        """Let the place be read."""
        self._places[self._name] = b"".join(self._held())
        self._buffers = None

    async def abort(self) -> None:
        """Forget the place."""
        self._buffers = None

    def _held(self) -> list[bytes]:
        if self._buffers is None:
            raise StoreError(f"place {self._name} is not open for writing any more")
        return self._buffers


class MemoryBulk:
    """Bulk bytes that end with the process (see ``Bulk``)."""

    def __init__(self) -> None:
        self._places: dict[str, bytes] = {}
        self._closed = False

    async def create(self) -> MemoryPlaceWriter:
        """Begin a new place."""
        self._need_open()
        return MemoryPlaceWriter(self._places, secrets.token_hex(16))

    async def read(self, place: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Read ranges of a committed place."""
        self._need_open()
        data = self._places.get(place)
        if data is None:
            raise PlaceMissing(f"place {place} is not there")
        if any(offset + size > len(data) for offset, size in ranges):
            raise PlaceMissing(f"place {place} ends before the range that was asked for")
        return [data[offset : offset + size] for offset, size in ranges]

    async def size(self, place: str) -> int:
        """Bytes of a place."""
        self._need_open()
        return len(self._places.get(place, b""))

    async def delete(self, place: str) -> None:
        """Delete a place."""
        self._need_open()
        self._places.pop(place, None)

    async def places(self) -> list[str]:
        """The names of all places, sorted."""
        self._need_open()
        return sorted(self._places)

    def reset(self) -> None:
        """Forget every place."""
        self._places.clear()

    async def close(self) -> None:
        """Forget every place and refuse further calls."""
        self._closed = True
        self._places.clear()

    def _need_open(self) -> None:
        if self._closed:
            raise StoreClosed("the bulk store is closed")
