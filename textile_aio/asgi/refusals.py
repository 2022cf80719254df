"""What a web client is told of an error: a status and a text, never more than is good for it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse

from textile_aio.errors import (
    ApiKeyNotFound,
    ClosedError,
    Conflict,
    DeadlineExceeded,
    FailedPrecondition,
    InvalidCredential,
    InvalidInput,
    IsADirectory,
    MessageTooLarge,
    NotADirectory,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    TextileError,
    Unauthenticated,
    Unavailable,
    Unimplemented,
)

_STATUS: Final[tuple[tuple[type[TextileError], HTTPStatus], ...]] = (
    (Unauthenticated, HTTPStatus.UNAUTHORIZED),
    (InvalidCredential, HTTPStatus.UNAUTHORIZED),
    (ApiKeyNotFound, HTTPStatus.UNAUTHORIZED),
    (PermissionDenied, HTTPStatus.FORBIDDEN),
    (MessageTooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (ResourceExhausted, HTTPStatus.TOO_MANY_REQUESTS),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (FailedPrecondition, HTTPStatus.CONFLICT),
    (InvalidInput, HTTPStatus.BAD_REQUEST),
    (IsADirectory, HTTPStatus.BAD_REQUEST),
    (NotADirectory, HTTPStatus.BAD_REQUEST),
    (Unimplemented, HTTPStatus.NOT_IMPLEMENTED),
    (DeadlineExceeded, HTTPStatus.GATEWAY_TIMEOUT),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (ClosedError, HTTPStatus.SERVICE_UNAVAILABLE),
    (TextileError, HTTPStatus.BAD_GATEWAY),
)
"""The first class that fits decides."""

_LONGEST = 300


def status_of(error: Exception) -> HTTPStatus:
    """The status of HTTP that says the same."""
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def text_of(error: Exception) -> str:
    """What may be said of it: of failures on this side, or between here and the hub, only that they are."""
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or not isinstance(error, TextileError):
        return status.description or status.phrase
    return error.message[:_LONGEST]


def error_response(request: Request, error: Exception) -> JSONResponse:
    """Answer a web request that an error of this package has ended; a handler for Starlette and FastAPI.

    ::

        app = Starlette(exception_handlers={TextileError: error_response})

    The body is ``{"error": "PathNotFound", "message": "..."}``. The status is 401 where somebody has to sign
    in (again), 403 where that would not help, 400, 404, 409, 413 or 429 for what the request asked, and 500
    and above for failures on this side, of which nothing more is said.

    Args:
        request: The request; not looked at.
        error: What was raised.
    """
    status = status_of(error)
    headers = {"cache-control": "no-store"}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"  # RFC 9110 §11.6.1: one has to be named
    return JSONResponse({"error": type(error).__name__, "message": text_of(error)}, status, headers)
