"""Files going out: PullPath and PullIpfsPath (spec: buckets-api §10)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from textile_aio import dcrypto
from textile_aio._codec.cid import Cid
from textile_aio.errors import IntegrityError
from textile_aio.localhub.buckets.verified import VerifiedFiles
from textile_aio.localhub.workers import Workers
from textile_aio.storage.blocks import Blocks
from textile_aio.unixfs.block import BytesLike
from textile_aio.unixfs.exporter import FileExporter

BLOCKS_AT_A_TIME = 8
"""Leaves fetched by one hop to the store: 2 MiB. One such batch is being sent while the next is read."""

INLINE_SIZE = 32_768
"""Up to here opening takes less than handing it to another thread."""

SMALLEST_CHUNK = 1_024
STANDARD_CHUNK = 32_768
LARGEST_CHUNK = 1_048_576

Sink = Callable[[BytesLike], Awaitable[None]]
_Pieces = Sequence[BytesLike]


class FilePieces:
    """One stored file, as its blocks come from the store: in order, and never more than two batches of them.

    Raises, from every method:
        IsADirectory: It is a directory (``node is a directory``).
        IntegrityError: A block is not what it should be.
    """

    def __init__(self, blocks: Blocks, cid: Cid) -> None:
        self._blocks = blocks
        self._cid = cid

    async def send(self, sink: Sink, *, start: int = 0, stop: int | None = None) -> None:
        """Give stored bytes to ``sink``, in pieces as large as the leaves."""

        async def send_all(pieces: _Pieces, _: int | None) -> None:
            for piece in pieces:
                await sink(piece)

        await self._each(send_all, start=start, stop=stop)

    async def send_opened(
        self,
        sink: Sink,
        key: bytes,
        *,
        workers: Workers | None,
        verified: VerifiedFiles | None = None,
        start: int = 0,
        stop: int | None = None,
    ) -> None:
        """Give what is in an encrypted file to ``sink``.

        It is read once to be verified, and then once more. Where ``verified`` knows it, only what is wanted
        is read, and each block's hash is checked instead.

        Raises:
            DecryptionFailed: It is not under this key, or was altered; nothing of it was given out, and where
                it was known only what comes before.
        """
        known = verified is not None and verified.holds(self._cid, key)
        if known:
            header, whole = await self._header(workers)
        else:
            header, whole = await self._check(key, workers)
            if verified is not None:
                verified.add(self._cid, key)
        size = whole - dcrypto.OVERHEAD
        end = size if stop is None else min(stop, size)
        if start >= end:
            return
        opener = dcrypto.Decrypter(key, header, offset=start)

        async def open_all(pieces: _Pieces, _: int | None) -> None:
            for clear in await _in_thread(workers, pieces, lambda: list(map(opener.update, pieces))):
                await sink(clear)

        first = dcrypto.HEADER_SIZE
        hashing = _Hashing(workers) if known else None
        await self._each(open_all, start=first + start, stop=first + end, hashing=hashing)

    async def _check(self, key: bytes, workers: Workers | None) -> tuple[bytes, int]:
        """Verify the whole file; its header and its size."""
        checked: list[dcrypto.Verifier] = []
        whole = 0

        async def check(pieces: _Pieces, size: int | None) -> None:
            nonlocal whole
            if not checked:
                whole = size or 0
                checked.append(dcrypto.Verifier(key, whole))
            await _in_thread(workers, pieces, partial(_feed, checked[0], pieces))

        await self._each(check)
        if not checked:
            raise dcrypto.corrupt()
        checked[0].finish()
        return checked[0].header, whole

    async def _header(self, workers: Workers | None) -> tuple[bytes, int]:
        """The header of a file that was verified before, and its size."""
        header, whole = b"", 0

        async def keep(pieces: _Pieces, size: int | None) -> None:
            nonlocal header, whole
            whole = size or 0
            header += b"".join(pieces)

        await self._each(keep, stop=dcrypto.HEADER_SIZE, hashing=_Hashing(workers))
        return header, whole

    async def _each(
        self,
        use: Callable[[_Pieces, int | None], Awaitable[None]],
        *,
        start: int = 0,
        stop: int | None = None,
        hashing: _Hashing | None = None,
    ) -> None:
        """Call ``use`` with each batch of content and the size of the whole, while the next one is read.

        Without ``hashing`` no block's hash is looked at. It would halve the pace, and could not say what
        happens behind this hub: clients hash.
        """
        exporter = FileExporter(self._cid, start=start, stop=stop, verify=hashing is not None)

        def wanted() -> list[bytes]:
            return [each.bytes for each in exporter.wants(BLOCKS_AT_A_TIME)]

        fetched = await self._blocks.get_many(wanted())
        while True:
            content = exporter.supply(fetched) if hashing is None else await hashing.supply(exporter, fetched)
            if exporter.done:
                await use(content, exporter.size)
                return
            try:
                async with asyncio.TaskGroup() as group:
                    ahead = group.create_task(self._blocks.get_many(wanted()))
                    if content:
                        await use(content, exporter.size)
            except BaseExceptionGroup as failed:
                raise failed.exceptions[0] from None
            fetched = ahead.result()


class _Hashing:
    """Hashes blocks off the loop."""

    def __init__(self, workers: Workers | None) -> None:
        self._workers = workers

    async def supply(self, exporter: FileExporter, blocks: _Pieces) -> list[BytesLike]:
        try:
            if self._workers is None or sum(map(len, blocks)) <= INLINE_SIZE:
                return exporter.supply(blocks)
            return await self._workers.start(partial(exporter.supply, blocks))
        except IntegrityError as error:
            raise dcrypto.corrupt() from error


def _feed(verifier: dcrypto.Verifier, pieces: _Pieces) -> list[bytes]:
    for piece in pieces:
        verifier.update(piece)
    return []


async def _in_thread(
    workers: Workers | None, pieces: _Pieces, work: Callable[[], list[bytes]]
) -> list[bytes]:
    if workers is None or sum(map(len, pieces)) <= INLINE_SIZE:
        return work()
    return await workers.start(work)


def chunk_size(requested: str) -> int:
    """How much goes into one message: 32 KiB as upstream, or what a client of ours has asked for."""
    if not requested.isascii() or not requested.isdecimal() or len(requested) > 9:
        return STANDARD_CHUNK
    return min(max(int(requested), SMALLEST_CHUNK), LARGEST_CHUNK)
