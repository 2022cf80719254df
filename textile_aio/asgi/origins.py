"""Whether the page that a request comes from may make it.

Browsers send the page's origin with websockets and with every request to another site, and let no page forge
it. Programs send what they like or nothing: this protects a browser's user from other pages, not a server
from programs.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from textile_aio.errors import InvalidInput, PermissionDenied

_DEFAULT_PORTS = {"http": 80, "https": 443}


def normal_origin(origin: str) -> str:
    """An origin as browsers write it: ``https://example.org``, in lower case, without a default port.

    Raises:
        InvalidInput: It is none.
    """
    try:
        parts = urlsplit(origin)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidInput(
            "an origin is written as https://HOST or https://HOST:PORT", about=origin
        ) from None
    if parts.scheme not in _DEFAULT_PORTS or not host or parts.path or parts.query or parts.username:
        raise InvalidInput("an origin is written as https://HOST or https://HOST:PORT", about=origin)
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + (
        f":{port}" if port not in (None, _DEFAULT_PORTS[parts.scheme]) else ""
    )


def is_own_origin(connection: HTTPConnection) -> bool:
    """Whether the page has the host and port that it calls.

    The scheme is not compared: behind a proxy that ends TLS, a backend does not see it.
    """
    origin = connection.headers.get("origin", "")
    host = connection.headers.get("host", "")
    try:
        scheme = normal_origin(origin).partition("://")[0]
        return normal_origin(origin) == normal_origin(f"{scheme}://{host}")
    except InvalidInput:
        return False


def check_origin(connection: HTTPConnection, others: Collection[str] = ()) -> None:
    """Refuse pages of other origins, but for ``others`` in their :func:`normal_origin` form.

    Raises:
        PermissionDenied: The request names another origin.
    """
    origin = connection.headers.get("origin")
    if origin is None or is_own_origin(connection):
        return
    try:
        known = normal_origin(origin) in others
    except InvalidInput:
        known = False
    if not known:
        raise PermissionDenied("pages of this origin may not call here")
