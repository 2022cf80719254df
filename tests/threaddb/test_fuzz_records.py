"""Records that nobody would seal: refused whole, or applied whole, and the log goes on after good ones."""

from __future__ import annotations

import json
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.threaddb.engine_fixtures import Bench, running
from tests.threaddb.fuzzing import ANYTHING, met
from textile_aio.errors import TextileError
from textile_aio.identity import Identity
from textile_aio.ids import Cid, PeerID, ThreadKey
from textile_aio.records import dagcbor
from textile_aio.records.events import Event, EventKind, encode_events
from textile_aio.records.record import Nodes, Record, seal
from textile_aio.storage.store import View
from textile_aio.storage.values import Thread
from textile_aio.threaddb.appending import Arrival
from textile_aio.threaddb.collections import Collection, CollectionConfig, Index
from textile_aio.threaddb.documents import load
from textile_aio.threaddb.logs import LogKey
from textile_aio.threaddb.network import ThreadNetwork
from textile_aio.threaddb.threads import NewThread

CONFIG = CollectionConfig("Person", ANYTHING, (Index("email", unique=True), Index("age")))


@dataclass
class Peer:
    """Somebody else's log of the thread, whose key this store has not got."""

    bench: Bench
    network: ThreadNetwork
    thread: Thread
    log: Identity
    author: Identity
    head: Cid | None = None

    def seal(self, body: bytes) -> Record:
        assert self.thread.read_key is not None
        return seal(
            body,
            author=self.author.public,
            log=self.log,
            service_key=self.thread.service_key,
            read_key=self.thread.read_key,
            prev=self.head,
        )

    async def send(self, record: Record, nodes: Nodes | None = None) -> TextileError | None:
        """Add a record; the error if it is refused."""
        log = bytes(PeerID.from_public_key(bytes(self.log.public)))
        arrival = Arrival(self.bench.db, log, nodes or record.nodes)
        _, error = await met(self.network.add_record(arrival))
        if error is None:
            self.head = record.cid
        return error

    async def write(self, *events: Event) -> TextileError | None:
        return await self.send(self.seal(encode_events(events)))


@asynccontextmanager
async def peer(path: Path | None) -> AsyncIterator[Peer]:
    """A peer under whose hands nothing breaks: in the end a good record is taken, and indexes are right."""
    host = Identity.generate()
    async with running(path, host=host) as bench:
        await bench.engine.new_collection(bench.db, CONFIG)
        await bench.create({"_id": "kept", "email": "kept"})
        network = ThreadNetwork(bench.store, bench.engine, host=host, clock=bench.clock)
        thread = await bench.store.read(lambda view: view.thread(bytes(bench.db)))
        assert thread is not None
        assert thread.read_key is not None
        key = ThreadKey.from_bytes(thread.service_key + thread.read_key)
        log = Identity.generate()
        request = NewThread(bench.db, key, LogKey(log.public, None))
        await network.join(request, who=str(Identity.generate().public))
        it = Peer(bench, network, thread, log, Identity.generate())
        yield it
        assert await it.write(create("good", b'{"_id":"good","email":"good"}')) is None
        assert await bench.engine.has(bench.db, "Person", ["kept", "good"], who="")
        await bench.create({"_id": "after", "email": "after"})
        await bench.store.read(lambda view: check_indexes(view, bench))


def check_indexes(view: View, bench: Bench) -> None:
    """Entries are those of the documents, and so are claims."""
    collection = Collection(CONFIG)
    wanted: dict[str, list[tuple[bytes, bytes]]] = {"email": [], "age": []}
    for document in view.scan(bytes(bench.db), "Person"):
        for entry in collection.entries(load(document.body)):
            if entry.key:
                wanted[entry.path].append((entry.key, document.id))
            if entry.claim:
                assert view.claimant(bytes(bench.db), "Person", entry.path, entry.claim) == document.id
    for path, entries in wanted.items():
        assert list(view.entries(bytes(bench.db), "Person", path)) == sorted(entries)


def create(id_: str, patch: bytes | None, *, at: int = 1, collection: str = "Person") -> Event:
    return Event(at, collection, id_, EventKind.CREATE, patch)


def save(id_: str, patch: bytes | None, *, at: int = 1) -> Event:
    return Event(at, "Person", id_, EventKind.SAVE, patch)


REFUSED: dict[str, list[Event]] = {
    "no JSON": [create("a", b"{")],
    "no object": [create("a", b"[]")],
    "no patch": [create("a", None)],
    "another id": [create("a", b'{"_id":"b"}')],
    "no id": [create("", b"{}")],
    "a long id": [create("x" * 2000, b'{"_id":"' + b"x" * 2000 + b'"}')],
    "deep": [create("a", b'{"_id":"a","x":' + b"[" * 10_000 + b"]" * 10_000 + b"}")],
    "a huge number": [create("a", b'{"_id":"a","age":1e999}')],
    "no UTF-8": [create("a", b'{"_id":"a","x":"\xff"}')],
    "no such collection": [create("a", b'{"_id":"a"}', collection="Nobody")],
    "a collection of NUL": [create("a", b'{"_id":"a"}', collection="\0")],
    "a taken id": [create("kept", b'{"_id":"kept"}')],
    "a taken value": [create("a", b'{"_id":"a","email":"kept"}')],
    "one value twice": [
        create("a", b'{"_id":"a","email":"e"}'),
        create("b", b'{"_id":"b","email":"e"}', at=2),
    ],
    "a second half that is bad": [create("a", b'{"_id":"a"}'), create("b", b"{", at=2)],
    "what is not there, deleted": [Event(1, "Person", "nobody", EventKind.DELETE, None)],
    "a patch that is null": [save("kept", b"null")],
    "another id in a patch": [save("kept", b'{"_id":"other"}')],
    "no id in a patch": [save("kept", b'{"_id":null}')],
}

TAKEN: dict[str, list[Event]] = {
    "no events": [],
    "the last moment": [create("a", b'{"_id":"a"}', at=2**63 - 1)],
    "before all time": [create("a", b'{"_id":"a"}', at=-(2**63))],
    "backwards": [create("b", b'{"_id":"b"}', at=9), create("a", b'{"_id":"a"}', at=3)],
    "half a pair": [create("a", b'{"_id":"a","email":"\\ud800","name":"\\udfff"}')],
    "white space": [create("a", b' { "_id" : "a" , "age" : 1.0e0 } ')],
    "a name twice": [create("a", b'{"_id":"x","email":"1","_id":"a","email":"2"}')],
    "other types": [create("a", b'{"_id":"a","email":{"x":[1]},"age":"old","_mod":null}')],
    "an empty change": [save("kept", b"{}")],
    "a change of nothing": [save("new", b'{"age":3}')],
    "all gone": [save("kept", b'{"email":null,"_mod":null}')],
    "large": [create("a", b'{"_id":"a","x":"' + b"x" * 3_000_000 + b'"}')],
    "many": [create(f"{each}", b'{"_id":"%d"}' % each, at=each) for each in range(2000)],
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_record_that_cannot_be_applied_is_refused_whole(tmp_path: Path, name: str) -> None:
    async with peer(tmp_path / "hub") as it:
        before = await it.bench.find()
        error = await it.write(*REFUSED[name])
        assert error is not None
        assert error.code is not None
        assert await it.bench.find() == before


@pytest.mark.parametrize("name", TAKEN)
async def test_a_strange_record_is_applied_whole(name: str) -> None:
    async with peer(None) as it:
        assert await it.write(*TAKEN[name]) is None
        for event in TAKEN[name]:
            found = json.loads(await it.bench.engine.find_by_id(it.bench.db, "Person", event.id, who=""))
            assert found["_id"] == event.id
        ids = [event.id for event in TAKEN[name]]
        await it.bench.engine.delete(it.bench.db, "Person", [id_ for id_ in ids if id_ != "kept"], who="")


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "an open list": b"\x9b" + b"\xff" * 8,
    "a huge text": b"\x7b" + b"\x7f" * 8,
    "deep": b"\x81" * 100_000 + b"\x01",
    "endless": b"\x9f\x01",
    "a float": b"\xfa\x00\x00\x00\x00",
    "a link to nothing": b"\xd8\x2a\x41\x00",
    "two values": b"\xa0\xa0",
    "a number": dagcbor.encode(1),
    "a list": dagcbor.encode([]),
    "other keys": dagcbor.encode({"other": 1}),
    "patches of another type": dagcbor.encode({"patches": 5}),
    "a patch of null": dagcbor.encode({"patches": [None]}),
    "a kind that is none": dagcbor.encode({"patches": [{"patch": {"type": 9}}]}),
    "a time beyond 64 bits": b"\xa1\x67patches\x81\xa1\x69timestamp\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
    "a timestamp of text": dagcbor.encode({"patches": [{"timestamp": "x"}]}),
    "an id of bytes": dagcbor.encode({"patches": [{"iD": b"x"}]}),
    "a patch of text": dagcbor.encode({"patches": [{"iD": "x", "patch": {"jSONPatch": "{}"}}]}),
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_that_is_none_is_refused(name: str) -> None:
    async with peer(None) as it:
        assert await it.send(it.seal(BODIES[name])) is not None


@pytest.mark.parametrize("seed", range(4))
async def test_blocks_with_faults_are_refused(seed: int) -> None:
    rng = random.Random(seed)
    async with peer(None) as it:
        for number in range(60):
            record = it.seal(encode_events([create(f"{number}", b'{"_id":"%d"}' % number)]))
            part = rng.choice(["record", "event", "header", "body"])
            block = bytearray(getattr(record.nodes, part))
            match rng.randrange(4):
                case 0:
                    block[rng.randrange(len(block))] ^= 1 << rng.randrange(8)
                case 1:
                    del block[rng.randrange(len(block)) :]
                case 2:
                    block += os.urandom(rng.randrange(1, 9))
                case _:
                    block[:] = getattr(record.nodes, rng.choice(["record", "event", "header", "body"]))[::-1]
            nodes = replace(record.nodes, **{part: bytes(block)})
            error = await it.send(record, nodes)
            assert error is not None
            assert error.code is not None
        assert len(await it.bench.find()) == 1


async def test_records_of_other_logs_keys_and_places_are_refused() -> None:
    async with peer(None) as it:
        first = it.seal(encode_events([create("1", b'{"_id":"1"}')]))
        forged = replace(it, log=Identity.generate()).seal(encode_events([create("2", b'{"_id":"2"}')]))
        strange = replace(it, thread=replace(it.thread, service_key=bytes(ThreadKey.random().service)))
        assert await it.send(forged) is not None
        assert await it.send(strange.seal(encode_events([create("2", b'{"_id":"2"}')]))) is not None
        it.head = first.cid
        early = it.seal(encode_events([create("2", b'{"_id":"2"}')]))
        assert await it.send(early) is not None
        assert await it.send(first) is None
        assert await it.send(first) is None  # Once more changes nothing.
        assert await it.send(early) is None
        fork = replace(it, head=first.cid).seal(encode_events([create("3", b'{"_id":"3"}')]))
        assert await it.send(fork) is not None
        assert [each["_id"] for each in await it.bench.find()] == ["1", "2", "kept"]
