"""The JavaScript bucket client beside ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.interop.jsclients import CONTEXT, HUB, JsPair
from tests.interop.peer import Function, PeerObject
from textile_aio import AuthContext, Identity


@dataclass(frozen=True)
class Buckets:
    """Their bucket client and ours, in one thread."""

    pair: JsPair
    theirs: PeerObject
    ctx: AuthContext

    async def create(self, name: str = "things", *, encrypted: bool = False) -> str:
        made = await self.theirs.call("create", name, {"encrypted": encrypted})
        return str(made["root"]["key"])

    async def pulled(self, key: str, path: str) -> bytes:
        chunks = await self.theirs.call("pullPath", key, path)
        return b"".join(await chunks.gather())

    async def grant(self, key: str, path: str, roles: Mapping[str, int]) -> None:
        pairs = [[who, int(role)] for who, role in roles.items()]
        await self.theirs.call("pushPathAccessRoles", key, path, Function(f"new Map({pairs!r})"))

    async def as_another(self) -> tuple[str, Buckets]:
        """Somebody else in the same thread, and who that is."""
        identity = Identity.generate()
        token = await self.pair.ours.threads.get_token(self.pair.ctx, identity)
        ctx = self.ctx.with_token(token)
        theirs = await _client(self.pair, token)
        assert self.ctx.thread is not None
        await theirs.call("withThread", str(self.ctx.thread))
        return str(identity.public), Buckets(self.pair, theirs, ctx)


async def buckets_of(pair: JsPair) -> Buckets:
    """Both clients, in a thread that theirs has made."""
    thread = await pair.new_db("buckets")
    token = pair.ctx.token
    assert token is not None
    theirs = await (_client(pair, token) if pair.key is None else pair.with_key(HUB, "Buckets"))
    await theirs.call("withThread", str(thread))
    return Buckets(pair, theirs, pair.at(thread))


async def _client(pair: JsPair, token: str) -> PeerObject:
    """Their client with a token, and with the pair's key if there is one."""
    if pair.key is None:
        context = await pair.js.make(CONTEXT, "Context", pair.host)
        return await pair.js.make(HUB, "Buckets", await context.call("withToken", token))
    made = await pair.js.call(HUB, "Buckets.withKeyInfo", pair.key, {"host": pair.host})
    assert isinstance(made, PeerObject)
    await made.call("setToken", token)
    return made
