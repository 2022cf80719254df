"""RFC 3339 as the reference server reads it (spec: identity-and-auth §8)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio.localhub.access.timestamps import parse_rfc3339


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2030-01-02T03:04:05Z", 1893553445),
        ("2030-01-02T03:04:05+02:00", 1893546245),
        ("2030-01-02T03:04:05-02:30", 1893562445),
        ("2030-01-02T03:04:05.678Z", 1893553445.678),
    ],
)
def test_accepted_forms(text: str, seconds: float) -> None:
    assert parse_rfc3339(text) == round(seconds * 1000) * 1_000_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2030-01-02",
        "2030-01-02T03:04:05",
        "2030-01-02t03:04:05Z",
        "2030-01-02T03:04:05z",
        "2030-01-02 03:04:05Z",
        "2030-13-02T03:04:05Z",
        "2030-02-30T03:04:05Z",
        "2030-01-02T24:00:00Z",
        "2030-01-02T03:04:60Z",
        "2030-01-02T03:04:05.Z",
        "2030-01-02T03:04:05+0200",
        "2030-01-02T03:04:05+02:60",
        " 2030-01-02T03:04:05Z",
        "2030-01-02T03:04:05Z\n",
        "٢٠٣٠-01-02T03:04:05Z",
        "99999-01-02T03:04:05Z",
    ],
)
def test_everything_else_is_no_time(text: str) -> None:
    assert parse_rfc3339(text) is None


def test_fractions_of_any_length_are_cut_to_nanoseconds() -> None:
    assert parse_rfc3339("1970-01-01T00:00:00.1234567899999Z") == 123_456_789


@given(
    st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)),  # noqa: DTZ001
    st.integers(-23 * 60, 23 * 60),
)
def test_agrees_with_the_standard_library(moment: datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    expected = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    text = aware.isoformat()
    assert parse_rfc3339(text) == expected
