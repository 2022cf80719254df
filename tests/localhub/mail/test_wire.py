"""The users service's mail calls on the wire: codes and texts that clients see (spec: users-and-mail §7)."""

from __future__ import annotations

import asyncio

import pytest
from grpclib.exceptions import GRPCError

from tests.localhub.raw import OK, Outcome, call, outcome
from tests.localhub.test_access import Headers, World, token_for
from tests.localhub.test_access import world as world
from textile_aio import AuthContext, Identity, PublicKey, connect
from textile_aio._proto.api.usersd import pb
from textile_aio._proto.threads import pb as threads
from textile_aio.ids import ThreadID

USERS = "/api.usersd.pb.APIService/"
DB = "/threads.pb.API/"
NO_MAIL = ("FAILED_PRECONDITION", "mail not found")
FOREIGN = ("PERMISSION_DENIED", "User does not own thread")

WITH_MAILBOX = {
    "SendMessage": pb.SendMessageRequest(),
    "ListInboxMessages": pb.ListInboxMessagesRequest(),
    "ListSentboxMessages": pb.ListSentboxMessagesRequest(),
    "ReadInboxMessage": pb.ReadInboxMessageRequest(id="x"),
    "DeleteInboxMessage": pb.DeleteInboxMessageRequest(id="x"),
    "DeleteSentboxMessage": pb.DeleteSentboxMessageRequest(id="x"),
}


def letter(sender: Identity, to: PublicKey, body: bytes = b"hello") -> pb.SendMessageRequest:
    theirs, own = to.encrypt(body), sender.public.encrypt(body)
    return pb.SendMessageRequest(
        to=str(to),
        to_body=theirs,
        to_signature=sender.sign(theirs),
        from_body=own,
        from_signature=sender.sign(own),
    )


async def set_up(world: World, headers: Headers) -> ThreadID:
    (reply,) = await call(world.target, USERS + "SetupMailbox", headers)
    return ThreadID.from_bytes(reply.mailbox_id)


async def somebody(world: World) -> tuple[Identity, Headers]:
    """Another user of the group, with a mailbox."""
    identity = Identity.generate()
    headers = world.user(authorization=f"bearer {await token_for(world, identity)}")
    await set_up(world, headers)
    return identity, headers


@pytest.mark.parametrize("method", ["SetupMailbox", *WITH_MAILBOX])
async def test_callers_have_to_be_known(world: World, method: str) -> None:
    messages = [WITH_MAILBOX[method]] if method in WITH_MAILBOX else []
    nobody = await outcome(world.target, USERS + method, {}, *messages)
    assert nobody == ("UNAUTHENTICATED", "Session or API key required")
    without_token = await outcome(world.target, USERS + method, world.insecure, *messages)
    assert without_token == ("UNAUTHENTICATED", "Token required")


@pytest.mark.parametrize("method", [each for each in WITH_MAILBOX if each != "SendMessage"])
async def test_callers_need_a_mailbox(world: World, method: str) -> None:
    assert await outcome(world.target, USERS + method, world.user(), WITH_MAILBOX[method]) == NO_MAIL


async def test_what_is_wrong_with_a_letter_is_said_in_order(world: World) -> None:
    me, other = world.identity, Identity.generate()
    send = USERS + "SendMessage"

    async def said(request: pb.SendMessageRequest) -> Outcome:
        return await outcome(world.target, send, world.user(), request)

    bad = letter(other, other.public)
    bad.to = "nonsense"
    assert await said(bad) == ("UNAUTHENTICATED", "Bad message signature")
    bad = letter(me, other.public)
    bad.to = "nonsense"
    assert await said(bad) == ("FAILED_PRECONDITION", "Invalid public key")
    assert await said(letter(me, other.public)) == NO_MAIL
    recipient, _ = await somebody(world)
    assert await said(letter(me, recipient.public)) == NO_MAIL, "the sender has none"
    await set_up(world, world.user())
    assert await said(letter(me, recipient.public)) == OK
    assert await said(letter(me, other.public)) == NO_MAIL, "the recipient has none"


async def test_reads_and_deletions_of_what_is_not_there(world: World) -> None:
    await set_up(world, world.user())
    assert await outcome(
        world.target, USERS + "ReadInboxMessage", world.user(), WITH_MAILBOX["ReadInboxMessage"]
    ) == ("UNKNOWN", "instance not found")
    for method in ("DeleteInboxMessage", "DeleteSentboxMessage"):
        assert await outcome(world.target, USERS + method, world.user(), WITH_MAILBOX[method]) == OK


async def test_statuses_and_limits(world: World) -> None:
    await set_up(world, world.user())
    listing = USERS + "ListInboxMessages"
    for status, expected in (
        (0, OK),
        (1, OK),
        (2, OK),
        (3, OK),
        (4, ("UNKNOWN", "unknown message status: 4")),
    ):
        request = pb.ListInboxMessagesRequest.parse(b"\x20" + bytes([status]))
        assert await outcome(world.target, listing, world.user(), request) == expected
    for method, request_type in (
        ("ListInboxMessages", pb.ListInboxMessagesRequest),
        ("ListSentboxMessages", pb.ListSentboxMessagesRequest),
    ):
        said = await outcome(world.target, USERS + method, world.user(), request_type(limit=-1))
        assert said == ("INVALID_ARGUMENT", "a limit cannot be negative, got -1")
        assert await outcome(world.target, USERS + method, world.user(), request_type(limit=2**62)) == OK


async def test_an_account_and_its_user_write_to_each_other(world: World) -> None:
    user, of_user = await somebody(world)
    async with connect(world.target) as client:
        ctx = AuthContext().with_session(world.session)
        await client.users.setup_mailbox(ctx)
        me = await client.accounts.identity(ctx)
        await client.users.send_message(ctx, me, user.public, b"welcome")
    (reply,) = await call(world.target, USERS + "ListInboxMessages", of_user, pb.ListInboxMessagesRequest())
    (message,) = reply.messages
    assert (message.from_, user.decrypt(bytes(message.body))) == (str(me.public), b"welcome")
    answer = letter(user, me.public, b"thanks")
    await call(world.target, USERS + "SendMessage", of_user, answer)
    for headers in ({"x-textile-session": world.session}, world.account):
        (reply,) = await call(
            world.target, USERS + "ListInboxMessages", headers, pb.ListInboxMessagesRequest()
        )
        assert [me.decrypt(bytes(each.body)) for each in reply.messages] == [b"thanks"]


async def test_a_mailbox_is_its_owners_with_every_key(world: World) -> None:
    mailbox = await set_up(world, world.user())
    other_key = world.signed()
    assert await set_up(world, other_key) == mailbox
    (reply,) = await call(
        world.target, DB + "Has", other_key, threads.HasRequest(db_id=bytes(mailbox), collection_name="inbox")
    )
    assert reply.exists


BY_INSTANCE = {
    "Create": threads.CreateRequest,
    "Verify": threads.VerifyRequest,
    "Save": threads.SaveRequest,
    "Delete": threads.DeleteRequest,
    "Has": threads.HasRequest,
    "Find": threads.FindRequest,
    "FindByID": threads.FindByIdRequest,
}


@pytest.mark.parametrize("method", BY_INSTANCE)
async def test_nobody_else_comes_to_a_mailbox(world: World, method: str) -> None:
    mailbox = await set_up(world, world.user())
    _, other = await somebody(world)
    request = BY_INSTANCE[method](db_id=bytes(mailbox), collection_name="inbox")
    for headers in (
        other,
        {**other, "x-textile-thread": str(mailbox)},
        world.account,
        {"x-textile-session": world.session},
        {**world.account, "authorization": f"bearer {world.token}"},
    ):
        assert await outcome(world.target, DB + method, headers, request) == FOREIGN


async def test_nobody_else_has_transactions_in_a_mailbox_or_listens_there(world: World) -> None:
    mailbox = bytes(await set_up(world, world.user()))
    _, other = await somebody(world)
    start = threads.StartTransactionRequest(db_id=mailbox, collection_name="inbox")
    for method, request in (
        ("ReadTransaction", threads.ReadTransactionRequest(start_transaction_request=start)),
        ("WriteTransaction", threads.WriteTransactionRequest(start_transaction_request=start)),
        ("Listen", threads.ListenRequest(db_id=mailbox)),
    ):
        assert await outcome(world.target, DB + method, other, request) == FOREIGN
        if method != "Listen":
            assert await outcome(world.target, DB + method, world.user(), request) == OK


async def test_a_mailbox_that_was_deleted_is_another_ones_no_more(world: World) -> None:
    mailbox = await set_up(world, world.user())
    _, other = await somebody(world)
    has = threads.HasRequest(db_id=bytes(mailbox), collection_name="inbox")
    assert await outcome(world.target, DB + "Has", other, has) == FOREIGN
    await call(world.target, DB + "DeleteDB", world.user(), threads.DeleteDbRequest(db_id=bytes(mailbox)))
    assert await outcome(world.target, DB + "Has", other, has) == ("NOT_FOUND", "thread not found")
    await call(world.target, DB + "NewDB", other, threads.NewDbRequest(db_id=bytes(mailbox), name="plain"))
    has = threads.HasRequest(db_id=bytes(mailbox), collection_name="inbox")
    assert await outcome(world.target, DB + "Has", world.user(), has) == ("NOT_FOUND", "collection not found")
    assert await set_up(world, world.user()) != mailbox


async def test_the_largest_message_and_one_that_is_too_large(world: World) -> None:
    await set_up(world, world.user())
    me = world.identity
    largest = letter(me, me.public, b"x" * (2 * 1024 * 1024 - 300))
    assert len(bytes(largest)) <= 4 * 1024 * 1024
    assert await outcome(world.target, USERS + "SendMessage", world.user(), largest) == OK
    too_large = letter(me, me.public, b"x" * (2 * 1024 * 1024))
    code, _ = await outcome(world.target, USERS + "SendMessage", world.user(), too_large)
    assert code == "RESOURCE_EXHAUSTED"
    listing = pb.ListInboxMessagesRequest()
    (reply,) = await call(world.target, USERS + "ListInboxMessages", world.user(), listing)
    assert len(reply.messages) == 1
    await call(world.target, USERS + "SendMessage", world.user(), largest)
    with pytest.raises(GRPCError, match="ask for fewer messages"):
        await call(world.target, USERS + "ListInboxMessages", world.user(), listing)


async def test_archives_are_answered_as_without_filecoin(world: World) -> None:
    none = ("UNKNOWN", "no powergate info associated with account")
    for method, request in (
        ("ArchivesLs", pb.ArchivesLsRequest()),
        ("ArchivesImport", pb.ArchivesImportRequest(cid="x", deal_ids=[1])),
        ("ArchiveRetrievalLogs", pb.ArchiveRetrievalLogsRequest(id="x")),
    ):
        assert await outcome(world.target, USERS + method, world.user(), request) == none
    (reply,) = await call(world.target, USERS + "ArchiveRetrievalLs", world.user())
    assert reply.retrievals == []


async def test_mailboxes_count_against_the_quota(world: World) -> None:
    async with connect(world.target) as client:
        ctx = AuthContext().with_api_key(world.insecure["x-textile-api-key"]).with_token(world.token)
        for start in range(0, 100, 10):
            await asyncio.gather(*(client.threads.new_db(ctx) for _ in range(start, start + 10)))
    assert await outcome(world.target, USERS + "SetupMailbox", world.user()) == (
        "UNKNOWN",
        "number of threads per owner exceeds quota",
    )
