"""The same bytes through grpclib's own protocol on h2, and through ours, with all that comes of it recorded.

The reference gets one frame at a time: h2 drops the events before an error that came in the same read, which
makes its outcome depend on how the bytes were cut. Ours must not depend on that.
"""

from __future__ import annotations

from typing import Any

from grpclib.config import Configuration
from grpclib.protocol import AbstractHandler, Connection, EventsProcessor, H2Protocol
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hyperframe.exceptions import InvalidDataError, InvalidFrameError
from hyperframe.frame import Frame

from tests.rpc.wire import PREFACE, RecordingTransport
from textile_aio._rpc.limits import FIRST_FRAME, Limits
from textile_aio._rpc.protocol import FastProtocol


class Recorder:
    """Stands for a stream's buffer: payloads as they come, nothing credited until asked."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.owed = 0
        self.ended = 0
        self.encoding = None

    def add(self, data: Any, ack_size: int, owned: bool = True) -> None:
        self.data += data
        self.owed += ack_size

    def eof(self) -> None:
        self.ended += 1

    def unacked_size(self) -> int:
        owed, self.owed = self.owed, 0
        return owed


class Side(AbstractHandler):
    """One end under test, with what happened to it."""

    def __init__(self, protocol: H2Protocol, transport: RecordingTransport) -> None:
        self.protocol = protocol
        self.transport = transport
        self.log: list[Any] = []
        self.streams: dict[int, Any] = {}
        self.releases: dict[int, Any] = {}
        protocol.handler = self
        protocol.connection_made(transport)
        self.flush()

    def accept(self, stream: Any, headers: Any, release_stream: Any) -> None:
        self.log.append(("accept", stream.id, [tuple(h) for h in headers]))
        self.adopt(stream, release_stream)

    def adopt(self, stream: Any, release_stream: Any) -> None:
        stream.buffer = Recorder()
        stream.__terminated__ = lambda reason: self.log.append(("terminated", stream.id, reason))
        self.streams[stream.id] = stream
        self.releases[stream.id] = release_stream

    def cancel(self, stream: Any) -> None:
        self.log.append(("cancel", stream.id))

    def close(self) -> None:
        self.log.append("close")

    def flush(self) -> None:
        raise NotImplementedError

    def act(self, action: str, stream_id: int) -> None:
        """Something local: reading, resetting, leaving."""
        stream = self.streams.get(stream_id)
        if stream is None or self.transport.closed:
            return
        if action == "read":
            stream.connection.ack(stream_id, stream.buffer.unacked_size())
        elif action == "reset" and stream.closable:
            stream.reset_nowait()
        elif action == "release" and stream_id in self.releases:
            self.releases.pop(stream_id)()
        self.flush()

    def outcome(self) -> dict[str, Any]:
        h2 = self.protocol.connection._connection
        return {
            "log": self.log,
            "data": {
                i: (bytes(s.buffer.data), s.buffer.ended, s.data_received) for i, s in self.streams.items()
            },
            "headers": {i: (s.headers, s.trailers) for i, s in self.streams.items()},
            "written": bytes(self.transport.written),
            "closed": self.transport.closed,
            "windows": (
                h2.inbound_flow_control_window,
                h2.outbound_flow_control_window,
                {
                    i: (s.inbound_flow_control_window, s.outbound_flow_control_window, s.state_machine.state)
                    for i, s in h2.streams.items()
                },
            ),
        }


class TolerantProcessor(EventsProcessor):
    """grpclib's, but unknown frames are ignored (RFC 9113 §4.1) where grpclib raises NotImplementedError."""

    def process(self, event: Any) -> None:
        if event.__class__ in getattr(self, "processors", {}):
            super().process(event)


class ReferenceProtocol(H2Protocol):
    """grpclib's protocol on plain h2, with our settings, and sending the GOAWAY that h2 prepared."""

    def __init__(self, limits: Limits, h2_config: H2Configuration) -> None:
        super().__init__(None, Configuration().__for_test__(), h2_config)  # type: ignore[arg-type]
        self.limits = limits

    def connection_made(self, transport: Any) -> None:
        h2, limits = H2Connection(self.h2_config), self.limits
        values = {
            SettingCodes.MAX_CONCURRENT_STREAMS: limits.streams,
            SettingCodes.MAX_HEADER_LIST_SIZE: limits.header_list,
            SettingCodes.MAX_FRAME_SIZE: min(limits.frame, FIRST_FRAME),
            SettingCodes.INITIAL_WINDOW_SIZE: limits.stream_window,
        }
        if self.h2_config.client_side:
            values[SettingCodes.ENABLE_PUSH] = 0
        h2.local_settings = Settings(client=bool(self.h2_config.client_side), initial_values=values)
        h2.max_inbound_frame_size = values[SettingCodes.MAX_FRAME_SIZE]
        h2.decoder.max_header_list_size = limits.header_list
        h2.initiate_connection()
        h2.increment_flow_control_window(limits.connection_window - h2.inbound_flow_control_window)
        self.connection = Connection(h2, transport, config=self.config)
        self.connection.flush()
        self.connection.initialize()
        self.processor = TolerantProcessor(self.handler, self.connection)

    def data_received(self, data: bytes) -> None:
        try:
            events = self.connection.feed(data)
        except ProtocolError:
            self.connection.flush()
            self.processor.close("Protocol error")
        else:
            self.connection.flush()
            for event in events:
                self.processor.process(event)
            if not self.connection.is_closing():
                self.connection.flush()


class Reference(Side):
    def __init__(self, limits: Limits, *, client: bool) -> None:
        super().__init__(ReferenceProtocol(limits, h2_config(client=client)), RecordingTransport())
        self._bytes = b""
        self._preface = 0 if client else len(PREFACE)

    def flush(self) -> None:
        if not self.transport.closed:
            self.protocol.connection.flush()

    def feed(self, pieces: list[bytes]) -> None:
        """All that has come, frame by frame; the rest waits, unless it is already known to be too much."""
        self._bytes += b"".join(pieces)
        while self._bytes and not self.transport.closed:
            size, lacking = self._next()
            if len(self._bytes) < size:
                return
            one, self._bytes = self._bytes[:size], self._bytes[size:]
            self.protocol.data_received(one + bytes(lacking))

    def _next(self) -> tuple[int, int]:
        """Bytes to hand over together, and how many more h2 wants to see before it refuses them."""
        if self._preface:
            size = min(len(self._bytes), self._preface)
            self._preface -= size
            return size, 0
        if len(self._bytes) < 9:
            return 9, 0
        length = int.from_bytes(self._bytes[:3], "big")
        try:
            Frame.parse_frame_header(memoryview(self._bytes[:9]))
        except (InvalidDataError, InvalidFrameError):
            return 9, 0  # h2 refuses the header without waiting for what it announces
        if length > self.protocol.connection._connection.max_inbound_frame_size:
            return 9, length
        return 9 + length, 0


class Ours(Side):
    def __init__(self, limits: Limits, *, client: bool) -> None:
        protocol = FastProtocol(
            None,  # type: ignore[arg-type]
            Configuration().__for_test__(),
            h2_config(client=client),
            limits,
        )
        super().__init__(protocol, RecordingTransport())

    def flush(self) -> None:
        if not self.transport.closed:
            self.protocol.connection.flush()
            self.protocol.connection._transport.flush()  # type: ignore[attr-defined]

    def feed(self, pieces: list[bytes]) -> None:
        """The pieces as reads of the transport, each into as many buffers as asked for."""
        for piece in pieces:
            view = memoryview(piece)
            while view and not self.transport.closed:
                buffer = self.protocol.get_buffer(-1)  # type: ignore[attr-defined]
                size = min(len(buffer), len(view))
                buffer[:size] = view[:size]
                self.protocol.buffer_updated(size)  # type: ignore[attr-defined]
                view = view[size:]
        self.flush()


def h2_config(*, client: bool) -> H2Configuration:
    """As grpclib configures h2."""
    return H2Configuration(
        client_side=client,
        header_encoding="ascii",
        validate_inbound_headers=False,
        validate_outbound_headers=False,
        normalize_inbound_headers=False,
        normalize_outbound_headers=False,
    )
