"""Textile's unmodified library of local mailboxes in Go at our hub, as its own tests use it."""

from __future__ import annotations

import base64
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.interop import people
from tests.interop.peer import Peer, PeerCallback, PeerObject
from tests.interop.people import USER, GoPeers, Rig, refusal, sign_up
from tests.interop.watches import Told, begin
from textile_aio import Identity
from textile_aio._codec import multibase
from textile_aio.localhub import LocalHub

pytestmark = pytest.mark.timeout(180)

NOT_A_MAILBOX = "not a mailbox (or any of the parent directories): .textile"


class Mailboxes:
    """The library, with an API key, making mailboxes in folders."""

    def __init__(self, peers: GoPeers, mail: PeerObject, key: dict[str, str], folder: Path) -> None:
        self.peers = peers
        self.mail = mail
        self.key = key
        self.folder = folder

    async def new(self, name: str, identity: Identity | None = None) -> tuple[Identity, PeerObject]:
        """A mailbox of somebody, in a folder of that name."""
        identity = identity or Identity.generate()
        path = self.folder / name
        path.mkdir(exist_ok=True)
        box = await self.mail.call(
            "newMailbox", str(path), identity, self.key["key"], self.key.get("secret", "")
        )
        return identity, box

    def watch(self) -> tuple[Told, PeerCallback, PeerCallback]:
        """What a watch will be told, its callback for that, and its callback for states."""
        events, states = self.peers.go.callback(), self.peers.go.callback()
        return Told(events, lambda given: (given[0], given[1])), events, states


@pytest.fixture(params=["signed", "unsigned"])
async def mailboxes(request: pytest.FixtureRequest, go_peers: GoPeers, tmp_path: Path) -> Mailboxes:
    dev = await sign_up(go_peers)
    key = await dev.api_key(USER, secure=request.param == "signed")
    folder = tmp_path / "mailboxes"
    folder.mkdir()
    return Mailboxes(go_peers, await go_peers.go.make("", "Mail"), key, folder)


async def test_a_mailbox_is_kept_in_its_folder(mailboxes: Mailboxes) -> None:
    identity, box = await mailboxes.new("one")
    path = mailboxes.folder / "one"
    assert (path / ".textile/config.yml").exists()
    assert await box.call("identity") == str(identity.public)
    assert await refusal(mailboxes.new("one")) == ("", "mailbox is already initialized")
    again = await mailboxes.mail.call("getLocalMailbox", str(path))
    assert await again.call("identity") == str(identity.public)
    assert await again.call("listInboxMessages") == []
    assert await refusal(mailboxes.mail.call("getLocalMailbox", str(mailboxes.folder))) == (
        "",
        NOT_A_MAILBOX,
    )


async def test_a_mailbox_that_the_hub_refuses_leaves_nothing(mailboxes: Mailboxes) -> None:
    mailboxes.key = {**mailboxes.key, "key": "bnosuchkey"}
    assert await refusal(mailboxes.new("one")) == ("NOT_FOUND", "API key not found or is invalid")
    assert list((mailboxes.folder / "one").iterdir()) == []


async def test_what_a_command_line_says(mailboxes: Mailboxes) -> None:
    identity, path = Identity.generate(), str(mailboxes.folder)
    text = base64.b64encode(multibase.decode(identity.to_string())).decode()
    flags = {"identity": text, "api_key": "key", "api_secret": "secret"}
    environment = {f"MAIL_{name.upper()}": value for name, value in flags.items()}
    config = {"path": path, "identity": str(identity.public), "key": "key", "secret": "secret"}
    make = "newConfigFromCmd"
    assert await refusal(mailboxes.mail.call(make, path)) == ("", "thread Identity is required")
    assert await refusal(mailboxes.mail.call(make, path, {"identity": text})) == ("", "api key is required")
    assert await mailboxes.mail.call(make, path, flags) == config
    assert await mailboxes.mail.call(make, path, {}, environment) == config


async def test_messages_between_mailboxes(mailboxes: Mailboxes) -> None:
    (alice, hers), (bob, his) = await mailboxes.new("alice"), await mailboxes.new("bob")
    sent = await hers.call("sendMessage", bob.public, b"howdy")
    assert (sent["from"], sent["to"], sent["readAt"]) == (str(alice.public), str(bob.public), 0)
    assert alice.public.verify(sent["body"], sent["signature"])
    assert alice.decrypt(sent["body"]) == b"howdy"
    assert await hers.call("listSentboxMessages") == [sent]
    (got,) = await his.call("listInboxMessages")
    assert bob.decrypt(got["body"]) == b"howdy"
    await his.call("readInboxMessage", got["id"])
    assert await his.call("listInboxMessages", {"status": 2}) == []
    assert (await his.call("listInboxMessages", {"status": 1}))[0]["readAt"] > got["createdAt"]
    await his.call("deleteInboxMessage", got["id"])
    await hers.call("deleteSentboxMessage", got["id"])
    assert await his.call("listInboxMessages") == await hers.call("listSentboxMessages") == []


@pytest.mark.parametrize("offline", [True, False])
async def test_watches(mailboxes: Mailboxes, offline: bool) -> None:
    """As upstream's test: three sent, one read, one deleted on each side."""
    (bob, inbox_of), (_, sentbox_of) = await mailboxes.new("bob"), await mailboxes.new("alice")
    inbox, on_inbox, inbox_states = mailboxes.watch()
    sentbox, on_sentbox, sentbox_states = mailboxes.watch()
    watches = [
        await inbox_of.call("watchInbox", on_inbox, inbox_states, offline),
        await sentbox_of.call("watchSentbox", on_sentbox, sentbox_states, offline),
    ]
    for states in (inbox_states, sentbox_states):
        assert await states.next() == ["online", "", False]

    async def send() -> str:
        return str((await sentbox_of.call("sendMessage", bob.public, b"hi"))["id"])

    await begin(send, inbox, sentbox)
    sent = [await send() for _ in range(3)]
    await inbox_of.call("readInboxMessage", sent[0])
    await inbox_of.call("deleteInboxMessage", sent[1])
    await sentbox_of.call("deleteSentboxMessage", sent[2])
    made: list[Any] = [("CREATE", id_) for id_ in sent]
    assert await inbox.some(5) == [*made, ("SAVE", sent[0]), ("DELETE", sent[1])]
    assert await sentbox.some(4) == [*made, ("DELETE", sent[2])]
    for watch in watches:
        await watch.call("close")
    await send()
    assert inbox.is_quiet
    assert sentbox.is_quiet


async def test_a_watch_of_an_invalidated_key_ends(go_peers: GoPeers, tmp_path: Path) -> None:
    dev = await sign_up(go_peers)
    key = await dev.api_key(USER)
    mailboxes = Mailboxes(go_peers, await go_peers.go.make("", "Mail"), key, tmp_path)
    _, box = await mailboxes.new("one")
    _, events, states = mailboxes.watch()
    await box.call("watchInbox", events, states, True)
    assert await states.next() == ["online", "", False]
    await dev.admin.call("invalidateKey", key["key"])
    state, text, aborted = await states.next()
    assert (state, aborted) == ("offline", True)
    assert "API key not found or is invalid" in text


async def test_a_watch_outlives_a_restart_of_the_hub(people_program: Path, tmp_path: Path) -> None:
    """How its stream broke tells the client: errors that are not of the connection would end the watch."""
    settings = people.settings()
    async with AsyncExitStack() as stack, AsyncExitStack() as first:
        hub = await first.enter_async_context(LocalHub.open(tmp_path / "hub", settings))
        settings = replace(settings, port=int(hub.target.rpartition(":")[2]))
        go = await stack.enter_async_context(Peer.running(people_program, hub.target, folder=tmp_path))
        key = await hub.create_key(await hub.create_account("owner"))
        given = {"key": key.key, "secret": key.secret or ""}
        mailboxes = Mailboxes(GoPeers(Rig(hub), go), await go.make("", "Mail"), given, tmp_path)
        (bob, box), (_, other) = await mailboxes.new("bob"), await mailboxes.new("alice")
        inbox, events, states = mailboxes.watch()
        watch = await box.call("watchInbox", events, states, True)

        async def send() -> str:
            return str((await other.call("sendMessage", bob.public, b"hi"))["id"])

        assert await states.next() == ["online", "", False]
        await begin(send, inbox)
        await first.aclose()
        state, text, aborted = await states.next()
        assert (state, aborted) == ("offline", False), text
        await stack.enter_async_context(LocalHub.open(tmp_path / "hub", settings))
        assert await states.next() == ["online", "", False]
        await begin(send, inbox)
        await watch.call("close")
