"""gRPC-web as bytes: header text, frames, and the base64 form of both.

Pure functions. Refuses to know what carries the bytes, and calls.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.metadata import decode_timeout, encode_grpc_message

CONTENT_TYPE = "application/grpc-web+proto"

MESSAGE, TRAILERS = 0x00, 0x80
_PREFIX = struct.Struct(">BL")

_NAME = re.compile(r"[0-9a-z_.\-]+")
_VALUE = re.compile(r"[\t -~]*")
_BASE64 = re.compile(rb"[^=]+={0,2}")

_NOT_METADATA = frozenset({"accept", "connection", "content-length", "content-type", "host", "origin"}) | {
    "te", "transfer-encoding", "user-agent", "x-grpc-web", "x-user-agent",
}  # fmt: skip
"""Of the transport, not of the call. ``host`` among them, which Textile's clients send as metadata."""


@dataclass(frozen=True, slots=True)
class RequestHeaders:
    """What a client sends before its messages.

    Attributes:
        metadata: Lower-case names, first values only, nothing binary.
        timeout: Seconds the client gives the call, or None.
    """

    metadata: Mapping[str, str]
    timeout: float | None

    @classmethod
    def parse(cls, text: bytes, limit: int) -> RequestHeaders:
        """Read ``name: value`` lines of at most ``limit`` bytes together.

        Raises:
            GRPCError: They are none, or too long. What was sent is not repeated: it may hold credentials.
        """
        if len(text) > limit:
            raise GRPCError(
                Status.RESOURCE_EXHAUSTED,
                f"request headers of {len(text)} bytes; at most {limit} are read",
            )
        pairs = []
        for number, line in enumerate(text.decode("latin-1").split("\n"), 1):
            name, colon, value = line.removesuffix("\r").partition(":")
            if not name and not colon:
                continue
            if not colon:
                raise GRPCError(Status.INVALID_ARGUMENT, f"line {number} of the request headers has no colon")
            pairs.append((name, value))
        return cls.of(pairs)

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> RequestHeaders:
        """Take names and values.

        Raises:
            GRPCError: A name or value may not be one, or the timeout is none.
        """
        metadata: dict[str, str] = {}
        timeout: float | None = None
        for given, sent in pairs:
            name, value = given.strip().lower(), sent.strip()
            if not _NAME.fullmatch(name):
                raise GRPCError(Status.INVALID_ARGUMENT, "a request header's name is not one of gRPC")
            if not _VALUE.fullmatch(value):
                raise GRPCError(Status.INVALID_ARGUMENT, f"request header {name} is not printable ASCII")
            if name == "grpc-timeout":
                try:
                    timeout = decode_timeout(value)
                except ValueError:
                    raise GRPCError(Status.INTERNAL, f"malformed grpc-timeout: {value}") from None
            elif not name.startswith("grpc-") and not name.endswith("-bin") and name not in _NOT_METADATA:
                metadata.setdefault(name, value)
        return cls(metadata, timeout)


def message_frame(pieces: Sequence[bytes]) -> bytes:
    """A message that is given in pieces, as one frame."""
    return b"".join((_PREFIX.pack(MESSAGE, sum(map(len, pieces))), *pieces))


def header_frame(headers: Mapping[str, str]) -> bytes:
    """Response headers, or trailers: only their order tells them apart."""
    text = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("ascii")
    return _PREFIX.pack(TRAILERS, len(text)) + text


def trailers(verdict: GRPCError | None) -> dict[str, str]:
    """How a call ended; None is OK."""
    if verdict is None:
        return {"grpc-status": "0"}
    fields = {"grpc-status": str(verdict.status.value)}
    if verdict.message:
        fields["grpc-message"] = encode_grpc_message(
            verdict.message.encode("utf-8", "replace").decode("utf-8")
        )
    return fields


class TextDecoder:
    """Base64 text that comes in pieces, each of which may be padded for itself."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, text: bytes) -> bytes:
        """The bytes of all whole groups of four so far.

        Raises:
            GRPCError: It is not base64.
        """
        text = self._rest + b"".join(text.split())
        whole = len(text) - len(text) % 4
        self._rest = text[whole:]
        try:
            return b"".join(base64.b64decode(part, validate=True) for part in _BASE64.findall(text[:whole]))
        except binascii.Error as error:
            raise _not_base64() from error

    def end(self) -> None:
        """There is no more.

        Raises:
            GRPCError: It was cut short.
        """
        if self._rest:
            raise _not_base64()


def _not_base64() -> GRPCError:
    return GRPCError(Status.INTERNAL, "the request is not base64, as grpc-web-text is")
