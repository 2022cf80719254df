"""What the package says is public is all there, and nothing else is."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys

import pytest

import textile_aio
import textile_aio.localhub
from textile_aio import errors

MODULES = ["textile_aio", "textile_aio.asgi", "textile_aio.localhub"]


@pytest.mark.parametrize("name", MODULES)
def test_all_names_what_is_there_in_order(name: str) -> None:
    module = importlib.import_module(name)
    assert sorted(module.__all__) == list(module.__all__)
    assert len(set(module.__all__)) == len(module.__all__)
    for public in module.__all__:
        assert getattr(module, public) is not None


def test_every_error_is_public() -> None:
    defined = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and value.__module__ in ("textile_aio", "textile_aio.errors")
    }
    assert defined <= set(textile_aio.__all__)


@pytest.mark.parametrize("name", textile_aio.__all__)
def test_public_names_say_where_users_import_them_from(name: str) -> None:
    value = getattr(textile_aio, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert value.__module__ == "textile_aio"


@pytest.mark.parametrize("name", [name for name in textile_aio.__all__ if name != "__version__"])
def test_public_names_are_documented(name: str) -> None:
    value = getattr(textile_aio, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)


def test_importing_the_package_starts_no_hub_and_no_database() -> None:
    unwanted = ("textile_aio.localhub", "textile_aio.storage", "sqlite3", "pytest", "rich")
    code = f"import sys, textile_aio; print([name for name in sys.modules if name.startswith({unwanted})])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
