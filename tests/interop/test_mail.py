"""Mail of unmodified clients at our hub, in JavaScript and in Go, as their own tests send and read it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.interop import people
from tests.interop.peer import Peer
from tests.interop.people import (
    ACCOUNT,
    USER,
    JsPeers,
    Peers,
    Rig,
    User,
    new_name,
    new_user,
    refusal,
    sign_up,
)
from tests.interop.watches import Event, Told, begin
from textile_aio import Identity, PublicKey
from textile_aio.localhub import LocalHub

pytestmark = pytest.mark.timeout(180)

NO_MAIL = ("FAILED_PRECONDITION", "mail not found")
ALL, READ, UNREAD = 0, 1, 2


@dataclass(frozen=True)
class Mail:
    """Two users of one app, with mailboxes."""

    peers: Peers
    alice: User
    bob: User

    async def send(self, text: str = "hi") -> str:
        """A message from Alice to Bob; its id."""
        return str((await send(self.alice, self.bob.identity.public, text))["id"])

    async def inbox(self, **options: Any) -> list[str]:
        """Ids of what Bob has got."""
        return [each["id"] for each in await self.bob.users.call("listInboxMessages", options)]

    async def sentbox(self, **options: Any) -> list[str]:
        """Ids of what Alice has sent."""
        return [each["id"] for each in await self.alice.users.call("listSentboxMessages", options)]


async def send(sender: User, to: PublicKey, text: str = "hi") -> Any:
    return await sender.users.call("sendMessage", sender.identity, to, text.encode())


@pytest.fixture
async def mail(peers: Peers) -> Mail:
    dev = await sign_up(peers)
    key = await dev.api_key(USER)
    alice, bob = await new_user(peers, key), await new_user(peers, key)
    for user in (alice, bob):
        await user.users.call("setupMailbox")
    return Mail(peers, alice, bob)


async def test_a_mailbox_is_made_once(peers: Peers) -> None:
    dev = await sign_up(peers)
    user = await new_user(peers, await dev.api_key(USER))
    assert await refusal(user.users.call("getMailboxID")) == ("NOT_FOUND", "Thread not found")
    made = await asyncio.gather(*(user.users.call("setupMailbox") for _ in range(5)))
    assert {*made, await user.users.call("setupMailbox"), await user.users.call("getMailboxID")} == {made[0]}
    assert await user.users.call("listThreads") == [{"id": made[0], "name": "hubmail", "isDb": True}]


async def test_a_message_is_sealed_for_both_sides(mail: Mail) -> None:
    sent = await send(mail.alice, mail.bob.identity.public, "howdy")
    (kept,) = await mail.alice.users.call("listSentboxMessages")
    (got,) = await mail.bob.users.call("listInboxMessages")
    assert sent["id"] == kept["id"] == got["id"]
    assert (sent["body"], sent["signature"]) == (kept["body"], kept["signature"])
    assert kept["body"] != got["body"]
    # A number of JavaScript does not hold nanoseconds exactly.
    assert float(sent["createdAt"]) == float(kept["createdAt"]) == float(got["createdAt"])
    alice, bob = mail.alice.identity, mail.bob.identity
    for message, owner in ((kept, alice), (got, bob)):
        assert (message["from"], message["to"]) == (str(alice.public), str(bob.public))
        assert alice.public.verify(message["body"], message["signature"])
        assert message["readAt"] == 0
        person = await mail.peers.person(owner)
        assert await person.call("decrypt", message["body"]) == b"howdy"
        assert owner.decrypt(message["body"]) == b"howdy"
    stranger = await mail.peers.person(Identity.generate())
    assert (await refusal(stranger.call("decrypt", got["body"])))[1]


async def test_listings(mail: Mail) -> None:
    sent = [await mail.send(str(number)) for number in range(10)]
    newest = sorted(sent, reverse=True)
    assert newest == sent[::-1]
    for listed in (mail.inbox, mail.sentbox):
        assert await listed() == newest
        assert await listed(limit=5) == newest[:5]
        assert await listed(seek=newest[3], limit=2) == newest[3:5]
        assert await listed(seek=newest[3]) == newest[3:]
    assert await mail.inbox(ascending=True) == sent
    assert await mail.inbox(ascending=True, limit=5) == sent[:5]
    assert await mail.inbox(ascending=True, seek=sent[3], limit=2) == sent[3:5]
    # The client in Go does not pass that on.
    ascending = sent if mail.peers.kind == "js" else newest
    assert await mail.sentbox(ascending=True) == ascending


async def test_pages(mail: Mail) -> None:
    """As their tests turn them: one more than a page is asked for, and what is too many begins the next."""
    sent = [await mail.send(str(number)) for number in range(10)]
    pages, seek = [], ""
    while True:
        page = await mail.inbox(limit=3, seek=seek)
        pages.append(page[:2])
        if len(page) < 3:
            break
        seek = page[2]
    assert len(pages) == 5
    assert [id_ for page in pages for id_ in page] == sent[::-1]
    # What a page began with may be gone when it is asked for.
    await mail.bob.users.call("deleteInboxMessage", sent[5])
    assert (await mail.inbox(seek=sent[5], limit=1)) == [sent[4]]
    assert (await mail.inbox(seek=sent[5], limit=1, ascending=True)) == [sent[6]]


async def test_what_was_read(mail: Mail) -> None:
    sent = [await mail.send(str(number)) for number in range(3)]
    told = await mail.bob.users.call("readInboxMessage", sent[1])
    (read,) = (each for each in await mail.bob.users.call("listInboxMessages") if each["readAt"])
    assert read["id"] == sent[1]
    if mail.peers.kind == "js":  # the client in Go keeps it to itself
        assert float(told["readAt"]) == float(read["readAt"]) > float(read["createdAt"])
    unread = [sent[2], sent[0]]
    assert await mail.inbox(status=ALL) == sent[::-1]
    assert await mail.inbox(status=UNREAD) == unread
    # The client in JavaScript asks for those that were not read in both cases.
    assert await mail.inbox(status=READ) == ([sent[1]] if mail.peers.kind == "go" else unread)
    assert await mail.inbox(status=UNREAD, ascending=True, seek=sent[1], limit=5) == [sent[2]]
    # Reading again moves the time on; the sender is told nothing.
    await mail.bob.users.call("readInboxMessage", sent[1])
    again = (await mail.bob.users.call("listInboxMessages"))[1]
    assert float(again["readAt"]) > float(read["readAt"])
    assert all(not each["readAt"] for each in await mail.alice.users.call("listSentboxMessages"))


async def test_each_side_deletes_its_own(mail: Mail) -> None:
    first, second = await mail.send("first"), await mail.send("second")
    await mail.bob.users.call("deleteInboxMessage", first)
    assert (await mail.inbox(), await mail.sentbox()) == ([second], [second, first])
    await mail.alice.users.call("deleteSentboxMessage", second)
    assert (await mail.inbox(), await mail.sentbox()) == ([second], [first])
    # Also what is not there, and nothing of the other's.
    await mail.bob.users.call("deleteInboxMessage", first)
    await mail.bob.users.call("deleteSentboxMessage", first)
    await mail.alice.users.call("deleteInboxMessage", second)
    assert (await mail.inbox(), await mail.sentbox()) == ([second], [first])
    assert await refusal(mail.bob.users.call("readInboxMessage", first)) == ("UNKNOWN", "instance not found")
    assert await refusal(mail.alice.users.call("readInboxMessage", second)) == (
        "UNKNOWN",
        "instance not found",
    )


async def test_messages_that_are_refused(mail: Mail) -> None:
    dev = await sign_up(mail.peers)
    outsider = await new_user(mail.peers, await dev.api_key(USER))
    assert await refusal(send(mail.alice, outsider.identity.public)) == NO_MAIL
    assert await refusal(send(outsider, mail.bob.identity.public)) == NO_MAIL
    for method in ("listInboxMessages", "listSentboxMessages"):
        assert await refusal(outsider.users.call(method)) == NO_MAIL
    for method in ("readInboxMessage", "deleteInboxMessage", "deleteSentboxMessage"):
        assert await refusal(outsider.users.call(method, "x")) == NO_MAIL
    # Nobody sends in another's name.
    forged = mail.alice.users.call("sendMessage", mail.bob.identity, mail.bob.identity.public, b"x")
    assert await refusal(forged) == ("UNAUTHENTICATED", "Bad message signature")
    assert (await mail.inbox(), await mail.sentbox()) == ([], [])


async def test_mail_between_apps_accounts_and_oneself(mail: Mail) -> None:
    peers = mail.peers
    dev = await sign_up(peers)
    slug = (await dev.admin.call("createOrg", new_name()))["slug"]
    identity = Identity.from_string(await dev.admin.call("getIdentity"))
    org_key = await dev.api_key(ACCOUNT, org=slug)
    org_identity = Identity.from_string(await (await peers.admin(key=org_key)).call("getIdentity"))
    senders = [
        await new_user(peers, await dev.api_key(USER)),
        User(identity, await peers.users(session=dev.session)),
        User(org_identity, await peers.users(org_key)),
        mail.bob,
    ]
    ids = []
    for sender in senders:
        await sender.users.call("setupMailbox")
        ids.append((await send(sender, mail.bob.identity.public, str(sender.identity.public)))["id"])
    got = await mail.bob.users.call("listInboxMessages", {"ascending": True})
    assert [each["id"] for each in got] == ids
    for message, sender in zip(got, senders, strict=True):
        assert message["from"] == str(sender.identity.public)
        assert mail.bob.identity.decrypt(message["body"]).decode() == message["from"]


async def test_large_and_empty_messages(mail: Mail) -> None:
    for body in (b"", bytes(range(256)) * 4096):
        await mail.alice.users.call("sendMessage", mail.alice.identity, mail.bob.identity.public, body)
        (got,) = await mail.bob.users.call("listInboxMessages", {"limit": 1})
        assert mail.bob.identity.decrypt(got["body"]) == body


def _js_event(given: list[Any]) -> Event:
    event, *more = given
    assert not any(more), more
    return event["type"], event["messageID"]


async def test_watches_in_javascript(js_peers: JsPeers) -> None:
    dev = await sign_up(js_peers)
    key = await dev.api_key(USER)
    mail = Mail(js_peers, await new_user(js_peers, key), await new_user(js_peers, key))
    told = []
    for user, watch in ((mail.alice, "watchSentbox"), (mail.bob, "watchInbox")):
        mailbox = await user.users.call("setupMailbox")
        callback = js_peers.js.callback()
        told.append((Told(callback, _js_event), await user.users.call(watch, mailbox, callback)))
    (sentbox, _), (inbox, watch_of_inbox) = told
    await begin(mail.send, sentbox, inbox)

    sent = await mail.send("watch")
    for events, owner in ((sentbox, mail.alice), (inbox, mail.bob)):
        event = (await events.raw())[0]
        assert (event["type"], event["messageID"]) == ("CREATE", sent)
        message = event["message"]
        assert (message["id"], message["from"]) == (sent, str(mail.alice.identity.public))
        assert owner.identity.decrypt(message["body"]) == b"watch"
        assert mail.alice.identity.public.verify(message["body"], message["signature"])

    await mail.bob.users.call("readInboxMessage", sent)
    await mail.bob.users.call("deleteInboxMessage", sent)
    await mail.alice.users.call("deleteSentboxMessage", sent)
    await mail.send()
    assert [kind for kind, _ in await inbox.some(3)] == ["SAVE", "DELETE", "CREATE"]
    assert [kind for kind, _ in await sentbox.some(2)] == ["DELETE", "CREATE"]

    await watch_of_inbox.call("close")
    await mail.send()
    assert (await sentbox.next())[0] == "CREATE"
    assert inbox.is_quiet


async def test_a_watch_in_javascript_hears_that_the_hub_goes(js: Peer, tmp_path: Path) -> None:
    callback = js.callback()
    async with LocalHub.open(tmp_path / "hub", people.settings()) as hub:
        peers = JsPeers(Rig(hub), js)
        user = await new_user(peers, await (await sign_up(peers)).api_key(USER))
        await user.users.call("watchInbox", await user.users.call("setupMailbox"), callback)

        async def write() -> str:
            return str((await send(user, user.identity.public))["id"])

        await begin(write, Told(callback, _js_event))
    event, error = await callback.next()
    assert event is None
    assert "being closed" in str(error)
    assert not any(await callback.next())


async def test_nobody_else_watches_a_mailbox(js_peers: JsPeers) -> None:
    dev = await sign_up(js_peers)
    key = await dev.api_key(USER)
    alice, eve = await new_user(js_peers, key), await new_user(js_peers, key)
    mailbox = await alice.users.call("setupMailbox")
    callback = js_peers.js.callback()
    await eve.users.call("watchInbox", mailbox, callback)
    event, error = await callback.next()
    assert event is None
    assert "User does not own thread" in str(error)
