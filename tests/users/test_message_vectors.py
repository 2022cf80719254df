"""Messages as the JavaScript clients seal, sign and send them, both ways."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.fakehub import FakeHub, connected
from tests.recorded import cases, label
from textile_aio import AuthContext, DecryptionFailed, Identity, IntegrityError, Message, PublicKey
from textile_aio._proto.api.usersd import pb
from textile_aio.users._methods import SEND_MESSAGE
from textile_aio.users.messages import seal_message

CASES = cases("message-signature", "send_message")


def hexes(case: dict[str, Any], *names: str) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(case[f"{name}_hex"]) for name in names)


def sender_of(case: dict[str, Any]) -> Identity:
    return Identity.from_string(case["from_private_string"])


def recipient_of(case: dict[str, Any]) -> Identity:
    return Identity.from_string(case["to_private_string"])


@pytest.fixture
def drawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A case, whose random bytes are drawn again in their order."""
    case: dict[str, Any] = request.param
    recorded = iter([bytes.fromhex(each) for each in case["random_drawn_in_order_hex"]])

    def urandom(size: int) -> bytes:
        data = next(recorded)
        assert len(data) == size
        return data

    monkeypatch.setattr(os, "urandom", urandom)
    return case


@pytest.mark.parametrize("drawn", CASES, ids=label, indirect=True)
async def test_a_message_is_sealed_and_signed_to_the_byte(drawn: dict[str, Any]) -> None:
    sealed = await seal_message(
        sender_of(drawn), PublicKey.from_string(drawn["to"]), bytes.fromhex(drawn["body_hex"])
    )
    assert (sealed.to_body, sealed.to_signature, sealed.from_body, sealed.from_signature) == hexes(
        drawn, "to_body", "to_signature", "from_body", "from_signature"
    )


@pytest.mark.parametrize("drawn", CASES, ids=label, indirect=True)
async def test_the_request_is_the_recorded_one_and_the_reply_is_understood(drawn: dict[str, Any]) -> None:
    fake = FakeHub()
    requests = fake.answer(SEND_MESSAGE, pb.SendMessageResponse.parse(bytes.fromhex(drawn["reply_hex"])))
    async with connected(fake) as hub:
        message = await hub.users.send_message(
            AuthContext(), sender_of(drawn), drawn["to"], bytes.fromhex(drawn["body_hex"])
        )
    assert bytes(requests[0]) == bytes.fromhex(drawn["request_hex"])
    result = drawn["result"]
    assert (message.id, message.created_at_ns) == (result["id"], int(result["created_at"]))
    assert (str(message.from_), str(message.to)) == (result["from"], result["to"])
    assert (message.body, message.signature) == hexes(result, "body", "signature")
    assert message.open(sender_of(drawn)) == bytes.fromhex(drawn["body_hex"])


@pytest.mark.parametrize("case", CASES, ids=label)
@pytest.mark.parametrize("side", ["to", "from"])
def test_what_was_sent_is_verified_and_opened(case: dict[str, Any], side: str) -> None:
    body, signature = hexes(case, f"{side}_body", f"{side}_signature")
    message = Message(
        "id",
        from_=sender_of(case).public,
        to=recipient_of(case).public,
        body=body,
        signature=signature,
        created_at_ns=1,
    )
    owner = recipient_of(case) if side == "to" else sender_of(case)
    assert message.open(owner) == bytes.fromhex(case["body_hex"])
    with pytest.raises(DecryptionFailed):
        message.open(Identity.generate())
    forged = Message(
        "id",
        from_=Identity.generate().public,
        to=message.to,
        body=body,
        signature=signature,
        created_at_ns=1,
    )
    with pytest.raises(IntegrityError, match="bad message signature"):
        forged.open(owner)
