"""Pages that are kept by hand hold what they have to: the README, the dependencies, the differences."""

from __future__ import annotations

import re
import tomllib

from tests.docs.markdown import ROOT, Page

README = Page(ROOT / "README.md")
ARCHITECTURE = Page(ROOT / "docs/explanation/architecture.md")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
COMMANDS = """\
python3 -m venv .venv && .venv/bin/pip install -q nox && .venv/bin/nox -s quickstart
python3 -m venv .venv && .venv/bin/pip install -q nox && .venv/bin/nox -s tests
"""


def test_the_readme_has_exactly_the_two_commands() -> None:
    commands = [line for line in README.text.splitlines() if "nox -s" in line]
    assert commands == COMMANDS.splitlines()
    assert COMMANDS.splitlines()[1] in (ROOT / ".ci/run").read_text("utf-8").splitlines()


def test_the_readme_fits_a_screen() -> None:
    assert len(README.text.splitlines()) <= 100


def test_the_readme_asks_to_install_from_source() -> None:
    installs = re.findall(r"pip install (?!-q nox)([^\s`]+)", README.text)
    assert installs == ["'.[hub]'", "."]


def test_every_dependency_has_its_reason() -> None:
    page = (ROOT / "docs/dependencies.md").read_text("utf-8")
    listed = set(re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE))
    groups = PROJECT["dependency-groups"].values()
    needed = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
    needed += [each for extra in PROJECT["project"]["optional-dependencies"].values() for each in extra]
    needed += [each for group in groups for each in group if isinstance(each, str)]
    assert listed - {"nox"} == {re.split(r"[\[<>=~ ]", each)[0] for each in needed}


def test_every_difference_names_a_test_that_exists() -> None:
    page = Page(ROOT / "docs/compatibility.md")
    rows = [line for line in page.text.splitlines() if re.match(r"\| (?!Upstream|---)", line)]
    assert len(rows) > 20
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert named, f"no test is named: {row[:80]}"
        for file, function in named:
            assert f"def {function}(" in (ROOT / file).read_text("utf-8"), f"{file} has no {function}"


def test_decisions_are_dated() -> None:
    for path in (ROOT / "docs/explanation/decisions").glob("*.md"):
        if path.name != "index.md":
            assert re.search(r"^\d{4}-\d\d-\d\d$", path.read_text("utf-8"), re.MULTILINE), path.name


def test_the_architecture_page_draws_the_layers_that_are_checked() -> None:
    (contract,) = [
        each
        for each in PROJECT["tool"]["importlinter"]["contracts"]
        if each["type"] == "layers" and "textile_aio.errors" in each["layers"]
    ]
    checked = [set(re.findall(r"textile_aio\.(\w+)", layer)) for layer in contract["layers"]]
    _, drawn = ARCHITECTURE.blocks("text")
    assert [set(line.split()) for line in drawn.text.splitlines()] == checked


def test_the_architecture_page_names_rooms_that_exist() -> None:
    tree, _ = ARCHITECTURE.blocks("text")
    folder = ""
    missing = []
    for line in tree.text.splitlines()[1:]:
        names = re.match(r" *((?:[\w.]+/? )+)", line + " ")
        assert names
        inside = line.startswith("    ")
        for name in names[1].split():
            path = ROOT / "textile_aio" / (folder if inside else "") / name
            if not path.exists():
                missing.append(name)
            if not inside and name.endswith("/"):
                folder = name
    assert not missing
    top = {path.name for path in (ROOT / "textile_aio").iterdir() if path.is_dir()} - {"__pycache__"}
    assert {name for name in top if f"{name}/" not in tree.text} == set()
