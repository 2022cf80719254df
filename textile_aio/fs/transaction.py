"""Several files stored together: one push for each bucket at the end, none after an error."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Self

from fsspec.asyn import sync
from fsspec.transaction import Transaction

from textile_aio.errors import InvalidInput
from textile_aio.fs.spools import Pending

if TYPE_CHECKING:
    from textile_aio.fs.filesystem import BucketFileSystem


class BucketTransaction(Transaction):  # type: ignore[misc]  # fsspec has no types
    """What ``fs.transaction`` is: a context manager, ``async with`` on asynchronous file systems.

    Files written meanwhile are kept on this side, large ones on the disk, and pushed at the end: those of one
    bucket in one step, at the hub of this package all of them or none. Reading still gives what is in the
    bucket.
    """

    fs: BucketFileSystem | None

    def __init__(self, fs: BucketFileSystem) -> None:
        super().__init__(fs)
        self.files: deque[Pending] = deque()

    def complete(self, commit: bool = True) -> None:
        """Push what was written, or drop it.

        Raises:
            InvalidInput: A file is still open; nothing was pushed.
            TextileError: A push failed; of that bucket's files none is stored.
        """
        assert self.fs is not None  # noqa: S101 - it is set until it is complete
        sync(self.fs.loop, self.finish, commit=commit)

    async def finish(self, *, commit: bool) -> None:
        """The same, on the file system's event loop."""
        fs, self.fs = self.fs, None
        files = list(self.files)
        self.files.clear()
        if fs is None:
            return
        fs._intrans = False
        fs._transaction = None
        try:
            if commit:
                await _push(fs, files)
        finally:
            for file in files:
                file.release()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.finish(commit=kind is None)


async def _push(fs: BucketFileSystem, files: list[Pending]) -> None:
    if unfinished := [file.path for file in files if not file.closed]:
        raise InvalidInput(f"close {', '.join(unfinished)} before the transaction ends; nothing was stored")
    await fs.push_together({file.path: file.source for file in files if not file.discarded})
