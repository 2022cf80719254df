"""What browsers may say, and what is made of everything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio import Identity, InvalidInput, InvalidKey, MessageTooLarge
from textile_aio.asgi import messages
from textile_aio.asgi.messages import Answer, TokenRequest

PUBLIC = Identity.from_seed(bytes(range(32))).public


def test_a_request_names_a_public_key() -> None:
    said = json.dumps({"type": "token", "pubkey": str(PUBLIC)})
    assert messages.parse(said) == messages.parse(said.encode()) == TokenRequest(PUBLIC)


@pytest.mark.parametrize("wrap", [lambda data: {"type": "Buffer", "data": data}, lambda data: data])
@given(signature=st.binary(min_size=64, max_size=64))
def test_a_signature_comes_as_a_buffer_or_a_list(wrap: Any, signature: bytes) -> None:
    said = {"type": "challenge", "sig": wrap(list(signature)), "id": "x"}
    assert messages.parse(json.dumps(said)) == Answer(signature, "x")


def test_a_challenge_is_a_buffer_of_node() -> None:
    assert messages.challenge(b"\x00\xff") == {
        "type": "challenge",
        "value": {"type": "Buffer", "data": [0, 255]},
    }
    assert messages.challenge(b"\x01", "abc")["id"] == "abc"


@pytest.mark.parametrize(
    "said",
    [
        "", "x", "[]", "7", "null", '"token"', "{}", '{"type": "other"}', '{"type": ["token"]}', "[" * 4000,
        '{"type": "token"}', '{"type": "token", "pubkey": 7}', '{"type": "token", "pubkey": ""}',
        '{"type": "token", "pubkey": "' + "b" * 300 + '"}', '{"type": "challenge"}',
        '{"type": "challenge", "sig": 64}', '{"type": "challenge", "sig": {"data": 64}}',
        '{"type": "challenge", "sig": []}',
        *(json.dumps({"type": "challenge", "sig": sig}) for sig in (
            [0] * 63, [0] * 65, [256] * 64, [-1] * 64, [True] * 64, [1.0] * 64, "a" * 64,
        )),
        json.dumps({"type": "challenge", "sig": [1] * 64, "id": 7}),
    ],
)  # fmt: skip
def test_everything_else_is_refused(said: str) -> None:
    with pytest.raises(InvalidInput):
        messages.parse(said)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_noise_is_refused_and_not_repeated(said: bytes | str) -> None:
    with pytest.raises(InvalidInput):
        messages.parse(said)


def test_a_key_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidKey):
        messages.parse('{"type": "token", "pubkey": "bbaareiadued"}')


def test_a_long_message_is_not_read() -> None:
    with pytest.raises(MessageTooLarge):
        messages.parse(b" " * 4097)
