"""What the suite does not ask of other hubs is written down as a difference."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import OURS

ROOT = Path(__file__).parents[2]


def needing(feature: str) -> Iterator[str]:
    """The tests of the suite that need a feature."""
    for path in (ROOT / "tests/suite").glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for mark in node.decorator_list:
                    if (
                        isinstance(mark, ast.Call)
                        and ast.unparse(mark.func) == "pytest.mark.needs"
                        and feature in [ast.literal_eval(argument) for argument in mark.args]
                    ):
                        yield f"tests/suite/{path.name}::{node.name}"


@pytest.mark.parametrize("feature", sorted(OURS))
def test_what_go_is_not_asked_for_is_written_down(feature: str) -> None:
    differences = (ROOT / "docs/compatibility.md").read_text()
    tests = list(needing(feature))
    assert tests
    assert any(f"`{test}`" in differences for test in tests), tests
