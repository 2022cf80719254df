"""The reference is complete and says what the code says."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import textile_aio
from tests.docs.markdown import ROOT, Page
from textile_aio import AuthContext, asgi, errors, localhub
from textile_aio.localhub.__main__ import _parser
from tools import reference

ENVIRONMENT = Page(ROOT / "docs/reference/environment.md")
_READ = re.compile(r'(?:environ\.get\(|environ\[|^VARIABLE = )"(TEXTILE_\w+)"', re.MULTILINE)


Pages = Mapping[Path, str]


@pytest.fixture(scope="module")
def written() -> Pages:
    """The reference as the source wants it."""
    return reference.pages()


def test_the_pages_are_what_the_docstrings_say(written: Pages) -> None:
    stale = [
        path.name for path, text in written.items() if not path.exists() or path.read_text("utf-8") != text
    ]
    assert not stale, "run: python -m tools.reference --write"


def test_every_public_name_has_a_place() -> None:
    documented = set(reference.Reference().documented)
    errors_there = {name for name, _ in inspect.getmembers(errors, inspect.isclass) if name != "IntEnum"}
    public = {*textile_aio.__all__, *localhub.__all__, *asgi.__all__} | errors_there - {"ClassVar"}
    missing = public - documented
    assert not missing


def test_every_public_method_has_a_place() -> None:
    documented = set(reference.Reference().documented)
    missing = [
        f"{name}.{member}"
        for module in (textile_aio, localhub, asgi)
        for name in module.__all__
        if inspect.isclass(kind := getattr(module, name)) and not issubclass(kind, Exception | int)
        for member, value in vars(kind).items()
        if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, classmethod))
        if f"{name}.{member}" not in documented
    ]
    assert not missing


def test_every_public_attribute_is_described(written: Pages) -> None:
    pages = {path.name: text for path, text in written.items()}
    documented = reference.Reference().documented
    missing = []
    for module in (textile_aio, localhub, asgi):
        for name in module.__all__:
            kind = getattr(module, name)
            if not inspect.isclass(kind) or issubclass(kind, Exception | int):
                continue
            page = pages[documented[name].partition("#")[0]]
            _, _, entry = page.partition(f"\n## {name}\n")
            entry = entry.partition("\n## ")[0]
            missing += [f"{name}.{each}" for each in _attributes(kind) if f"- `{each}`" not in entry]
    assert not missing


def _attributes(kind: type) -> Iterator[str]:
    fields: Mapping[str, object] = getattr(kind, "__dataclass_fields__", {})
    yield from (name for name in fields if not name.startswith("_"))
    yield from (
        name for name, value in vars(kind).items() if isinstance(value, property) and not name.startswith("_")
    )


def test_every_option_of_the_command_is_described() -> None:
    page = Page(ROOT / "docs/reference/command.md").prose()
    options = [option for action in _parser()._actions for option in action.option_strings]
    assert [option for option in options if not re.search(rf"`[^`]*{option}\b[^`]*`", page)] == []


def test_every_environment_variable_is_described() -> None:
    class Recorder(dict[str, str]):
        def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
            used.add(name)
            return default

    used: set[str] = set()
    AuthContext.from_env(Recorder())
    for folder in ("textile_aio", "tests", "benchmarks", "examples"):
        for file in (ROOT / folder).rglob("*.py"):
            used |= set(_READ.findall(file.read_text("utf-8")))
    assert used == set(re.findall(r"^- `(TEXTILE_\w+)`:", ENVIRONMENT.text, re.MULTILINE))
