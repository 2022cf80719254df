"""Pulls that break and go on, and readers, at hubs that answer oddly."""

from __future__ import annotations

from typing import Any

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from tests.buckets.fakebucket import KEY
from tests.fakehub import CTX, FakeHub, connected, received
from textile_aio import (
    Aborted,
    DeadlineExceeded,
    HubClient,
    Progress,
    ProtocolError,
    RetryPolicy,
    Unauthenticated,
    Unavailable,
)
from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc.channel import Channel
from textile_aio.buckets import _methods
from textile_aio.buckets.reader import READ_AHEAD

GOING_DOWN = GRPCError(Status.UNAVAILABLE, "going down")


class Ranges(FakeHub):
    """Serves ranges of its content. Calls fail as told: with an error at their start, or after some bytes.

    Attributes:
        asked: Offset and length of each call.
        headers: Response headers to say other than they are.
    """

    def __init__(self, content: bytes, *failures: GRPCError | int | None, **headers: str) -> None:
        super().__init__()
        self.content = content
        self.failures = list(failures)
        self.headers = {f"textile-aio-{name}": value for name, value in headers.items()}
        self.asked: list[tuple[int, int]] = []
        self.file = "bafy"
        self.on(_methods.PULL_PATH, self.serve)

    async def serve(self, stream: Stream[Any, Any]) -> None:
        request = await received(stream)
        self.asked.append((request.offset, request.length))
        failure = self.failures.pop(0) if self.failures else None
        if isinstance(failure, GRPCError):
            raise failure
        end = request.offset + request.length if request.length else len(self.content)
        said = {
            "textile-aio-file": self.file,
            "textile-aio-offset": str(request.offset),
            "textile-aio-size": str(len(self.content)),
        }
        await stream.send_initial_metadata(metadata=said | self.headers)
        wanted = self.content[request.offset : end]
        await stream.send_message(pb.PullPathResponse(chunk=wanted[:failure]))
        if failure is not None:
            raise GOING_DOWN


async def pulled(hub: HubClient) -> bytes:
    return b"".join([chunk async for chunk in hub.buckets.pull_path(CTX, KEY, "a")])


async def test_a_hub_that_is_not_back_yet_is_asked_again() -> None:
    fake = Ranges(b"abcdef", 2, GOING_DOWN, GOING_DOWN, 3)
    async with connected(fake) as hub:
        assert await pulled(hub) == b"abcdef"
    assert fake.asked == [(0, 0), (2, 0), (2, 0), (2, 0), (5, 0)]


async def test_a_hub_that_does_not_come_back_is_given_up() -> None:
    async with connected(Ranges(b"abcdef", 2, *[GOING_DOWN] * 4)) as hub:
        with pytest.raises(Unavailable):
            await pulled(hub)


async def test_longer_and_longer_pauses_are_made_until_bytes_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[int] = []

    async def back_off(_: Channel, policy: RetryPolicy, failures: int, *, remaining: float | None) -> bool:
        assert policy.initial > 0
        assert remaining is None
        pauses.append(failures)
        return True

    monkeypatch.setattr(Channel, "back_off", back_off)
    async with connected(Ranges(b"abcdef", 2, GOING_DOWN, GOING_DOWN, 3, GOING_DOWN)) as hub:
        assert await pulled(hub) == b"abcdef"
    assert pauses == [1, 2, 3, 1, 2]


async def test_a_pull_has_one_deadline_however_often_it_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[float] = []
    back_off = Channel.back_off

    async def noted(self: Channel, policy: RetryPolicy, failures: int, *, remaining: float | None) -> bool:
        assert remaining is not None
        left.append(remaining)
        return await back_off(self, RetryPolicy(initial=0.0), failures, remaining=remaining)

    monkeypatch.setattr(Channel, "back_off", noted)
    fake = Ranges(b"abcdef", 2, 1, 1)
    async with connected(fake) as hub:
        chunks = [chunk async for chunk in hub.buckets.pull_path(CTX, KEY, "a", timeout=60.0)]
    assert b"".join(chunks) == b"abcdef"
    assert 60.0 > left[0] > left[1] > left[2] > 0
    assert len(fake.asked) == 4


async def test_no_pause_is_made_for_which_there_is_no_time() -> None:
    fake = Ranges(b"abcdef", 2)
    async with connected(fake) as hub:
        with pytest.raises((Unavailable, DeadlineExceeded)):
            _ = [chunk async for chunk in hub.buckets.pull_path(CTX, KEY, "a", timeout=0.049)]
    assert len(fake.asked) <= 1


async def test_what_a_progress_callback_raises_is_no_break() -> None:
    raised = Unavailable("the callback's own")

    def progress(_: Progress) -> None:
        raise raised

    fake = Ranges(b"abcdef")
    async with connected(fake) as hub:
        with pytest.raises(Unavailable) as seen:
            _ = [chunk async for chunk in hub.buckets.pull_path(CTX, KEY, "a", progress=progress)]
    assert seen.value is raised
    assert fake.asked == [(0, 0)]


async def test_what_the_hub_says_then_is_said_and_nothing_else() -> None:
    fake = Ranges(b"abcdef", 2, GRPCError(Status.UNAUTHENTICATED, "Session or API key required"))
    async with connected(fake) as hub:
        with pytest.raises(Unauthenticated):
            await pulled(hub)


async def test_another_file_is_not_gone_on_with() -> None:
    fake = Ranges(b"abcdef", 2)
    async with connected(fake) as hub, hub.buckets.pull_path(CTX, KEY, "a") as pull:
        assert await anext(pull) == b"ab"
        fake.file = "another"
        with pytest.raises(Aborted):
            await anext(pull)


async def test_content_from_another_byte_is_refused() -> None:
    async with connected(Ranges(b"abcdef", offset="3")) as hub:
        with pytest.raises(ProtocolError):
            await pulled(hub)


@pytest.mark.parametrize(
    "fake",
    [
        lambda: Ranges(b"abcdef", size="100"),
        lambda: Ranges(b"abcdef", size="many"),
        lambda: Ranges(b"abcdef", offset="1"),
    ],
    ids=["too little", "a size that is none", "another range"],
)
async def test_a_reader_takes_only_what_it_asked_for(fake: Any) -> None:
    async with connected(fake()) as hub:
        with pytest.raises(ProtocolError):
            async with hub.buckets.open(CTX, KEY, "a"):
                pass


async def test_reading_on_takes_ever_larger_ranges_and_jumping_small_ones() -> None:
    content = bytes(range(256)) * 8 * 1024
    fake = Ranges(content)
    async with connected(fake) as hub, hub.buckets.open(CTX, KEY, "a") as file:
        read = b"".join([await file.read(100_000) for _ in range(15)])
        assert read == content[: 15 * 100_000]
        await file.seek(-10, 2)
        assert await file.read() == content[-10:]
    assert [length // READ_AHEAD for _, length in fake.asked] == [1, 2, 4, 1]
