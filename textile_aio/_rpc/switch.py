"""The one switch back to grpclib's own transport, for diagnosis."""

from __future__ import annotations

import os

VARIABLE = "TEXTILE_AIO_STOCK_HTTP2"


def is_fast(*, choice: bool | None) -> bool:
    """The caller's `choice` if there is one; else yes, unless `TEXTILE_AIO_STOCK_HTTP2` is set to 1."""
    if choice is not None:
        return choice
    return os.environ.get(VARIABLE, "") in ("", "0")
