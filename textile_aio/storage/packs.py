"""Places as files of one folder.

A place is written under a temporary name and renamed when every byte is on the disk, so a name without the
temporary ending is a whole place, whenever the machine stopped. One process owns the folder: what an earlier
one left unfinished is removed when the folder is opened.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

from textile_aio.storage.bulk import PlaceMissing
from textile_aio.storage.files import Buffer, OpenFiles, meaning, read_ranges, sync_folder, write_all
from textile_aio.storage.lanes import Lane, LaneClosed
from textile_aio.storage.store import StoreClosed, StoreError

T = TypeVar("T")

_NAME = re.compile(r"[0-9a-f]{32}")
_ENDING = ".pack"
_UNFINISHED = ".tmp"


class PackBulk:
    """Places as files (see ``Bulk``). Use it from one event loop."""

    def __init__(self, folder: Path, *, fsync: bool, threads: int, open_files: int) -> None:
        self._folder = folder
        self._fsync = fsync
        self._files = OpenFiles(open_files)
        self._unfinished: set[_Pack] = set()
        self._lane: Lane[Callable[[], Any], Any] = Lane(
            self._serve, name="packs", threads=threads, at_end=self._release
        )

    @classmethod
    def open(
        cls, folder: str | Path, *, fsync: bool = True, threads: int = 4, open_files: int = 128
    ) -> PackBulk:
        """Open a folder, creating it, and remove what unfinished writers left.

        Args:
            folder: Nothing else may be kept in it.
            fsync: False leaves it to the system when bytes reach the disk: for tests.
            threads: How many disk operations run at once.
            open_files: How many places are held open for reading.

        Raises:
            StoreFull: No room is left on the disk.
            StoreError: The folder cannot be made, listed or written to.
        """
        folder = Path(folder)
        with meaning(folder):
            folder.mkdir(parents=True, exist_ok=True)
            for path in folder.glob(f"*{_UNFINISHED}"):
                path.unlink()
            if fsync:
                sync_folder(folder.parent)
        return cls(folder, fsync=fsync, threads=threads, open_files=open_files)

    async def create(self) -> PackWriter:
        """Begin a new place under a name of 128 random bits. Its file is made by the first write.

        Raises:
            StoreClosed: This was closed.
        """
        if self._lane.closed:
            raise StoreClosed("the bulk store is closed")
        name = secrets.token_hex(16)
        pack = _Pack(self._path(name), self._folder / (name + _UNFINISHED), fsync=self._fsync)
        self._unfinished.add(pack)
        return PackWriter(name, pack, self._to_end, self._unfinished.discard)

    async def read(self, place: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Read ``(offset, size)`` ranges, all in one hop to a thread.

        Raises:
            PlaceMissing: There is no such place, or it ends before a range does.
            StoreError: The disk failed.
        """
        return await self._run(lambda: self._read(place, ranges))

    async def size(self, place: str) -> int:
        """Bytes of a committed place; 0 if it is not there."""
        return await self._run(lambda: self._size(place))

    async def delete(self, place: str) -> None:
        """Delete a place. Missing is no error; reads under way end well."""
        await self._to_end(lambda: self._delete(place))

    async def places(self) -> list[str]:
        """The names of all committed places, sorted."""
        return await self._run(self._list)

    async def close(self) -> None:
        """Wait for what is under way, forget unfinished places and end the threads. Idempotent."""
        await self._lane.close()

    def _path(self, place: str) -> Path:
        return self._folder / (place + _ENDING)

    def _read(self, place: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        try:
            if not _NAME.fullmatch(place):
                raise FileNotFoundError
            with self._files.use(self._path(place)) as file:
                return list(read_ranges(file, ranges))
        except FileNotFoundError:
            raise PlaceMissing(f"place {place!r} is not there") from None

    def _size(self, place: str) -> int:
        if not _NAME.fullmatch(place):
            return 0
        try:
            return self._path(place).stat().st_size
        except FileNotFoundError:
            return 0

    def _delete(self, place: str) -> None:
        if _NAME.fullmatch(place):
            self._path(place).unlink(missing_ok=True)
            self._files.drop(self._path(place))

    def _list(self) -> list[str]:
        names = (path.name.removesuffix(_ENDING) for path in self._folder.glob(f"*{_ENDING}"))
        return sorted(name for name in names if _NAME.fullmatch(name))

    def _serve(self, jobs: list[Callable[[], Any]]) -> list[Any]:
        with meaning(self._folder):
            return [job() for job in jobs]

    def _release(self) -> None:
        self._files.close()
        for pack in self._unfinished:
            pack.remove()

    async def _run(self, job: Callable[[], T]) -> T:
        """Run a job in a thread; a cancelled caller leaves it alone."""
        try:
            return cast("T", await self._lane.run(job))
        except LaneClosed:
            raise StoreClosed("the bulk store is closed") from None

    async def _to_end(self, job: Callable[[], T]) -> T:
        """Run a job in a thread; a cancelled caller leaves after it."""
        try:
            return cast("T", await self._lane.finish(job))
        except LaneClosed:
            raise StoreClosed("the bulk store is closed") from None


class PackWriter:
    """A place being written (see ``PlaceWriter``). A cancelled call ends its disk operation first."""

    def __init__(
        self,
        name: str,
        pack: _Pack,
        to_end: Callable[[Callable[[], None]], Any],
        over: Callable[[_Pack], None],
    ) -> None:
        self._name = name
        self._pack = pack
        self._to_end = to_end
        self._over = over

    @property
    def name(self) -> str:
        """The place's name."""
        return self._name

    @property
    def position(self) -> int:
        """Bytes written so far."""
        return self._pack.size

    async def write(self, buffers: Sequence[Buffer]) -> None:
        """Append buffers, in one hop to a thread.

        Raises:
            StoreFull: No room is left on the disk.
            StoreError: The disk failed, or the place is not open for writing any more.
        """
        await self._to_end(lambda: self._pack.append(buffers))

    async def commit(self) -> None:
        """Bring every byte, then the name, to the disk.

        Raises:
            StoreFull: No room is left on the disk.
            StoreError: The disk failed, or the place is not open for writing any more.
        """
        await self._to_end(self._pack.publish)
        self._over(self._pack)

    async def abort(self) -> None:
        """Remove the file, unless it was committed."""
        if not self._pack.over:
            with suppress(StoreClosed):  # Closing removes it as well.
                await self._to_end(self._pack.remove)
        self._over(self._pack)


class _Pack:
    """The file of a place being written. Used by one thread at a time; a failure removes it."""

    __slots__ = ("_file", "_fsync", "_path", "_temporary", "over", "size")

    def __init__(self, path: Path, temporary: Path, *, fsync: bool) -> None:
        self._path = path
        self._temporary = temporary
        self._fsync = fsync
        self._file: int | None = None
        self.over: bool = False
        self.size: int = 0

    def append(self, buffers: Sequence[Buffer]) -> None:
        file = self._opened()
        try:
            self.size += write_all(file, buffers)
        except BaseException:
            self.remove()
            raise

    def publish(self) -> None:
        file = self._opened()
        try:
            if self._fsync:
                os.fsync(file)
            self._temporary.rename(self._path)
            if self._fsync:
                sync_folder(self._path.parent)
        except BaseException:
            self.remove()
            raise
        self.over = True
        self._close()

    def remove(self) -> None:
        if self.over:
            return
        self.over = True
        self._close()
        for path in (self._temporary, self._path):
            with suppress(OSError):
                path.unlink()

    def _opened(self) -> int:
        if self.over:
            raise StoreError(f"place {self._path.stem} is not open for writing any more")
        if self._file is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._file = os.open(self._temporary, flags, 0o600)
        return self._file

    def _close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            with suppress(OSError):
                os.close(file)
