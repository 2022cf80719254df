"""Identity tokens (spec: identity-and-auth §6, worked values of §14)."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio.errors import InvalidToken
from textile_aio.identity import Identity
from textile_aio.localhub.tokens import Tokens, parse

HOST = Identity.from_seed(bytes([7]) * 32)
USER = Identity.from_seed(bytes(range(32)))
NOW = 1_600_000_000 * 10**9

WORKED = (
    "eyJhbGciOiJFZDI1NTE5IiwidHlwIjoiSldUIn0."
    "eyJpYXQiOjE2MDAwMDAwMDAsImlzcyI6ImJiYWFyZWloa2pqd2doeXU0a2lmbDU1a3FwbWpzNXJwenN2ZHhubHY2eHo1emVxcTY1anVyaXJ3c2ZxI"
    "iwic3ViIjoiYmJhYXJlaWFkdWVkMzc0Nm9jYzdiMjRnNWRkdHV4cWV6bTdzbm1tZTN1dWd2NmhvNHF6c2JldmpyeGEifQ."
    "Agspf3lVrXCY-WrfApWrXo87dhMKfBMSb3DJ4REPxkWaDrgdC7nYnX6gIooejlC230nx6fXCS45zPuUsQfoYCQ"
)


def tokens(now: int = NOW) -> Tokens:
    return Tokens(HOST, lambda: now)


def signed(header: object, claims: object) -> str:
    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    body = f"{part(json.dumps(header).encode())}.{part(json.dumps(claims).encode())}"
    return f"{body}.{part(HOST.sign(body.encode()))}"


def test_the_worked_token_is_issued_byte_for_byte() -> None:
    assert tokens().issue(USER.public) == WORKED


def test_a_token_verifies_at_its_host_and_names_its_subject() -> None:
    assert tokens().verify(WORKED) == str(USER.public)
    assert tokens(NOW + 10**18).verify(WORKED) == str(USER.public), "tokens do not expire"


def test_another_hosts_token_is_refused() -> None:
    other = Tokens(Identity.generate(), lambda: NOW)
    with pytest.raises(InvalidToken, match="^invalid thread token"):
        other.verify(WORKED)


def test_a_clock_that_moved_backwards_refuses_recent_tokens() -> None:
    issued = tokens()
    assert issued.verify(WORKED)
    with pytest.raises(InvalidToken):
        tokens(NOW - 1_000_000).verify(WORKED)


@pytest.mark.parametrize(
    "text",
    ["", "a", "a.b", "a.b.c.d", WORKED.rsplit(".", 1)[0]],
    ids=["empty", "1", "2", "4", "no signature"],
)
def test_anything_but_three_segments_is_not_a_token(text: str) -> None:
    with pytest.raises(InvalidToken) as caught:
        tokens().verify(text)
    assert caught.value.message == "thread token not found"


@pytest.mark.parametrize("algorithm", ["none", "EdDSA", "HS256", "", None, ["Ed25519"]])
def test_only_the_one_algorithm_is_taken(algorithm: object) -> None:
    claims = {"sub": str(USER.public)}
    assert tokens().verify(signed({"alg": "Ed25519"}, claims))
    with pytest.raises(InvalidToken):
        tokens().verify(signed({"alg": algorithm}, claims))


@pytest.mark.parametrize("depth", [b"[", b'{"a":'])
def test_nesting_without_end_is_refused(depth: bytes) -> None:
    header, claims, signature = WORKED.split(".")
    nested = base64.urlsafe_b64encode(depth * 30_000).rstrip(b"=").decode()
    for token in (f"{nested}.{claims}.{signature}", f"{header}.{nested}.{signature}"):
        with pytest.raises(InvalidToken, match="^invalid thread token"):
            parse(token)


def test_padding_is_refused() -> None:
    header, claims, signature = WORKED.split(".")
    with pytest.raises(InvalidToken):
        tokens().verify(f"{header}=.{claims}.{signature}")
    with pytest.raises(InvalidToken):
        tokens().verify(f"{header}.{claims}.{signature}==")


@pytest.mark.parametrize(
    ("claims", "holds"),
    [
        ({"exp": 1_600_000_000}, True),
        ({"exp": 1_599_999_999}, False),
        ({"nbf": 1_600_000_000}, True),
        ({"nbf": 1_600_000_001}, False),
        ({"iat": 1_600_000_001}, False),
        ({"exp": "tomorrow"}, False),
        ({"exp": True}, False),
        ({"sub": 5}, False),
        ({"sub": "bnotakey"}, False),
        ({"sub": ""}, False),
    ],
)
def test_time_claims_count_where_present(claims: dict[str, object], holds: bool) -> None:
    token = signed({"alg": "Ed25519"}, {"sub": str(USER.public)} | claims)
    if holds:
        assert tokens().verify(token) == str(USER.public)
    else:
        with pytest.raises((InvalidToken, ValueError)):
            tokens().verify(token)


@given(position=st.integers(0, len(WORKED) - 1), replacement=st.sampled_from("AQgw_-19.="))
def test_no_altered_token_verifies_for_somebody_else(position: int, replacement: str) -> None:
    altered = WORKED[:position] + replacement + WORKED[position + 1 :]
    try:
        subject = tokens().verify(altered)
    except (InvalidToken, ValueError):
        return
    # base64 has spare bits at the end of a segment; nothing else may differ.
    assert subject == str(USER.public)
    assert parse(altered) == parse(WORKED)


@given(st.text(max_size=200))
def test_any_text_is_a_token_or_a_typed_refusal(text: str) -> None:
    with pytest.raises(InvalidToken):
        tokens().verify(text)
