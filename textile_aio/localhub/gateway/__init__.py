"""The HTTP gateway: threads, buckets and content addresses for browsers (spec: gateway-and-web, part A).

``door`` owns the port, ``application`` the way of a request, ``target`` what its URL and host name,
``routes`` and ``finding`` what that is in the hub, ``content`` how a file is answered (with ``ranges`` and
``media``), ``pages`` what a person sees.
Importing this package loads none of them, and no web server: :func:`gateway_door` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textile_aio.errors import HubError

if TYPE_CHECKING:
    from textile_aio.localhub.access.ownership import Ownership
    from textile_aio.localhub.accounts import Accounts
    from textile_aio.localhub.buckets.engine import BucketEngine
    from textile_aio.localhub.gateway.door import GatewayDoor
    from textile_aio.localhub.settings import HubSettings
    from textile_aio.localhub.tokens import Tokens


def gateway_door(
    buckets: BucketEngine,
    tokens: Tokens,
    settings: HubSettings,
    accounts: Accounts | None,
    ownership: Ownership | None,
) -> GatewayDoor:
    """A gateway that is still closed.

    Args:
        buckets: The buckets, and the databases that they live in.
        tokens: Verifies who reads.
        settings: The hub's.
        accounts: Where the links in mails lead; None on a hub without accounts.
        ownership: Whose threads they are; None on a hub without accounts.

    Raises:
        HubError: The packages it needs are not installed.
    """
    try:
        from textile_aio.localhub.gateway.door import GatewayDoor
    except ModuleNotFoundError as error:
        raise HubError(
            f"the gateway needs {error.name}, which is not installed: pip install 'textile-aio[hub]'; "
            "or open the hub without gateway_port"
        ) from error
    return GatewayDoor(buckets, tokens, settings, accounts, ownership)
