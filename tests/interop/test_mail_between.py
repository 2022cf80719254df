"""Mail between unmodified clients in JavaScript and in Go, and ours: each opens what each has sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

import textile_aio
from tests.interop.people import USER, GoPeers, JsPeers, Key, Peers, Rig, User, new_user, sign_up
from textile_aio import AuthContext, HubClient, Identity, PublicKey, Role

pytestmark = pytest.mark.timeout(180)

Letter = tuple[str, str, bytes]
"""Sender, recipient and plaintext."""


class Writer(Protocol):
    """Somebody with a mailbox, in some language."""

    @property
    def identity(self) -> Identity:
        """Who that is."""

    async def send(self, to: PublicKey, body: bytes) -> str:
        """Send a message; its id."""

    async def got(self) -> list[Letter]:
        """What is in the inbox, oldest first, opened there."""

    async def kept(self) -> list[Letter]:
        """What is in the sentbox, oldest first, opened there."""


@dataclass(frozen=True)
class Theirs:
    """In JavaScript or in Go."""

    peers: Peers
    user: User

    @property
    def identity(self) -> Identity:
        return self.user.identity

    async def send(self, to: PublicKey, body: bytes) -> str:
        return str((await self.user.users.call("sendMessage", self.identity, to, body))["id"])

    async def got(self) -> list[Letter]:
        return await self._opened(await self.user.users.call("listInboxMessages"))

    async def kept(self) -> list[Letter]:
        return await self._opened(await self.user.users.call("listSentboxMessages"))

    async def _opened(self, messages: list[dict[str, Any]]) -> list[Letter]:
        person = await self.peers.person(self.identity)
        return [
            (each["from"], each["to"], await person.call("decrypt", each["body"]))
            for each in reversed(messages)
        ]


@dataclass(frozen=True)
class Ours:
    """In Python."""

    hub: HubClient
    ctx: AuthContext
    identity: Identity

    async def send(self, to: PublicKey, body: bytes) -> str:
        return (await self.hub.users.send_message(self.ctx, self.identity, to, body)).id

    async def got(self) -> list[Letter]:
        return [
            (str(each.from_), str(each.to), each.open(self.identity))
            async for each in self.hub.users.inbox(self.ctx, ascending=True)
        ]

    async def kept(self) -> list[Letter]:
        return [
            (str(each.from_), str(each.to), each.open(self.identity))
            async for each in self.hub.users.sentbox(self.ctx, ascending=True)
        ]


@pytest.fixture
async def key(js_peers: JsPeers) -> Key:
    """The API key of an app that all of them use."""
    return await (await sign_up(js_peers)).api_key(USER)


@pytest.fixture
async def ours(rig: Rig, key: Key) -> AsyncIterator[Ours]:
    async with textile_aio.connect(rig.hub.target) as hub:
        identity = Identity.generate()
        ctx = AuthContext().with_api_key(key["key"], key["secret"])
        ctx = await hub.threads.authorize(ctx, identity)
        await hub.users.setup_mailbox(ctx)
        yield Ours(hub, ctx, identity)


async def their(peers: Peers, key: Key) -> Theirs:
    user = await new_user(peers, key)
    await user.users.call("setupMailbox")
    return Theirs(peers, user)


async def test_everybody_opens_what_everybody_has_sent(
    key: Key, js_peers: JsPeers, go_peers: GoPeers, ours: Ours
) -> None:
    writers: list[Writer] = [await their(js_peers, key), await their(go_peers, key), ours]
    bodies = [b"", "h\u00fclle und f\u00fclle \U0001f4ee".encode(), bytes(range(256)) * 40]
    letters: list[Letter] = []
    for sender in writers:
        for recipient in writers:
            for body in bodies:
                await sender.send(recipient.identity.public, body)
                letters.append((str(sender.identity.public), str(recipient.identity.public), body))
    for writer in writers:
        name = str(writer.identity.public)
        assert await writer.got() == [each for each in letters if each[1] == name]
        assert await writer.kept() == [each for each in letters if each[0] == name]


async def test_our_watch_hears_of_all(key: Key, js_peers: JsPeers, go_peers: GoPeers, ours: Ours) -> None:
    senders = [await their(js_peers, key), await their(go_peers, key)]
    async with ours.hub.users.watch_inbox(ours.ctx) as arrivals:
        for sender in senders:
            sent = await sender.send(ours.identity.public, b"watch")
            message = await anext(arrivals)
            assert (message.id, message.from_) == (sent, sender.identity.public)
            assert message.open(ours.identity) == b"watch"


async def test_an_invite_to_a_bucket_from_go(key: Key, go_peers: GoPeers, ours: Ours, tmp_path: Path) -> None:
    host = await their(go_peers, key)
    thread = await go_peers.new_db(host.user.users, "buckets")
    folder = tmp_path / "folder"
    folder.mkdir()
    given = (str(folder), thread, host.identity, ours.identity.public, "docs/a")
    bucket = await host.user.users.call("sendPathInvite", *given)

    # The host writes the file and lets the guest in with our client.
    token = await ours.hub.threads.get_token(ours.ctx, host.identity)
    of_host = ours.ctx.with_token(token).with_thread(thread)
    await ours.hub.buckets.push_path(of_host, bucket, "docs/a", b"invited")
    roles = {str(ours.identity.public): Role.READER}
    await ours.hub.buckets.push_path_access_roles(of_host, bucket, "docs/a", roles)

    (message,) = await ours.hub.users.list_inbox(ours.ctx)
    accepted = await ours.hub.users.accept_invite(ours.ctx, message, ours.identity)
    assert (accepted.bucket.key, accepted.path, accepted.from_) == (bucket, "docs/a", host.identity.public)
    assert await accepted.bucket.read_bytes(accepted.path) == b"invited"
