"""The JavaScript clients, each with the credentials of one kind of caller, beside ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.interop.peer import Peer, PeerObject
from textile_aio import AuthContext, HubClient, Identity, ThreadID
from textile_aio.localhub import HubSettings, LocalHub

CLIENT, CONTEXT = "@textile/threads-client", "@textile/context"
HUB, LOCAL = "@textile/hub", "@textile/threaddb"


@dataclass(frozen=True)
class JsPair:
    """A client of theirs and one of ours, as one caller.

    Attributes:
        js: Where theirs live.
        host: The gRPC-web address, as they take it.
        threads: Their client of ``threads.pb.API``.
        ours: Our client.
        ctx: Our context, with the token that they got.
        identity: Whose token it is.
        key: API key and secret as they take them; None on a hub without accounts.
    """

    js: Peer
    host: str
    threads: PeerObject
    ours: HubClient
    ctx: AuthContext
    identity: Identity
    key: dict[str, str] | None

    async def new_db(self, name: str | None = None) -> ThreadID:
        """A database that they make."""
        thread = ThreadID.random()
        made = await self.threads.call("newDB", thread, *([] if name is None else [name]))
        assert made == thread
        return thread

    async def with_key(self, module: str, name: str) -> PeerObject:
        """Another client of theirs on a hub with accounts, as the same caller."""
        assert self.key is not None
        options: Any = self.host if name == "Client" else {"host": self.host}
        made = await self.js.call(module, f"{name}.withKeyInfo", self.key, options)
        await made.call("getToken", self.identity)
        assert isinstance(made, PeerObject)
        return made

    def at(self, thread: ThreadID) -> AuthContext:
        """Our context in a thread."""
        return self.ctx.with_thread(thread)


@dataclass(frozen=True)
class JsDatabase:
    """A database that they made, with the client that made it.

    Attributes:
        pair: Both clients.
        thread: The database.
        ctx: Our context in it.
    """

    pair: JsPair
    thread: ThreadID
    ctx: AuthContext

    async def call(self, method: str, *given: Any) -> Any:
        """A method of their client that takes the database first."""
        return await self.pair.threads.call(method, self.thread, *given)


async def pair(js: Peer, hub: LocalHub, ours: HubClient, identity: Identity | None = None) -> JsPair:
    """Both clients, authorised: with a user-group key where the hub has accounts."""
    identity = identity or Identity.generate()
    host = f"http://{hub.web_target}"
    ctx = AuthContext()
    key: dict[str, str] | None = None
    if hub.settings.mode == "hub":
        made = await hub.create_key(await hub.create_account(f"owner{identity.public.raw.hex()[:12]}"))
        key = {"key": made.key, "secret": made.secret or ""}
        ctx = ctx.with_api_key(made.key, made.secret)
        threads = await js.call(CLIENT, "Client.withKeyInfo", key, host)
    else:
        context = await js.make(CONTEXT, "Context", host)
        threads = await js.make(CLIENT, "Client", context)
    token: Any = await threads.call("getToken", identity)
    return JsPair(js, host, threads, ours, ctx.with_token(token), identity, key)


def settings(mode: str) -> HubSettings:
    """A hub with both doors."""
    return HubSettings(mode=mode, web_port=0, grace=0)  # type: ignore[arg-type]
