"""Pushes that are fed: how much they hold, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable

import pytest

from textile_aio import ClosedError, WriteDenied
from textile_aio.fs.uploads import Upload


async def test_no_piece_is_taken_before_the_hub_has_room() -> None:
    room = asyncio.Semaphore(0)
    taken: list[bytes] = []

    async def push(pieces: AsyncIterable[bytes]) -> None:
        async for piece in pieces:
            taken.append(piece)
            await room.acquire()

    upload = Upload(push, about="file")
    await upload.send(b"1")
    second = asyncio.create_task(upload.send(b"2"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert taken == [b"1"]
    assert not second.done()
    room.release()
    await second
    room.release()
    await upload.commit()
    assert taken == [b"1", b"2"]


async def test_why_a_push_ended_reaches_the_writer() -> None:
    async def push(pieces: AsyncIterable[bytes]) -> None:
        async for _ in pieces:
            raise WriteDenied("no", about="file")

    upload = Upload(push, about="file")
    await upload.send(b"1")
    for _ in range(2):
        with pytest.raises(WriteDenied):
            await upload.send(b"2")
    with pytest.raises(WriteDenied):
        await upload.commit()


@pytest.mark.parametrize("how", ["discard", "abandon"])
async def test_an_upload_that_is_given_up_never_looks_complete(how: str) -> None:
    ended = asyncio.Event()
    complete = False

    async def push(pieces: AsyncIterable[bytes]) -> None:
        nonlocal complete
        try:
            async for _ in pieces:
                pass
            complete = True
        finally:
            ended.set()

    upload = Upload(push, about="file")
    await upload.send(b"1")
    if how == "discard":
        await upload.discard()
        await upload.discard()
    else:
        upload.abandon()
        await ended.wait()
    with pytest.raises(ClosedError):
        await upload.commit()
    assert not complete


async def test_a_cancelled_write_breaks_the_upload_off() -> None:
    never = asyncio.Event()

    async def push(pieces: AsyncIterable[bytes]) -> None:
        async for _ in pieces:
            await never.wait()

    upload = Upload(push, about="file")
    await upload.send(b"1")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await upload.send(b"2")
    with pytest.raises(ClosedError):
        await upload.commit()
