"""Textile's clients of accounts, users and mail, in JavaScript and in Go, at a hub like those of their tests.

What both can be told the same way has one test: the Go program (``go/people``) offers the names and shapes of
the JavaScript clients.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from tests.interop.jsclients import CONTEXT, HUB
from tests.interop.peer import Peer, PeerError, PeerObject
from tests.localhub.gateway.client import get
from textile_aio import Identity, ThreadID
from textile_aio.localhub import HubSettings, LocalHub

T = TypeVar("T")

ADMIN = "@textile/hub-admin"
SECRET = "hubsession"
ACCOUNT, USER = 1, 2

_LOOK_EVERY = 0.05

Key = Mapping[str, Any]


def settings() -> HubSettings:
    """A hub as the test rigs of Textile's clients have it."""
    return HubSettings(web_port=0, gateway_port=0, confirmation_secret=SECRET, grace=0)


def new_name() -> str:
    """A username that nobody has."""
    return f"u{secrets.token_hex(6)}"


def email_of(name: str) -> str:
    return f"{name}@doe.com"


@dataclass(frozen=True)
class Rig:
    """Such a hub."""

    hub: LocalHub

    @property
    def host(self) -> str:
        """Its gRPC-web door, as JavaScript takes it."""
        return f"http://{self.hub.web_target}"

    @property
    def gateway(self) -> str:
        """Its gateway, as links name it."""
        return f"http://{self.hub.gateway_target}"

    async def follow(self, path: str) -> int:
        """Follow a link of a mail; the status."""
        assert self.hub.gateway_target is not None
        return (await get(self.hub.gateway_target, path)).status

    async def confirmed(self, call: Awaitable[T]) -> T:
        """Confirm an address until a call has returned: it may not have begun to wait at first."""
        task = asyncio.ensure_future(call)
        try:
            while not (await asyncio.wait({task}, timeout=_LOOK_EVERY))[0]:
                assert await self.follow(f"/confirm/{SECRET}") == 200
            return await task
        finally:
            task.cancel()


class Peers(Protocol):
    """The clients in one language."""

    @property
    def kind(self) -> str:
        """``"js"`` or ``"go"``."""

    @property
    def rig(self) -> Rig:
        """Where they call."""

    async def admin(self, session: str = "", key: Key | None = None) -> PeerObject:
        """The client of accounts, with a session, an API key, or nothing."""

    async def users(self, key: Key | None = None, *, session: str = "") -> PeerObject:
        """The client of users and mail, likewise."""

    async def new_db(self, users: PeerObject, name: str) -> str:
        """A database of whoever a client of users is; its id."""

    async def filecoin(self, users: PeerObject) -> PeerObject:
        """The client of Filecoin, as whoever a client of users is."""

    async def person(self, identity: Identity) -> PeerObject:
        """Somebody who can ``decrypt`` what was sealed for them."""


@dataclass(frozen=True)
class JsPeers:
    """Those in JavaScript, in one Node process."""

    rig: Rig
    js: Peer
    kind: str = "js"

    async def admin(self, session: str = "", key: Key | None = None) -> PeerObject:
        if session:
            return await self._made(ADMIN, "Admin.withSession", session)
        return await self.js.make(ADMIN, "Admin", await self._context(key))

    async def users(self, key: Key | None = None, *, session: str = "") -> PeerObject:
        if key is not None and "secret" in key:
            return await self._made(HUB, "Users.withKeyInfo", dict(key))
        return await self.js.make(HUB, "Users", await self._context(key, session))

    async def new_db(self, users: PeerObject, name: str) -> str:
        client = await self.js.make(HUB, "Client", await users.get("context"))
        return str(await client.call("newDB", ThreadID.random(), name))

    async def filecoin(self, users: PeerObject) -> PeerObject:
        return await self.js.make(HUB, "Filecoin", await users.get("context"))

    async def person(self, identity: Identity) -> PeerObject:
        made = await self.js.call(HUB, "PrivateKey.fromString", identity.to_string())
        assert isinstance(made, PeerObject)
        return made

    async def _made(self, module: str, function: str, given: Any) -> PeerObject:
        made = await self.js.call(module, function, given, {"host": self.rig.host})
        assert isinstance(made, PeerObject)
        return made

    async def _context(self, key: Key | None, session: str = "") -> PeerObject:
        context = await self.js.make(CONTEXT, "Context", self.rig.host)
        if session:
            await context.call("withSession", session)
        if key is not None:
            await context.call("withKeyInfo", dict(key))
        return context


@dataclass(frozen=True)
class GoPeers:
    """Those in Go, in one process."""

    rig: Rig
    go: Peer
    kind: str = "go"

    async def admin(self, session: str = "", key: Key | None = None) -> PeerObject:
        return await self.go.make("", "Admin", _credentials(session, key))

    async def users(self, key: Key | None = None, *, session: str = "") -> PeerObject:
        return await self.go.make("", "Users", _credentials(session, key))

    async def new_db(self, users: PeerObject, name: str) -> str:
        return str(await users.call("newDB", name))

    async def filecoin(self, users: PeerObject) -> PeerObject:
        made = await users.call("filecoin")
        assert isinstance(made, PeerObject)
        return made

    async def person(self, identity: Identity) -> PeerObject:
        return await self.go.make("", "Person", identity)


def _credentials(session: str, key: Key | None) -> dict[str, Any]:
    return {"session": session, **(key or {})}


@dataclass(frozen=True)
class Developer:
    """Somebody who has signed up.

    Attributes:
        peers: In which language.
        username: The name.
        email: The address.
        key: The public key, as text.
        session: The session that signing up gave.
        admin: The client of accounts with that session.
    """

    peers: Peers
    username: str
    email: str
    key: str
    session: str
    admin: PeerObject

    async def api_key(self, kind: int = USER, *, secure: bool = True, org: str = "") -> dict[str, Any]:
        """An API key, as clients take it: one that does not sign comes without its secret."""
        made = await self.admin.call("createKey", kind, secure, org)
        return {"key": made["key"], **({"secret": made["secret"]} if secure else {})}


async def sign_up(peers: Peers, email: str = "") -> Developer:
    """Sign somebody up, and confirm the address."""
    name = new_name()
    email = email or email_of(name)
    nobody = await peers.admin()
    made = await peers.rig.confirmed(nobody.call("signUp", name, email))
    return Developer(peers, name, email, made["key"], made["session"], await peers.admin(made["session"]))


@dataclass(frozen=True)
class User:
    """A user of an app, with a token.

    Attributes:
        identity: Who that is.
        users: The client, which holds the token.
    """

    identity: Identity
    users: PeerObject


async def new_user(peers: Peers, key: Key) -> User:
    """A user of an app that has an API key."""
    identity = Identity.generate()
    users = await peers.users(key)
    await users.call("getToken", identity)
    return User(identity, users)


async def refusal(call: Awaitable[Any]) -> tuple[str, str]:
    """The status and the text that a call is refused with."""
    try:
        given = await call
    except PeerError as error:
        return ("" if error.code is None else error.code.name, str(error))
    raise AssertionError(f"it was not refused, but gave {given!r}")
