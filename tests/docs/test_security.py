"""The page about security: each row about strangers names a test that is there."""

from __future__ import annotations

import re

import pytest

from tests.docs.markdown import ROOT, Page

PAGE = Page(ROOT / "docs/security.md")


def rows(heading: str) -> list[str]:
    section = PAGE.text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("| ")][1:]


@pytest.mark.parametrize(
    "heading", ["Where upstream lets in who does not belong", "What stays open, and why"]
)
def test_every_row_names_a_test_that_exists(heading: str) -> None:
    found = [row for row in rows(heading) if not row.startswith("| ---")]
    assert len(found) > 8
    for row in found:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert named, f"no test is named: {row[:80]}"
        for file, function in named:
            assert f"def {function}(" in (ROOT / file).read_text("utf-8"), f"{file} has no {function}"
