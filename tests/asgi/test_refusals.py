"""Every error of the package has a status, and failures on this side stay here."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from textile_aio import (
    AlreadyExists,
    ApiKeyNotFound,
    AuthExpired,
    BadSignature,
    ClosedError,
    DeadlineExceeded,
    InvalidCredential,
    InvalidInput,
    MessageTooLarge,
    PathNotFound,
    PermissionDenied,
    QuotaExceeded,
    RemoteError,
    TextileError,
    Unavailable,
    Unimplemented,
    errors,
)
from textile_aio.asgi import error_response

REQUEST = Request({"type": "http", "headers": []})


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (AuthExpired, 401), (BadSignature, 401), (InvalidCredential, 401), (ApiKeyNotFound, 401),
        (PermissionDenied, 403), (PathNotFound, 404), (AlreadyExists, 409), (InvalidInput, 400),
        (MessageTooLarge, 413), (QuotaExceeded, 429), (RemoteError, 502), (Unimplemented, 501),
        (Unavailable, 503), (ClosedError, 503), (DeadlineExceeded, 504), (RuntimeError, 500),
    ],
)  # fmt: skip
def test_the_status_says_what_can_be_done(kind: type[Exception], status: int) -> None:
    assert error_response(REQUEST, kind("x")).status_code == status


@pytest.mark.parametrize(
    "kind",
    [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, TextileError)],
)
def test_every_error_has_one_and_failures_on_this_side_are_not_told(kind: type[TextileError]) -> None:
    response = error_response(REQUEST, kind("what happened here"))
    told = b"what happened here" in bytes(response.body)
    assert told == (response.status_code < 500)
    assert kind.__name__.encode() in bytes(response.body)
    assert response.headers["cache-control"] == "no-store"
