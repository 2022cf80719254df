"""What one end of a connection accepts: announced to the peer, and enforced."""

from __future__ import annotations

from dataclasses import dataclass

#: Bytes of one message, as grpc-go's default has it (`server.go: defaultServerMaxReceiveMessageSize`).
MAX_MESSAGE = 4 * 1024 * 1024

#: Connections of one door.
MAX_CONNECTIONS = 4096

#: SETTINGS_MAX_FRAME_SIZE until the peer has shown that it likes frames above the default of 16 KiB. Stock h2
#: peers gain from 64 KiB and lose from much more, since they join large frames again and again.
FIRST_FRAME = 64 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one end of a connection, in bytes where not said otherwise."""

    frame: int = 1024 * 1024  # SETTINGS_MAX_FRAME_SIZE, once the peer is known to take it
    first_window: int = 64 * 1024  # of a stream nobody has read from yet: calls may wait for one another
    stream_window: int = 4 * 1024 * 1024  # of a stream that is being read
    # The most there can be. What calls that are not being read hold must never stop one that is: it may be
    # the one they all wait for. Memory is bounded by the windows of the streams.
    connection_window: int = 2**31 - 1
    header_list: int = 64 * 1024  # SETTINGS_MAX_HEADER_LIST_SIZE, uncompressed
    streams: int = 1024  # SETTINGS_MAX_CONCURRENT_STREAMS, a number
    message: int = MAX_MESSAGE
    write_buffer: int = 1024 * 1024  # bytes the transport may hold before senders wait
    # A server's alone:
    control_frames: int = 1000  # a number: those at once that bring no call further, see `budget`
    turn: int = (
        32  # a number: frames of one peer, others than plain data, until all others have had their turn
    )
    head_seconds: float = 10.0  # for a TLS handshake, the peer's settings, and a header block
    idle_seconds: float = 300.0  # for the next call
