"""Services whose methods all answer UNIMPLEMENTED, once the caller was let through."""

from __future__ import annotations

from textile_aio._proto.powergate.user import v1 as powergate
from textile_aio.localhub.routes import Service
from textile_aio.localhub.settings import Mode


def remaining_services(mode: Mode) -> list[Service]:
    """What a client may look for and not find yet. A bucket daemon has no wallets at all."""
    if mode != "hub":
        return []
    return [Service(powergate.UserServiceBase, {})]
