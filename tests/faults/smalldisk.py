"""A file system of a few MiB, for what happens when it is full."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path


class SmallDisk:
    """A file system of its own; a ballast file in it takes whatever room a test does not want to be left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "hub"
        self._ballast = folder / "ballast"

    def leave(self, room: int) -> None:
        """Leave so many bytes, rounded down to a page, and no more."""
        self._ballast.unlink(missing_ok=True)
        usage = shutil.disk_usage(self.folder)
        with self._ballast.open("wb") as file, suppress(OSError):
            os.posix_fallocate(file.fileno(), 0, max(usage.free - room, 1))

    def make_room(self) -> None:
        self._ballast.unlink(missing_ok=True)
