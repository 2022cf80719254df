"""Mailboxes have neither validators nor filters, so nobody but their owner reaches what is in them."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request

import pytest

from tests.localhub.access_matrix import expected
from tests.localhub.access_matrix.conftest import Stage
from tests.localhub.access_matrix.people import KINDS
from tests.localhub.access_matrix.places import USERS, Place
from textile_aio import ThreadID

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWNERS = ("user", "session", "organisation's owner", "account's key")


async def mailbox(stage: Stage, owner: str) -> Place:
    """The thread of somebody's mailbox."""
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


def get(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("path", ["inbox?json=true", "sentbox", "inbox/none"])
async def test_the_gateway_shows_a_mailbox_to_nobody_else(stage: Stage, path: str) -> None:
    place = await mailbox(stage, "user")
    url = f"http://{stage.world.hub.gateway_target}/thread/{place.thread}/{path}"
    mark = "&" if "?" in path else "?"
    tokens = {
        kind: (await stage.caller(kind))["authorization"].partition(" ")[2]
        for kind in ("user", "organisation's user")
    }
    got = [
        await asyncio.to_thread(get, each)
        for each in (url, *(f"{url}{mark}token={token}" for token in tokens.values()))
    ]
    there = 404 if path == "inbox/none" else 200
    assert got == [404, there, 404], "nobody, the owner, another user"
