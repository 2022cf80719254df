"""fsspec's own suites for implementations of its interface."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fsspec.tests.abstract import (
    AbstractCopyTests,
    AbstractFixtures,
    AbstractGetTests,
    AbstractOpenTests,
    AbstractPipeTests,
    AbstractPutTests,
)

from textile_aio.fs import BucketFileSystem


class Fixtures(AbstractFixtures):  # type: ignore[misc]  # fsspec has no types
    @pytest.fixture
    def fs(self, options: dict[str, Any]) -> Iterator[BucketFileSystem]:
        made = BucketFileSystem(**options)
        yield made
        made.close()

    @pytest.fixture
    def fs_path(self, key: str) -> str:
        return f"{key}/below"

    @pytest.fixture
    def fs_join(self) -> Callable[..., str]:
        return posixpath.join

    @pytest.fixture
    def supports_empty_directories(self) -> bool:
        return False


class TestCopy(Fixtures, AbstractCopyTests):  # type: ignore[misc]  # fsspec has no types
    pass


class TestGet(Fixtures, AbstractGetTests):  # type: ignore[misc]  # fsspec has no types
    pass


class TestPut(Fixtures, AbstractPutTests):  # type: ignore[misc]  # fsspec has no types
    pass


class TestOpen(Fixtures, AbstractOpenTests):  # type: ignore[misc]  # fsspec has no types
    pass


class TestPipe(Fixtures, AbstractPipeTests):  # type: ignore[misc]  # fsspec has no types
    pass
