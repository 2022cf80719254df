"""What can be done with this project, one session a verb: ``nox --list``."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import nox

nox.needs_version = ">=2024.10"
nox.options.default_venv_backend = "venv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["tests", "lint", "types", "protos", "layers", "docs"]

PYPROJECT = nox.project.load_toml("pyproject.toml")


def installed(*versions: str) -> list[str]:
    """Interpreters of these versions that really start, on the path or kept by pyenv."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = []
    for version in versions:
        candidates = [shutil.which(f"python{version}"), *sorted(kept.glob(f"{version}.*/bin/python"))]
        for candidate in filter(None, candidates):
            # A shim of pyenv is on the path even where it leads nowhere.
            if subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
                found.append(str(candidate))
                break
    return found


OTHER_PYTHONS = installed("3.12", "3.13", "3.14")


@nox.session
def tests(session: nox.Session) -> None:
    """Everything that needs no other language, two files at a time. Arguments go to pytest instead."""
    install(session, "tests", "quickstart")
    session.run("pytest", *(session.posargs or ("-n", "2", "--dist", "loadfile")))


@nox.session(python=OTHER_PYTHONS or None)
def versions(session: nox.Session) -> None:
    """What depends on the version of asyncio, on every other Python that is installed."""
    install(session, "tests")
    session.run("pytest", "tests/rpc", "tests/buckets", "tests/suite", "-k", "not recorded", *session.posargs)


@nox.session
def interop(session: nox.Session) -> None:
    """Unmodified Go and JavaScript clients at our hub, our suite at Go's. Needs go, node and npm."""
    install(session, "tests")
    session.run("pytest", "tests/interop", *session.posargs)


@nox.session
def quickstart(session: nox.Session) -> None:
    """The walk: a hub, an account, a bucket, real files there and back. ``-- PATH`` pushes your own."""
    install(session, "quickstart")
    session.run("python", "examples/quickstart.py", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: rules and format."""
    session.install(*group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Mypy strict over everything; pyright over the public names."""
    # Not editable: pyright looks for py.typed beside an installed package.
    session.install(".[hub]", *group("types"))
    session.run("mypy", "textile_aio", "tests", "benchmarks", "examples", "tools")
    session.run("pyright", "tests/typing")
    script = Path("tools/public_types.py").resolve()
    session.chdir(session.create_tmp())
    session.run("python", str(script))


@nox.session
def protos(session: nox.Session) -> None:
    """Regenerate ``_proto/`` and compare. ``-- --write`` keeps the result."""
    install(session, "protos")
    session.run("python", "tools/protos.py", *(session.posargs or ["--check"]))


@nox.session
def layers(session: nox.Session) -> None:
    """Imports point down only."""
    install(session, "layers")
    session.run("lint-imports")


@nox.session
def docs(session: nox.Session) -> None:
    """Every code block runs, every public name has a page, links hold."""
    install(session, "tests", "quickstart")
    session.run("pytest", "tests/docs", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure against the limits, ratios within one run; results as JSON in ``bench-results/``."""
    install(session, "tests")
    session.run("python", "-m", "benchmarks", *session.posargs)


def group(*names: str) -> list[str]:
    return nox.project.dependency_groups(PYPROJECT, *names)


def install(session: nox.Session, *groups: str) -> None:
    session.install("-e", ".[hub,asgi]", *group(*groups))
