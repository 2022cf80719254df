"""Where a hub is: the texts users write for it, and whether TLS is spoken there.

Owns parsing only; knows nothing of sockets or certificates.
"""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass
from ipaddress import AddressValueError, IPv6Address

from textile_aio.errors import InvalidInput

DEFAULT_PORT = 3006
"""The gRPC port of a hub when a target names none (design: ports and defaults)."""

TLS_PORT = 443

_SCHEMES = {"http": False, "https": True}
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?")


@dataclass(frozen=True, slots=True)
class Target:
    """The address of a hub.

    Attributes:
        host: Name or address, an IPv6 address without brackets.
        port: TCP port.
        tls: True when the connection is encrypted and the hub's certificate checked.
    """

    host: str
    port: int
    _: KW_ONLY
    tls: bool = False

    @classmethod
    def parse(cls, text: str, *, tls: bool | None = None) -> Target:
        """Read ``HOST``, ``HOST:PORT``, ``[IPv6]:PORT``, ``http://…`` or ``https://…``.

        TLS is spoken with ``https://``, not with ``http://``, and otherwise at port 443 only. Unlike the Go
        command line, which looks for "443" anywhere in the target, port 4430 is not taken for 443
        (spec: identity-and-auth, addresses).

        Args:
            text: The target. A missing port is 443 for ``https``, 80 for ``http``, and 3006 without a scheme.
            tls: Overrides the choice; must not contradict a scheme.

        Raises:
            InvalidInput: The text is no target, or ``tls`` contradicts its scheme.
        """
        scheme, separator, rest = text.strip().partition("://")
        if not separator:
            scheme, rest = "", scheme
        scheme = scheme.lower()
        if scheme and scheme not in _SCHEMES:
            raise _invalid(f"scheme {scheme!r} is neither http nor https", about=text)
        if scheme:
            rest = rest.removesuffix("/")
        host, port = _split(rest, text)
        if port is None:
            port = {"": DEFAULT_PORT, "http": 80, "https": TLS_PORT}[scheme]
        implied = _SCHEMES.get(scheme)
        if implied is not None and tls is not None and tls is not implied:
            raise _invalid(f"{scheme} contradicts tls={tls}", about=text)
        if tls is None:
            tls = port == TLS_PORT if implied is None else implied
        return cls(host, port, tls=tls)

    @property
    def authority(self) -> str:
        """``host:port`` as it stands in the ``:authority`` header."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        if self.tls:
            return f"https://{self.authority}"
        return f"http://{self.authority}" if self.port == TLS_PORT else self.authority


def _split(rest: str, text: str) -> tuple[str, int | None]:
    if rest.startswith("["):
        inner, bracket, tail = rest[1:].partition("]")
        try:
            host = str(IPv6Address(inner))
        except AddressValueError:
            raise _invalid(f"{inner!r} is not an IPv6 address", about=text) from None
        if not bracket or (tail and not tail.startswith(":")):
            raise _invalid("what follows ']' is not a port", about=text)
        return host, _port(tail[1:], text) if tail else None
    host, colon, port = rest.partition(":")
    if not _HOST.fullmatch(host) or max(map(len, host.split("."))) > 63 or len(host) > 253:
        raise _invalid(
            "there is no host name before the port" if not host else f"{host!r} is not a host name",
            about=text,
        )
    return host, _port(port, text) if colon else None


def _port(digits: str, text: str) -> int:
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and 0 < int(digits) < 65536):
        raise _invalid(f"{digits!r} is not a port; put an IPv6 address in brackets", about=text)
    return int(digits)


def _invalid(reason: str, *, about: str) -> InvalidInput:
    return InvalidInput(f"not a target, {reason}; write HOST:PORT or https://HOST", about=about)
