"""Mailboxes over each kind of store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.localhub.mail.office import Office, office


@pytest.fixture(params=["memory", "sqlite"])
async def post(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Office]:
    """An office."""
    async with office(tmp_path if request.param == "sqlite" else None) as opened:
        yield opened
