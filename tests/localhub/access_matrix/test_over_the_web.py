"""The same doors over gRPC-web: every kind of caller, at one method of each kind of call.

Methods that JavaScript's packages call over websockets, as these do; unary ones over HTTP POST as well.
"""

from __future__ import annotations

from typing import Any

import pytest
from grpclib.const import Cardinality, Status

from tests.localhub.access_matrix import expected
from tests.localhub.access_matrix.conftest import Stage
from tests.localhub.access_matrix.people import KINDS, NEWCOMERS, REFUSALS, Headers
from tests.localhub.access_matrix.places import (
    BUCKETS,
    DB,
    EXTENSIONS,
    HEALTH,
    HUB,
    NET,
    USERS,
    Place,
    requests,
)
from tests.localhub.raw import METHODS, Outcome
from tests.localhub.web.client import call
from tests.localhub.web.frames import framed
from tests.localhub.web.test_posts import http_request, read
from textile_aio import ThreadID

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAMPLE = (
    DB + "GetToken",
    DB + "ListDBs",
    DB + "NewDB",
    DB + "WriteTransaction",
    NET + "GetThread",
    BUCKETS + "Root",
    BUCKETS + "PushPath",
    BUCKETS + "PullPath",
    EXTENSIONS + "ImportCar",
    USERS + "ListThreads",
    HUB + "GetIdentity",
    HEALTH + "Check",
)
UNARY = [each for each in SAMPLE if METHODS[each].cardinality is Cardinality.UNARY_UNARY]


def messages(stage: Stage, method: str, place: Place) -> list[bytes]:
    made: list[Any] = requests(method, place, stage.world, stage.host)
    if not made and METHODS[method].cardinality in (Cardinality.UNARY_UNARY, Cardinality.UNARY_STREAM):
        made = [METHODS[method].request_type()]
    return [bytes(each) for each in made]


def named(status: tuple[int, str]) -> Outcome:
    return Status(status[0]).name, status[1]


async def by_websocket(stage: Stage, method: str, headers: Headers, place: Place) -> Outcome:
    target = stage.world.hub.web_target or ""
    got = await call(target, method, *messages(stage, method, place), metadata=headers)
    return named(got.status)


async def by_post(stage: Stage, method: str, headers: Headers, place: Place) -> Outcome:
    target = stage.world.hub.web_target or ""
    (message,) = messages(stage, method, place)
    sent = {"content-type": "application/grpc-web+proto", "host": target, **headers}
    response = await http_request(target, method, sent, framed(message))
    return named(read(response).status if response.body else _of(response.headers))


def _of(headers: dict[str, str]) -> tuple[int, str]:
    return int(headers["grpc-status"]), headers.get("grpc-message", "")


@pytest.mark.parametrize("method", SAMPLE)
@pytest.mark.parametrize("caller", REFUSALS)
async def test_cell_of_the_refused(stage: Stage, caller: str, method: str) -> None:
    got = await by_websocket(stage, method, stage.refused[caller], Place(ThreadID.random()))
    assert got == expected.refused(method, REFUSALS[caller], newcomer=caller in NEWCOMERS)


@pytest.mark.parametrize("method", UNARY)
@pytest.mark.parametrize("caller", REFUSALS)
async def test_cell_of_the_refused_by_post(stage: Stage, caller: str, method: str) -> None:
    got = await by_post(stage, method, stage.refused[caller], Place(ThreadID.random()))
    assert got == expected.refused(method, REFUSALS[caller], newcomer=caller in NEWCOMERS)


@pytest.mark.parametrize("method", SAMPLE)
@pytest.mark.parametrize("kind", KINDS)
async def test_cell_of_whom_it_recognises(stage: Stage, kind: str, method: str) -> None:
    headers = await stage.caller(kind)
    place = await stage.place(headers, method)
    about = Place(ThreadID.random()) if method in expected.MAKING else place
    got = await by_websocket(stage, method, {**headers, **place.headers}, about)
    assert got == expected.let_in(method, kind)


@pytest.mark.parametrize("method", SAMPLE)
async def test_cell_of_a_stranger(stage: Stage, method: str) -> None:
    place = await stage.place(await stage.caller("user"), BUCKETS)
    stranger = await stage.caller("account's key")
    got = await by_websocket(stage, method, {**stranger, **place.headers}, place)
    assert got == expected.stranger(method, "account's key")
