"""grpclib's protocol with DATA frames past h2 and one write a turn.

Owns the wiring: the reader of `frames`, the rules of `http2`, the buffers of `messages` and the writes of
`cork`, put where grpclib has its own. Refuses to know calls, services and codecs.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

from grpclib.client import Handler
from grpclib.config import Configuration
from grpclib.protocol import AbstractHandler, Connection, EventsProcessor, H2Protocol, Stream, _set_nodelay
from grpclib.utils import Wrapper
from h2.config import H2Configuration
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, Event, RemoteSettingsChanged, RequestReceived, ResponseReceived
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes

from textile_aio._rpc.budget import FrameBudget
from textile_aio._rpc.cork import CorkedTransport
from textile_aio._rpc.frames import END_STREAM, FrameReader, data_header
from textile_aio._rpc.http2 import Http2
from textile_aio._rpc.limits import Limits
from textile_aio._rpc.messages import Body, MessageBuffer
from textile_aio._rpc.patience import Patience

log = logging.getLogger(__name__)

#: SETTINGS_MAX_FRAME_SIZE of a peer that has said nothing (RFC 9113 §6.5.2).
_DEFAULT_FRAME = 16 * 1024

#: Seconds for which nothing is read from a peer whose frames bring no call further.
_REST = 0.1

#: Bytes of answers that may wait for a peer that does not read, beyond what senders are allowed to leave.
_UNREAD_ANSWERS = 4 * 1024 * 1024


class FastStream(Stream):
    """A grpclib stream that reads whole messages and writes DATA frames itself."""

    connection: FastConnection
    buffer: MessageBuffer  # type: ignore[assignment]
    _h2_connection: Http2
    _transport: CorkedTransport  # type: ignore[assignment]

    def init_stream(self, stream_id: int, connection: Connection) -> None:
        """As grpclib's, with our buffer."""
        super().init_stream(stream_id, connection)
        self.buffer = MessageBuffer(
            partial(connection.ack, stream_id),
            limit=self.connection.limits.message,
            server=not self._h2_connection.config.client_side,
        )

    async def send_headers(self, headers: list[tuple[str, str]], end_stream: bool = False) -> None:
        """As grpclib's; the end of a call is not held back for others to share its write."""
        await super().send_headers(headers, end_stream)
        if end_stream:
            self._transport.flush()

    async def send_data(self, data: bytes, end_stream: bool = False) -> None:
        """Send `data`, waiting for windows and the transport as long as it takes."""
        await self.send_pieces((data,), len(data), end_stream=end_stream)

    async def send_pieces(self, pieces: Sequence[Body], size: int, *, end_stream: bool) -> None:
        """Send `pieces`, `size` bytes together, as consecutive DATA frames.

        Raises:
            h2.exceptions.ProtocolError: the stream or the connection is closed for sending.
        """
        if self.id is None:
            raise RuntimeError("the request has not been sent")
        connection, h2 = self.connection, self._h2_connection
        rest = _Pieces(pieces)
        while True:
            while not connection.write_ready.is_set():
                await connection.write_ready.wait()
            stream = h2.outbound(self.id)
            if stream is None:
                # Raises what h2 raises for the state this stream is in.
                h2.local_flow_control_window(self.id)
                h2.send_data(self.id, b"", end_stream=end_stream)
                raise ProtocolError(f"stream {self.id} cannot send data")
            window = min(h2.outbound_flow_control_window, stream.outbound_flow_control_window)
            if window <= 0 and size:
                self.window_updated.clear()
                await self.window_updated.wait()
                continue
            frame = min(window, h2.max_outbound_frame_size, size)
            size -= frame
            last = not size
            flags = END_STREAM if last and end_stream else 0
            self._transport.write(h2.data_to_send())
            h2.sent(stream, frame, end_stream=bool(flags))
            self._transport.write_all([data_header(self.id, frame, flags), *rest.take(frame)], frame)
            self.data_sent += frame
            connection.data_sent += frame
            connection.data_send_process()
            if last:
                if end_stream:
                    self._transport.flush()
                return


class _Pieces:
    """A sequence of buffers, taken off in portions without joining them."""

    __slots__ = ("_pieces",)

    def __init__(self, pieces: Sequence[Body]) -> None:
        self._pieces: list[Body] = list(pieces)

    def take(self, size: int) -> list[Body]:
        pieces = self._pieces
        taken: list[Body] = []
        while size:
            piece = pieces[0]
            if len(piece) <= size:
                taken.append(piece)
                size -= len(piece)
                del pieces[0]
            else:
                view = memoryview(piece)
                taken.append(view[:size])
                pieces[0] = view[size:]
                size = 0
        return taken


class FastConnection(Connection):
    """A grpclib connection that credits windows cheaply."""

    _connection: Http2
    _transport: CorkedTransport  # type: ignore[assignment]
    greeted = False  # the peer has sent its settings

    def __init__(
        self, connection: Http2, transport: CorkedTransport, *, config: Configuration, limits: Limits
    ) -> None:
        super().__init__(connection, cast("asyncio.Transport", transport), config=config)
        self.limits = limits

    def flush(self) -> None:
        """Hand what h2 has to send to the transport."""
        if self._connection.has_output:
            self._transport.write(self._connection.data_to_send())

    def ack(self, stream_id: int, size: int) -> None:
        """Give `size` bytes back to the windows; nothing to do on a closed connection."""
        if size and not self.is_closing():
            self._connection.credit(stream_id, size)
            self.flush()

    def welcome_large_frames(self) -> None:
        """Announce the full frame size of our limits."""
        self._connection.raise_frame_size(self.limits.frame)

    def may_drain(self, event: ConnectionTerminated) -> bool:
        """Whether h2 has left the connection open after this GOAWAY, so that calls in flight can end."""
        return event.error_code == ErrorCodes.NO_ERROR and self._connection.is_open

    def create_stream(self, *, stream_id: int | None = None, wrapper: Wrapper | None = None) -> FastStream:
        """As grpclib's, with our stream."""
        transport = cast("asyncio.Transport", self._transport)
        return FastStream(self, self._connection, transport, stream_id=stream_id, wrapper=wrapper)


class FastProcessor(EventsProcessor):
    """grpclib's events processor that lets unknown events pass, as RFC 9113 §4.1 and §5.5 want it."""

    connection: FastConnection
    streams: dict[int, FastStream]  # type: ignore[assignment]
    _draining = False

    def process(self, event: Event) -> None:
        """Dispatch one event of h2."""
        processors = self.__dict__.get("processors")  # gone once the connection is closed
        if processors is not None:
            processor = processors.get(event.__class__)
            if processor is not None:
                processor(event)

    def register(self, stream: Stream) -> Callable[[], None]:
        """As grpclib's; the last call to go closes a connection that is draining."""
        release = super().register(stream)

        def release_stream() -> None:
            release()
            if self._draining and not self.streams:
                self.close("Connection drained")

        return release_stream

    def process_connection_terminated(self, event: ConnectionTerminated) -> None:
        """After a friendly GOAWAY no new calls begin here; those taken on may end (RFC 9113 §6.8)."""
        if not self.connection.may_drain(event):
            super().process_connection_terminated(event)
            return
        self._draining = True
        if isinstance(self.handler, Handler):
            self.handler.connection_lost = True  # the channel connects anew for the next call
        for stream_id, stream in list(self.streams.items()):
            if stream_id > cast("int", event.last_stream_id):
                stream.__terminated__("Refused by GOAWAY before it was processed")

    def process_remote_settings_changed(self, event: RemoteSettingsChanged) -> None:
        """Take the peer's settings; one that takes large frames may send them, too."""
        super().process_remote_settings_changed(event)
        self.connection.greeted = True
        changed = event.changed_settings.get(SettingCodes.MAX_FRAME_SIZE)
        if changed is not None and changed.new_value > _DEFAULT_FRAME:
            self.connection.welcome_large_frames()

    def process_request_received(self, event: RequestReceived) -> None:
        """Accept a call."""
        super().process_request_received(event)
        stream = self.streams.get(event.stream_id)
        if stream is not None:
            stream.buffer.encoding = _encoding(event.headers)

    def process_response_received(self, event: ResponseReceived) -> None:
        """Hand response headers to their call."""
        super().process_response_received(event)
        stream = self.streams.get(event.stream_id)
        if stream is not None:
            stream.buffer.encoding = _encoding(event.headers)


def _encoding(headers: Any) -> str | None:
    for name, value in headers or ():
        if name == "grpc-encoding":
            return cast("str", value)
    return None


class StockProtocol(H2Protocol):
    """grpclib's own protocol, which also tells when its connection is gone."""

    def __init__(self, handler: AbstractHandler, config: Configuration, h2_config: H2Configuration) -> None:
        super().__init__(handler, config, h2_config)
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As grpclib's."""
        self._transport = cast("asyncio.Transport", transport)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """End all calls of this connection."""
        super().connection_lost(exc)
        self.lost.set()

    def close(self) -> None:
        """Send what is left, close, end all calls."""
        if hasattr(self, "processor"):
            self.processor.close()

    def abort(self) -> None:
        """Close without sending what is left."""
        if hasattr(self, "_transport"):
            self._transport.abort()

    @property
    def is_connected(self) -> bool:
        """Whether a connection was made and is not gone yet."""
        return hasattr(self, "_transport") and not self.lost.is_set()


class FastProtocol(asyncio.BufferedProtocol, StockProtocol):
    """One connection, either end.

    Args:
        handler: grpclib's handler of this end.
        config: grpclib's configuration; its window sizes give way to `limits`.
        h2_config: tells client from server.
        limits: what is announced and enforced.
    """

    connection: FastConnection
    processor: FastProcessor
    #: Called before a server says goodbye, so that it refuses what begins nevertheless.
    retiring: Callable[[], None] | None = None

    def __init__(
        self, handler: AbstractHandler, config: Configuration, h2_config: H2Configuration, limits: Limits
    ) -> None:
        StockProtocol.__init__(self, handler, config, h2_config)
        self.limits = limits
        server = not h2_config.client_side
        self._reader = FrameReader(self, preface=server, turn=limits.turn if server else 0)
        self._next_turn: asyncio.Handle | None = None  # reading is paused until then
        self._patience: Patience | None = None
        self._budget: FrameBudget | None = None
        if server:
            self._patience = Patience(self, limits)
            self._budget = FrameBudget(limits.control_frames)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Announce our limits."""
        loop = asyncio.get_running_loop()
        writer = cast("asyncio.Transport", transport)
        writer.set_write_buffer_limits(high=self.limits.write_buffer)
        sock = writer.get_extra_info("socket")
        if sock is not None:
            _set_nodelay(sock)
        self._transport = writer
        self._h2 = Http2(self.h2_config, self.limits)
        self._h2.initiate_connection()
        growth = self.limits.connection_window - self._h2.inbound_flow_control_window
        if growth > 0:
            self._h2.increment_flow_control_window(growth)
        self.connection = FastConnection(
            self._h2,
            CorkedTransport(writer, loop),
            config=self.config,
            limits=self.limits,
        )
        self.connection.flush()
        self.connection.initialize()
        self.processor = FastProcessor(self.handler, self.connection)
        if self._patience is not None:
            self._patience.start()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the transport reads to."""
        return self._reader.buffer()

    def buffer_updated(self, nbytes: int) -> None:
        """Take what the transport has read."""
        self._take(partial(self._reader.advance, nbytes))

    def _take(self, step: Callable[[], None]) -> None:
        try:
            step()
        except ProtocolError as error:
            self._fail(error)
        except Exception as error:
            log.debug("HTTP/2 connection failed", exc_info=True)
            self._h2.give_up()
            self._fail(error)
        else:
            if not self.connection.is_closing():
                self.connection.flush()
                if not self.connection.write_ready.is_set():
                    self._mind_unread_answers()
        if self._reader.suspended and self._next_turn is None:
            self._rest()

    def _rest(self) -> None:
        """Let others have their turn, and for longer where the peer only keeps us busy."""
        self._transport.pause_reading()
        loop = asyncio.get_running_loop()
        if self._budget is not None and self._budget.strained(self.connection):
            self._next_turn = loop.call_later(_REST, self._go_on)
        else:
            self._next_turn = loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._next_turn = None
        self._take(self._reader.go_on)
        if self._next_turn is None:
            self._transport.resume_reading()

    def _mind_unread_answers(self) -> None:
        """Cut off a peer that makes us answer and does not read (CVE-2019-9512 and kin)."""
        if self._transport.get_write_buffer_size() > 2 * self.limits.write_buffer + _UNREAD_ANSWERS:
            self._reader.stop()
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take bytes from a transport that does not read into buffers."""
        view = memoryview(data)
        while view:
            buffer = self._reader.buffer()
            size = min(len(buffer), len(view))
            buffer[:size] = view[:size]
            self.buffer_updated(size)
            view = view[size:]
            while self._reader.suspended:
                self._take(self._reader.go_on)

    def say_goodbye(self) -> None:
        """Tell the peer to start no new calls here; those it has go on."""
        if hasattr(self, "connection") and not self.connection.is_closing():
            self._h2.say_goodbye()
            self.connection.flush()

    def refuse_flood(self) -> None:
        """End the connection of a peer that opens calls faster than they can be cancelled."""
        self._happen(self._h2.refuse(ErrorCodes.ENHANCE_YOUR_CALM, "too many calls at once"))

    # -- what patience sees and does

    @property
    def greeted(self) -> bool:
        """Whether the peer has sent its settings."""
        return self.connection.greeted

    @property
    def header_block(self) -> int:
        """Number of the header block that has begun and not ended; 0 for none."""
        return self._reader.header_block

    @property
    def calls(self) -> tuple[int, int]:
        """How many calls there are, and how many there have been."""
        return len(self.processor.streams), self.connection.streams_started

    def retire(self) -> None:
        """Say goodbye, and refuse the calls that begin nevertheless."""
        if self.retiring is not None:
            self.retiring()
        self.say_goodbye()

    def connection_lost(self, exc: BaseException | None) -> None:
        """End all calls of this connection."""
        self._reader.stop()
        if self._next_turn is not None:
            self._next_turn.cancel()
        if self._patience is not None:
            self._patience.stop()
        super().connection_lost(exc)

    def _fail(self, error: Exception) -> None:
        log.debug("Protocol error: %r", error)
        self._reader.stop()
        if not self.connection.is_closing():
            self.connection.flush()  # the GOAWAY that h2 has prepared
        self.processor.close("Protocol error")

    # -- what the reader asks and tells

    @property
    def max_frame_size(self) -> int:
        """Bytes of the largest frame announced so far."""
        return self._h2.max_inbound_frame_size

    @property
    def max_header_block(self) -> int:
        """Bytes of the largest header block worth decoding."""
        return self.limits.header_list

    def admits(self, stream_id: int, length: int) -> bool:
        """Past h2 if h2 has nothing to say about it and a call is there to read it."""
        return stream_id in self.processor.streams and self._h2.admits(stream_id, length)

    def data(self, stream_id: int, payload: memoryview, owned: bool) -> None:
        """A payload past h2, into the buffer of its call."""
        size = len(payload)
        if not size:
            self.control_frame()
        self._h2.consume(stream_id, size)
        stream = self.processor.streams[stream_id]
        stream.data_received += size
        stream.buffer.add(payload, size, owned)
        connection = self.connection
        connection.data_received += size
        connection.last_data_received = time.monotonic()

    def pass_on(self, data: memoryview) -> None:
        """Bytes of any other frame, to h2."""
        events = self._h2.receive_data(data)
        self.connection.flush()  # now: a GOAWAY later in the same read makes h2 drop what it holds
        self._happen(events)

    def overlong_frame(self, header: memoryview, length: int) -> None:
        """Refuse a frame before its payload is read."""
        self._happen(self._h2.refuse_overlong_frame(header, length))

    def overlong_headers(self) -> None:
        """Refuse a header block before it is read, as h2 does after it has decoded one."""
        self._happen(self._h2.refuse(ErrorCodes.ENHANCE_YOUR_CALM, "header block too large"))

    def control_frame(self) -> None:
        """Refuse one too many (`budget`)."""
        if self._budget is not None and not self._budget.spend(self.connection):
            self._happen(self._h2.refuse(ErrorCodes.ENHANCE_YOUR_CALM, "too many control frames"))

    def _happen(self, events: list[Event]) -> None:
        for event in events:
            self.processor.process(event)
        if self.connection.is_closing():
            self._reader.stop()
