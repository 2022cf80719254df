"""Transactions: one stream, one reply for each operation, a commit at half-close (spec: threads-api §7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import betterproto2

from textile_aio._proto.threads import pb
from textile_aio.errors import (
    Aborted,
    CollectionNotFound,
    InvalidInput,
    StatusCode,
    TextileError,
)
from textile_aio.ids import ThreadID
from textile_aio.localhub.call import Call, Exchange
from textile_aio.localhub.host import Host
from textile_aio.localhub.routes import Method
from textile_aio.localhub.services.threads.rights import Rights
from textile_aio.threaddb.engine import ThreadDatabases
from textile_aio.threaddb.transactions import ReadTransaction, WriteTransaction

_START = "start_transaction_request"
_DISCARD = "discard_request"


class TransactionMethods:
    """Both kinds of transactions. An operation that fails says so in its reply, and the stream goes on."""

    def __init__(self, engine: ThreadDatabases, host: Host, rights: Rights) -> None:
        self._engine = engine
        self._host = host
        self._rights = rights

    def handlers(self) -> dict[str, Method]:
        """Handlers by method name."""
        return {"ReadTransaction": self.read_transaction, "WriteTransaction": self.write_transaction}

    async def read_transaction(self, call: Call, exchange: Exchange) -> None:
        """Operations on one snapshot."""
        async with self._limited():
            start = await self._start(call, exchange, "Read")
            if start is None:
                return
            db, name, who = start
            async with self._engine.read_transaction(db, name, who=who) as transaction:
                while (request := await self._recv(exchange)) is not None:
                    option, value = _option(request, "Read")
                    error, answer = await _attempt(lambda: _read(transaction, option, value))  # noqa: B023
                    await exchange.send(_reply(pb.ReadTransactionReply, option, answer, error))

    async def write_transaction(self, call: Call, exchange: Exchange) -> None:
        """Operations that are applied together at half-close, while nobody else writes."""
        async with self._limited():
            start = await self._start(call, exchange, "Write")
            if start is None:
                return
            db, name, who = start
            async with self._engine.write_transaction(db, name, who=who) as transaction:
                while (request := await self._recv(exchange)) is not None:
                    option, value = _option(request, "Write")
                    error, answer = await _attempt(lambda: _write(transaction, option, value))  # noqa: B023
                    await exchange.send(_reply(pb.WriteTransactionReply, option, answer, error))
                await transaction.commit()

    async def _start(self, call: Call, exchange: Exchange, kind: str) -> tuple[ThreadID, str, str] | None:
        """What the first message says; None if the client went away without one. It has no reply."""
        request = await self._recv(exchange)
        if request is None:
            return None
        option, value = betterproto2.which_one_of(request, "option")
        if option != _START or value is None:
            raise _unexpected(option, kind)
        db, who = await self._rights.enter(call, value.db_id)
        return db, value.collection_name, who

    async def _recv(self, exchange: Exchange) -> Any | None:
        try:
            async with asyncio.timeout(self._host.transaction_idle):
                return await exchange.recv()
        except TimeoutError:
            raise Aborted(
                f"the transaction was idle for {self._host.transaction_idle:g} s; nothing was written",
                code=StatusCode.ABORTED,
            ) from None

    @asynccontextmanager
    async def _limited(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._host.transaction_total) as limit:
                yield
        except TimeoutError:
            if not limit.expired():
                raise
            raise Aborted(
                f"the transaction took more than {self._host.transaction_total:g} s; nothing was written",
                code=StatusCode.ABORTED,
            ) from None


async def _attempt(operation: Callable[[], Awaitable[dict[str, Any]]]) -> tuple[str, dict[str, Any]]:
    try:
        return "", await operation()
    except CollectionNotFound as error:
        raise CollectionNotFound(error.message, code=StatusCode.UNKNOWN, about=error.about) from None
    except TextileError as error:
        return error.message, {}


async def _read(transaction: ReadTransaction, option: str, value: Any) -> dict[str, Any]:
    """Run a reading operation; the members of its reply."""
    match option:
        case "has_request":
            return {"exists": await transaction.has(value.instance_i_ds)}
        case "find_request":
            return {"instances": await transaction.find(value.query_json)}
        case _:
            return {"instance": await transaction.find_by_id(value.instance_id)}


async def _write(transaction: WriteTransaction, option: str, value: Any) -> dict[str, Any]:
    """Run any operation; the members of its reply."""
    match option:
        case "create_request":
            return {"instance_i_ds": await transaction.create(value.instances)}
        case "save_request":
            await transaction.save(value.instances)
        case "delete_request":
            await transaction.delete(value.instance_i_ds)
        case "verify_request":
            await transaction.verify(value.instances)
        case "discard_request":
            await transaction.discard()
        case _:
            return await _read(transaction, option, value)
    return {}


_REPLIES: dict[str, type[Any]] = {
    "create_request": pb.CreateReply,
    "save_request": pb.SaveReply,
    "delete_request": pb.DeleteReply,
    "has_request": pb.HasReply,
    "find_request": pb.FindReply,
    "find_by_id_request": pb.FindByIdReply,
    "verify_request": pb.VerifyReply,
    "discard_request": pb.DiscardReply,
}


def _reply(kind: type[Any], option: str, answer: dict[str, Any], error: str) -> Any:
    if error and option != _DISCARD:
        answer = {**answer, "transaction_error": error}
    return kind(**{option.removesuffix("request") + "reply": _REPLIES[option](**answer)})


def _option(request: Any, kind: str) -> tuple[str, Any]:
    option, value = betterproto2.which_one_of(request, "option")
    if option in ("", _START):
        raise _unexpected(option, kind)
    return option, value


def _unexpected(option: str, kind: str) -> InvalidInput:
    """What a Go server says of a message in the wrong place."""
    if not option:
        return InvalidInput(f"no {kind}TransactionRequest type set", code=StatusCode.UNKNOWN)
    member = "".join(part.capitalize() for part in option.split("_")).replace("Id", "ID")
    return InvalidInput(
        f"{kind}TransactionRequest.Option has unexpected type *threads_pb.{kind}TransactionRequest_{member}",
        code=StatusCode.UNKNOWN,
    )
