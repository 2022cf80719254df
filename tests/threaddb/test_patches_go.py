"""Differences and merges are, byte for byte, those of the Go library that peers use."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from textile_aio.errors import InvalidInput
from textile_aio.threaddb.patches import diff, merge

RECORDED = json.loads((Path(__file__).parent / "go_merge_patches.json").read_text())["cases"]

Case = dict[str, str]


def outcome(case: Case, kind: str) -> str:
    return case[f"{kind}_error"] if f"{kind}_error" in case else case[kind]


def answer(call: Callable[[bytes, bytes], bytes], first: str, second: str) -> str:
    try:
        return call(first.encode(), second.encode()).decode()
    except InvalidInput as error:
        return error.message


def test_enough_is_recorded() -> None:
    assert len(RECORDED) > 200


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["old"][:40])
def test_the_difference_is_what_go_says_of_what_go_can_hold(case: Case) -> None:
    assert answer(diff, held(case["old"]), held(case["new"])) == outcome(case, "diff")


def held(text: str) -> str:
    """A document with its long integers as Go holds them: as float64."""
    return re.sub(r"(?<![\d.eE])\d{16,}(?![\d.eE])", lambda found: f"{found[0]}.0", text)


@pytest.mark.parametrize(
    "case", [case for case in RECORDED if "diff" in case], ids=lambda case: case["old"][:40]
)
def test_merging_the_difference_gives_what_go_gives(case: Case) -> None:
    assert answer(merge, case["old"], case["diff"]) == outcome(case, "merged")


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["patch"][:40])
def test_merging_any_patch_gives_what_go_gives(case: Case) -> None:
    assert answer(merge, case["old"], case["patch"]) == outcome(case, "patched")
