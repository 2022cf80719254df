"""Headers, resets and connection failures as errors, without a network."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

import pytest
from h2.errors import ErrorCodes
from hypothesis import given
from hypothesis import strategies as st

from textile_aio import errors
from textile_aio._rpc import status
from textile_aio._rpc.call import encode_timeout


@dataclass(frozen=True)
class Call:
    path: str = "/test.Service/M"
    about: str = "subject"
    peer: str = "127.0.0.1:3006"


CALL = Call()


@pytest.mark.parametrize("code", [code for code in errors.StatusCode if code])
def test_every_status_becomes_an_error_that_carries_it(code: errors.StatusCode) -> None:
    error = status.refusal([("grpc-status", str(int(code))), ("grpc-message", "text")], CALL)
    assert isinstance(error, errors.TextileError)
    assert (error.code, error.message, error.method, error.about) == (code, "text", CALL.path, CALL.about)


def test_ok_is_no_error() -> None:
    assert status.refusal([("grpc-status", "0"), ("grpc-message", "fine")], CALL) is None


@given(st.text(st.characters(max_codepoint=255)))
def test_any_bytes_of_a_message_decode(value: str) -> None:
    assert isinstance(status.decode_message(value), str)


@given(st.text())
def test_percent_encoded_messages_come_back_whole(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    wire = "".join(f"%{byte:02X}" for byte in text.encode())
    assert status.decode_message(wire) == text


@given(st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
def test_any_trailers_end_in_an_error_or_ok(code: str, message: str) -> None:
    error = status.refusal([("grpc-status", code), ("grpc-message", message)], CALL)
    assert error is None or isinstance(error, errors.TextileError)


@pytest.mark.parametrize("code", list(ErrorCodes))
def test_every_reset_becomes_an_error(code: ErrorCodes) -> None:
    error = status.terminated(f"Stream reset by remote party, error_code: {int(code)}", CALL)
    assert isinstance(error, errors.TextileError)
    assert isinstance(error, errors.ProtocolError) or code.name in error.message


@pytest.mark.parametrize(
    "content_type", ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"]
)
def test_grpc_content_types_are_taken(content_type: str) -> None:
    assert status.misfit([(":status", "200"), ("content-type", content_type)], CALL) is None


@pytest.mark.parametrize("content_type", ["text/html", "application/grpcx", "application/json", ""])
def test_other_content_types_are_not(content_type: str) -> None:
    assert isinstance(
        status.misfit([(":status", "200"), ("content-type", content_type)], CALL), errors.ProtocolError
    )


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (TimeoutError("no answer within 20 s"), "no answer within 20 s"),
        (OSError(), "OSError"),
    ],
)
def test_connection_failures_are_unavailable_and_chained(failure: Exception, text: str) -> None:
    error = status.unreachable(failure, CALL)
    assert isinstance(error, errors.Unavailable)
    assert text in error.message
    assert error.__cause__ is failure


def test_a_tls_failure_is_not_worth_repeating() -> None:
    failure = ssl.SSLCertVerificationError("certificate verify failed")
    error = status.unreachable(failure, CALL)
    assert isinstance(error, errors.ProtocolError)
    assert not error.retryable
    assert error.__cause__ is failure


@given(st.floats(0, 1e12))
def test_timeouts_fit_their_header(seconds: float) -> None:
    text = encode_timeout(seconds)
    number, unit = int(text[:-1]), {"u": 1e-6, "m": 1e-3, "S": 1}[text[-1]]
    assert len(text) <= 9
    assert number * unit <= seconds * (1 + 1e-9)
    if seconds < 99_999:
        assert seconds - number * unit <= 0.001 * 1.01
