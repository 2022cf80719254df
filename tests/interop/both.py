"""The same raw calls to a server of go-threads and to our hub, whose answers are compared.

An answer is the reply in full, or the status and its text. What a clock decides (``_mod`` of an instance)
or a server's own key is taken out, and of what a script threw, the engine's words; ids of instances are given
by the tests, so that none is made up by a server.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from textile_aio import AuthContext, ThreadID, errors
from textile_aio._proto.threads import pb
from textile_aio._rpc.channel import Channel
from textile_aio._rpc.method import Method
from textile_aio._rpc.retry import RetryPolicy
from textile_aio._rpc.target import Target
from textile_aio.threads import _methods as methods

Answer = Any
"""A reply, or ``(status, text)``."""

_MOD = re.compile(rb'"_mod":\d+')
_OWN = [
    (re.compile(r'"_mod":\d+'), '"_mod":0'),
    (re.compile(r"\bbbaareif?[a-z2-7]{50,}"), "(a key)"),
    (re.compile(r"^(running|compiling|parsing|loading) ([a-z ]+): .*", re.DOTALL), r"\1 \2"),
]
_PATIENCE = 20.0


@dataclass(frozen=True)
class Both:
    """Two servers, and the database of one id in each.

    Attributes:
        go: The server of go-threads.
        ours: Our hub.
        ctx: A token is not asked for by either; calls are anonymous unless this has one.
        db: The database.
    """

    go: Channel
    ours: Channel
    ctx: AuthContext
    db: ThreadID

    async def answers(self, method: Method[Any, Any], request: Any) -> tuple[Answer, Answer]:
        """The answers of both, first that of Go."""
        return await answer(self.go, method, request, self.ctx), await answer(
            self.ours, method, request, self.ctx
        )

    async def same(self, method: Method[Any, Any], request: Any) -> Answer:
        """The answer that both give."""
        go, ours = await self.answers(method, request)
        assert ours == go, request
        return go

    async def collection(self, name: str, schema: bytes = b"{}", **more: Any) -> Answer:
        config = pb.CollectionConfig(name=name, schema=schema, **more)
        return await self.same(
            methods.NEW_COLLECTION, pb.NewCollectionRequest(db_id=bytes(self.db), config=config)
        )

    async def create(self, name: str, *instances: bytes) -> Answer:
        return await self.same(methods.CREATE, self.request(pb.CreateRequest, name, instances=instances))

    async def save(self, name: str, *instances: bytes) -> Answer:
        return await self.same(methods.SAVE, self.request(pb.SaveRequest, name, instances=instances))

    async def verify(self, name: str, *instances: bytes) -> Answer:
        return await self.same(methods.VERIFY, self.request(pb.VerifyRequest, name, instances=instances))

    async def delete(self, name: str, *ids: str) -> Answer:
        return await self.same(methods.DELETE, self.request(pb.DeleteRequest, name, instance_i_ds=ids))

    async def has(self, name: str, *ids: str) -> Answer:
        return await self.same(methods.HAS, self.request(pb.HasRequest, name, instance_i_ds=ids))

    async def find(self, name: str, query: bytes = b"{}") -> Answer:
        return await self.same(methods.FIND, self.request(pb.FindRequest, name, query_json=query))

    async def find_by_id(self, name: str, key: str) -> Answer:
        return await self.same(methods.FIND_BY_ID, self.request(pb.FindByIdRequest, name, instance_id=key))

    async def transaction(self, name: str, *steps: Any) -> list[Answer]:
        """A write transaction of these requests, one after the other; it commits at the end."""
        go, ours = [
            await _transaction(channel, self.ctx, self.request(pb.StartTransactionRequest, name), steps)
            for channel in (self.go, self.ours)
        ]
        assert ours == go, steps
        return go

    def request(self, kind: Any, name: str, **fields: Any) -> Any:
        """A request that concerns a collection of the database."""
        given = {key: list(value) if isinstance(value, tuple) else value for key, value in fields.items()}
        return kind(db_id=bytes(self.db), collection_name=name, **given)


@asynccontextmanager
async def connected(go: str, ours: str, ctx: AuthContext) -> AsyncIterator[Both]:
    """Connections to both, and a fresh database."""
    never = RetryPolicy(attempts=1)
    async with (
        Channel(Target.parse(go), retry=never) as first,
        Channel(Target.parse(ours), retry=never) as second,
    ):
        both = Both(first, second, ctx, ThreadID.random())
        assert await both.same(methods.NEW_DB, pb.NewDbRequest(db_id=bytes(both.db))) == {}
        yield both


async def answer(channel: Channel, method: Method[Any, Any], request: Any, ctx: AuthContext) -> Answer:
    """What one server says."""
    try:
        return plain(await channel.unary(method, request, ctx, timeout=_PATIENCE))
    except errors.TextileError as error:
        return status(error)


async def _transaction(channel: Channel, ctx: AuthContext, start: Any, steps: Sequence[Any]) -> list[Answer]:
    answers: list[Answer] = []
    try:
        async with channel.stream(methods.WRITE_TRANSACTION, ctx, timeout=_PATIENCE) as stream:
            await stream.send(pb.WriteTransactionRequest(start_transaction_request=start))
            for step in steps:
                field = OPTIONS[type(step)]
                await stream.send(pb.WriteTransactionRequest(**{field: step}))
                answers.append(plain(await stream.recv()))
            await stream.end()
            answers.append(plain(await stream.recv()))
    except errors.TextileError as error:
        answers.append(status(error))
    return answers


OPTIONS: dict[type, str] = {
    pb.CreateRequest: "create_request",
    pb.SaveRequest: "save_request",
    pb.DeleteRequest: "delete_request",
    pb.HasRequest: "has_request",
    pb.FindRequest: "find_request",
    pb.FindByIdRequest: "find_by_id_request",
    pb.VerifyRequest: "verify_request",
    pb.DiscardRequest: "discard_request",
}


def status(error: errors.TextileError) -> tuple[str, str]:
    """A status and its text, without what is a server's own."""
    text = error.message
    for pattern, instead in _OWN:
        text = pattern.sub(instead, text)
    return ("" if error.code is None else error.code.name, text)


def plain(message: Any) -> Any:
    """A message as dicts and lists, without what a clock decides."""
    if isinstance(message, bytes):
        return _MOD.sub(b'"_mod":0', message)
    if isinstance(message, list):
        items = [plain(each) for each in message]
        # Go keeps indexes in a map, and tells them in any order.
        return sorted(items, key=repr) if message and isinstance(message[0], pb.Index) else items
    fields = getattr(message, "__dataclass_fields__", None)
    if fields is None:
        return message
    said = {name: plain(getattr(message, name)) for name in fields}
    return {name: value for name, value in said.items() if value not in (None, "", b"", [], False, 0)}
