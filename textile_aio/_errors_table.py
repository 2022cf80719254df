"""Which status and text of a hub means which exception class.

Only :func:`textile_aio.errors.from_status` uses it. Hubs written in Go wrap texts in further texts
(``creating bucket: rpc error: code = Unknown desc = db not found``), so an entry matches the end, the start
or any part, and the order matters: texts that quote the caller's words come before those that the words might
contain.
"""

from __future__ import annotations

from typing import Literal

from textile_aio import errors as e
from textile_aio.errors import StatusCode, TextileError

_How = Literal["starts", "has", "ends"]

_BY_TEXT: tuple[tuple[type[TextileError], _How, tuple[str, ...]], ...] = (
    # The names are the caller's. Of the last no character can stand in a slug.
    (e.AlreadyExists, "starts", ("the name '", "username '")),
    (e.InvalidInput, "starts", ("name '", "invalid key type: ")),
    (e.SchemaViolation, "has", ("instance doesn't correspond to schema",)),
    (e.WriteDenied, "has", ("app denied net record body", "running write validator func")),
    (e.FailedPrecondition, "has", ("running read filter func",)),
    (e.PathNotFound, "has", ("no link named ", "could not resolve path")),
    (e.PathNotFound, "ends", ("no link by that name",)),
    (
        e.InvalidPath,
        "has",
        ("paths containing .textileseed are not allowed", "cannot create link with no name"),
    ),
    (e.InvalidPath, "ends", ("source is root directory",)),
    (e.NonFastForward, "has", ("update is non-fast-forward",)),
    (e.IsADirectory, "ends", ("node is a directory",)),
    (e.NotADirectory, "ends", ("not a directory", "expected protobuf dag node")),
    (e.InvalidSource, "has", ("invalid bootstrap cid", "invalid remote cid")),
    (
        e.Unimplemented,
        "has",
        ("archiving feature is disabled", "billing is not enabled", "signups are disabled"),
    ),
    (e.DecryptionFailed, "has", ("message corrupt or incorrect password", "failed to decrypt curve25519")),
    (e.DecryptionFailed, "ends", ("malformed cipher text",)),
    # Credentials.
    (e.SignatureRequired, "ends", ("API key signature required",)),
    (e.BadSignature, "ends", ("Bad API key signature", "Bad message signature", "bad signature")),
    (e.TokenRequired, "ends", ("Token required",)),
    (e.InvalidToken, "has", ("invalid thread token", "thread token not found", "invalid token public key")),
    (e.InvalidToken, "starts", ("Bad authorization", "Request unauthenticated with bearer")),
    (e.InvalidSession, "ends", ("Invalid session", "Expired session", "session not found")),
    (e.EmailNotConfirmed, "ends", ("Could not verify email address",)),
    (e.Unauthenticated, "has", ("Session or API key required",)),
    (e.ApiKeyNotFound, "has", ("API key not found",)),
    # What the caller may not do.
    (e.NotThreadOwner, "ends", ("User does not own thread", "Bad API key")),
    (e.MethodBlocked, "has", ("Method is not accessible", "method not allowed: ")),
    (e.WriteDenied, "has", ("verifying bucket update: permission denied",)),
    (e.PermissionDenied, "has", ("permission denied", "not an org member")),
    (e.PermissionDenied, "ends", ("User does not own key", "User must be an org owner")),
    (e.PermissionDenied, "ends", ("account type not supported", "developer account required")),
    # What already is.
    (e.UniqueViolation, "has", ("unique constraint violation", "can't create unique index")),
    (
        e.AlreadyExists,
        "has",
        (
            "db already exists",
            "log already exists",
            "thread already exists",
            "collection already registered",
            "can't create already existing instance",
            "cant't create already existent instance",
            "E11000 duplicate key error",
            "multiple write errors",
            "Account exists",
            "subscription exists",
            "is already taken",
            "' is not available",
        ),
    ),
    (e.Conflict, "ends", ("service-key mismatch", "read-key mismatch")),
    (e.Aborted, "has", ("Transaction Conflict",)),
    # What is missing.
    (e.ThreadRequired, "ends", ("db required",)),
    (e.OrgRequired, "ends", ("organization account required",)),
    (e.CollectionNotFound, "has", ("collection not found",)),
    (e.DatabaseNotFound, "ends", ("db not found",)),
    (e.ThreadNotFound, "ends", ("thread not found", "Thread not found")),
    (e.InstanceNotFound, "ends", ("instance not found",)),
    (e.NotFound, "ends", ("log not found", "datastore: key not found")),
    (
        e.NotFound,
        "has",
        ("mongo: no documents in result", "User not found", "Account not found", "Org not found"),
    ),
    # What has to be done first.
    (e.FailedPrecondition, "ends", ("an org must have at least one owner",)),
    (
        e.FailedPrecondition,
        "has",
        ("DB not empty", "Account not empty", "subscription canceled", "subscription payment required"),
    ),
    (e.FailedPrecondition, "ends", ("mail not found", "account is required", "thread is in use")),
    (e.FailedPrecondition, "ends", ("is required to create records", "is required to get records")),
    # Limits.
    (e.MessageTooLarge, "has", ("message larger than max", "larger than a message may be")),
    (e.QuotaExceeded, "has", ("storage quota exhausted", "exceeds free quota", "per owner exceeds quota")),
    # Malformed values.
    (
        e.InvalidKey,
        "ends",
        ("invalid key", "invalid log-key", "thread read key is required", "Invalid public key"),
    ),
    (e.InvalidKey, "ends", ("invalid or unsupported key type", "could not determine key type")),
    (e.InvalidKey, "has", ("ed25519 public key", "expected ed25519 data size")),
    (e.InvalidThreadID, "ends", ("id too short", "expected random id bytes but there are none")),
    (e.InvalidThreadID, "has", ("as the id version number", "as the id variant")),
    (e.InvalidQuery, "has", ("invalid query", "sorting field doesn't correspond to instance type")),
    (
        e.InvalidInput,
        "has",
        (
            "unmarshaling json instance",
            "json: cannot unmarshal",
            "missing _id attribute",
            "the collection schema _id property must be a string",
            "name may only contain alphanumeric characters",
            "Email address in not valid",
            "cannot create custom index on _id",
            "collection schema does not contain path",
            "compiling js func",
            "unmarshaling role public key",
            "unknown path access role",
        ),
    ),
    (e.InvalidInput, "ends", ("value not indexable",)),
    (e.InvalidInput, "ends", ("protocol not found in multiaddr", "invalid p2p multiaddr")),
    # A stream cut by a proxy or a restart; Go clients look for the same words.
    (e.Unavailable, "has", ("STREAM_CLOSED", "RST_STREAM")),
)

_BY_METHOD: dict[tuple[str, type[TextileError]], type[TextileError]] = {
    # Buckets are instances of a collection, and hubs answer in those words.
    ("/api.bucketsd.pb.APIService/", e.InstanceNotFound): e.BucketNotFound,
    ("/textile_aio.buckets.pb.Extensions/", e.InstanceNotFound): e.BucketNotFound,
    ("/api.usersd.pb.APIService/GetThread", e.NotFound): e.ThreadNotFound,
    ("/api.hubd.pb.APIService/InvalidateKey", e.NotFound): e.ApiKeyNotFound,
}

_BY_CODE: dict[StatusCode, type[TextileError]] = {
    StatusCode.CANCELLED: e.CancelledByPeer,
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
    StatusCode.UNAVAILABLE: e.Unavailable,
    StatusCode.UNAUTHENTICATED: e.Unauthenticated,
}

_TRANSPORT = frozenset({StatusCode.CANCELLED, StatusCode.DEADLINE_EXCEEDED, StatusCode.UNIMPLEMENTED})
"""Codes that say more than any text: they come from the transport, not from a handler's words."""


def classify(code: StatusCode, text: str, method: str) -> type[TextileError]:
    """The most specific class for a status."""
    by_code = _BY_CODE.get(code, e.RemoteError)
    if code in _TRANSPORT:
        return by_code
    found = _by_text(text) or by_code
    for (prefix, general), specific in _BY_METHOD.items():
        if found is general and method.startswith(prefix):
            return specific
    return found


def _by_text(text: str) -> type[TextileError] | None:
    for error, how, needles in _BY_TEXT:
        match how:
            case "starts":
                hit = text.startswith(needles)
            case "ends":
                hit = text.endswith(needles)
            case "has":
                hit = any(needle in text for needle in needles)
        if hit:
            return error
    return None
