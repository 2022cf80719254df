"""What places need of a file system: whole writes, positioned reads, open descriptors, meanings of errors."""

from __future__ import annotations

import errno
import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from textile_aio.storage.bulk import PlaceMissing
from textile_aio.storage.store import StoreError, StoreFull

Buffer = bytes | bytearray | memoryview

_IOV_MAX = 1024
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_SMALL_BYTES = 64 * 1024
"""Neighbouring ranges are read in one call up to this size; above it the copy costs more than the call."""

_GAP_BYTES = 4096
"""Ranges this close to each other are neighbours; between two blocks lies an entry's header."""


@contextmanager
def meaning(about: Path) -> Iterator[None]:
    """Turn the system's errors into a store's.

    Raises:
        StoreFull: No room, or quota, is left.
        StoreError: Any other failure.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StoreFull(f"no room is left in {about}") from error
        raise StoreError(f"the disk failed in {about}: {error.strerror}") from error


def write_all(file: int, buffers: Sequence[Buffer]) -> int:
    """Append buffers in order, and return their size in bytes."""
    total = 0
    for start in range(0, len(buffers), _IOV_MAX):
        some = buffers[start : start + _IOV_MAX]
        size = sum(memoryview(buffer).nbytes for buffer in some)
        written = os.writev(file, some)
        if written < size:
            _write_rest(file, some, written)
        total += size
    return total


def read_ranges(file: int, ranges: Sequence[tuple[int, int]]) -> Iterator[bytes]:
    """Read ``(offset, size)`` ranges in the order asked for, small neighbours with one call.

    Raises:
        PlaceMissing: The file ends before a range does.
    """
    index = 0
    while index < len(ranges):
        first, size = ranges[index]
        end, last = first + size, index + 1
        while last < len(ranges):
            offset, size = ranges[last]
            if not 0 <= offset - end <= _GAP_BYTES or offset + size - first > _SMALL_BYTES:
                break
            end, last = offset + size, last + 1
        data = _read_at(file, first, end - first)
        if last == index + 1:
            yield data
        else:
            for offset, size in ranges[index:last]:
                yield data[offset - first : offset - first + size]
        index = last


def sync_folder(folder: Path) -> None:
    """Bring the folder's names to the disk."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


class OpenFiles:
    """Files open for reading: the last ones used, and those in use. Thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._files: OrderedDict[Path, _OpenFile] = OrderedDict()

    @contextmanager
    def use(self, path: Path) -> Iterator[int]:
        """The file's descriptor, open as long as the block lasts. Raises what ``os.open`` does."""
        with self._lock:
            found = self._files.get(path)
            if found is None:
                found = self._files[path] = _OpenFile(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
            self._files.move_to_end(path)
            found.users += 1
            if len(self._files) > self._most:
                self._retire(next(iter(self._files)))
        try:
            yield found.number
        finally:
            with self._lock:
                found.users -= 1
                if found.retired and not found.users:
                    os.close(found.number)

    def drop(self, path: Path) -> None:
        """Close a file as soon as nobody reads it."""
        with self._lock:
            if path in self._files:
                self._retire(path)

    def close(self) -> None:
        """Drop all."""
        with self._lock:
            for path in list(self._files):
                self._retire(path)

    def _retire(self, path: Path) -> None:
        file = self._files.pop(path)
        file.retired = True
        if not file.users:
            os.close(file.number)


class _OpenFile:
    __slots__ = ("number", "retired", "users")

    def __init__(self, number: int) -> None:
        self.number = number
        self.users = 0
        self.retired = False


def _read_at(file: int, offset: int, size: int) -> bytes:
    data = os.pread(file, size, offset)
    while len(data) < size:
        more = os.pread(file, size - len(data), offset + len(data))
        if not more:
            raise PlaceMissing("the place ends before the range that was asked for")
        data += more
    return data


def _write_rest(file: int, buffers: Sequence[Buffer], written: int) -> None:
    """Write what ``writev`` left, as it does near a limit."""
    for buffer in buffers:
        view = memoryview(buffer).cast("B")
        skipped = min(written, view.nbytes)
        written -= skipped
        view = view[skipped:]
        while view:
            view = view[os.write(file, view) :]
