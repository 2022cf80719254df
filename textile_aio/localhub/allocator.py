"""How memory is managed in the process that is a hub: a library has no business here."""

from __future__ import annotations

import ctypes
import gc
import sys

# malloc.h: M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT = 64 * 1024 * 1024
_LARGEST = 32 * 1024 * 1024


def keep_freed_memory() -> None:
    """Have what was freed used again, up to 64 MiB; elsewhere than on glibc do nothing.

    By default a buffer of 256 KiB goes back to the system when it is freed, and the next one is faulted in
    again, page by page: half of the time of a pull.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_MMAP_THRESHOLD, _LARGEST)
    mallopt(_TRIM_THRESHOLD, _KEPT)


def keep_what_is_there() -> None:
    """Have Python's collector pass over everything that was made so far: modules, classes, services.

    They stay as long as the process does, and looking through them takes 20 to 30 ms each time, a few times
    for every listing of a large directory.
    """
    gc.collect()
    gc.freeze()
