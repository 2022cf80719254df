"""Pushing one file: what is sent, what comes back, and the ways a push can end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from tests.buckets.fakebucket import (
    FILE_CID,
    KEY,
    NON_FAST_FORWARD,
    FakeBucket,
    progress,
    root_message,
    taken,
)
from tests.fakehub import CTX, connected, received
from tests.rpc.leaks import nothing_left
from textile_aio import (
    AuthContext,
    ClosedError,
    InvalidInput,
    InvalidPath,
    InvalidSource,
    NonFastForward,
    Progress,
    ProtocolError,
    QuotaExceeded,
    RootLike,
    ThreadRequired,
)
from textile_aio._proto.api.bucketsd import pb
from textile_aio.buckets import _convert, _methods
from textile_aio.buckets.sources import CHUNK_SIZE


class Endless:
    """An async iterator without end that knows whether it was closed."""

    def __init__(self, fail_after: int | None = None) -> None:
        self.closed = False
        self.given = 0
        self.fail_after = fail_after

    def __aiter__(self) -> Endless:
        return self

    async def __anext__(self) -> bytes:
        await asyncio.sleep(0)
        if self.given == self.fail_after:
            raise KeyError("the source's own")
        self.given += 1
        return bytes(CHUNK_SIZE)

    async def aclose(self) -> None:
        self.closed = True


async def test_a_push_sends_header_and_chunks_and_returns_values() -> None:
    fake = FakeBucket()
    content = bytes(range(256)) * 3000
    async with connected(fake) as hub:
        pushed = await hub.buckets.push_path(CTX, KEY, "/a/b.bin", content)
    assert fake.headers == [pb.PushPathRequestHeader(key=KEY, path="a/b.bin")]
    assert fake.files == {"a/b.bin": content}
    assert (pushed.path, str(pushed.cid)) == ("a/b.bin", FILE_CID)
    assert (pushed.size, pushed.pinned) == (len(content), 7)
    assert pushed.root == _convert.root(root_message(1))


async def test_an_empty_file_is_a_header_alone() -> None:
    fake = FakeBucket()
    async with connected(fake) as hub:
        await hub.buckets.push_path(CTX, KEY, "empty", b"")
    assert fake.files == {"empty": b""}


async def test_progress_is_what_the_hub_says_it_has_read() -> None:
    fake = FakeBucket()
    steps: list[Progress] = []
    size = 2 * CHUNK_SIZE + 5
    async with connected(fake) as hub:
        await hub.buckets.push_path(CTX, KEY, "a", bytes(size), progress=steps.append)
    assert [step.done for step in steps] == [CHUNK_SIZE, 2 * CHUNK_SIZE, size]
    assert all(step.total == size and step.path == "a" for step in steps)


async def test_what_progress_raises_ends_the_push_and_reaches_the_caller() -> None:
    fake, source = FakeBucket(), Endless()

    def refuse(_: Progress) -> None:
        raise KeyError("enough")

    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(KeyError, match="enough"):
            await hub.buckets.push_path(CTX, KEY, "a", source, progress=refuse)
        await fake.broken.wait()
    assert source.closed
    assert fake.files == {}


async def test_a_source_that_raises_is_no_end_of_file() -> None:
    fake, source = FakeBucket(), Endless(fail_after=3)
    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(KeyError, match="the source's own"):
            await hub.buckets.push_path(CTX, KEY, "a", source)
        await fake.broken.wait()
    assert source.closed
    assert not fake.ended.is_set()
    assert fake.files == {}


async def test_a_refusal_midway_is_the_hubs_own_error() -> None:
    fake, source = FakeBucket(), Endless()

    async def refuse(stream: Stream[Any, Any]) -> None:
        await stream.recv_message()
        await stream.recv_message()
        raise GRPCError(Status.UNKNOWN, "storage quota exhausted")

    fake.on(_methods.PUSH_PATH, refuse)
    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(QuotaExceeded) as caught:
            await hub.buckets.push_path(CTX, KEY, "dir/a", source)
    assert source.closed
    assert caught.value.about == "dir/a"


async def test_cancelling_the_caller_tells_the_hub_and_closes_the_source() -> None:
    fake, source = FakeBucket(), Endless()
    async with nothing_left(), connected(fake) as hub:
        task = asyncio.create_task(hub.buckets.push_path(CTX, KEY, "a", source))
        await fake.begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await fake.broken.wait()
    assert source.closed
    assert fake.files == {}


async def test_a_timeout_around_a_push_is_a_timeout() -> None:
    fake, source = FakeBucket(), Endless()
    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await hub.buckets.push_path(CTX, KEY, "a", source)
        await fake.broken.wait()
    assert source.closed


async def test_another_root_is_refused_with_both_roots_named() -> None:
    fake = FakeBucket()

    async def refuse(stream: Stream[Any, Any]) -> None:
        fake.headers.append((await received(stream)).header)
        raise NON_FAST_FORWARD

    fake.on(_methods.PUSH_PATH, refuse)
    stale = _convert.root(root_message(3))
    async with connected(fake) as hub:
        with pytest.raises(NonFastForward) as caught:
            await hub.buckets.push_path(CTX, KEY, "a", b"x", root=stale)
    assert fake.headers[0].root == stale.path
    assert (caught.value.expected, caught.value.actual) == (stale.path, root_message(9).path)


async def test_a_refusal_stands_when_the_present_root_cannot_be_had() -> None:
    fake = FakeBucket()

    async def refuse(stream: Stream[Any, Any]) -> None:
        raise NON_FAST_FORWARD

    fake.on(_methods.PUSH_PATH, refuse)
    fake.answer(_methods.ROOT, GRPCError(Status.UNKNOWN, "instance not found"))
    async with connected(fake) as hub:
        with pytest.raises(NonFastForward) as caught:
            await hub.buckets.push_path(CTX, KEY, "a", b"x", root="/ipfs/stale")
    assert (caught.value.expected, caught.value.actual) == ("/ipfs/stale", "")


@pytest.mark.parametrize("form", ["path", "cid", "text"])
async def test_a_root_may_be_given_in_each_of_its_forms(form: str) -> None:
    fake = FakeBucket()
    root = _convert.root(root_message(3))
    forms: dict[str, RootLike] = {"path": root.path, "cid": root.cid, "text": str(root.cid)}
    async with connected(fake) as hub:
        await hub.buckets.push_path(CTX, KEY, "a", b"x", root=forms[form])
    assert fake.headers[0].root == root.path


async def test_events_that_are_not_known_are_passed_over() -> None:
    fake = FakeBucket()

    async def chatty(stream: Stream[Any, Any]) -> None:
        async for _ in stream:
            pass
        for reply in (pb.PushPathResponse(), progress(0), taken(1), progress(1), pb.PushPathResponse()):
            await stream.send_message(reply)

    fake.on(_methods.PUSH_PATH, chatty)
    async with connected(fake) as hub:
        assert (await hub.buckets.push_path(CTX, KEY, "a", b"x")).size == 1


@pytest.mark.parametrize("replies", [[], [progress(1)]], ids=["nothing", "progress only"])
async def test_an_end_without_the_last_event_is_no_success(replies: list[Any]) -> None:
    fake = FakeBucket()

    async def silent(stream: Stream[Any, Any]) -> None:
        async for _ in stream:
            pass
        for reply in replies:
            await stream.send_message(reply)

    fake.on(_methods.PUSH_PATH, silent)
    async with connected(fake) as hub:
        with pytest.raises(ProtocolError, match="before the file was complete"):
            await hub.buckets.push_path(CTX, KEY, "a", b"x")


async def test_a_last_event_before_the_file_was_sent_is_no_success() -> None:
    fake, source = FakeBucket(), Endless()

    async def hasty(stream: Stream[Any, Any]) -> None:
        await stream.recv_message()
        await stream.send_message(taken(1))

    fake.on(_methods.PUSH_PATH, hasty)
    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(ProtocolError):
            await hub.buckets.push_path(CTX, KEY, "a", source)
    assert source.closed


BAD_PATHS = ["", "/", "a//b", "a/../b", ".", "a/", "//a", "a\0b", ".textileseed", "\ud800"]


@pytest.mark.parametrize("path", BAD_PATHS)
async def test_a_path_that_no_hub_takes_is_refused_before_anything_is_sent(path: str) -> None:
    fake = FakeBucket()
    async with connected(fake) as hub:
        with pytest.raises(InvalidPath):
            await hub.buckets.push_path(CTX, KEY, path, b"x")
        with pytest.raises(InvalidPath):
            hub.buckets.push_paths(CTX, KEY, {path: b"x"})
        with pytest.raises(InvalidPath):
            await hub.buckets.remove_path(CTX, KEY, path)
    assert fake.called == []


async def test_what_cannot_work_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    fake = FakeBucket()
    async with connected(fake) as hub:
        with pytest.raises(ThreadRequired):
            await hub.buckets.push_path(AuthContext(), KEY, "a", b"x")
        with pytest.raises(InvalidInput, match="bucket key"):
            await hub.buckets.push_path(CTX, "", "a", b"x")
        with pytest.raises(InvalidSource, match=r"cannot open .*missing: No such file"):
            await hub.buckets.push_path(CTX, KEY, "a", tmp_path / "missing")
        with pytest.raises(IsADirectoryError):
            await hub.buckets.push_path(CTX, KEY, "a", tmp_path)
        with pytest.raises(InvalidSource, match=r"pathlib\.Path"):
            await hub.buckets.push_path(CTX, KEY, "a", "photo.jpg")  # type: ignore[arg-type]
        with pytest.raises(InvalidInput, match="root is empty"):
            await hub.buckets.push_path(CTX, KEY, "a", b"x", root="")
    assert fake.called == []
    with pytest.raises(ClosedError):
        hub.buckets  # noqa: B018 - looking at it is what fails


async def test_a_file_is_pushed_by_its_path_and_its_size_is_known(tmp_path: Path) -> None:
    fake = FakeBucket()
    file = tmp_path / "file"
    file.write_bytes(bytes(range(250)) * 4000)
    totals: list[int | None] = []
    async with nothing_left(), connected(fake) as hub:
        await hub.buckets.push_path(CTX, KEY, "a", file, progress=lambda step: totals.append(step.total))
    assert fake.files["a"] == file.read_bytes()
    assert set(totals) == {1_000_000}


async def test_replies_are_read_while_a_source_waits_for_them() -> None:
    fake, seen = FakeBucket(), asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield bytes(CHUNK_SIZE)
        await seen.wait()
        yield b"rest"

    async with connected(fake) as hub:
        await hub.buckets.push_path(CTX, KEY, "a", source(), progress=lambda _: seen.set())
    assert len(fake.files["a"]) == CHUNK_SIZE + 4
