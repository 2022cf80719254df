"""Who may have what: the backend's decision, and what it may say."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from starlette.requests import HTTPConnection

from textile_aio.errors import InvalidInput, PermissionDenied
from textile_aio.identity import PublicKey

log: logging.Logger = logging.getLogger("textile_aio.asgi")

_MEMBERS = frozenset({"key", "sig", "msg", "token"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What somebody gets who may sign in, where that is not what everybody gets.

    Attributes:
        lifetime: How long the credentials last, in place of the application's.
        members: More members of the JSON that is handed out, such as the id of a thread.

    Raises:
        InvalidInput: It lasts no time, or a member would hide one of user auth.
    """

    lifetime: timedelta | None = None
    members: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.lifetime is not None and self.lifetime <= timedelta(0):
            raise InvalidInput("a grant lasts for some time")
        if taken := sorted(_MEMBERS & self.members.keys()):
            raise InvalidInput(f"user auth has a member {taken[0]!r} of its own")


Authorize = Callable[[HTTPConnection, PublicKey | None], bool | Grant | Awaitable[bool | Grant]]
"""Says who may have what: gets the request or websocket, and the key that its sender has proven to have."""


async def decide(authorize: Authorize, connection: HTTPConnection, public: PublicKey | None) -> Grant:
    """What the backend grants. Only True and a grant let anybody in.

    Raises:
        PermissionDenied: Nothing.
        Exception: Whatever the backend raised.
    """
    verdict: object = authorize(connection, public)
    if inspect.isawaitable(verdict):
        verdict = await verdict
    if isinstance(verdict, Grant):
        return verdict
    if verdict is True:
        return Grant()
    if verdict is not False:
        log.error("authorize gave a %s, which lets nobody in", type(verdict).__name__)
    raise PermissionDenied("this server gives no credentials for that")
