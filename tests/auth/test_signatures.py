"""API signatures and user auth."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recorded import cases, label
from textile_aio._apisig import KeySigner, parse_date
from textile_aio.auth import ApiSig, UserAuth, create_api_sig, create_user_auth
from textile_aio.errors import InvalidCredential, InvalidInput

SECRET = "baaaqeayeaudaocajbifqydiob4ibceqtcqkrmfy"
DATES = st.datetimes(timezones=st.timezones(), min_value=datetime(1970, 1, 2), max_value=datetime(2200, 1, 1))  # noqa: DTZ001


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    "case", cases("api-sig", "signature"), ids=lambda case: f"{label(case)} {case['date']}"
)
def test_recorded_signatures_are_made_again(case: dict[str, Any]) -> None:
    if not case["accepted"]:
        # A date that is none has no counterpart here: without one the default is taken.
        expires = at(case["date"]) if case["date"] else "no date"
        with pytest.raises((InvalidCredential, InvalidInput)):
            create_api_sig(case["secret_string"], expires)  # type: ignore[arg-type]
        return
    expires = at(case["date"])
    signature = create_api_sig(case["secret_string"], expires)
    assert (signature.msg, signature.sig) == (case["message"], case["signature_string"])
    assert signature.matches(case["secret_string"])
    assert signature.expires == expires


@pytest.mark.parametrize("case", cases("api-sig", "default_date"))
def test_without_a_date_a_signature_lasts_as_long_as_recorded(case: dict[str, Any]) -> None:
    signature = create_api_sig(case["secret_string"], clock=at(case["clock"]).timestamp)
    assert (signature.msg, signature.sig) == (case["message"], case["signature_string"])


@pytest.mark.parametrize("case", cases("api-sig", "user_auth"), ids=lambda case: case["key"])
def test_recorded_user_auth_is_made_again(case: dict[str, Any]) -> None:
    auth = create_user_auth(
        case["key"],
        case["secret_string"],
        expires=at(case["date"]) if case["date"] else None,
        token=case["token"],
        clock=at(case["clock"]).timestamp,
    )
    assert auth.to_json() == case["result"]
    assert UserAuth.from_json(json.loads(json.dumps(case["result"]))) == auth


@pytest.mark.parametrize(
    ("message", "sig"),
    [
        ("2030-01-02T03:04:05Z", "bcns7d3s26jsuplbsyokesjxqwa4q3ddkrp47kc4itywb5evkrlra"),
        ("2030-01-02T03:04:05.678Z", "bbkgj5hhfdhrcqtg2nsjqor5r4gknm4yqqwpmoqho4bomrklxqvka"),
        ("2030-01-02T03:04:05+02:00", "burxcrm3ojshnejiftc2dflgez4i6zvfslx4hz7etwwvevzzyyfuq"),
    ],
)
def test_the_worked_signatures_match_their_secret_whatever_the_form_of_the_date(
    message: str, sig: str
) -> None:
    assert ApiSig(sig, message).matches(SECRET)
    assert ApiSig(sig, message).expires == at(message)
    assert not ApiSig(sig, "2030-01-02T03:04:06Z").matches(SECRET)


def test_a_signature_in_another_base_matches_and_one_in_none_does_not() -> None:
    signature = create_api_sig(SECRET, at("2030-01-02T03:04:05Z"))
    assert ApiSig("B" + signature.sig[1:].upper(), signature.msg).matches(SECRET)
    assert not ApiSig("!" + signature.sig[1:], signature.msg).matches(SECRET)
    assert not signature.matches("bae")


@given(DATES)
def test_dates_come_back_to_the_millisecond(date: datetime) -> None:
    signature = create_api_sig(SECRET, date)
    assert timedelta(0) <= date - signature.expires < timedelta(milliseconds=1)
    assert signature.has_expired(signature.expires.timestamp())
    assert not signature.has_expired(signature.expires.timestamp() - 0.001)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2030-01-02T03:04:05Z", datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2030-01-02T03:04:05.5Z", datetime(2030, 1, 2, 3, 4, 5, 500000, tzinfo=UTC)),
        ("2030-01-02T03:04:05.123456789+00:00", datetime(2030, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        ("2030-01-02T03:04:05-07:30", datetime(2030, 1, 2, 10, 34, 5, tzinfo=UTC)),
    ],
)
def test_every_form_of_rfc_3339_is_read(text: str, date: datetime) -> None:
    assert parse_date(text) == date


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2030-01-02",
        "2030-01-02T03:04:05",
        "2030-01-02 03:04:05Z",
        "2030-01-02t03:04:05z",
        "2030-01-02T03:04Z",
        "2030-01-02T03:04:05.Z",
        "2030-01-02T03:04:05,5Z",
        "2030-01-02T03:04:05+0200",
        "2030-01-02T03:04:05+02",
        "2030-01-02T24:00:00Z",
        "2030-01-02T03:04:60Z",
        "2030-02-30T03:04:05Z",
        "2030-13-01T03:04:05Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "２030-01-02T03:04:05Z",
        "2030-01-02T03:04:05Z\n",
        " 2030-01-02T03:04:05Z",
        "2030-W01-2T03:04:05Z",
    ],
)
def test_what_is_no_date_of_rfc_3339_is_no_signature(text: str) -> None:
    assert parse_date(text) is None
    with pytest.raises(InvalidCredential):
        ApiSig("bae", text)


def test_a_date_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidInput, match="time zone"):
        create_api_sig(SECRET, datetime(2030, 1, 2))  # noqa: DTZ001


def test_a_date_in_another_zone_is_written_in_utc() -> None:
    date = datetime(2030, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2)))
    assert create_api_sig(SECRET, date) == create_api_sig(SECRET, at("2030-01-02T03:04:05Z"))


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"key": "k", "sig": "bae"},
        {"key": "k", "sig": "bae", "msg": "soon"},
        {"key": "", "sig": "bae", "msg": "2030-01-02T03:04:05Z"},
        {"key": "k\r\nx: y", "sig": "bae", "msg": "2030-01-02T03:04:05Z"},
        {"key": 7, "sig": "bae", "msg": "2030-01-02T03:04:05Z"},
        {"key": "k", "sig": "bae", "msg": "2030-01-02T03:04:05Z", "token": "a\nb"},
    ],
)
def test_malformed_user_auth_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(InvalidCredential):
        UserAuth.from_json(parts)


def test_signatures_and_user_auth_are_values() -> None:
    auth = create_user_auth("key", SECRET, expires=at("2030-01-02T03:04:05Z"), token="t")
    other = pickle.loads(pickle.dumps(auth))
    assert other == auth
    assert hash(other) == hash(auth)
    assert other.signature.expires == auth.signature.expires


def test_a_signer_signs_anew_when_half_of_a_life_has_passed() -> None:
    signer = KeySigner(SECRET)
    first = signer.signature(1000.0)
    assert first.expires.timestamp() == 2800
    assert signer.signature(1899.0) is first
    second = signer.signature(1900.0)
    assert second.expires.timestamp() == 3700
    assert signer.signature(1900.5) is second


def test_a_clock_set_back_does_not_keep_a_signature_that_lasts_too_long() -> None:
    signer = KeySigner(SECRET)
    signer.signature(10_000.0)
    assert signer.signature(1000.0).expires.timestamp() == 2800
