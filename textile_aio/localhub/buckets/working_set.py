"""Joins the pure tree algorithms to a block store that has to be awaited."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

from textile_aio._codec.cid import Cid
from textile_aio.storage.blocks import Blocks
from textile_aio.unixfs.resolve import resolve, step
from textile_aio.unixfs.stat import Stat

T = TypeVar("T")


class _BlockNeeded(Exception):
    def __init__(self, cid: Cid) -> None:
        super().__init__(str(cid))
        self.cid = cid


class WorkingSet:
    """The blocks one operation has looked at.

    :meth:`get` is what tree algorithms call; what it does not have interrupts them, and :meth:`run`
    loads the block and runs them again. They change nothing before they have read everything.
    """

    def __init__(self, blocks: Blocks, opened: Callable[[Cid, bytes], bytes] | None = None) -> None:
        """Work on the blocks of a store.

        Args:
            blocks: Where they are.
            opened: Makes a stored block readable, where it is encrypted.
        """
        self._blocks = blocks
        self._opened = opened
        self._loaded: dict[Cid, bytes] = {}

    def get(self, cid: Cid) -> bytes:
        """A block that is loaded; only within :meth:`run`."""
        try:
            return self._loaded[cid]
        except KeyError:
            raise _BlockNeeded(cid) from None

    async def run(self, algorithm: Callable[[], T]) -> T:
        """The result of ``algorithm``, with every block it asks for."""
        while True:
            try:
                return algorithm()
            except _BlockNeeded as missing:
                await self.load((missing.cid,))

    async def resolve(self, root: Cid, path: Sequence[str]) -> Stat:
        """What is at a path, as :func:`~textile_aio.unixfs.resolve.resolve` says it.

        Step by step: walked as a whole it would begin anew at each block that is missing.
        """
        cid, tsize = await self.descend(root, path)
        return await self.run(partial(resolve, cid, (), self.get, tsize=tsize))

    async def descend(self, root: Cid, path: Sequence[str]) -> tuple[Cid, int | None]:
        """The CID at a path, and the cumulative size that its link declares; raises as :meth:`resolve`."""
        cid, tsize = root, None
        for name in path:
            _, cid, tsize = await self.run(partial(step, cid, name, self.get))
        return cid, tsize

    async def load(self, cids: Iterable[Cid]) -> None:
        """Load many blocks at once."""
        missing = [cid for cid in dict.fromkeys(cids) if cid not in self._loaded]
        if missing:
            blocks = await self._blocks.get_many([cid.bytes for cid in missing])
            for cid, block in zip(missing, blocks, strict=True):
                self._loaded[cid] = block if self._opened is None else self._opened(cid, block)
