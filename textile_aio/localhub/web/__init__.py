"""The gRPC-web door: the hub's services for browsers and Node (spec: gateway-and-web, part B).

``door`` owns the port, ``sockets`` and ``posts`` the two ways a call comes in, ``call`` its life, ``inbound``
and ``frames`` its bytes. Importing this package loads none of them, and no web server: :func:`web_door` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textile_aio.errors import HubError

if TYPE_CHECKING:
    from textile_aio.localhub.limits import DoorLimits
    from textile_aio.localhub.routes import Routes
    from textile_aio.localhub.web.door import WebDoor


def web_door(routes: Routes, *, origins: Sequence[str] | None, limits: DoorLimits) -> WebDoor:
    """A door that is still closed.

    Args:
        routes: The services behind it, the same object that gRPC serves.
        origins: Web origins whose pages may call; None for all of them.
        limits: What strangers may ask of it.

    Raises:
        HubError: The packages it needs are not installed.
    """
    try:
        from textile_aio.localhub.web.door import WebDoor
    except ModuleNotFoundError as error:
        raise HubError(
            f"the gRPC-web door needs {error.name}, which is not installed: pip install 'textile-aio[hub]'; "
            "or open the hub without web_port"
        ) from error
    return WebDoor(routes, origins=origins, limits=limits)
