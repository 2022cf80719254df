"""Requests that are made to keep the hub busy, on the wire."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.localhub.raw import OK, call, outcome
from textile_aio import ThreadID
from textile_aio._proto.grpc.health import v1 as health
from textile_aio._proto.threads import pb
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.threaddb.collections import check_schema
from textile_aio.threaddb.scripts import Scripts

DB = "/threads.pb.API/"
PLAIN = b'{"properties":{"_id":{"type":"string"}}}'


@pytest.fixture
async def hub() -> AsyncIterator[LocalHub]:
    async with LocalHub.in_memory(HubSettings(mode="buckd")) as hub:
        yield hub


async def made(hub: LocalHub, *configs: pb.CollectionConfig) -> bytes:
    id_ = bytes(ThreadID.random())
    await call(hub.target, DB + "NewDB", {}, pb.NewDbRequest(db_id=id_, collections=list(configs)))
    return id_


async def test_a_request_of_very_many_fields_is_refused_and_the_hub_goes_on(hub: LocalHub) -> None:
    request = pb.HasRequest(db_id=b"x", instance_i_ds=[""] * 300_000)
    code, _ = await outcome(hub.target, DB + "Has", {}, request)
    assert code != "OK"
    assert await outcome(hub.target, "/grpc.health.v1.Health/Check", {}, health.HealthCheckRequest()) == OK


async def test_schemas_of_a_new_database_are_read_off_the_loop(
    hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()

    def noted(*args: Any) -> None:
        threads.add(threading.get_ident())
        check_schema(*args)

    monkeypatch.setattr("textile_aio.localhub.services.threads.databases.check_schema", noted)
    await made(hub, *(pb.CollectionConfig(name=f"c{number}", schema=PLAIN) for number in range(3)))
    assert threads
    assert threading.get_ident() not in threads


async def test_an_id_that_is_asked_for_very_often_is_filtered_once(
    hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = await made(hub, pb.CollectionConfig(name="c", schema=PLAIN, read_filter="return instance"))
    await call(
        hub.target,
        DB + "Create",
        {},
        pb.CreateRequest(db_id=db, collection_name="c", instances=[b'{"_id":"a"}']),
    )
    filtered: list[bytes] = []
    run = Scripts.filter

    def counted(self: Scripts, body: str, *, reader: str | None, instance: bytes) -> bytes | None:
        filtered.append(instance)
        return run(self, body, reader=reader, instance=instance)

    monkeypatch.setattr(Scripts, "filter", counted)
    request = pb.HasRequest(db_id=db, collection_name="c", instance_i_ds=["a"] * 10_000)
    (reply,) = await call(hub.target, DB + "Has", {}, request)
    assert reply.exists
    assert len(filtered) == 1
