"""Messages as values: verified, opened and read from what mailboxes keep, without a hub."""

from __future__ import annotations

import base64
import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio import (
    DecryptionFailed,
    Identity,
    IntegrityError,
    InvalidInput,
    InvalidKey,
    Message,
    ProtocolError,
    PublicKey,
)
from textile_aio.users.messages import seal_message

ALICE, BOB = Identity.from_seed(b"a" * 32), Identity.from_seed(b"b" * 32)


async def received(plaintext: bytes, **changed: Any) -> Message:
    sealed = await seal_message(ALICE, BOB.public, plaintext)
    fields: dict[str, Any] = {
        "from_": ALICE.public,
        "to": BOB.public,
        "body": sealed.to_body,
        "signature": sealed.to_signature,
        "created_at_ns": 1_700_000_000_123_456_789,
    } | changed
    return Message("01h", **fields)


def document(message: Message, **changed: Any) -> dict[str, Any]:
    """The instance that a mailbox keeps of a message."""
    return {
        "_id": message.id,
        "from": str(message.from_),
        "to": str(message.to),
        "body": base64.b64encode(message.body).decode(),
        "signature": base64.b64encode(message.signature).decode(),
        "created_at": message.created_at_ns,
        "read_at": message.read_at_ns,
        "_mod": 5,
    } | changed


@given(body=st.one_of(st.binary(max_size=300), st.text(max_size=100).map(lambda text: text.encode())))
async def test_only_both_sides_open_a_message(body: bytes) -> None:
    sealed = await seal_message(ALICE, BOB.public, body)
    assert BOB.decrypt(sealed.to_body) == ALICE.decrypt(sealed.from_body) == body
    with pytest.raises(DecryptionFailed):
        ALICE.decrypt(sealed.to_body)
    with pytest.raises(DecryptionFailed):
        BOB.decrypt(sealed.from_body)
    assert len(sealed.to_body) == len(body) + 72


@pytest.mark.parametrize(
    "text", ["", "hello", "Grüße", "здравствуй", "你好", "مرحبا", "नमस्ते", "👩‍👩‍👧", "\0", "a\r\n" * 1000]
)
async def test_texts_of_every_script_come_through(text: str) -> None:
    assert (await received(text.encode())).open(BOB).decode() == text


async def test_a_message_that_was_altered_is_not_opened() -> None:
    good = await received(b"hello")
    changes: list[dict[str, Any]] = [
        {"body": good.body + b"x"},
        {"body": b""},
        {"signature": bytes(64)},
        {"signature": b""},
        {"from_": BOB.public},
    ]
    for changed in changes:
        message = await received(b"hello", **({"body": good.body, "signature": good.signature} | changed))
        with pytest.raises(IntegrityError, match="bad message signature") as caught:
            message.open(BOB)
        assert caught.value.about == "01h"
        assert not isinstance(caught.value, DecryptionFailed)


async def test_what_is_signed_and_yet_not_sealed_is_not_opened() -> None:
    body = b"no box at all"
    message = await received(b"", body=body, signature=ALICE.sign(body))
    message.verify()
    with pytest.raises(DecryptionFailed):
        message.open(BOB)
    with pytest.raises(InvalidInput, match="the identity"):
        message.open(BOB.public)  # type: ignore[arg-type]


async def test_a_signer_elsewhere_signs_too() -> None:
    class Far:
        public: PublicKey = ALICE.public

        async def sign(self, message: bytes) -> bytes:
            return ALICE.sign(message)

    sealed = await seal_message(Far(), BOB.public, b"hello")
    assert ALICE.public.verify(sealed.to_body, sealed.to_signature)
    assert ALICE.public.verify(sealed.from_body, sealed.from_signature)


async def test_nothing_is_sealed_for_what_is_no_key() -> None:
    with pytest.raises(InvalidKey):
        await seal_message(ALICE, PublicKey(b"\x01" + bytes(31)), b"everybody could open it")


async def test_stored_messages_come_back_from_text_bytes_and_objects() -> None:
    message = await received(b"hello", read_at_ns=1_800_000_000_000_000_001)
    stored = document(message)
    text = json.dumps(stored)
    assert Message.from_json(stored) == Message.from_json(text) == Message.from_json(text.encode()) == message
    in_sentbox = {name: value for name, value in stored.items() if name != "read_at"}
    assert Message.from_json(in_sentbox).read_at_ns == 0
    assert Message.from_json(document(message, read_at=1.8e18)).read_at_ns == 1_800_000_000_000_000_000
    Message.from_json(stored).verify()


@pytest.mark.parametrize(
    "changed",
    [
        {"body": "?"},
        {"body": "YQ"},
        {"signature": None},
        {"created_at": "1"},
        {"created_at": True},
        {"read_at": 1.5},
        {"read_at": float("nan")},
        {"_id": 7},
        {"_id": None},
    ],
)
async def test_what_is_no_message_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError, match="no message"):
        Message.from_json(document(await received(b""), **changed))


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", "7", '"x"', "[" * 100_000, "\ud800"])
def test_texts_that_are_no_message_are_refused(text: str) -> None:
    with pytest.raises(ProtocolError, match="no message"):
        Message.from_json(text)


@pytest.mark.parametrize(("field", "value"), [("from", "x"), ("to", "x"), ("from", ""), ("to", 7)])
async def test_keys_that_are_none_are_refused_in_the_words_of_go(field: str, value: object) -> None:
    with pytest.raises(IntegrityError, match=f"{field} public key is invalid"):
        Message.from_json(document(await received(b""), **{field: value}))


async def test_times_are_exact_in_nanoseconds_and_cut_as_dates() -> None:
    unread = await received(b"")
    assert unread.created_at == datetime(2023, 11, 14, 22, 13, 20, 123456, UTC)
    assert (unread.is_read, unread.read_at) == (False, None)
    read = await received(b"", read_at_ns=1_700_000_001_000_000_999)
    assert (read.is_read, read.read_at) == (True, datetime(2023, 11, 14, 22, 13, 21, 0, UTC))


async def test_a_message_is_a_value() -> None:
    message = await received(b"secret")
    assert pickle.loads(pickle.dumps(message)) == message
    assert "secret" not in repr(message)
    assert repr(message.body) not in repr(message)
    with pytest.raises(AttributeError):
        message.id = "x"  # type: ignore[misc]
