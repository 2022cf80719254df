"""What tests of the doors can ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.localhub.doors.certificates import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Keeps its files beside, not in, the data directories of a test."""
    folder = tmp_path / "tls"
    folder.mkdir()
    return Authority(folder)
