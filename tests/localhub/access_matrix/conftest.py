"""One hub for each module of the matrix, and everybody who comes to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest_asyncio

from tests.localhub.access_matrix.people import KINDS, Headers, World, opened_world, refused_callers
from tests.localhub.access_matrix.places import BUCKETS, EXTENSIONS, NET, USERS, Place, furnish, requests
from tests.localhub.raw import Outcome
from textile_aio._proto.threads.net import pb as net


@dataclass
class Stage:
    """A hub with everybody.

    Attributes:
        world: The hub.
        host: Its peer id.
        refused: Headers of whom it does not recognise.
        known: Of whom it does; made as they are asked for.
    """

    world: World
    host: bytes
    refused: dict[str, Headers]
    known: dict[str, Headers] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)

    async def caller(self, kind: str) -> Headers:
        """Somebody of a kind, always the same; with a mailbox."""
        if kind not in self.known:
            made = self.known[kind] = await KINDS[kind](self.world)
            await self.world.call(USERS + "SetupMailbox", without_thread(made))
        return self.known[kind]

    async def place(self, headers: Headers, method: str) -> Place:
        """A new place for somebody, with what the method is about."""
        return await furnish(
            self.world, without_thread(headers), bucket=method.startswith((BUCKETS, EXTENSIONS))
        )

    async def ask(self, method: str, headers: Headers, place: Place) -> Outcome:
        """Call a method about a place."""
        return await self.world.outcome(method, headers, *requests(method, place, self.world, self.host))


def without_thread(headers: Headers) -> Headers:
    """Somebody's headers, whatever thread they name."""
    return {name: value for name, value in headers.items() if name != "x-textile-thread"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with opened_world() as world:
        await world.hub.create_account("resident")
        refused = await refused_callers(world)
        first = await KINDS["account's key"](world)
        found: net.GetHostIdReply = await world.call(NET + "GetHostID", first)
        yield Stage(world, found.peer_id, refused)
