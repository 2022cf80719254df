"""Multiaddresses: where a host or a thread can be reached, as a path of protocols, in text and in bytes.

Knows the protocols that thread addresses are made of (spec: identity-and-auth §4, threads-api §3) and refuses
others by name; it resolves nothing and opens nothing.
"""

from __future__ import annotations

import builtins
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from textile_aio._codec import multibase, thread_id, varint
from textile_aio._codec.peer import PeerID
from textile_aio.errors import InvalidEncoding, InvalidInput


def _ip4_bytes(text: str) -> bytes:
    return ipaddress.IPv4Address(text).packed


def _ip4_text(value: bytes) -> str:
    return str(ipaddress.IPv4Address(value))


def _ip6_bytes(text: str) -> bytes:
    if "%" in text:
        raise ValueError("an address with a zone is not supported")
    return ipaddress.IPv6Address(text).packed


def _ip6_text(value: bytes) -> str:
    address = ipaddress.IPv6Address(value)
    # Python versions differ in how they write mapped addresses; Go writes the dotted form.
    return f"::ffff:{address.ipv4_mapped}" if address.ipv4_mapped else str(address)


def _port_bytes(text: str) -> bytes:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) < 1 << 16):
        raise ValueError("a port is a number from 0 to 65535")
    return int(text).to_bytes(2)


def _port_text(value: bytes) -> str:
    return str(int.from_bytes(value))


def _host_text(value: bytes) -> str:
    text = value.decode()
    if not text or "/" in text:
        raise ValueError("a host name is not empty and has no slash")
    return text


def _peer_bytes(text: str) -> bytes:
    return PeerID.parse(text).bytes


def _peer_text(value: bytes) -> str:
    return str(PeerID(value))


def _thread_text(value: bytes) -> str:
    thread_id.check(value)
    return multibase.encode(value)


def _nothing(_: bytes) -> str:
    return ""


_PREFIXED = -1

Given = TypeVar("Given")
Made = TypeVar("Made")


class _Protocol(NamedTuple):
    name: str
    code: int
    size: int  # bytes of the value; 0 where there is none, _PREFIXED where a length comes first
    to_bytes: Callable[[str], bytes]
    to_text: Callable[[bytes], str]


_PROTOCOLS = (
    _Protocol("ip4", 4, 4, _ip4_bytes, _ip4_text),
    _Protocol("tcp", 6, 2, _port_bytes, _port_text),
    _Protocol("ip6", 41, 16, _ip6_bytes, _ip6_text),
    _Protocol("dns", 53, _PREFIXED, str.encode, _host_text),
    _Protocol("dns4", 54, _PREFIXED, str.encode, _host_text),
    _Protocol("dns6", 55, _PREFIXED, str.encode, _host_text),
    _Protocol("dnsaddr", 56, _PREFIXED, str.encode, _host_text),
    _Protocol("udp", 273, 2, _port_bytes, _port_text),
    _Protocol("p2p-circuit", 290, 0, str.encode, _nothing),
    _Protocol("thread", 406, _PREFIXED, multibase.decode, _thread_text),
    _Protocol("p2p", 421, _PREFIXED, _peer_bytes, _peer_text),
    _Protocol("tls", 448, 0, str.encode, _nothing),
    _Protocol("quic", 460, 0, str.encode, _nothing),
    _Protocol("quic-v1", 461, 0, str.encode, _nothing),
    _Protocol("ws", 477, 0, str.encode, _nothing),
    _Protocol("wss", 478, 0, str.encode, _nothing),
)
_BY_CODE = {protocol.code: protocol for protocol in _PROTOCOLS}
_BY_NAME = {protocol.name: protocol for protocol in _PROTOCOLS}
_BY_NAME["ipfs"] = _BY_NAME["p2p"]  # the older name; written as p2p


@dataclass(frozen=True, slots=True)
class Multiaddr:
    """One address, such as ``/ip4/127.0.0.1/tcp/4006/p2p/12D3KooW…/thread/bafk…``. Equal when every part is.

    Build one with :meth:`parse` or :meth:`from_bytes`; both bring it into its canonical form.

    Attributes:
        parts: (protocol, value) in order; the value is empty for protocols that take none.
    """

    parts: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> Multiaddr:
        """From text.

        Raises:
            InvalidEncoding: The text is empty, does not begin with a slash, names an unknown protocol, or a
                value is missing or not of its protocol.
        """
        words = text.rstrip("/").split("/")
        if words == [""]:
            raise InvalidEncoding("empty multiaddr")
        if words[0]:
            raise InvalidEncoding("a multiaddr must begin with /")
        parts = []
        at = 1
        while at < len(words):
            protocol = _BY_NAME.get(words[at])
            if protocol is None:
                raise InvalidEncoding(f"unknown protocol {words[at]}")
            at += 1
            value = ""
            if protocol.size:
                if at == len(words):
                    raise InvalidEncoding(f"unexpected end of multiaddr: {protocol.name} needs a value")
                value = words[at]
                at += 1
            parts.append((protocol.name, _checked(protocol, protocol.to_bytes, value)))
        return cls(
            tuple((name, _checked(_BY_NAME[name], _BY_NAME[name].to_text, raw)) for name, raw in parts)
        )

    @classmethod
    def from_bytes(cls, data: builtins.bytes) -> Multiaddr:
        """From the binary form, which must be all of ``data``.

        Raises:
            InvalidEncoding: The bytes are empty or cut short, hold an unknown protocol, or a value not of its
                protocol.
        """
        if not data:
            raise InvalidEncoding("empty multiaddr")
        parts = []
        at = 0
        while at < len(data):
            code, at = varint.decode(data, at)
            protocol = _BY_CODE.get(code)
            if protocol is None:
                raise InvalidEncoding(f"no protocol with code {code}")
            size = protocol.size
            if size == _PREFIXED:
                size, at = varint.decode(data, at)
            if size > len(data) - at:
                raise InvalidEncoding(f"unexpected end of multiaddr: {protocol.name} needs {size} bytes")
            parts.append((protocol.name, _checked(protocol, protocol.to_text, bytes(data[at : at + size]))))
            at += size
        return cls(tuple(parts))

    @property
    def bytes(self) -> builtins.bytes:
        """The binary form."""
        out = bytearray()
        for name, text in self.parts:
            protocol = _BY_NAME[name]
            value = protocol.to_bytes(text)
            out += varint.encode(protocol.code)
            if protocol.size == _PREFIXED:
                out += varint.encode(len(value))
            out += value
        return bytes(out)

    def value(self, protocol: str) -> str:
        """The value of the first part with that protocol.

        Raises:
            InvalidEncoding: The address has no such part.
        """
        for name, text in self.parts:
            if name == protocol:
                return text
        raise InvalidEncoding("protocol not found in multiaddr")

    def __truediv__(self, rest: Multiaddr) -> Multiaddr:
        """This address with the parts of another behind it: ``host / Multiaddr.parse("/thread/bafk…")``."""
        return Multiaddr(self.parts + rest.parts)

    def __bytes__(self) -> builtins.bytes:
        return self.bytes

    def __str__(self) -> str:
        return "".join(f"/{name}/{text}" if _BY_NAME[name].size else f"/{name}" for name, text in self.parts)


def _checked(protocol: _Protocol, convert: Callable[[Given], Made], value: Given) -> Made:
    try:
        return convert(value)
    except (ValueError, InvalidInput) as error:
        raise InvalidEncoding(f"invalid value for protocol {protocol.name}: {error}") from None


def is_local_host(host: str) -> bool:
    """Whether peers leave the address of this host out when they invite others to a thread.

    It is the rule of the JavaScript client's ``joinFromInfo``: this machine, ``*.local``, 192.168/16, and of
    the 10/8 networks only 10.0/16.
    """
    if host in ("", "localhost", "::1") or host.endswith(".local"):
        return True
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return address.is_loopback or address.packed[:2] in (b"\xc0\xa8", b"\x0a\x00")
