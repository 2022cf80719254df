"""Refusals are held back by address, in an even flow, and nobody is remembered for ever."""

from __future__ import annotations

import pytest

from textile_aio.localhub.access.throttle import RefusalThrottle


class Time:
    """A clock that stands still, and what was waited for."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.fixture
def time() -> Time:
    return Time()


def throttle(time: Time, rate: float | None = 10.0, burst: int = 3) -> RefusalThrottle:
    return RefusalThrottle(rate, burst=burst, clock=lambda: time.now, sleep=time.sleep)


async def test_after_the_first_few_each_refusal_waits_for_those_before(time: Time) -> None:
    throttled = throttle(time)
    for _ in range(6):
        await throttled.hold_back("1.2.3.4")
    assert time.waits == pytest.approx([0.1, 0.2, 0.3])


async def test_a_quiet_time_is_forgiven_and_never_more_than_the_burst(time: Time) -> None:
    throttled = throttle(time)
    for _ in range(5):
        await throttled.hold_back("1.2.3.4")
    time.waits.clear()
    time.now += 1_000
    for _ in range(4):
        await throttled.hold_back("1.2.3.4")
    assert time.waits == pytest.approx([0.1])


async def test_addresses_do_not_wait_for_each_other(time: Time) -> None:
    throttled = throttle(time, burst=1)
    for address in map(str, range(50)):
        await throttled.hold_back(address)
    assert time.waits == []


async def test_memory_is_bounded(time: Time) -> None:
    throttled = throttle(time)
    for address in map(str, range(20_000)):
        await throttled.hold_back(address)
    assert len(throttled._due) == 10_000


async def test_without_a_rate_nobody_waits(time: Time) -> None:
    throttled = throttle(time, rate=None)
    for _ in range(1_000):
        await throttled.hold_back("1.2.3.4")
    assert time.waits == []
