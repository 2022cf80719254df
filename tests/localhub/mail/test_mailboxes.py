"""What mailboxes promise, without a hub around them (spec: users-and-mail §3, §4)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.localhub.mail.office import Office, letter, office
from textile_aio.errors import (
    AlreadyExists,
    BadSignature,
    FailedPrecondition,
    InstanceNotFound,
    InvalidInput,
    InvalidKey,
    QuotaExceeded,
    SchemaViolation,
    StatusCode,
    TextileError,
    WriteDenied,
)
from textile_aio.identity import Identity
from textile_aio.ids import Variant
from textile_aio.localhub.mail.boxes import BOXES, INBOX, NAME, SENTBOX
from textile_aio.localhub.mail.mailboxes import Sent
from textile_aio.localhub.mail.page import Listing, Status
from textile_aio.storage.changes import Batch, DeleteThread, TrackThread, UntrackThread
from textile_aio.storage.store import StoreError
from textile_aio.threaddb.collections import CollectionConfig

NO_MAIL = (StatusCode.FAILED_PRECONDITION, "mail not found")


def said(error: TextileError) -> tuple[StatusCode | None, str]:
    return error.code, error.message


async def test_a_mailbox_has_the_collections_of_textiles_hub(post: Office) -> None:
    alice = await post.person()
    inbox, sentbox = await post.engine.collections(await post.thread(alice))
    assert inbox.schema.decode() == (
        '{"$schema":"http://json-schema.org/draft-04/schema#","required":["_id","from","to","body","signature",'
        '"created_at","read_at"],"properties":{"_id":{"type":"string"},"body":{"type":"string"},"created_at":'
        '{"type":"integer"},"from":{"type":"string"},"read_at":{"type":"integer"},"signature":{"type":"string"},'
        '"to":{"type":"string"}},"additionalProperties":false,"type":"object"}'
    )
    assert sentbox.schema.decode() == (
        '{"$schema":"http://json-schema.org/draft-04/schema#","required":["_id","from","to","body","signature",'
        '"created_at"],"properties":{"_id":{"type":"string"},"body":{"type":"string"},"created_at":'
        '{"type":"integer"},"from":{"type":"string"},"signature":{"type":"string"},'
        '"to":{"type":"string"}},"additionalProperties":false,"type":"object"}'
    )
    assert {(each.path, each.unique) for each in inbox.indexes} == {
        ("from", False), ("to", False), ("created_at", False), ("read_at", False)
    }  # fmt: skip
    assert {each.path for each in sentbox.indexes} == {"from", "to", "created_at"}
    assert (inbox.write_validator, inbox.read_filter) == ("", "")


async def test_a_mailbox_is_a_tracked_database_with_a_random_id(post: Office) -> None:
    alice = await post.person()
    thread = await post.thread(alice)
    row = await post.store.read(lambda view: view.tracked(bytes(alice.public), bytes(thread)))
    database = await post.store.read(lambda view: view.database(bytes(thread)))
    assert row is not None
    assert database is not None
    assert (row.name, row.key, row.is_database) == (NAME, "key", True)
    assert database.name == NAME
    assert (thread.variant, len(bytes(thread))) == (Variant.RAW, 34)


async def test_setting_up_again_or_at_once_gives_one_mailbox(post: Office) -> None:
    owner = bytes(Identity.generate().public)
    found = await asyncio.gather(*(post.mailboxes.set_up(owner, key=str(number)) for number in range(10)))
    assert len({*found, await post.mailboxes.set_up(owner, key="later")}) == 1
    assert len(await post.store.read(lambda view: view.tracked_by(owner))) == 1
    assert len(await post.store.read(lambda view: view.databases())) == 1


async def test_an_owner_at_the_quota_still_finds_the_mailbox() -> None:
    async with office(max_threads=1) as post:
        owner = bytes(Identity.generate().public)
        found = await asyncio.gather(*(post.mailboxes.set_up(owner, key="") for _ in range(5)))
        assert {*found} == {await post.mailboxes.set_up(owner, key="")}


async def test_an_owner_at_the_quota_gets_none(post: Office) -> None:
    async with office(max_threads=1) as post:
        alice = await post.person()
        thread = await post.thread(alice)
        other = Identity.generate()
        await post.mailboxes.set_up(bytes(other.public), key="")
        with pytest.raises(QuotaExceeded) as caught:
            # Somebody whose only thread is no mailbox.
            await _rename(post, other, "else")
            await post.mailboxes.set_up(bytes(other.public), key="")
        assert said(caught.value) == (StatusCode.UNKNOWN, "number of threads per owner exceeds quota")
        assert await post.thread(alice) == thread


async def test_another_thread_with_the_name_in_other_letters_is_in_the_way(post: Office) -> None:
    alice = await post.person()
    await _rename(post, alice, "HubMail")
    with pytest.raises(AlreadyExists, match="E11000 duplicate key error"):
        await post.mailboxes.set_up(bytes(alice.public), key="")


async def test_a_message_is_in_both_boxes_under_one_id(post: Office) -> None:
    alice, bob = await post.person(), await post.person()
    sent = await post.send(alice, bob)
    (received,), (kept,) = await post.inbox(bob), await post.sentbox(alice)
    assert (received.id, received.created_at) == (kept.id, kept.created_at) == (sent.id, sent.created_at)
    assert (received.sender, received.to) == (kept.sender, kept.to) == (str(alice.public), str(bob.public))
    assert (received.body, kept.body) == (b"to:hello", b"from:hello")
    assert alice.public.verify(received.body, received.signature)
    assert alice.public.verify(kept.body, kept.signature)
    assert (received.read_at, kept.read_at) == (0, 0)
    assert sent.id == sent.id.lower()
    assert len(sent.id) == 26
    assert await post.inbox(alice) == []


async def test_documents_are_those_of_textiles_hub(post: Office) -> None:
    alice, bob = await post.person(), await post.person()
    sent = await post.send(alice, bob, b"\xff\xfe")
    received = json.loads(await post.engine.find_by_id(await post.thread(bob), INBOX, sent.id, who=""))
    kept = json.loads(await post.engine.find_by_id(await post.thread(alice), SENTBOX, sent.id, who=""))
    assert received.pop("_mod") == kept.pop("_mod")
    assert received.pop("read_at") == 0
    assert received["body"] == "dG86//4="
    for document in (received, kept):
        assert set(document) == {"_id", "from", "to", "body", "signature", "created_at"}
        assert (document["_id"], document["created_at"]) == (sent.id, sent.created_at)


async def test_a_message_to_oneself_is_in_both_boxes(post: Office) -> None:
    alice = await post.person()
    sent = await post.send(alice, alice)
    assert [each.id for each in await post.inbox(alice)] == [sent.id]
    assert [each.id for each in await post.sentbox(alice)] == [sent.id]


async def test_the_senders_token_writes_into_a_log_of_its_own(post: Office) -> None:
    alice, bob = await post.person(), await post.person()
    await post.send(alice, bob)
    thread = bytes(await post.thread(bob))
    log = await post.store.read(lambda view: view.log_of(thread, bytes(alice.public)))
    assert log is not None
    assert log.counter == 1


@pytest.mark.parametrize("forged", ["to_signature", "from_signature", "to_body", "from_body"])
async def test_a_signature_that_is_not_the_senders_is_refused(post: Office, forged: str) -> None:
    alice, bob = await post.person(), await post.person()
    good = letter(alice, bob.public, b"hello")
    others = letter(bob, bob.public, b"hello")
    wrongs: list[dict[str, Any]] = [{forged: b""}, {forged: b"another"}]
    if forged.endswith("signature"):
        wrongs.append({forged: getattr(others, forged)})
    for wrong in wrongs:
        with pytest.raises(BadSignature) as caught:
            await post.mailboxes.send(bytes(alice.public), replace(good, **wrong))
        assert said(caught.value) == (StatusCode.UNAUTHENTICATED, "Bad message signature")
    assert await post.inbox(bob) == []


async def test_a_letter_of_somebody_else_cannot_be_sent_again(post: Office) -> None:
    alice, bob = await post.person(), await post.person()
    with pytest.raises(BadSignature):
        await post.mailboxes.send(bytes(bob.public), letter(alice, bob.public, b"hello"))


@pytest.mark.parametrize("to", ["", "b", "nonsense", "bbaareia", "zzzz", "bbaareqfkae5w", "\x00"])
async def test_a_recipient_that_is_no_key_is_refused(post: Office, to: str) -> None:
    alice = await post.person()
    with pytest.raises(InvalidKey) as caught:
        await post.mailboxes.send(bytes(alice.public), replace(letter(alice, alice.public, b""), to=to))
    assert said(caught.value) == (StatusCode.FAILED_PRECONDITION, "Invalid public key")


async def test_both_sides_need_a_mailbox(post: Office) -> None:
    alice, nobody = await post.person(), Identity.generate()
    owner = bytes(nobody.public)
    for work in (
        post.send(alice, nobody),
        post.send(nobody, alice),
        post.inbox(nobody),
        post.sentbox(nobody),
        post.mailboxes.read(owner, "id"),
        post.mailboxes.delete(owner, INBOX, "id"),
        post.mailboxes.delete(owner, SENTBOX, "id"),
    ):
        with pytest.raises(FailedPrecondition) as caught:
            await work
        assert said(caught.value) == NO_MAIL
    assert await post.sentbox(alice) == []


async def test_a_recipient_is_stored_in_its_usual_form(post: Office) -> None:
    alice, bob = await post.person(), await post.person()
    text = "f" + bytes(bob.public).hex()
    await post.mailboxes.send(bytes(alice.public), replace(letter(alice, bob.public, b""), to=text))
    (received,) = await post.inbox(bob)
    assert received.to == str(bob.public)


async def test_reading_stores_exactly_the_time_that_is_told(post: Office) -> None:
    alice, bob = await post.person(), await post.person()
    sent = await post.send(alice, bob)
    first = await post.mailboxes.read(bytes(bob.public), sent.id)
    second = await post.mailboxes.read(bytes(bob.public), sent.id)
    (received,) = await post.inbox(bob)
    assert sent.created_at < first < second == received.read_at
    stored = json.loads(await post.engine.find_by_id(await post.thread(bob), INBOX, sent.id, who=""))
    assert (stored["read_at"], stored["_mod"]) == (second, second)
    assert [each.read_at for each in await post.sentbox(alice)] == [0]


async def test_only_what_is_in_the_inbox_can_be_read(post: Office) -> None:
    alice, bob = await post.person(), await post.person()
    sent = await post.send(alice, bob)
    for owner, id_ in ((bob, "nothing"), (alice, sent.id), (bob, ""), (bob, "\ud800")):
        with pytest.raises(InstanceNotFound) as caught:
            await post.mailboxes.read(bytes(owner.public), id_)
        assert said(caught.value) == (StatusCode.UNKNOWN, "instance not found")


async def test_a_deletion_is_of_one_box(post: Office) -> None:
    alice, bob = await post.person(), await post.person()
    sent = await post.send(alice, bob)
    await post.mailboxes.delete(bytes(alice.public), INBOX, sent.id)
    assert len(await post.inbox(bob)) == 1
    await post.mailboxes.delete(bytes(bob.public), INBOX, sent.id)
    await post.mailboxes.delete(bytes(bob.public), INBOX, sent.id)
    assert await post.inbox(bob) == []
    assert len(await post.sentbox(alice)) == 1
    await post.mailboxes.delete(bytes(alice.public), SENTBOX, sent.id)
    assert await post.sentbox(alice) == []


async def test_many_senders_at_once_lose_nothing(post: Office) -> None:
    people = [await post.person() for _ in range(4)]
    pairs = [(sender, to) for sender in people for to in people] * 3
    sent = await asyncio.gather(*(post.send(sender, to) for sender, to in pairs))
    for person in people:
        got = {each.id for each in await post.inbox(person)}
        assert got == {each.id for each, (_, to) in zip(sent, pairs, strict=True) if to is person}
        kept = {each.id for each in await post.sentbox(person)}
        assert kept == {each.id for each, (by, _) in zip(sent, pairs, strict=True) if by is person}


async def test_mail_arrives_while_its_owner_keeps_a_transaction_open(post: Office) -> None:
    alice, bob = await post.person(), await post.person()
    async with asyncio.timeout(20):
        async with post.engine.write_transaction(await post.thread(bob), INBOX, who="") as transaction:
            sent = await post.send(alice, bob)
            await transaction.discard()
    assert [each.id for each in await post.inbox(bob)] == [sent.id]


async def test_a_box_that_was_deleted_is_made_again(post: Office) -> None:
    alice, bob = await post.person(), await post.person()
    await post.engine.delete_collection(await post.thread(bob), INBOX)
    await post.engine.delete_collection(await post.thread(alice), SENTBOX)
    assert await post.inbox(bob) == []
    sent = await post.send(alice, bob)
    assert [each.id for each in await post.inbox(bob)] == [sent.id]
    assert await post.engine.collection(await post.thread(bob), INBOX) == replace(
        BOXES[INBOX], indexes=(await post.engine.collection(await post.thread(bob), INBOX)).indexes
    )


async def test_a_sentbox_that_takes_no_messages_is_mended(post: Office) -> None:
    alice, bob = await post.person(), await post.person()
    other = b'{"properties":{"_id":{"type":"string"}},"additionalProperties":false,"type":"object"}'
    await post.engine.update_collection(await post.thread(alice), CollectionConfig(SENTBOX, other))
    sent = await post.send(alice, bob)
    assert [each.id for each in await post.sentbox(alice)] == [sent.id]
    assert [each.id for each in await post.inbox(bob)] == [sent.id]


async def test_what_the_recipient_refuses_is_in_no_box(post: Office) -> None:
    alice, bob = await post.person(), await post.person()
    inbox = BOXES[INBOX]
    await post.engine.update_collection(
        await post.thread(bob), replace(inbox, write_validator="return writer === 'somebody'")
    )
    with pytest.raises(WriteDenied):
        await post.send(alice, bob)
    other = b'{"properties":{"_id":{"type":"string"}},"additionalProperties":false,"type":"object"}'
    await post.engine.update_collection(await post.thread(bob), CollectionConfig(INBOX, other))
    with pytest.raises(SchemaViolation):
        await post.send(alice, bob)
    assert await post.sentbox(alice) == await post.inbox(bob) == []


async def test_a_message_whose_second_half_cannot_be_written_is_in_no_box(post: Office) -> None:
    alice, bob = await post.person(), await post.person()
    runner_store = post.store._store
    original = runner_store.apply
    parts: list[int] = []

    def breaking(batches: Sequence[Batch]) -> list[StoreError | None]:
        parts.extend(len(each.parts()) for each in batches)
        return original(
            [replace(each, also=tuple(replace(part, expect=10**9) for part in each.also)) for each in batches]
        )

    runner_store.apply = breaking  # type: ignore[method-assign]
    try:
        with pytest.raises(TextileError, match="too many writers"):
            await post.send(alice, bob)
    finally:
        runner_store.apply = original  # type: ignore[method-assign]
    assert set(parts) == {2}
    assert await post.inbox(bob) == await post.sentbox(alice) == []
    await post.send(alice, bob)
    assert len(await post.inbox(bob)) == len(await post.sentbox(alice)) == 1


async def test_a_sender_who_goes_away_has_sent_all_or_nothing(post: Office) -> None:
    alice, bob = await post.person(), await post.person()
    for turns in range(40):
        task = asyncio.create_task(post.send(alice, bob))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert {each.id for each in await post.inbox(bob)} == {each.id for each in await post.sentbox(alice)}
    await post.send(alice, bob)


async def test_a_mailbox_that_goes_while_mail_comes_leaves_no_half_message(post: Office) -> None:
    alice = await post.person()
    for turns in range(0, 60, 3):
        bob = await post.person()
        thread = bytes(await post.thread(bob))

        async def go(bob: Identity, thread: bytes, turns: int) -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            gone = (DeleteThread(thread), UntrackThread(bytes(bob.public), thread))
            await post.store.apply(Batch(gone))

        before = {each.id for each in await post.sentbox(alice)}
        sends = [post.send(alice, bob) for _ in range(3)]
        *sent, _ = await asyncio.gather(*sends, go(bob, thread, turns), return_exceptions=True)
        assert all(isinstance(each, Sent | TextileError) for each in sent), sent
        assert {said(each) for each in sent if isinstance(each, TextileError)} <= {NO_MAIL}
        after = {each.id for each in await post.sentbox(alice, limit=1000)}
        assert after - before == {each.id for each in sent if isinstance(each, Sent)}


BAD: list[dict[str, Any]] = [
    {"body": "not base64!", "id": "a"},
    {"body": "YQ", "id": "b"},
    {"signature": "*", "id": "c"},
    {"created_at": 2**70, "id": "d"},
    {"read_at": -(2**80), "id": "e"},
]


async def test_what_is_no_message_is_passed_over(post: Office) -> None:
    alice, bob = await post.person(), await post.person()
    sent = [await post.send(alice, bob) for _ in range(3)]
    for bad in BAD:
        document = {"from": "x", "to": "y", "body": "", "signature": "", "created_at": 1, "read_at": 0}
        document |= {"_id": f"01{bad['id']}", **{name: bad[name] for name in bad if name != "id"}}
        await post.write(bob, document)
    loose = b'{"properties":{"_id":{"type":"string"}},"type":"object"}'
    await post.engine.update_collection(await post.thread(bob), CollectionConfig(INBOX, loose))
    odds: list[dict[str, Any]] = [{}, {"from": 1}, {"body": None}, {"created_at": "now"}, {"read_at": 1.5}]
    for number, odd in enumerate(odds):
        document = {"from": "x", "to": "y", "body": "", "signature": "", "created_at": 1, "read_at": 0}
        await post.write(bob, {**document, "_id": f"01x{number}", **odd} if odd else {"_id": "01empty"})
    assert [each.id for each in await post.inbox(bob)] == [each.id for each in sent]
    assert [each.id for each in await post.inbox(bob, status=Status.UNREAD)] == [each.id for each in sent]


async def test_limits(post: Office) -> None:
    alice, bob = await post.person(), await post.person()
    for _ in range(103):
        await post.send(alice, bob, b"")
    assert len(await post.inbox(bob)) == 100
    assert len(await post.inbox(bob, limit=102)) == 102
    assert len(await post.inbox(bob, limit=10**12)) == 103
    with pytest.raises(InvalidInput, match="negative"):
        Listing(limit=-1)


async def test_bodies_of_every_size_are_kept(post: Office) -> None:
    alice, bob = await post.person(), await post.person()
    for body in (b"", b"\0", b"a" * 3, bytes(range(256)) * 4000):
        await post.send(alice, bob, body)
    assert [each.body[3:] for each in await post.inbox(bob)] == [
        b"", b"\0", b"aaa", bytes(range(256)) * 4000
    ]  # fmt: skip


async def _rename(post: Office, owner: Identity, name: str) -> None:
    """Let the owner's mailbox have been made under another name."""
    key = bytes(owner.public)
    row = await post.store.read(lambda view: view.tracked_named(key, NAME))
    assert row is not None
    await post.store.apply(Batch((UntrackThread(key, row.thread), TrackThread(replace(row, name=name)))))
