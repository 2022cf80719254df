"""What tests of the transport can ask for."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest


@pytest.fixture
async def nothing_unhandled() -> AsyncIterator[None]:
    """Whatever a peer does, nothing reaches the loop's exception handler."""
    seen: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context))
    yield
    gc.collect()
    assert seen == []
