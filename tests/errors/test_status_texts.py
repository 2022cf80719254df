"""Which status and text becomes which class, over the texts that Go hubs send."""

from __future__ import annotations

import pytest

from textile_aio import errors as e
from textile_aio.errors import StatusCode, from_status

U = StatusCode.UNKNOWN
TEXTS = [
    (U, "instance not found", e.InstanceNotFound),
    (StatusCode.NOT_FOUND, "db not found", e.DatabaseNotFound),
    (StatusCode.NOT_FOUND, "thread not found", e.ThreadNotFound),
    (StatusCode.NOT_FOUND, "Thread not found", e.ThreadNotFound),
    (StatusCode.NOT_FOUND, "collection not found", e.CollectionNotFound),
    (StatusCode.NOT_FOUND, "API key not found or is invalid", e.ApiKeyNotFound),
    (StatusCode.NOT_FOUND, "User not found", e.NotFound),
    (U, "app denied net record body: permission denied", e.WriteDenied),
    (U, "app denied net record body", e.WriteDenied),
    (U, "app denied net record body: instance not found", e.WriteDenied),
    (U, "log not found", e.NotFound),
    (U, "handling record failed: datastore: key not found", e.NotFound),
    (U, "handling record failed: cant't create already existent instance", e.AlreadyExists),
    (U, "a private-key is required to create records", e.FailedPrecondition),
    (U, "a read-key is required to create records", e.FailedPrecondition),
    (U, "a service-key is required to get records", e.FailedPrecondition),
    (U, "invalid p2p multiaddr", e.InvalidInput),
    (U, "storage quota exhausted", e.QuotaExceeded),
    (StatusCode.RESOURCE_EXHAUSTED, "threaddb reads exhausted: request exceeds free quota", e.QuotaExceeded),
    (U, "number of threads per owner exceeds quota", e.QuotaExceeded),
    (
        StatusCode.RESOURCE_EXHAUSTED,
        "grpc: received message larger than max (5 vs. 4)",
        e.MessageTooLarge,
    ),
    (U, 'no link named "a already exists" under bafy', e.PathNotFound),
    (U, "could not resolve path: /ipfs/bafy/a", e.PathNotFound),
    (U, "remove node failed: no link by that name", e.PathNotFound),
    (U, "paths containing .textileseed are not allowed", e.InvalidPath),
    (U, "source is root directory", e.InvalidPath),
    (U, "node is a directory", e.IsADirectory),
    (U, "not a directory", e.NotADirectory),
    (U, "expected protobuf dag node", e.NotADirectory),
    (StatusCode.FAILED_PRECONDITION, "update is non-fast-forward", e.NonFastForward),
    (U, "on receive: update is non-fast-forward", e.NonFastForward),
    (StatusCode.PERMISSION_DENIED, "verifying bucket update: permission denied", e.WriteDenied),
    (StatusCode.PERMISSION_DENIED, "User does not own thread", e.NotThreadOwner),
    (StatusCode.PERMISSION_DENIED, "Bad API key", e.NotThreadOwner),
    (StatusCode.PERMISSION_DENIED, "Method is not accessible", e.MethodBlocked),
    (StatusCode.PERMISSION_DENIED, "method not allowed: /powergate.user.v1.UserService/X", e.MethodBlocked),
    (StatusCode.PERMISSION_DENIED, "Bad authorization", e.InvalidToken),
    (StatusCode.PERMISSION_DENIED, "User is not an org member", e.PermissionDenied),
    (StatusCode.UNAUTHENTICATED, "Bad authorization string", e.InvalidToken),
    (StatusCode.UNAUTHENTICATED, "Request unauthenticated with bearer", e.InvalidToken),
    (U, "invalid thread token", e.InvalidToken),
    (U, "thread token not found", e.InvalidToken),
    (StatusCode.UNAUTHENTICATED, "API key signature required", e.SignatureRequired),
    (StatusCode.UNAUTHENTICATED, "Bad API key signature", e.BadSignature),
    (StatusCode.UNAUTHENTICATED, "Bad message signature", e.BadSignature),
    (U, "bad signature", e.BadSignature),
    (StatusCode.UNAUTHENTICATED, "Token required", e.TokenRequired),
    (StatusCode.UNAUTHENTICATED, "Invalid session", e.InvalidSession),
    (StatusCode.UNAUTHENTICATED, "Expired session", e.InvalidSession),
    (StatusCode.UNAUTHENTICATED, "Session or API key required", e.Unauthenticated),
    (U, "db already exists", e.AlreadyExists),
    (U, "collection already registered", e.AlreadyExists),
    (U, "can't create already existing instance", e.AlreadyExists),
    (U, "write exception: write errors: [E11000 duplicate key error]", e.AlreadyExists),
    (U, "multiple write errors: [", e.AlreadyExists),
    (U, "error when indexing created data: unique constraint violation", e.UniqueViolation),
    (U, "read-key mismatch", e.Conflict),
    (U, "instance doesn't correspond to schema: (root): name is required", e.SchemaViolation),
    (U, "instance doesn't correspond to schema: x: db not found", e.SchemaViolation),
    (U, "invalid query: value type should describe exactly one type", e.InvalidQuery),
    (U, "sorting field doesn't correspond to instance type", e.InvalidQuery),
    (U, "json: cannot unmarshal array into Go struct field Schema.type of type string", e.InvalidInput),
    (U, "db required", e.ThreadRequired),
    (U, "thread read key is required", e.InvalidKey),
    (StatusCode.INVALID_ARGUMENT, "invalid key", e.InvalidKey),
    (StatusCode.INVALID_ARGUMENT, "expected 1 as the id version number, got: 3", e.InvalidThreadID),
    (U, "archiving feature is disabled", e.Unimplemented),
    (U, "message corrupt or incorrect password", e.DecryptionFailed),
    (StatusCode.FAILED_PRECONDITION, "DB not empty (delete buckets first)", e.FailedPrecondition),
    (StatusCode.FAILED_PRECONDITION, "mail not found", e.FailedPrecondition),
    (StatusCode.FAILED_PRECONDITION, "Invalid public key", e.InvalidKey),
    (StatusCode.INTERNAL, "stream terminated by RST_STREAM with error code: 2", e.Unavailable),
    (StatusCode.NOT_FOUND, "Account not found", e.NotFound),
    (StatusCode.NOT_FOUND, "session not found", e.InvalidSession),
    (StatusCode.UNAUTHENTICATED, "Could not verify email address", e.EmailNotConfirmed),
    (StatusCode.INVALID_ARGUMENT, "account type not supported", e.PermissionDenied),
    (StatusCode.INVALID_ARGUMENT, "developer account required", e.PermissionDenied),
    (StatusCode.INVALID_ARGUMENT, "organization account required", e.OrgRequired),
    (StatusCode.FAILED_PRECONDITION, "organization account required", e.OrgRequired),
    (StatusCode.FAILED_PRECONDITION, "Account exists", e.AlreadyExists),
    (StatusCode.FAILED_PRECONDITION, "username 'ann' is not available", e.AlreadyExists),
    (StatusCode.FAILED_PRECONDITION, "the name 'ann' is already taken", e.AlreadyExists),
    (StatusCode.FAILED_PRECONDITION, "Email address in not valid", e.InvalidInput),
    (
        StatusCode.FAILED_PRECONDITION,
        (
            "username may only contain alphanumeric characters or single hyphens, "
            "and cannot begin or end with a hyphen"
        ),
        e.InvalidInput,
    ),
    (StatusCode.FAILED_PRECONDITION, "Account not empty (delete orgs first)", e.FailedPrecondition),
    (U, "an org must have at least one owner", e.FailedPrecondition),
    (StatusCode.PERMISSION_DENIED, "User does not own key", e.PermissionDenied),
    (StatusCode.PERMISSION_DENIED, "User must be an org owner", e.PermissionDenied),
    (U, "billing is not enabled", e.Unimplemented),
    (U, "signups are disabled", e.Unimplemented),
    (U, "subscription exists", e.AlreadyExists),
    (U, "something never heard of", e.RemoteError),
]
CODES = {
    StatusCode.CANCELLED: e.CancelledByPeer,
    StatusCode.UNKNOWN: e.RemoteError,
    StatusCode.INVALID_ARGUMENT: e.InvalidInput,
    StatusCode.DEADLINE_EXCEEDED: e.DeadlineExceeded,
    StatusCode.NOT_FOUND: e.NotFound,
    StatusCode.ALREADY_EXISTS: e.AlreadyExists,
    StatusCode.PERMISSION_DENIED: e.PermissionDenied,
    StatusCode.RESOURCE_EXHAUSTED: e.ResourceExhausted,
    StatusCode.FAILED_PRECONDITION: e.FailedPrecondition,
    StatusCode.ABORTED: e.Aborted,
    StatusCode.OUT_OF_RANGE: e.InvalidInput,
    StatusCode.UNIMPLEMENTED: e.Unimplemented,
    StatusCode.INTERNAL: e.RemoteError,
    StatusCode.UNAVAILABLE: e.Unavailable,
    StatusCode.DATA_LOSS: e.RemoteError,
    StatusCode.UNAUTHENTICATED: e.Unauthenticated,
}


@pytest.mark.parametrize(("code", "text", "cls"), TEXTS)
def test_a_known_text_gives_its_class_and_keeps_code_and_text(
    code: StatusCode, text: str, cls: type[e.TextileError]
) -> None:
    error = from_status(code, text, method="/threads.pb.API/Create", about="x")
    assert type(error) is cls
    assert (error.message, error.code, error.method, error.about) == (
        text,
        code,
        "/threads.pb.API/Create",
        "x",
    )


# The interceptor's own answers and what is unknown are never found inside another text.
WRAPPED = [
    case for case in TEXTS if not case[1].startswith(("Bad authorization", "Request unauth", "something"))
]


@pytest.mark.parametrize(("code", "text", "cls"), WRAPPED)
def test_a_text_wrapped_by_the_buckets_service_is_still_known(
    code: StatusCode, text: str, cls: type[e.TextileError]
) -> None:
    wrapped = f"creating bucket in thread: rpc error: code = {code.name} desc = {text}"
    assert type(from_status(U, wrapped, method="/threads.pb.API/Create")) is cls


@pytest.mark.parametrize(("code", "cls"), CODES.items())
def test_an_unknown_text_is_classed_by_its_code(code: StatusCode, cls: type[e.TextileError]) -> None:
    assert type(from_status(code, "something never heard of")) is cls


@pytest.mark.parametrize(
    "name", ["permission denied", "db not found", "Invalid session", "update is non-fast-forward"]
)
def test_a_name_in_a_text_does_not_decide(name: str) -> None:
    taken = from_status(StatusCode.FAILED_PRECONDITION, f"the name '{name}' is already taken")
    assert type(taken) is e.AlreadyExists
    assert type(from_status(U, f"name '{name}' is not available")) is e.InvalidInput


@pytest.mark.parametrize("number", [-1, 3, 2**31 - 1])
def test_a_type_of_key_that_there_is_not_is_invalid(number: int) -> None:
    error = from_status(StatusCode.INVALID_ARGUMENT, f"invalid key type: {number}")
    assert type(error) is e.InvalidInput


def test_a_missing_key_is_told_from_other_missing_rows_by_the_method() -> None:
    method = "/api.hubd.pb.APIService/InvalidateKey"
    assert type(from_status(2, "mongo: no documents in result", method=method)) is e.ApiKeyNotFound


def test_every_code_that_is_an_error_has_a_class() -> None:
    assert set(CODES) == set(StatusCode) - {StatusCode.OK}


def test_a_number_outside_grpc_counts_as_unknown() -> None:
    error = from_status(99, "what")
    assert type(error) is e.RemoteError
    assert error.code is StatusCode.UNKNOWN


def test_what_the_transport_says_outweighs_the_text() -> None:
    assert type(from_status(StatusCode.DEADLINE_EXCEEDED, "db not found")) is e.DeadlineExceeded


def test_a_missing_bucket_is_told_from_a_missing_instance_by_the_service() -> None:
    assert (
        type(from_status(2, "instance not found", method="/api.bucketsd.pb.APIService/Root"))
        is e.BucketNotFound
    )


def test_a_missing_thread_is_known_in_the_users_service_as_well() -> None:
    error = from_status(2, "mongo: no documents in result", method="/api.usersd.pb.APIService/GetThread")
    assert type(error) is e.ThreadNotFound
