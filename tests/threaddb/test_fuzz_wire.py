"""Requests that no client sends, at the door of a real hub: each has a status, and the connection lives on.

INTERNAL is only what is no message at all, as Go servers say it; a fault of the hub's own never shows.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from grpclib.client import Channel
from grpclib.const import Cardinality, Status
from grpclib.encoding.base import CodecBase
from grpclib.exceptions import GRPCError

import textile_aio
from tests.localhub.raw import METHODS
from tests.threaddb.fuzzing import SECONDS, mutated
from textile_aio import AuthContext
from textile_aio._proto.threads import pb
from textile_aio.ids import ThreadID
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.threads.values import CollectionConfig

SERVICES = ("/threads.pb.API/", "/threads.net.pb.API/")
CALLS = sorted(path for path in METHODS if path.startswith(SERVICES))
STREAMS = (Cardinality.STREAM_STREAM, Cardinality.STREAM_UNARY)


class Bytes(CodecBase):
    """Messages as they are."""

    __content_subtype__ = "proto"

    def encode(self, message: Any, message_type: Any) -> bytes:
        return bytes(message)

    def decode(self, data: bytes, message_type: Any) -> Any:
        return data


@dataclass
class Door:
    """One connection to a hub, over which all calls go."""

    channel: Channel
    thread: ThreadID

    async def call(self, path: str, *messages: bytes) -> Status:
        """Send messages and the end of them; the status. What goes on for ever is left."""
        method = METHODS[path]
        request = self.channel.request(path, method.cardinality, bytes, bytes)
        try:
            async with asyncio.timeout(SECONDS), request as stream:
                await stream.send_request()
                for number, message in enumerate(messages, 1):
                    await stream.send_message(message, end=number == len(messages))
                if not messages:
                    await stream.end()
                if path.endswith(("/Listen", "/Subscribe")):
                    async with asyncio.timeout(0.05):
                        await stream.recv_message()
                    await stream.cancel()
                else:
                    while await stream.recv_message() is not None:
                        pass
        except GRPCError as error:
            is_fault = error.status is Status.INTERNAL and not (error.message or "").startswith("grpc: ")
            return Status.DATA_LOSS if is_fault else error.status
        except TimeoutError:
            assert path.endswith(("/Listen", "/Subscribe"))
        return Status.OK

    async def alive(self) -> bool:
        request = pb.GetDbInfoRequest(db_id=bytes(self.thread))
        return await self.call("/threads.pb.API/GetDBInfo", bytes(request)) is Status.OK


@asynccontextmanager
async def door() -> AsyncIterator[Door]:
    async with (
        LocalHub.in_memory(HubSettings(mode="buckd")) as hub,
        textile_aio.connect(hub.target) as client,
    ):
        ctx = AuthContext()
        thread = await client.threads.new_db(ctx)
        schema = {"properties": {"_id": {"type": "string"}}}
        await client.threads.new_collection(ctx, thread, CollectionConfig("c", schema=schema))
        await client.threads.new_collection(ctx, thread, CollectionConfig("witness", schema=schema))
        for name in ("c", "witness"):
            await client.threads.create(ctx, thread, name, [{"_id": "kept"}])
        host, _, port = hub.target.rpartition(":")
        channel = Channel(host, int(port), codec=Bytes())
        try:
            at = Door(channel, thread)
            yield at
            assert await at.alive()
        finally:
            channel.close()
        assert await client.threads.has(ctx, thread, "witness", ["kept"])


def good(path: str, thread: ThreadID) -> list[bytes]:
    """Messages of a call that a client might make; the fuzz starts from here."""
    db, name = bytes(thread), "c"
    start = pb.StartTransactionRequest(db_id=db, collection_name=name)
    match path.rpartition("/")[2]:
        case "Create" | "Save" | "Verify" as verb:
            kind = {"Create": pb.CreateRequest, "Save": pb.SaveRequest, "Verify": pb.VerifyRequest}[verb]
            return [bytes(kind(db_id=db, collection_name=name, instances=[b'{"_id":"a","x":1}']))]
        case "Delete":
            return [bytes(pb.DeleteRequest(db_id=db, collection_name=name, instance_i_ds=["a", "b"]))]
        case "Has":
            return [bytes(pb.HasRequest(db_id=db, collection_name=name, instance_i_ds=["a", "kept"]))]
        case "Find":
            return [bytes(pb.FindRequest(db_id=db, collection_name=name, query_json=b'{"limit":1}'))]
        case "FindByID":
            return [bytes(pb.FindByIdRequest(db_id=db, collection_name=name, instance_id="kept"))]
        case "Listen":
            filters = [pb.ListenRequestFilter(collection_name="c", instance_id="a")]
            return [bytes(pb.ListenRequest(db_id=db, filters=filters, since="00-1-0"))]
        case "NewCollection" | "UpdateCollection":
            config = pb.CollectionConfig(
                name="d", schema=b'{"properties":{"_id":{"type":"string"}}}', write_validator="return true"
            )
            return [bytes(pb.NewCollectionRequest(db_id=db, config=config))]
        case "WriteTransaction":
            save = pb.SaveRequest(instances=[b'{"_id":"t"}'])
            return [
                bytes(pb.WriteTransactionRequest(start_transaction_request=start)),
                bytes(pb.WriteTransactionRequest(save_request=save)),
                bytes(pb.WriteTransactionRequest(find_request=pb.FindRequest(query_json=b"{}"))),
            ]
        case "ReadTransaction":
            return [
                bytes(pb.ReadTransactionRequest(start_transaction_request=start)),
                bytes(pb.ReadTransactionRequest(has_request=pb.HasRequest(instance_i_ds=["kept"]))),
            ]
        case _:
            return [bytes(pb.FindByIdRequest(db_id=db, collection_name=name, instance_id="kept"))]


@pytest.mark.parametrize("path", CALLS)
async def test_whatever_is_sent_gets_a_status_of_its_own(path: str) -> None:
    rng = random.Random(path)
    async with door() as at:
        if path.endswith("/DeleteDB"):
            return  # What it does is no fault.
        for number in range(60):
            messages = good(path, at.thread)
            if number == 0:
                messages = []
            elif number == 1:
                messages = [b""]
            elif number == 2:
                messages = [b"\xff" * 1000]
            elif number < 10:
                messages = [rng.randbytes(rng.randrange(1, 200))] * rng.choice([1, 3])
            else:
                at_ = rng.randrange(len(messages))
                messages[at_] = mutated(messages[at_], rng)
                if rng.random() < 0.2:
                    messages = messages * 2
            if METHODS[path].cardinality not in STREAMS:
                messages = messages[:1] or [b""]
            status = await at.call(path, *messages)
            assert status not in (Status.DATA_LOSS, Status.DEADLINE_EXCEEDED), messages
        assert await at.alive()


@pytest.mark.parametrize("verb", ["Verify", "Find", "WriteTransaction"])
async def test_large_messages_are_taken_or_refused(verb: str) -> None:
    path = f"/threads.pb.API/{verb}"
    async with door() as at:
        for size in (4 * 1024 * 1024 - 200, 4 * 1024 * 1024, 16 * 1024 * 1024):
            *before, last = good(path, at.thread)
            unknown = _varint(2000 << 3 | 2) + _varint(size) + b"x" * size  # a field that nobody knows
            status = await at.call(path, *before, last + unknown)
            assert status is (Status.OK if size < 4 * 1024 * 1024 else Status.RESOURCE_EXHAUSTED)
            assert await at.alive()


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)
