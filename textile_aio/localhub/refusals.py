"""Refusals in the words of a Go server that wraps one error into another."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

from textile_aio.errors import (
    DatabaseNotFound,
    InstanceNotFound,
    StatusCode,
    TextileError,
    ThreadNotFound,
    WriteDenied,
)

_GO_NAMES = {
    StatusCode.UNKNOWN: "Unknown",
    StatusCode.INVALID_ARGUMENT: "InvalidArgument",
    StatusCode.NOT_FOUND: "NotFound",
    StatusCode.PERMISSION_DENIED: "PermissionDenied",
    StatusCode.FAILED_PRECONDITION: "FailedPrecondition",
}
"""Statuses that reach a handler from another service, by the names Go prints."""

_FROM_THREADS = (DatabaseNotFound, InstanceNotFound, ThreadNotFound, WriteDenied)


@contextmanager
def wrapping(prefix: str, *, code: StatusCode = StatusCode.UNKNOWN) -> Iterator[None]:
    """Put ``prefix`` before the text of a refusal within, and another code on it.

    What upstream gets from the threads service over the wire, it prints as a status (spec: buckets-api §2).
    """
    try:
        yield
    except TextileError as error:
        wrapped = copy.copy(error)
        inner = error.message
        if isinstance(error, _FROM_THREADS):
            name = _GO_NAMES.get(error.code or StatusCode.UNKNOWN, "Unknown")
            inner = f"rpc error: code = {name} desc = {inner}"
        wrapped.message = f"{prefix}: {inner}"
        wrapped.code = code
        raise wrapped from None
