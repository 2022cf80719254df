"""How long a server waits for its peers, and what moves none of them counts for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from textile_aio._rpc.budget import FrameBudget
from textile_aio._rpc.limits import Limits
from textile_aio._rpc.patience import Patience


@dataclass
class Connection:
    """One that a test arranges."""

    greeted: bool = True
    header_block: int = 0
    calls: tuple[int, int] = (0, 0)
    done: list[str] = field(default_factory=list)

    def abort(self) -> None:
        self.done.append("abort")

    def retire(self) -> None:
        self.done.append("retire")

    def close(self) -> None:
        self.done.append("close")


class Watching:
    """A patience that looks when it is told to, ten seconds after it looked last."""

    def __init__(self, connection: Connection) -> None:
        self.now = 0.0
        limits = Limits(head_seconds=10, idle_seconds=60)
        self.patience = Patience(connection, limits, clock=lambda: self.now)

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            self.now += 10
            self.patience.look()
            self.patience.stop()


@pytest.fixture
async def connection() -> Connection:
    return Connection()


@pytest.fixture
async def watching(connection: Connection) -> Watching:
    return Watching(connection)


async def test_a_peer_that_sends_no_settings_is_reset(connection: Connection, watching: Watching) -> None:
    connection.greeted = False
    watching.look()
    assert connection.done == ["abort"]


async def test_a_header_block_may_take_so_long(connection: Connection, watching: Watching) -> None:
    for number in range(1, 5):
        connection.header_block = number  # another one each time
        watching.look()
    assert connection.done == []
    watching.look()
    assert connection.done == ["abort"]


async def test_a_connection_without_calls_is_retired_and_then_closed(
    connection: Connection, watching: Watching
) -> None:
    watching.look(6)
    assert connection.done == []
    watching.look()
    assert connection.done == ["retire"]
    watching.look()
    assert connection.done == ["retire", "close"]


async def test_a_call_that_is_open_or_has_been_begins_the_time_anew(
    connection: Connection, watching: Watching
) -> None:
    connection.calls = (1, 1)
    watching.look(100)
    connection.calls = (0, 1)
    watching.look(5)
    connection.calls = (0, 2)  # one came and went between two looks
    watching.look(7)
    assert connection.done == []
    watching.look()
    assert connection.done == ["retire"]


async def test_a_retired_connection_waits_for_its_last_call(
    connection: Connection, watching: Watching
) -> None:
    watching.look(7)
    connection.calls = (1, 1)
    watching.look(20)
    assert connection.done == ["retire"]
    connection.calls = (0, 1)
    watching.look()
    assert connection.done == ["retire", "close"]


@dataclass
class Carried:
    data_sent: int = 0
    messages_sent: int = 0
    messages_received: int = 0


def budget(limit: int, times: list[float]) -> FrameBudget:
    clock: Iterator[float] = iter(times)
    return FrameBudget(limit, clock=lambda: next(clock))


def spent(frames: FrameBudget, traffic: Carried, *, most: int = 10_000) -> int:
    for number in range(most):
        if not frames.spend(traffic):
            return number
    return most


def test_so_many_frames_may_come_at_once() -> None:
    assert spent(budget(100, [0.0] * 3), Carried()) == 100


def test_time_gives_a_hundredth_back_each_second_and_no_more_than_all() -> None:
    frames = budget(100, [0.0, 0.0, 20.0, 20.0, 1e6, 1e6])
    traffic = Carried()
    assert spent(frames, traffic) == 100
    assert spent(frames, traffic) == 20
    assert spent(frames, traffic) == 100


def test_messages_either_way_and_bytes_sent_pay_for_more() -> None:
    frames = budget(100, [0.0] * 10)
    traffic = Carried()
    assert spent(frames, traffic) == 100
    traffic.messages_sent, traffic.messages_received = 3, 2
    assert spent(frames, traffic) == 20
    traffic.data_sent = 50 * 1024
    assert spent(frames, traffic) == 50
    assert spent(frames, traffic) == 0


def test_what_calls_have_paid_is_not_saved_without_end() -> None:
    frames = budget(10, [0.0] * 10)
    traffic = Carried(messages_sent=10**9)
    assert spent(frames, traffic) == 10 + 640


def test_a_tenth_that_nothing_has_paid_for_is_a_strain() -> None:
    frames = budget(100, [0.0] * 20)
    traffic = Carried()
    assert spent(frames, traffic, most=10) == 10
    assert not frames.strained(traffic)
    assert frames.spend(traffic)
    assert frames.strained(traffic)
    traffic.messages_sent = 1
    assert not frames.strained(traffic)
