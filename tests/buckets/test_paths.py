"""Paths in a bucket: what is sent for them, and what is refused."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio import InvalidPath
from textile_aio.buckets.paths import for_file, for_reading, for_writing

PARTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=8)
CLEAN = st.lists(PARTS.filter(lambda part: part not in (".", "..")), min_size=1, max_size=4).map("/".join)


@given(CLEAN)
def test_a_clean_path_is_sent_as_it_is_and_one_leading_slash_is_taken_off(path: str) -> None:
    assert for_reading(path) == for_file(path) == path
    assert for_reading(f"/{path}") == path


@given(CLEAN)
def test_a_pure_path_is_its_text(path: str) -> None:
    assert for_writing(PurePosixPath(path)) == path


@pytest.mark.parametrize("root", ["", "/", PurePosixPath(), PurePosixPath("/")])
def test_the_root_can_be_read_and_is_no_file(root: str | PurePosixPath) -> None:
    assert for_reading(root) == ""
    with pytest.raises(InvalidPath, match="empty"):
        for_file(root)


@pytest.mark.parametrize("path", ["a//b", "//a", "a/", "a/./b", "..", "a/..", "a\0", "\udc80", 7, b"a", None])
def test_a_path_out_of_form_is_refused(path: object) -> None:
    with pytest.raises(InvalidPath):
        for_reading(path)  # type: ignore[arg-type]


def test_the_seed_can_be_read_and_not_written() -> None:
    assert for_file(".textileseed") == ".textileseed"
    for path in (".textileseed", "a/.textileseed", "a.textileseed/b"):
        with pytest.raises(InvalidPath, match="not allowed"):
            for_writing(path)
