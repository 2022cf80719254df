"""The one way to recorded values.

``load("keys")`` reads ``keys.json`` of the folder that ``TEXTILE_VECTORS`` names, or of ``tests/vectors``.
"""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "vectors"


def folder() -> Path:
    return Path(os.environ.get("TEXTILE_VECTORS") or HERE)


@functools.cache
def load(name: str) -> dict[str, Any]:
    with (folder() / f"{name}.json").open(encoding="utf-8") as file:
        data: dict[str, Any] = json.load(file)
    return data


def cases(name: str, kind: str | None = None) -> list[Any]:
    """The cases of one file (of one kind), for parametrize."""
    return [case for case in load(name)["cases"] if kind is None or case.get("kind") == kind]


def label(case: dict[str, Any]) -> str:
    return str(case.get("name") or case.get("string") or case.get("text") or case.get("kind") or "case")[:60]
