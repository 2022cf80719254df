"""A hub in a thread of its own for each test session, and a file system of a fresh caller for each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fsspec
import pytest

from textile_aio import AuthContext, Bucket
from textile_aio.fs import BucketFileSystem
from textile_aio.pytest_plugin import HubThread


@pytest.fixture(autouse=True)
def registered() -> None:
    """As the entry point does, also where the package was installed before it had one."""
    fsspec.register_implementation("bucket", BucketFileSystem, clobber=True)


@pytest.fixture
def caller(textile_hub: HubThread) -> AuthContext:
    """Who calls, with a thread."""
    auth = textile_hub.new_auth()
    return auth.with_thread(textile_hub.new_thread(auth))


@pytest.fixture
def bucket(textile_hub: HubThread, caller: AuthContext) -> Bucket:
    return textile_hub.new_bucket(caller, "files")


@pytest.fixture
def key(bucket: Bucket) -> str:
    return bucket.key


@pytest.fixture
def options(textile_hub: HubThread, caller: AuthContext) -> dict[str, Any]:
    """What pandas and others call storage options."""
    return {"target": textile_hub.target, "ctx": caller}


@pytest.fixture
def fs(options: dict[str, Any]) -> Iterator[BucketFileSystem]:
    made = BucketFileSystem(**options, skip_instance_cache=True)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def kept_file_systems() -> Iterator[None]:
    """Close what fsspec keeps, so that no connection outlives the test."""
    yield
    for made in BucketFileSystem._cache.values():
        if not made.asynchronous:
            made.close()
    BucketFileSystem.clear_instance_cache()
