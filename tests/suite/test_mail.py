"""Mail, usage and invites, at any hub with accounts (spec: users-and-mail)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from tests.conftest import Served
from tests.faults.proxy import FaultProxy, proxying
from textile_aio import (
    AuthContext,
    BadSignature,
    BucketInvite,
    DecryptionFailed,
    FailedPrecondition,
    HubClient,
    Identity,
    InstanceNotFound,
    InvalidInput,
    InvalidKey,
    MailEvent,
    MailEventKind,
    Message,
    MessageStatus,
    NotThreadOwner,
    PathNotFound,
    RemoteError,
    RetryPolicy,
    Role,
    ThreadNotFound,
    Watch,
    connect,
)

pytestmark = pytest.mark.needs("users")

AT_ONCE = RetryPolicy(attempts=100, initial=0.0, maximum=0.0)


@dataclass(frozen=True)
class Person:
    """Somebody with a mailbox."""

    identity: Identity
    ctx: AuthContext


Meet = Callable[[], Awaitable[Person]]


@pytest.fixture
def meet(client: HubClient, key_ctx: AuthContext) -> Meet:
    async def meet() -> Person:
        identity = Identity.generate()
        ctx = await client.threads.authorize(key_ctx, identity)
        await client.users.setup_mailbox(ctx)
        return Person(identity, ctx)

    return meet


@pytest.fixture
async def alice(meet: Meet) -> Person:
    return await meet()


@pytest.fixture
async def bob(meet: Meet) -> Person:
    return await meet()


@pytest.fixture
async def proxy(served: Served) -> AsyncIterator[FaultProxy]:
    async with proxying(int(served.target.rpartition(":")[2])) as proxy:
        yield proxy


@pytest.fixture
async def far(proxy: FaultProxy) -> AsyncIterator[HubClient]:
    """A client whose connection can be cut."""
    async with connect(f"127.0.0.1:{proxy.port}") as client:
        yield client


async def send(client: HubClient, sender: Person, to: Person, body: bytes = b"hello") -> Message:
    return await client.users.send_message(sender.ctx, sender.identity, to.identity.public, body)


async def taken(watch: Watch, count: int) -> list[Message]:
    async with asyncio.timeout(20):
        return [await anext(watch) for _ in range(count)]


async def happened(watch: Watch, count: int) -> list[MailEvent]:
    events = watch.events()
    async with asyncio.timeout(20):
        return [await anext(events) for _ in range(count)]


async def test_a_mailbox_is_one_however_often_it_is_set_up(client: HubClient, ctx: AuthContext) -> None:
    with pytest.raises(ThreadNotFound):
        await client.users.mailbox(ctx)
    threads = await asyncio.gather(*(client.users.setup_mailbox(ctx) for _ in range(5)))
    assert {*threads} == {await client.users.mailbox(ctx)} == {await client.users.setup_mailbox(ctx)}
    (info,) = [each for each in await client.users.list_threads(ctx) if each.name == "hubmail"]
    assert (info.id, info.is_db) == (threads[0], True)


async def test_a_message_is_opened_by_both_sides(client: HubClient, alice: Person, bob: Person) -> None:
    sent = await send(client, alice, bob, b"hello")
    (received,) = await client.users.list_inbox(bob.ctx)
    (kept,) = await client.users.list_sentbox(alice.ctx)
    assert kept == sent
    assert received.open(bob.identity) == sent.open(alice.identity) == b"hello"
    assert (received.id, received.created_at_ns) == (sent.id, sent.created_at_ns)
    assert (received.from_, received.to) == (alice.identity.public, bob.identity.public)
    with pytest.raises(DecryptionFailed):
        received.open(alice.identity)


@pytest.mark.parametrize("body", [b"", "Grüße, 你好, здравствуй 👋".encode(), bytes(range(256)) * 2000])
async def test_bodies_come_through(client: HubClient, alice: Person, bob: Person, body: bytes) -> None:
    await send(client, alice, bob, body)
    (received,) = await client.users.list_inbox(bob.ctx)
    assert received.open(bob.identity) == body


async def test_largest_bodies_are_paged_one_by_one(client: HubClient, alice: Person) -> None:
    body = bytes(2 * 1024 * 1024 - 300)
    for _ in range(3):
        await send(client, alice, alice, body)
    sizes = [len(each.open(alice.identity)) async for each in client.users.inbox(alice.ctx)]
    assert sizes == [len(body)] * 3


async def test_what_cannot_be_sent_is_said(client: HubClient, alice: Person, bob: Person) -> None:
    nobody = Identity.generate()
    with pytest.raises(FailedPrecondition, match="mail not found"):
        await client.users.send_message(alice.ctx, alice.identity, nobody.public, b"")
    with pytest.raises(BadSignature, match="Bad message signature"):
        await client.users.send_message(alice.ctx, bob.identity, bob.identity.public, b"")
    with pytest.raises(InvalidKey):
        await client.users.send_message(alice.ctx, alice.identity, "nonsense", b"")
    with pytest.raises(InvalidInput, match="the body"):
        await client.users.send_message(alice.ctx, alice.identity, bob.identity.public, "text")  # type: ignore[arg-type]
    assert await client.users.list_sentbox(alice.ctx) == []


async def test_pages_and_statuses(client: HubClient, alice: Person, bob: Person) -> None:
    sent = [await send(client, alice, bob, b"%d" % number) for number in range(7)]
    by_id = sorted(each.id for each in sent)
    read = by_id[::2]
    for each in read:
        await client.users.read_message(bob.ctx, each)

    async def ids(**options: object) -> list[str]:
        return [each.id for each in await client.users.list_inbox(bob.ctx, **options)]  # type: ignore[arg-type]

    assert await ids() == by_id[::-1]
    assert await ids(ascending=True) == by_id
    assert await ids(seek=by_id[3], limit=2) == [by_id[3], by_id[2]]
    assert await ids(seek=by_id[3], limit=2, ascending=True) == by_id[3:5]
    assert await ids(status=MessageStatus.READ, ascending=True) == read
    assert await ids(status=MessageStatus.UNREAD, ascending=True, limit=2) == by_id[1::2][:2]
    assert [each.id async for each in client.users.inbox(bob.ctx, status=MessageStatus.UNREAD)] == [
        *by_id[1::2][::-1]
    ]
    kept = await client.users.list_sentbox(alice.ctx, ascending=True, limit=3)
    assert [each.id for each in kept] == by_id[:3]
    assert [each.id async for each in client.users.sentbox(alice.ctx, ascending=True)] == by_id


async def test_reading_and_deleting(client: HubClient, alice: Person, bob: Person) -> None:
    sent = await send(client, alice, bob)
    first = await client.users.read_message(bob.ctx, sent.id)
    second = await client.users.read_message(bob.ctx, sent.id)
    (received,) = await client.users.list_inbox(bob.ctx)
    assert received.is_read
    assert first <= second
    assert abs(received.read_at_ns - second) < 1024, "a Go hub rounds it"
    with pytest.raises(InstanceNotFound):
        await client.users.read_message(bob.ctx, "nothing")
    for _ in range(2):
        await client.users.delete_inbox_message(bob.ctx, sent.id)
    assert await client.users.list_inbox(bob.ctx) == []
    assert len(await client.users.list_sentbox(alice.ctx)) == 1
    await client.users.delete_sentbox_message(alice.ctx, sent.id)
    assert await client.users.list_sentbox(alice.ctx) == []


async def test_arguments_of_the_wrong_kind_are_refused(client: HubClient, alice: Person) -> None:
    for wrong in (
        {"limit": -1},
        {"limit": True},
        {"status": 1},
        {"ascending": 1},
        {"seek": 7},
        {"verify": 0},
    ):
        with pytest.raises(InvalidInput):
            await client.users.list_inbox(alice.ctx, **wrong)
    with pytest.raises(InvalidInput):
        await client.users.read_message(alice.ctx, "")
    with pytest.raises(InvalidInput):
        client.users.inbox(None)  # type: ignore[arg-type]


@pytest.mark.needs("positions")
async def test_a_message_in_the_inbox_is_stored_to_the_nanosecond(client: HubClient, bob: Person) -> None:
    sent = await send(client, bob, bob)
    told = await client.users.read_message(bob.ctx, sent.id)
    (received,) = await client.users.list_inbox(bob.ctx)
    assert received.read_at_ns == told


@pytest.mark.needs("positions")
async def test_a_mailbox_is_closed_to_others(client: HubClient, alice: Person, bob: Person) -> None:
    mailbox = await client.users.mailbox(alice.ctx)
    with pytest.raises(NotThreadOwner):
        await client.threads.find(bob.ctx, mailbox, "inbox")
    with pytest.raises(NotThreadOwner):
        await client.threads.delete(bob.ctx, mailbox, "inbox", ["x"])
    assert await client.threads.find(alice.ctx, mailbox, "inbox") == []


async def test_messages_are_told_as_they_come(client: HubClient, alice: Person, bob: Person) -> None:
    await send(client, alice, bob, b"before")
    async with client.users.watch_inbox(bob.ctx) as inbox, client.users.watch_sentbox(alice.ctx) as sentbox:
        sent = [await send(client, alice, bob, b"%d" % number) for number in range(3)]
        received = await taken(inbox, 3)
        assert [each.open(bob.identity) for each in received] == [b"0", b"1", b"2"]
        assert await taken(sentbox, 3) == sent


async def test_a_watch_makes_a_mailbox_and_begins_at_its_first_step(
    client: HubClient, ctx: AuthContext, bob: Person
) -> None:
    identity = Identity.generate()
    fresh = await client.threads.authorize(ctx, identity)
    watch = client.users.watch_inbox(fresh)
    first = asyncio.ensure_future(anext(watch))
    async with asyncio.timeout(20):
        while not first.done():
            try:
                await client.users.send_message(bob.ctx, bob.identity, identity.public, b"hello")
            except FailedPrecondition:
                await asyncio.sleep(0)
    assert (await first).open(identity) == b"hello"
    await watch.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(watch)


async def test_events_tell_of_reads_and_deletions(client: HubClient, alice: Person, bob: Person) -> None:
    async with client.users.watch_inbox(bob.ctx) as inbox, client.users.watch_sentbox(alice.ctx) as sentbox:
        sent = await send(client, alice, bob)
        (new,) = await happened(inbox, 1)
        read_at = await client.users.read_message(bob.ctx, sent.id)
        (read,) = await happened(inbox, 1)
        await client.users.delete_inbox_message(bob.ctx, sent.id)
        await client.users.delete_sentbox_message(alice.ctx, sent.id)
        (deleted,) = await happened(inbox, 1)
        kept, gone = await happened(sentbox, 2)
    assert [each.kind for each in (new, read, deleted, kept, gone)] == [
        MailEventKind.NEW, MailEventKind.READ, MailEventKind.DELETED, MailEventKind.NEW, MailEventKind.DELETED
    ]  # fmt: skip
    assert {each.id for each in (new, read, deleted, kept, gone)} == {sent.id}
    assert new.message is not None
    assert new.message.open(bob.identity) == b"hello"
    assert read.message is not None
    assert abs(read.message.read_at_ns - read_at) < 1024
    assert deleted.message is None
    assert kept.message == sent


async def test_what_is_no_message_is_left_out_of_a_watch(
    client: HubClient, alice: Person, bob: Person, caplog: pytest.LogCaptureFixture
) -> None:
    mailbox = await client.users.mailbox(bob.ctx)
    forged = {
        "_id": "forged",
        "from": str(alice.identity.public),
        "to": str(bob.identity.public),
        "body": "YQ==",
        "signature": "YQ==",
        "created_at": 1,
        "read_at": 0,
    }
    with caplog.at_level(logging.WARNING, "textile_aio.users"):
        async with client.users.watch_inbox(bob.ctx) as inbox:
            await client.threads.create(
                bob.ctx, mailbox, "inbox", [forged, {**forged, "_id": "no", "from": "x"}]
            )
            sent = await send(client, alice, bob)
            assert [each.id for each in await taken(inbox, 1)] == [sent.id]
    assert [record.getMessage() for record in caplog.records] == [
        "left out what is in the mailbox under 'forged': bad message signature",
        "left out what is in the mailbox under 'no': from public key is invalid",
    ]


async def test_after_a_cut_every_message_is_told_once(
    client: HubClient, far: HubClient, proxy: FaultProxy, alice: Person, bob: Person
) -> None:
    heard: list[bytes] = []
    async with far.users.watch_inbox(bob.ctx, retry=AT_ONCE) as inbox:
        for step in range(6):
            for number in range(3):
                await send(client, alice, bob, b"%d-%d" % (step, number))
            heard += [each.open(bob.identity) for each in await taken(inbox, 2)]
            proxy.cut()
        heard += [each.open(bob.identity) for each in await taken(inbox, 6)]
    assert sorted(heard) == [b"%d-%d" % (step, number) for step in range(6) for number in range(3)]


@pytest.mark.needs("positions")
async def test_a_watch_goes_on_where_an_earlier_one_was(
    client: HubClient, alice: Person, bob: Person
) -> None:
    async with client.users.watch_inbox(bob.ctx) as inbox:
        await send(client, alice, bob, b"1")
        await send(client, alice, bob, b"2")
        (first,) = await taken(inbox, 1)
        position = inbox.position
    await send(client, alice, bob, b"3")
    async with client.users.watch_inbox(bob.ctx, since=position) as again:
        later = await taken(again, 2)
    assert [each.open(bob.identity) for each in (first, *later)] == [b"1", b"2", b"3"]


async def test_an_invite_leads_to_what_it_is_about(client: HubClient, alice: Person, bob: Person) -> None:
    ctx = alice.ctx.with_thread(await client.threads.new_db(alice.ctx))
    bucket = await client.buckets.create(ctx, "photos", private=True)
    await client.buckets.push_path(ctx, bucket.key, "summer/sea.jpg", b"blue")
    await client.users.send_invite(ctx, alice.identity, bob.identity.public, bucket.key, "summer/sea.jpg")
    (message,) = await client.users.list_inbox(bob.ctx)
    with pytest.raises(PathNotFound):
        await client.users.accept_invite(bob.ctx, message, bob.identity)
    await client.buckets.push_path_access_roles(
        ctx, bucket.key, "summer/sea.jpg", {bob.identity.public: Role.READER}
    )
    accepted = await client.users.accept_invite(bob.ctx, message, bob.identity)
    assert (accepted.path, accepted.from_) == ("summer/sea.jpg", alice.identity.public)
    assert b"".join([chunk async for chunk in accepted.bucket.pull(accepted.path)]) == b"blue"
    assert await client.users.list_inbox(bob.ctx, status=MessageStatus.UNREAD) == []


async def test_an_invite_is_what_go_clients_send(client: HubClient, alice: Person, bob: Person) -> None:
    ctx = alice.ctx.with_thread(await client.threads.new_db(alice.ctx))
    bucket = await client.buckets.create(ctx, "photos")
    sent = await client.users.send_invite(ctx, alice.identity, bob.identity.public, bucket.key, "a/ü.txt")
    body = sent.open(alice.identity)
    assert body.decode() == f'{{"thread":"{ctx.thread}","key":"{bucket.key}","path":"a/ü.txt"}}'
    assert BucketInvite.from_json(body) == BucketInvite(ctx.thread, key=bucket.key, path="a/ü.txt")  # type: ignore[arg-type]


async def test_what_is_no_invite_is_not_accepted(client: HubClient, alice: Person, bob: Person) -> None:
    for body in (b"", b"hello", b"{}", b'{"thread":"x","key":"k","path":""}', b"null", b'{"thread":1}'):
        await send(client, alice, bob, body)
    async for message in client.users.inbox(bob.ctx):
        with pytest.raises(InvalidInput, match="no invite"):
            await client.users.accept_invite(bob.ctx, message, bob.identity)


@pytest.mark.needs("positions")
async def test_usage_is_what_is_stored(client: HubClient, alice: Person, bob: Person) -> None:
    assert (await client.users.usage(alice.ctx)).stored_bytes == 0
    await send(client, alice, bob, bytes(30_000))
    usage = await client.users.usage(alice.ctx)
    assert usage.stored_bytes > 30_000
    assert usage.customer is not None
    assert usage.customer.public_key == alice.identity.public


async def test_a_hub_without_filecoin_has_no_archives(client: HubClient, alice: Person) -> None:
    with pytest.raises(RemoteError, match="no powergate info"):
        await client.users.list_archives(alice.ctx)
    with pytest.raises(RemoteError, match="no powergate info"):
        await client.users.import_archives(
            alice.ctx, "bafybeihkoviema7g3gxyt6la7vd5ho32ictqbilu3wnlo3rs7ewhnp7lly", [1]
        )
    assert await client.users.list_retrievals(alice.ctx) == []
    with pytest.raises(RemoteError, match="no powergate info"):
        _ = [line async for line in client.users.retrieval_logs(alice.ctx, "x")]
