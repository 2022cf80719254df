"""h2's connection, with a side door for plain DATA frames.

The only module that touches h2's private names, all of them pinned by `tests/rpc/test_private_names.py`. It
owns the exact condition under which a DATA frame needs nothing of h2 but its two windows; whatever does not
meet it goes to h2 whole and ends as h2 ends it. Refuses to know grpclib, sockets and messages.
"""

from __future__ import annotations

import logging
import struct

from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, Event
from h2.exceptions import FrameTooLargeError, ProtocolError
from h2.frame_buffer import FrameBuffer
from h2.settings import SettingCodes, Settings
from h2.stream import H2Stream, StreamInputs, StreamState
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from textile_aio._rpc.limits import FIRST_FRAME, Limits


def _above_debug(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG


# At DEBUG hpack writes every header that is sent or received: tokens, sessions, signatures.
for _name in ("hpack.hpack", "hpack.table"):
    logging.getLogger(_name).addFilter(_above_debug)

_WINDOW_UPDATE = struct.Struct(">HBBBLL")
_RECEIVING = (StreamState.OPEN, StreamState.HALF_CLOSED_LOCAL)
_SENDING = (StreamState.OPEN, StreamState.HALF_CLOSED_REMOTE)

#: Bytes of the table that headers are packed with, whatever more the peer offers: hpack looks through all of
#: it for each header that is sent.
_HEADER_TABLE = 4096


class _Lenient(Settings):
    """Settings by which a stream over the announced number does not cost the connection.

    It is refused by itself instead (RFC 9113 §5.1.2), by whoever counts the calls: a peer may open streams
    before it has heard how many it may.
    """

    @property  # type: ignore[misc]
    def max_concurrent_streams(self) -> int:
        """Twice what is announced; beyond, it is no mistake any more."""
        return 2 * int(self[SettingCodes.MAX_CONCURRENT_STREAMS])


class _QuietBuffer(FrameBuffer):
    """Frames whose `repr` is cheap: h2 builds one for each frame received, payload included."""

    def __next__(self) -> Frame:
        frame = super().__next__()
        frame.__class__ = _QUIET.get(frame.__class__, frame.__class__)
        return frame


def _quiet(kind: type[Frame]) -> type[Frame]:
    return type(kind.__name__, (kind,), {"__repr__": object.__repr__})


_QUIET: dict[type[Frame], type[Frame]] = {
    kind: _quiet(kind)
    for kind in (
        ContinuationFrame,
        DataFrame,
        GoAwayFrame,
        HeadersFrame,
        PingFrame,
        RstStreamFrame,
        SettingsFrame,
        WindowUpdateFrame,
    )
}


class Http2(H2Connection):
    """One HTTP/2 connection as h2 sees it, announcing and enforcing `limits` from the first byte on."""

    def __init__(self, config: H2Configuration, limits: Limits) -> None:
        super().__init__(config)
        values = {
            SettingCodes.MAX_CONCURRENT_STREAMS: limits.streams,
            SettingCodes.MAX_HEADER_LIST_SIZE: limits.header_list,
            SettingCodes.MAX_FRAME_SIZE: min(limits.frame, FIRST_FRAME),
            SettingCodes.INITIAL_WINDOW_SIZE: min(limits.first_window, limits.stream_window),
        }
        if config.client_side:
            values[SettingCodes.ENABLE_PUSH] = 0
        self.local_settings = _Lenient(client=config.client_side, initial_values=values)
        # In force at once, not on the peer's acknowledgement: it may use them as soon as it has read them.
        self.max_inbound_frame_size = min(limits.frame, FIRST_FRAME)
        self.decoder.max_header_list_size = limits.header_list
        self.incoming_buffer = _QuietBuffer(server=not config.client_side)
        for kind, quiet in _QUIET.items():
            self._frame_dispatch_table[quiet] = self._frame_dispatch_table[kind]
        self._stream_window = limits.stream_window
        self._open = ConnectionState.CLIENT_OPEN if config.client_side else ConnectionState.SERVER_OPEN

    def raise_frame_size(self, size: int) -> None:
        """Announce that frames of `size` bytes are welcome, and accept them at once."""
        if size > self.max_inbound_frame_size:
            self.update_settings({SettingCodes.MAX_FRAME_SIZE: size})
            self.max_inbound_frame_size = size

    @property
    def is_open(self) -> bool:
        """No GOAWAY has ended it, neither sent nor received."""
        return self.state_machine.state is self._open

    # -- receiving

    def admits(self, stream_id: int, length: int) -> bool:
        """Whether a DATA frame, neither padded nor ending its stream, needs only `consume`.

        It does if h2 would answer it with nothing but a DataReceived event: connection open, no header block
        under way (RFC 9113 §6.10), stream known and open for the peer with its headers received (§5.1), both
        windows large enough (§6.9.1), no content-length to count against (§8.1.1).
        """
        stream = self.streams.get(stream_id)
        return (
            stream is not None
            and stream.state_machine.state in _RECEIVING
            and bool(stream.state_machine.headers_received)
            and self.state_machine.state is self._open
            and not self.incoming_buffer._headers_buffer
            and length <= stream._inbound_window_manager.current_window_size
            and length <= self._inbound_flow_control_window_manager.current_window_size
            and stream._expected_content_length is None
        )

    def consume(self, stream_id: int, length: int) -> None:
        """Take the payload of an admitted frame from both inbound windows."""
        stream = self.streams[stream_id]
        self._inbound_flow_control_window_manager.window_consumed(length)
        stream._inbound_window_manager.window_consumed(length)
        stream._actual_content_length += length

    def credit(self, stream_id: int, size: int) -> None:
        """Give `size` bytes that were read back to both inbound windows.

        As `acknowledge_received_data` without its costs, but that the window of a stream grows to its full
        size once it is being read.
        """
        increment = self._inbound_flow_control_window_manager.process_bytes(size)
        if increment:
            self._data_to_send += _WINDOW_UPDATE.pack(0, 4, 8, 0, 0, increment)
        stream = self.streams.get(stream_id)
        if stream is not None and stream.open:
            window = stream._inbound_window_manager
            increment = window.process_bytes(size)
            if increment:
                growth = self._stream_window - window.max_window_size
                if growth > 0:
                    window.window_opened(growth)
                    window.max_window_size = self._stream_window
                    increment += growth
                self._data_to_send += _WINDOW_UPDATE.pack(0, 4, 8, 0, stream_id, increment)

    def refuse_overlong_frame(self, header: memoryview, length: int) -> list[Event]:
        """End the connection over a frame that is too large, before its payload is there.

        Raises:
            ProtocolError: always; of the header itself if that is wrong already.
        """
        self.receive_data(header)
        self._terminate_connection(ErrorCodes.FRAME_SIZE_ERROR)
        raise FrameTooLargeError(
            f"Received overlong frame: length {length}, max {self.max_inbound_frame_size}"
        )

    def refuse(self, error_code: ErrorCodes, reason: str) -> list[Event]:
        """End the connection over something h2 has no rule for.

        Raises:
            ProtocolError: always.
        """
        self._terminate_connection(error_code)
        raise ProtocolError(reason)

    def give_up(self) -> None:
        """Prepare a GOAWAY after an error that h2 did not foresee."""
        if self.is_open:
            self._terminate_connection(ErrorCodes.PROTOCOL_ERROR)

    def _receive_settings_frame(self, frame: SettingsFrame) -> tuple[list[Frame], list[Event]]:
        """As h2's, but for a header table of our choice."""
        size = frame.settings.get(SettingCodes.HEADER_TABLE_SIZE)
        if size is not None:
            frame.settings[SettingCodes.HEADER_TABLE_SIZE] = min(size, _HEADER_TABLE)
        return super()._receive_settings_frame(frame)

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> tuple[list[Frame], list[Event]]:
        """Let calls in flight finish after a server's friendly GOAWAY (RFC 9113 §6.8); h2 would end them."""
        if not self.config.client_side or frame.error_code != ErrorCodes.NO_ERROR:
            return super()._receive_goaway_frame(frame)
        if not self.is_open or not self.streams:
            return super()._receive_goaway_frame(frame)
        event = ConnectionTerminated()
        event.error_code = ErrorCodes.NO_ERROR
        event.last_stream_id = frame.last_stream_id
        return [], [event]

    # -- sending

    @property
    def has_output(self) -> bool:
        """Whether `data_to_send` would return anything."""
        return bool(self._data_to_send)

    def say_goodbye(self) -> None:
        """Send GOAWAY and go on with the streams there are; `close_connection` would forbid that."""
        frame = GoAwayFrame(0, last_stream_id=self.highest_inbound_stream_id, error_code=ErrorCodes.NO_ERROR)
        self._prepare_for_sending([frame])

    def outbound(self, stream_id: int) -> H2Stream | None:
        """The stream, if DATA may be sent on it now as far as states go; windows are the caller's to mind."""
        stream = self.streams.get(stream_id)
        if stream is None or self.state_machine.state is not self._open:
            return None
        return stream if stream.state_machine.state in _SENDING else None

    def sent(self, stream: H2Stream, size: int, *, end_stream: bool) -> None:
        """Account for `size` bytes of payload that go out on `stream`, and for its end."""
        self.outbound_flow_control_window -= size
        stream.outbound_flow_control_window -= size
        if end_stream:
            stream.state_machine.process_input(StreamInputs.SEND_END_STREAM)
