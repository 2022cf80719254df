"""How much a peer may send: little until somebody reads, and never so that one call starves another."""

from __future__ import annotations

from hpack import Encoder

from tests.rpc import wire
from tests.rpc.reference import Ours
from tests.rpc.wire import DATA, END_HEADERS, HEADERS, PREFACE, frame
from textile_aio._rpc.http2 import Http2
from textile_aio._rpc.limits import Limits
from textile_aio._rpc.messages import prefix
from textile_aio._rpc.protocol import FastProtocol

LIMITS = Limits(first_window=1_000, stream_window=5_000)


def opened() -> Ours:
    """A server side with two calls."""
    encoder, ours = Encoder(), Ours(LIMITS, client=False)
    ours.feed([PREFACE, frame(4, 0, 0)])
    for stream_id in (1, 3):
        ours.feed([frame(HEADERS, END_HEADERS, stream_id, wire.request(encoder))])
    return ours


def connection(ours: Ours) -> Http2:
    assert isinstance(ours.protocol, FastProtocol)
    return ours.protocol._h2


def window(ours: Ours, stream_id: int) -> int:
    return connection(ours).streams[stream_id]._inbound_window_manager.current_window_size


async def test_a_stream_that_is_not_read_holds_its_first_window_at_most() -> None:
    ours = opened()
    ours.feed([frame(DATA, 0, 1, prefix(995) + bytes(995))])
    assert window(ours, 1) == 0
    assert window(ours, 3) == 1_000


async def test_a_stream_that_is_read_gets_its_full_window() -> None:
    ours = opened()
    ours.feed([frame(DATA, 0, 1, prefix(995) + bytes(995))])
    ours.act("read", 1)
    assert window(ours, 1) == 5_000
    for _ in range(3):
        ours.feed([frame(DATA, 0, 1, prefix(4_000) + bytes(4_000))])
        ours.act("read", 1)
        assert 2_500 <= window(ours, 1) <= 5_000, "it grows once"


async def test_the_connection_never_runs_out_before_its_streams() -> None:
    ours = opened()
    most = LIMITS.streams * LIMITS.first_window
    assert connection(ours).inbound_flow_control_window > most
    assert Limits().connection_window > Limits().streams * Limits().first_window
