"""Whom the hub does not recognise, it refuses: every kind of caller at every method."""

from __future__ import annotations

import pytest

from tests.localhub.access_matrix import expected
from tests.localhub.access_matrix.conftest import Stage
from tests.localhub.access_matrix.people import NEWCOMERS, REFUSALS
from tests.localhub.access_matrix.places import Place
from textile_aio import ThreadID
from textile_aio.localhub.access.methods import TABLE

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_all_kinds_are_there(stage: Stage) -> None:
    assert stage.refused.keys() == REFUSALS.keys()


@pytest.mark.parametrize("method", TABLE)
@pytest.mark.parametrize("caller", REFUSALS)
async def test_cell(stage: Stage, caller: str, method: str) -> None:
    got = await stage.ask(method, stage.refused[caller], Place(ThreadID.random()))
    assert got == expected.refused(method, REFUSALS[caller], newcomer=caller in NEWCOMERS)
