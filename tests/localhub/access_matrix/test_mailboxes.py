"""Mailboxes have neither validators nor filters, so nobody but their owner reaches what is in them."""

from __future__ import annotations

import pytest

from tests.localhub.access_matrix import expected
from tests.localhub.access_matrix.conftest import Stage
from tests.localhub.access_matrix.people import KINDS
from tests.localhub.access_matrix.places import USERS, Place
from textile_aio import ThreadID

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWNERS = ("user", "session", "organisation's owner", "account's key")


async def mailbox(stage: Stage, owner: str) -> Place:
    """The thread of somebody's mailbox, with a collection ``things`` that they made in it."""
    made = await stage.world.call(USERS + "SetupMailbox", await stage.caller(owner))
    return Place(ThreadID.from_bytes(made.mailbox_id))


@pytest.mark.parametrize("method", sorted(expected.INSTANCES))
@pytest.mark.parametrize("caller", KINDS)
@pytest.mark.parametrize("owner", OWNERS)
async def test_cell_of_a_stranger(stage: Stage, owner: str, caller: str, method: str) -> None:
    headers = await KINDS[caller](stage.world)
    place = await mailbox(stage, owner)
    assert await stage.ask(method, headers, place) == expected.FOREIGN
    assert await stage.ask(method, {**headers, **place.headers}, place) == expected.FOREIGN
