"""Whom the hub recognises, it serves what is theirs: every kind of caller at every method."""

from __future__ import annotations

import pytest

from tests.localhub.access_matrix import expected
from tests.localhub.access_matrix.conftest import Stage
from tests.localhub.access_matrix.people import KINDS
from tests.localhub.access_matrix.places import HUB, Place
from textile_aio import Identity, ThreadID
from textile_aio.localhub.access.methods import TABLE
from textile_aio.localhub.tokens import Tokens

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("method", TABLE)
@pytest.mark.parametrize("kind", KINDS)
async def test_cell(stage: Stage, kind: str, method: str) -> None:
    if method.startswith(HUB):
        # Some of these end what the caller comes with.
        got = await stage.ask(method, await KINDS[kind](stage.world), Place(ThreadID.random()))
    else:
        headers = await stage.caller(kind)
        place = await stage.place(headers, method)
        about = Place(ThreadID.random()) if method in expected.MAKING else place
        got = await stage.ask(method, {**headers, **place.headers}, about)
    assert got == expected.let_in(method, kind)


@pytest.mark.parametrize("method", [each for each in TABLE if not each.startswith(HUB)])
@pytest.mark.parametrize("kind", ["session", "organisation's owner", "account's key", "organisation's key"])
async def test_cell_with_another_hubs_token(stage: Stage, kind: str, method: str) -> None:
    headers = await stage.caller(kind)
    place = await stage.place(headers, method)
    about = Place(ThreadID.random()) if method in expected.MAKING else place
    somebody = Identity.generate()
    forged = Tokens(somebody, lambda: stage.world.time[0]).issue(somebody.public)
    got = await stage.ask(method, {**headers, **place.headers, "authorization": f"bearer {forged}"}, about)
    assert got == expected.with_foreign_token(method, kind)
