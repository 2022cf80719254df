"""When a call is made again, how long that takes, and who shares a connection attempt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from grpclib.const import Status
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.proxy import DATA, HEADERS, Direction, proxying
from tests.rpc.leaks import nothing_left
from tests.rpc.service import (
    CHAT,
    COUNT_SAFE,
    COUNT_UNSAFE,
    CTX,
    ECHO,
    HANG,
    Anonymous,
    Service,
    channel,
    live_link,
    serving,
)
from textile_aio import errors
from textile_aio._rpc.connection import Keepalive
from textile_aio._rpc.retry import RetryPolicy


class Sleeper:
    """Sleeps by noting it."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


def test_waits_grow_up_to_the_maximum() -> None:
    policy = RetryPolicy(attempts=7, initial=1, maximum=10, multiplier=2, jitter=0)
    waits = [policy.delay(n, remaining=None, random=lambda: 0.5) for n in range(1, 8)]
    assert waits == [1, 2, 4, 8, 10, 10, None]


def test_the_policy_that_never_repeats() -> None:
    assert RetryPolicy.none().delay(1, remaining=None, random=lambda: 0) is None


def test_no_wait_reaches_past_the_deadline() -> None:
    policy = RetryPolicy(initial=1, jitter=0)
    assert policy.delay(1, remaining=1.0, random=lambda: 0) is None
    assert policy.delay(1, remaining=1.1, random=lambda: 0) == 1


@given(
    st.integers(1, 10**6),
    st.floats(0, 10),
    st.floats(0, 100),
    st.floats(1, 1e300),
    st.floats(0, 1),
    st.floats(0, 1, exclude_max=True),
)
def test_a_wait_stays_between_its_bounds(
    failures: int, initial: float, more: float, multiplier: float, jitter: float, chance: float
) -> None:
    policy = RetryPolicy(
        attempts=failures + 1, initial=initial, maximum=initial + more, multiplier=multiplier, jitter=jitter
    )
    wait = policy.delay(failures, remaining=None, random=lambda: chance)
    assert wait is not None
    assert initial * (1 - jitter) <= wait * (1 + 1e-9)
    assert 0 <= wait <= policy.maximum


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": 0},
        {"initial": -1},
        {"initial": 3, "maximum": 2},
        {"multiplier": 0.5},
        {"jitter": 1.5},
        {"jitter": float("nan")},
        {"initial": float("nan")},
    ],
)
def test_a_policy_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidInput):
        RetryPolicy(**wrong)


async def test_a_safe_call_is_repeated_while_the_hub_is_unavailable() -> None:
    service, sleep, ctx = Service(), Sleeper(), Anonymous()
    service.fail_first = 2
    policy = RetryPolicy(attempts=3, initial=0.5, multiplier=3, jitter=0.5)
    async with serving(service) as port, channel(port, retry=policy, sleep=sleep, random=lambda: 0.5) as ch:
        assert await ch.unary(COUNT_SAFE, b"", ctx) == b"3"
    assert sleep.slept == [0.375, 1.125]
    assert ctx.asked == 3  # signatures are made afresh


async def test_the_last_error_is_raised_when_attempts_run_out() -> None:
    service, sleep = Service(), Sleeper()
    service.fail_first = 100
    async with serving(service) as port, channel(port, retry=RetryPolicy(attempts=3), sleep=sleep) as ch:
        with pytest.raises(errors.Unavailable, match="not now"):
            await ch.unary(COUNT_SAFE, b"", CTX)
    assert service.calls == 3


async def test_a_call_that_is_not_safe_is_made_once() -> None:
    service, sleep = Service(), Sleeper()
    service.fail_first = 1
    async with serving(service) as port, channel(port, retry=RetryPolicy(), sleep=sleep) as ch:
        with pytest.raises(errors.Unavailable):
            await ch.unary(COUNT_UNSAFE, b"", CTX)
    assert service.calls == 1
    assert sleep.slept == []


@pytest.mark.parametrize("status", [s for s in Status if s not in (Status.OK, Status.UNAVAILABLE)])
async def test_other_refusals_are_not_repeated(status: Status) -> None:
    service = Service()
    service.fail_first, service.status = 1, status
    async with serving(service) as port, channel(port, retry=RetryPolicy(), sleep=Sleeper()) as ch:
        with pytest.raises(errors.TextileError) as caught:
            await ch.unary(COUNT_SAFE, b"", CTX)
    assert caught.value.code == status.value
    assert service.calls == 1


async def test_nothing_is_waited_for_past_the_deadline() -> None:
    service, sleep = Service(), Sleeper()
    service.fail_first = 100
    policy = RetryPolicy(attempts=100, initial=5, maximum=5, jitter=0)
    async with (
        serving(service) as port,
        channel(port, retry=policy, sleep=sleep, clock=lambda: sum(sleep.slept)) as ch,
    ):
        with pytest.raises(errors.Unavailable):
            await ch.unary(COUNT_SAFE, b"", CTX, timeout=12)
    assert sleep.slept == [5, 5]
    assert [round(left or 0) for left in service.deadlines] == [12, 7, 2]


async def test_a_refused_connection_is_tried_again_even_for_an_unsafe_call() -> None:
    service = Service()
    async with serving(service) as port, proxying(port) as proxy:
        await proxy.refuse()
        sleeps = 0

        async def sleep(_: float) -> None:
            nonlocal sleeps
            sleeps += 1
            if sleeps == 2:
                await proxy.heal()

        async with channel(proxy.port, retry=RetryPolicy(), sleep=sleep) as ch:
            assert await ch.unary(COUNT_UNSAFE, b"", CTX) == b"1"
            assert sleeps == 2


async def test_a_stream_is_opened_again_when_its_connection_is_refused() -> None:
    async with serving(Service()) as port, proxying(port) as proxy:
        await proxy.refuse()

        async def sleep(_: float) -> None:
            await proxy.heal()

        async with (
            channel(proxy.port, retry=RetryPolicy(), sleep=sleep) as ch,
            ch.stream(CHAT, CTX) as stream,
        ):
            await stream.send(b"x")
            assert await stream.recv() == b"got x"


async def test_a_refused_connection_names_the_hub_and_keeps_the_cause(unused_tcp_port: int) -> None:
    async with nothing_left(), channel(unused_tcp_port) as ch:
        with pytest.raises(errors.Unavailable, match=f"127.0.0.1:{unused_tcp_port}") as caught:
            await ch.unary(ECHO, b"", CTX, about="x")
    assert isinstance(caught.value.__cause__, OSError)
    assert isinstance(caught.value, ConnectionError)
    assert (caught.value.method, caught.value.about) == (ECHO.path, "x")


async def test_callers_at_once_share_one_connection_and_its_failure(unused_tcp_port: int) -> None:
    async with serving(Service()) as port, proxying(port) as proxy, channel(proxy.port) as ch:
        await asyncio.gather(*(ch.unary(ECHO, b"", CTX) for _ in range(50)))
        assert proxy.accepted == 1
        link = live_link(ch)
        proxy.cut()
        await link.until_gone()
        await asyncio.gather(*(ch.unary(ECHO, b"", CTX) for _ in range(50)))
        assert proxy.accepted == 2
    async with channel(unused_tcp_port) as ch:
        results = await asyncio.gather(*(ch.unary(ECHO, b"", CTX) for _ in range(20)), return_exceptions=True)
    failures = [result for result in results if isinstance(result, errors.Unavailable)]
    assert len(failures) == 20
    assert len({id(failure.__cause__) for failure in failures}) == 1


async def test_when_the_caller_that_connects_is_cancelled_another_takes_over() -> None:
    async with nothing_left(), serving(Service()) as port, proxying(port) as proxy, channel(proxy.port) as ch:
        proxy.stall()
        first = asyncio.create_task(ch.unary(ECHO, b"1", CTX))
        await proxy.connected.wait()
        second = asyncio.create_task(ch.unary(ECHO, b"2", CTX))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        assert first.cancelled()
        await proxy.heal()
        assert await second == b"2"


async def test_a_dead_connection_is_found_by_its_silence_and_replaced() -> None:
    keepalive = Keepalive(interval=0.02, timeout=0.05)
    async with (
        nothing_left(),
        serving(Service()) as port,
        proxying(port) as proxy,
        channel(proxy.port, keepalive=keepalive) as ch,
    ):
        hanging = asyncio.create_task(ch.unary(HANG, b"", CTX))
        await ch.unary(ECHO, b"", CTX)
        proxy.stall()
        with pytest.raises(errors.Unavailable, match=r"no answer to a ping within 0\.05 s"):
            await hanging
        await proxy.heal()
        assert await ch.unary(ECHO, b"back", CTX) == b"back"
        assert proxy.accepted == 2


async def test_an_idle_connection_is_probed_too_and_can_be_left_alone() -> None:
    async with (
        serving(Service()) as port,
        proxying(port) as proxy,
        channel(proxy.port, keepalive=Keepalive(interval=0.01, timeout=5)) as ch,
    ):
        await ch.unary(ECHO, b"", CTX)
        await proxy.until_passed(5 * 17, Direction.UP)  # five pings
    async with (
        serving(Service()) as port,
        proxying(port) as proxy,
        channel(proxy.port, keepalive=None) as ch,
    ):
        await ch.unary(ECHO, b"", CTX)
        assert live_link(ch)._timer is None


async def test_a_push_into_a_dead_network_ends_though_the_socket_is_full() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(500_000)

    keepalive = Keepalive(interval=0.02, timeout=0.1)
    async with (
        nothing_left(),
        serving(Service()) as port,
        proxying(port) as proxy,
        channel(proxy.port, keepalive=keepalive) as ch,
    ):
        with pytest.raises(errors.Unavailable, match="ping"):
            async with ch.stream(HANG, CTX, source=endless()) as stream:
                proxy.stall()
                await stream.recv()


@pytest.mark.parametrize("frame", [HEADERS, DATA])
@pytest.mark.parametrize("direction", list(Direction))
async def test_a_call_cut_at_any_frame_is_unavailable_and_the_next_one_works(
    frame: int, direction: Direction
) -> None:
    async with nothing_left(), serving(Service()) as port, proxying(port) as proxy, channel(proxy.port) as ch:
        await ch.unary(ECHO, b"", CTX)
        proxy.cut_before(frame, 1, direction)
        with pytest.raises(errors.Unavailable):
            await ch.unary(COUNT_UNSAFE, b"", CTX, timeout=20)
        assert await ch.unary(ECHO, b"again", CTX, timeout=20) == b"again"


@pytest.mark.parametrize("count", [0, 1, 9, 20, 40, 60])
async def test_a_safe_call_survives_a_cut_at_any_byte_of_its_answer(count: int) -> None:
    async with (
        nothing_left(),
        serving(Service()) as port,
        proxying(port) as proxy,
        channel(proxy.port, retry=RetryPolicy(initial=0)) as ch,
    ):
        await ch.unary(ECHO, b"", CTX)
        proxy.cut_after(count, Direction.DOWN)
        while not proxy.cut_done.is_set():
            assert await ch.unary(ECHO, b"whole", CTX, timeout=20) == b"whole"
        assert await ch.unary(ECHO, b"again", CTX, timeout=20) == b"again"
