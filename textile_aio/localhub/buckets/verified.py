"""Which encrypted files are known to be whole, and under which key.

A file's address stands for every byte of it, so what was verified once under a key is so for ever: a reader
who finds each block to have its address needs no second look at the whole. Only this process's memory of it
is owned here.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from textile_aio._codec.cid import Cid

_MOST = 65_536


class VerifiedFiles:
    """Addresses of encrypted files, with the keys they were verified or made with.

    The oldest are forgotten.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[bytes, bytes], None] = OrderedDict()

    def add(self, file: Cid, key: bytes) -> None:
        """A file was verified, or encrypted here."""
        self._known[_entry(file, key)] = None
        if len(self._known) > _MOST:
            self._known.popitem(last=False)

    def holds(self, file: Cid, key: bytes) -> bool:
        """Whether a file is known to be whole under a key."""
        entry = _entry(file, key)
        if entry not in self._known:
            return False
        self._known.move_to_end(entry)
        return True


def _entry(file: Cid, key: bytes) -> tuple[bytes, bytes]:
    return file.bytes, hashlib.sha256(key).digest()  # no second copy of a key in memory
