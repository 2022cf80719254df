"""Frames of gRPC-web, read as Textile's JavaScript packages read them, and what they send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

CONTENT = "content-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\n"
END = b"\x01"


def header_text(metadata: Mapping[str, str] | None = None) -> bytes:
    """What a client sends first."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in (metadata or {}).items())
    return (lines + CONTENT).encode()


def framed(message: bytes) -> bytes:
    """A message as a frame."""
    return b"\x00" + len(message).to_bytes(4, "big") + message


def flagged(message: bytes) -> bytes:
    """A message as one websocket message."""
    return b"\x00" + framed(message)


@dataclass
class Answer:
    """What a JavaScript client makes of what it gets.

    Attributes:
        headers: The first header frame; a status in it ends the call.
        messages: Bare messages.
        trailers: The second header frame.
        sizes: Bytes of each websocket message, where that is what carried them.
    """

    headers: dict[str, str] | None = None
    messages: list[bytes] = field(default_factory=list)
    trailers: dict[str, str] | None = None
    sizes: list[int] = field(default_factory=list)
    _rest: bytes = b""

    def feed(self, data: bytes) -> None:
        """Take what has come. Their parser stops at a header frame until more comes."""
        self.sizes.append(len(data))
        self._rest += data
        while len(self._rest) >= 5:
            size = int.from_bytes(self._rest[1:5], "big")
            if len(self._rest) < 5 + size:
                return
            flag, body, self._rest = self._rest[0], self._rest[5 : 5 + size], self._rest[5 + size :]
            if flag == 0:
                self.messages.append(body)
                continue
            assert flag == 0x80, flag
            assert all(byte in b"\t\r\n" or 0x20 <= byte <= 0x7E for byte in body)
            lines = (line.partition(":") for line in body.decode().split("\r\n") if line)
            fields = {name.lower(): value.strip() for name, _, value in lines}
            if self.headers is None:
                self.headers = fields
            else:
                assert self.trailers is None, "a third header frame"
                self.trailers = fields
            return

    def end(self) -> Answer:
        """Nothing more comes."""
        assert not self._rest, "a cut or unread frame"
        return self

    @property
    def status(self) -> tuple[int, str]:
        """Code and text of the outcome."""
        fields: dict[str, Any] = self.trailers if self.trailers is not None else (self.headers or {})
        return int(fields["grpc-status"]), unquote(fields.get("grpc-message", ""))
