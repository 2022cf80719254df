"""CAR files go through in chunks, whole or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from tests.buckets.fakebucket import KEY
from tests.fakehub import CTX, FakeHub, connected, received
from textile_aio import AuthContext, HubClient, InvalidSource, TextileError, ThreadRequired, Unimplemented
from textile_aio._proto.textile_aio.buckets import pb
from textile_aio.buckets import _extensions


async def test_a_bucket_goes_out_chunk_by_chunk() -> None:
    fake = FakeHub()
    requests = []

    async def export(stream: Any) -> None:
        requests.append(await received(stream))
        for chunk in (b"one", b"", b"two"):
            await stream.send_message(pb.ExportCarResponse(chunk=chunk))

    fake.on(_extensions.EXPORT_CAR, export)
    async with connected(fake) as hub:
        chunks = [chunk async for chunk in hub.buckets.export_car(CTX, KEY, "/docs")]
    assert chunks == [b"one", b"two"]
    assert (requests[0].key, requests[0].path) == (KEY, "docs")


async def test_a_car_file_comes_in_behind_a_header() -> None:
    fake = FakeHub()
    sent = []

    async def take(stream: Any) -> None:
        sent.extend([message async for message in stream])
        await stream.send_message(pb.ImportCarResponse(key=KEY, root="/ipfs/x", pinned=1))

    fake.on(_extensions.IMPORT_CAR, take)
    async with connected(fake) as hub:
        key = await hub.buckets.import_car(CTX, bytes(300_000), name="things", private=True)
    assert key == KEY
    assert (sent[0].header.name, sent[0].header.private) == ("things", True)
    assert [len(message.chunk) for message in sent[1:]] == [262_144, 37_856]


async def test_what_a_hub_refuses_is_raised() -> None:
    fake = FakeHub()

    async def refuse(stream: Any) -> None:
        raise GRPCError(Status.UNIMPLEMENTED, "unknown service")

    fake.on(_extensions.IMPORT_CAR, refuse)
    async with connected(fake) as hub:
        with pytest.raises(Unimplemented):
            await hub.buckets.import_car(CTX, b"car")
        with pytest.raises(Unimplemented):
            [chunk async for chunk in hub.buckets.export_car(CTX, KEY)]
        with pytest.raises(InvalidSource):
            await hub.buckets.import_car(CTX, "car")  # type: ignore[arg-type]
        with pytest.raises(ThreadRequired):
            await hub.buckets.import_car(AuthContext(), b"car")


async def test_a_bucket_is_carried_into_another_thread(client: HubClient, thread_ctx: AuthContext) -> None:
    files = {"a.txt": b"a", "docs/b.bin": bytes(700_000)}
    made = await client.buckets.get_or_create(thread_ctx, "things")
    await made.push_files(files)
    car = b"".join([chunk async for chunk in made.export_car()])
    other = thread_ctx.with_thread(await client.threads.new_db(thread_ctx.without("thread")))
    for private in (False, True):
        key = await client.buckets.import_car(other, car, name="carried", private=private)
        carried = client.buckets.bucket(other, key)
        assert (await carried.root()).name == "carried"
        found = {item.relative_path async for item in carried.walk() if not item.is_dir}
        assert found == set(files)
        for path, content in files.items():
            assert await carried.read_bytes(path) == content
    with pytest.raises(TextileError):
        await client.buckets.import_car(other, car[:-1], name="torn")
    assert len(await client.buckets.list(other)) == 2
