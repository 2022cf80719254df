"""Slugs follow the rules of spec: hub-accounts §4.6."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from textile_aio.localhub.accounts.slugs import LONGEST, slug

NAMES = (
    st.text(max_size=80) | st.text(alphabet="ab-_ &é", max_size=80) | st.from_regex(r"([a-c_-]{0,9}-){0,9}")
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("My awesome org!", "My-awesome-org"),
        ("  trimmed\t", "trimmed"),
        ("Rock & Roll", "Rock-and-Roll"),
        ("me@home", "meathome"),
        ('"it\'s" ‘it’s’', "its-its"),
        ("a‒b–c—d―e", "a-b-c-d-e"),
        ("under_score", "under_score"),
        ("_-_edges-_-", "edges"),
        ("a   -  b", "a-b"),
        ("case IS kept", "case-IS-kept"),
        ("café", "cafe"),
        ("", ""),
        ("!!!", ""),
        ("--__--", ""),
        ("../../etc/passwd", "etc-passwd"),
        ("a\x00b\r\nc", "a-b-c"),
        ("a" * 31, "a" * 31),
        ("a" * 32, "a" * 32),
        ("a" * 33, "a" * 32),
        ("a" * 40 + "-b", "a" * 32),
        ("one two three four five six seven eight", "one-two-three-four-five-six"),
        # As upstream counts, one character more may come out of it.
        ("a" * 31 + " b", "a" * 31 + "-b"),
        ("a" * 30 + " bb", "a" * 30 + "-bb"),
        ("a" * 30 + " bbb", "a" * 30),
    ],
)
def test_a_name_gets_the_slug_of_the_rules(name: str, expected: str) -> None:
    assert slug(name) == expected


@given(NAMES)
@example("ß" * 100)
@example("㍿" * 40)
def test_a_slug_is_always_fit_for_links_and_headers(name: str) -> None:
    made = slug(name)
    assert re.fullmatch(r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9_-]*[a-zA-Z0-9_])?)?", made), made
    assert "--" not in made
    assert len(made) <= LONGEST + 1


@given(NAMES)
@example("a" * 20 + "_ " + "b" * 20)
def test_a_slug_is_its_own_slug(name: str) -> None:
    """But for an underscore that it was cut after, which upstream leaves there as well."""
    made = slug(name)
    again = slug(made)
    assert again == made.rstrip("-_")
    assert slug(again) == again


@pytest.mark.parametrize(
    "script", ["Ελλάδα", "Україна", "日本語", "한국어", "עברית", "हिन्दी", "ไทย", "العربية"]
)
def test_a_name_in_any_script_has_a_slug(script: str) -> None:
    assert slug(script)
