"""How much strangers may ask of the hub's doors, as one value."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, fields

from textile_aio._rpc.limits import MAX_CONNECTIONS, MAX_MESSAGE, Limits
from textile_aio.errors import InvalidInput

_TRANSPORT = Limits()


@dataclass(frozen=True, slots=True)
class DoorLimits:
    """What a door of the hub lets one peer, and all of them, do.

    They hold at each door by itself: gRPC, gRPC-web and the gateway.

    Attributes:
        connections: How many there may be at once. One more is reset before anything is read from it.
        streams: How many calls one gRPC connection may carry at once. One more is refused, and clients repeat
            it by themselves. A connection of gRPC-web or the gateway carries one.
        message: Bytes of the largest message that is accepted; more is ``ResourceExhausted``.
        headers: Bytes of all the headers of a call, unpacked, and of the head of an HTTP request.
        control_frames: How many pings, resets and other frames that bring no call further a gRPC peer may
            send at once; a hundredth of it comes back each second, and calls allow for more. After a tenth
            of it they are read slowly.
        head_seconds: How long a TLS handshake, the beginning of a gRPC connection, and the head of a request
            may take. Kept to within twice the time.
        idle_seconds: For how long a connection may stay without a call; ``math.inf`` for ever. Clients of
            gRPC are told, and connect anew for the next call. Kept to within ``2 * head_seconds``.

    Raises:
        InvalidInput: One of them is not above 0.
    """

    _: KW_ONLY
    connections: int = MAX_CONNECTIONS
    streams: int = _TRANSPORT.streams
    message: int = MAX_MESSAGE
    headers: int = _TRANSPORT.header_list
    control_frames: int = _TRANSPORT.control_frames
    head_seconds: float = _TRANSPORT.head_seconds
    idle_seconds: float = _TRANSPORT.idle_seconds

    def __post_init__(self) -> None:
        for each in fields(self):
            number = getattr(self, each.name)
            if not number > 0:
                raise InvalidInput(f"{each.name} is {number}; it must be above 0")

    def of_transport(self) -> Limits:
        """Those that the gRPC transport keeps."""
        return Limits(
            header_list=self.headers,
            streams=self.streams,
            message=self.message,
            control_frames=self.control_frames,
            head_seconds=self.head_seconds,
            idle_seconds=self.idle_seconds,
        )
