"""Which addresses are on this machine alone, and how a hub is called by others.

Pure functions of the texts that settings hold. Refuses to know sockets.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


def is_host(text: str) -> bool:
    """Whether a text is an IP address (IPv6 without brackets) or a name."""
    if _ip(text) is not None:
        return True
    return len(text) <= 253 and all(map(_LABEL.fullmatch, text.removesuffix(".").split(".")))


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine gets there. Of names only ``localhost`` is known to be so."""
    ip = _ip(host)
    return host == "localhost" if ip is None else ip.is_loopback


def called(host: str) -> str:
    """What to connect to on this machine for what is listened on: loopback for all addresses."""
    ip = _ip(host)
    if ip is None or not ip.is_unspecified:
        return host
    return "127.0.0.1" if ip.version == 4 else "::1"


def authority(host: str, port: int) -> str:
    """``HOST:PORT``, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def multiaddress(host: str, port: int) -> str:
    """The same as a multiaddress."""
    ip = _ip(host)
    protocol = "dns4" if ip is None else f"ip{ip.version}"
    return f"/{protocol}/{host}/tcp/{port}"


def _ip(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
