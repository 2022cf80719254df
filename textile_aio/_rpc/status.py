"""How a call ended, as one of our errors: gRPC statuses, HTTP/2 resets, lost connections.

The only place that turns what the wire or grpclib says into exceptions. It reads headers and texts and does
no I/O; which status *text* means which class is :func:`textile_aio.errors.from_status`'s business.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import unquote_to_bytes

from grpclib.exceptions import GRPCError
from h2.errors import ErrorCodes

from textile_aio import errors
from textile_aio.errors import StatusCode, TextileError

Headers = Sequence[tuple[str, str]]


class Origin(Protocol):
    """What every error of a call names."""

    @property
    def path(self) -> str: ...

    @property
    def about(self) -> str: ...

    @property
    def peer(self) -> str: ...


# gRPC: doc/http-grpc-status-mapping.md
_BY_HTTP_STATUS = {
    "400": StatusCode.INTERNAL,
    "401": StatusCode.UNAUTHENTICATED,
    "403": StatusCode.PERMISSION_DENIED,
    "404": StatusCode.UNIMPLEMENTED,
    "429": StatusCode.UNAVAILABLE,
    "502": StatusCode.UNAVAILABLE,
    "503": StatusCode.UNAVAILABLE,
    "504": StatusCode.UNAVAILABLE,
}

# gRPC: doc/PROTOCOL-HTTP2.md, "Errors"
_BY_RESET = {
    ErrorCodes.REFUSED_STREAM: StatusCode.UNAVAILABLE,
    ErrorCodes.CANCEL: StatusCode.CANCELLED,
    ErrorCodes.ENHANCE_YOUR_CALM: StatusCode.RESOURCE_EXHAUSTED,
    ErrorCodes.INADEQUATE_SECURITY: StatusCode.PERMISSION_DENIED,
    ErrorCodes.STREAM_CLOSED: StatusCode.UNKNOWN,
    ErrorCodes.HTTP_1_1_REQUIRED: StatusCode.UNKNOWN,
}

# grpclib tells how a stream was terminated in words only (grpclib/protocol.py: EventsProcessor).
_RESET = re.compile(r"Stream reset by remote party, error_code: (\d+)")
_GOAWAY = re.compile(r"Received GOAWAY frame.*error_code: (\d+)")
_BROKEN = "Protocol error"
_LOST = frozenset({"Connection lost", "Connection closed"})

REFUSED = f"Stream reset by remote party, error_code: {int(ErrorCodes.REFUSED_STREAM)}"
"""grpclib's words for a stream that the peer has not looked at."""


def refusal(headers: Headers, call: Origin) -> TextileError | None:
    """The error that trailers (or trailers-only headers) report, None for OK.

    A status number outside gRPC's counts as UNKNOWN; bytes of the message that are not UTF-8 are replaced.
    """
    fields = dict(headers)
    text = fields.get("grpc-status")
    if text is None:
        return _protocol(call, "ended the call without a grpc-status")
    if not (text.isascii() and text.isdigit()):
        return _protocol(call, f"sent grpc-status {text[:40]!r}, which is not a number")
    code = int(text)
    if code == StatusCode.OK:
        return None
    message = decode_message(fields.get("grpc-message", ""))
    return errors.from_status(code, message, method=call.path, about=call.about)


def decode_message(value: str) -> str:
    """Undo the percent-encoding of ``grpc-message``; never fails.

    Args:
        value: The header's bytes as latin-1 text.
    """
    return unquote_to_bytes(value.encode("latin-1", "replace")).decode("utf-8", "replace")


def misfit(headers: Headers, call: Origin) -> TextileError | None:
    """The error if response headers are not those of a gRPC answer, such as an HTML page of a proxy."""
    fields = dict(headers)
    status = fields.get(":status")
    content_type = fields.get("content-type", "")
    if status == "200" and content_type.partition(";")[0].partition("+")[0] == "application/grpc":
        return None
    if "grpc-status" in fields:
        return None  # the status says more than the wrapping
    if status == "200":
        return _protocol(call, f"answered with content-type {content_type[:60]!r} instead of gRPC")
    code = _BY_HTTP_STATUS.get(status or "", StatusCode.UNKNOWN)
    return errors.from_status(
        code,
        f"{call.peer} answered with HTTP status {status} instead of gRPC",
        method=call.path,
        about=call.about,
    )


def terminated(reason: str, call: Origin, *, cause: BaseException | None = None) -> TextileError:
    """The error for a stream that ended without a status.

    Args:
        reason: grpclib's words, from ``StreamTerminatedError``.
        call: Whose stream it was.
        cause: What broke the connection, if known.
    """
    error = _terminated(reason, call)
    error.__cause__ = cause
    return error


def _terminated(reason: str, call: Origin) -> TextileError:
    if reset := _RESET.match(reason):
        number = int(reset[1])
        if number == ErrorCodes.NO_ERROR:
            return _protocol(call, "reset the call without a status")
        code = _BY_RESET.get(number, StatusCode.INTERNAL)  # type: ignore[call-overload]  # an IntEnum's key
        return errors.from_status(
            code, f"{call.peer} reset the call: {_name(number)}", method=call.path, about=call.about
        )
    if goaway := _GOAWAY.match(reason):
        number = int(goaway[1])
        hint = "; it wants fewer keepalive pings" if number == ErrorCodes.ENHANCE_YOUR_CALM else ""
        why = f" ({_name(number)}{hint})" if number else ""
        return _unavailable(call, f"{call.peer} closed the connection during the call{why}")
    if reason == _BROKEN:
        return _protocol(call, "does not keep to HTTP/2; is it a gRPC port, and is TLS chosen rightly?")
    why = "" if reason in _LOST else f": {reason}"
    return _unavailable(call, f"the connection to {call.peer} broke during the call{why}")


def was_refused(reason: str) -> bool:
    """True when the peer says that it has not looked at the request (RFC 9113, section 8.7)."""
    reset = _RESET.match(reason)
    return reset is not None and int(reset[1]) == ErrorCodes.REFUSED_STREAM


def unreachable(failure: Exception, call: Origin) -> TextileError:
    """The error for a connection that could not be made, chained to the reason."""
    error: TextileError
    if isinstance(failure, ssl.SSLError):
        # Not "unavailable": asking again will not make the certificate better.
        text = getattr(failure, "verify_message", "") or getattr(failure, "reason", "") or str(failure)
        error = _protocol(call, f"offers no TLS that is acceptable here: {text}; is TLS chosen rightly?")
    elif isinstance(failure, TextileError):
        text = f"cannot call {call.peer}: {failure.message}"
        error = type(failure)(text, method=call.path, about=call.about)
    else:
        text = getattr(failure, "strerror", None) or str(failure) or type(failure).__name__
        error = _unavailable(call, f"cannot connect to {call.peer}: {text}")
    error.__cause__ = failure
    return error


def unsent(call: Origin) -> TextileError:
    """The error of a call whose connection ended before the request was written."""
    return _unavailable(call, f"the connection to {call.peer} was lost before the call was sent")


def overdue(call: Origin, timeout: float) -> TextileError:
    """The error of a call whose deadline has passed on this side."""
    return errors.DeadlineExceeded(
        f"no answer from {call.peer} within {timeout:g} s", method=call.path, about=call.about
    )


def closed(call: Origin) -> TextileError:
    """The error of a call whose channel was closed on this side."""
    return errors.ClosedError("the channel was closed during the call", method=call.path, about=call.about)


def torn(call: Origin) -> TextileError:
    """The error of whatever follows a send that was cancelled on this side."""
    return errors.ClosedError(
        "the call was given up when sending a message was cancelled", method=call.path, about=call.about
    )


def unreadable(failure: GRPCError, call: Origin) -> TextileError:
    """The error for a message that cannot be read here: too large, compressed, cut short, not decodable."""
    text = failure.message or failure.status.name
    if failure.status.value == StatusCode.RESOURCE_EXHAUSTED:
        return errors.MessageTooLarge(text, method=call.path, about=call.about)
    return _protocol(call, f"sent a message that cannot be read: {text}")


def malformed(call: Origin, what: str) -> TextileError:
    """The error for an answer that is gRPC but not the one the method promises."""
    return _protocol(call, what)


def _protocol(call: Origin, what: str) -> TextileError:
    return errors.ProtocolError(f"{call.peer} {what}", method=call.path, about=call.about)


def _unavailable(call: Origin, message: str) -> TextileError:
    return errors.Unavailable(message, method=call.path, about=call.about)


def _name(number: int) -> str:
    try:
        return ErrorCodes(number).name
    except ValueError:
        return f"HTTP/2 error {number}"
