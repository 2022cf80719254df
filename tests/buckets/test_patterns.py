"""Patterns fit the paths they describe, and say where a walk may stop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio import InvalidPath
from textile_aio.buckets.patterns import Pattern, split

NAMES = st.text("ab.", min_size=1, max_size=3).filter(lambda name: name not in (".", ".."))
PARTS = st.lists(NAMES, min_size=1, max_size=4)
PATTERNS = st.lists(st.sampled_from(["**", "*", "a*", "?", "[ab]", "[!a]", "a", "b"]), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("pattern", "paths", "others"),
    [
        ("**", ["a", "a/b", ".hidden"], []),
        ("*", ["a", ".hidden"], ["a/b"]),
        ("**/*.txt", ["a.txt", "a/b/c.txt"], ["a.txtx", "a.txt/b"]),
        ("a/**", ["a", "a/b", "a/b/c"], ["b", "ab/c"]),
        ("a/**/z", ["a/z", "a/b/c/z"], ["z", "a/b"]),
        ("a/**/b/**/c", ["a/b/c", "a/x/b/y/c"], ["a/c", "a/b"]),
        ("img?.[pj]*", ["img1.png", "img2.jpg"], ["img.png", "img1.gif"]),
        ("[!a]", ["b"], ["a"]),
        ("A", ["A"], ["a"]),
    ],
)
def test_a_pattern_fits(pattern: str, paths: list[str], others: list[str]) -> None:
    fits = [path for path in [*paths, *others] if Pattern(pattern).fits(path.split("/"))]
    assert fits == paths


def naive(pattern: list[str], parts: list[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(naive(pattern[1:], parts[taken:]) for taken in range(len(parts) + 1))
    return bool(parts) and Pattern(pattern[0]).fits(parts[:1]) and naive(pattern[1:], parts[1:])


@given(PATTERNS, PARTS)
def test_any_number_of_parts_may_stand_for_two_stars(pattern: list[str], parts: list[str]) -> None:
    assert Pattern("/".join(pattern)).fits(parts) == naive(pattern, parts)


@given(PATTERNS, PARTS)
def test_all_above_a_path_that_fits_reach_it(pattern: list[str], parts: list[str]) -> None:
    compiled = Pattern("/".join(pattern))
    if compiled.fits(parts):
        assert all(compiled.reaches_below(parts[:length]) for length in range(len(parts)))
    if compiled.bounded:
        assert not compiled.reaches_below(["a"] * len(pattern))


@given(PATTERNS, PARTS)
def test_a_pattern_is_split_into_a_directory_and_the_rest(pattern: list[str], parts: list[str]) -> None:
    directory, rest = split("/".join(pattern))
    inside = directory.split("/") if directory else []
    whole = Pattern("/".join(pattern)).fits(parts)
    assert whole == (parts[: len(inside)] == inside and Pattern(rest).fits(parts[len(inside) :]))


@pytest.mark.parametrize("pattern", ["", "/", "a//b", "../a", "a/./b"])
def test_a_pattern_is_a_path(pattern: str) -> None:
    with pytest.raises(InvalidPath):
        Pattern(pattern)
