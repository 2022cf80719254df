"""Threads of others: every method, by every kind of stranger, named by the headers and by the request."""

from __future__ import annotations

import pytest

from tests.localhub.access_matrix import expected
from tests.localhub.access_matrix.conftest import Stage
from tests.localhub.access_matrix.people import KINDS, Headers, keyed, signed
from tests.localhub.access_matrix.places import DB, NET, Place
from tests.localhub.raw import Outcome
from textile_aio import Cid, Identity, ThreadID
from textile_aio.localhub.access.methods import TABLE

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOREIGN = (
    ("user", "another user of the group"),
    ("user", "the group's account's key"),
    ("user", "the group's account's session"),
    ("user", "another account's key"),
    ("user", "another account's session"),
    ("user", "an organisation's key"),
    ("session", "user"),
    ("session", "its organisation"),
    ("session", "another account's session"),
    ("key", "another account's key"),
    ("organisation", "its owner alone"),
    ("organisation", "another account's session"),
    ("organisation", "another organisation"),
)
"""Whose thread it is, and who comes."""

OWN = (
    ("session", "key"),
    ("key", "session"),
    ("organisation", "organisation's member"),
    ("organisation", "organisation's key"),
)
"""Different callers who act for one owner."""

OTHER_KEYS = (
    ("user", "user by a secure group's key"),
    ("user by a secure group's key", "user"),
    ("user", "user by another account's group key"),
)
"""One user, and two keys."""

BY_HEADER = [method for method in TABLE if method not in expected.MAKING | expected.OPEN]
BY_REQUEST = sorted(expected.NAMED | expected.INSTANCES | expected.MAKING)


async def people(stage: Stage) -> dict[str, Headers]:
    """Everybody in the lists above, made once."""
    if "its organisation" in stage.known:
        return stage.known
    world = stage.world
    founder = await world.founder()
    alone = {"x-textile-session": founder.account.session}
    member = await world.member(founder)
    group = await world.key(founder, user_group=True)
    identity = Identity.generate()
    token = await world.token(group, identity)
    secure = await world.key(founder, user_group=True, secure=True)
    neighbour = await world.developer()
    elsewhere = await world.key(neighbour, user_group=True)
    dev_key = await world.hub.create_key(founder.account, secure=False, user_group=False)
    stage.known |= {
        "user": keyed(group, token),
        "another user of the group": keyed(group, await world.token(group)),
        "user by a secure group's key": signed(secure, token),
        "user by another account's group key": keyed(elsewhere, token),
        "session": alone,
        "key": keyed(dev_key),
        "its owner alone": alone,
        "its organisation": founder.headers,
        "organisation": founder.headers,
        "organisation's member": member.headers,
        "organisation's key": keyed(await world.key(founder)),
        "the group's account's key": keyed(await world.key(founder)),
        "the group's account's session": founder.headers,
        "another account's session": neighbour.headers,
        "another account's key": keyed(await world.key(neighbour)),
        "an organisation's key": await KINDS["organisation's key"](world),
        "another organisation": await KINDS["organisation's owner"](world),
    }
    return stage.known


async def place_of(stage: Stage, owner: str) -> Place:
    """A place of somebody's that strangers may try to get at; always the same."""
    if owner not in stage.places:
        stage.places[owner] = await stage.place((await people(stage))[owner], "/api.bucketsd.pb.APIService/")
    return stage.places[owner]


async def by_header(stage: Stage, owner: str, caller: str, method: str) -> Outcome:
    """The headers name the owner's thread; the request, if it names one, the caller's own."""
    headers, place = (await people(stage))[caller], await place_of(stage, owner)
    about = await stage.place(headers, method) if method.startswith((DB, NET)) else place
    return await stage.ask(method, {**headers, **place.headers}, about)


async def by_request(stage: Stage, owner: str, caller: str, method: str) -> Outcome:
    """The request names the owner's thread; the headers name none."""
    return await stage.ask(method, (await people(stage))[caller], await place_of(stage, owner))


@pytest.mark.parametrize("method", BY_HEADER)
@pytest.mark.parametrize(("owner", "caller"), FOREIGN)
async def test_cell_of_a_stranger_by_header(stage: Stage, owner: str, caller: str, method: str) -> None:
    assert await by_header(stage, owner, caller, method) == expected.stranger(method, caller)


@pytest.mark.parametrize("method", BY_REQUEST)
@pytest.mark.parametrize(("owner", "caller"), FOREIGN)
async def test_cell_of_a_stranger_by_request(stage: Stage, owner: str, caller: str, method: str) -> None:
    assert await by_request(stage, owner, caller, method) == expected.stranger(method, caller)


@pytest.mark.parametrize("method", BY_HEADER)
@pytest.mark.parametrize(("owner", "caller"), OTHER_KEYS)
async def test_cell_of_another_key_by_header(stage: Stage, owner: str, caller: str, method: str) -> None:
    threadless = method in expected.THREADLESS
    wanted = expected.let_in(method, "user") if threadless else expected.OTHER_KEY
    assert await by_header(stage, owner, caller, method) == wanted


@pytest.mark.parametrize("method", BY_REQUEST)
@pytest.mark.parametrize(("owner", "caller"), OTHER_KEYS)
async def test_cell_of_another_key_by_request(stage: Stage, owner: str, caller: str, method: str) -> None:
    """For instances, upstream's clients name the thread in the headers only if they have just made it."""
    wanted = {
        **dict.fromkeys(expected.NAMED, expected.OTHER_KEY),
        **dict.fromkeys(expected.MAKING, expected.TRACKED),
    }
    got = await by_request(stage, owner, caller, method)
    assert got == wanted.get(method, expected.let_in(method, "user"))


@pytest.mark.parametrize("method", sorted(expected.NAMED | expected.INSTANCES | expected.OTHERS_MAY))
@pytest.mark.parametrize(("owner", "caller"), OWN)
async def test_cell_of_the_same_owner(stage: Stage, owner: str, caller: str, method: str) -> None:
    place = await stage.place((await people(stage))[owner], method)
    got = await stage.ask(method, {**(await people(stage))[caller], **place.headers}, place)
    assert got == expected.let_in(method, caller)


@pytest.mark.parametrize("method", sorted(expected.NAMED | expected.INSTANCES | expected.OTHERS_MAY))
@pytest.mark.parametrize("caller", ["user", "session", "key", "organisation"])
async def test_cell_of_a_thread_that_is_not_there(stage: Stage, caller: str, method: str) -> None:
    place = Place(ThreadID.random(), "none", str(Cid.sha256(0x70, bytes(32))))
    got = await stage.ask(method, {**(await people(stage))[caller], **place.headers}, place)
    assert got == expected.nowhere(method)
