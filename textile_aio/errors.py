"""Every exception a caller of this package meets, in one tree.

The families follow what a caller can do about the failure, not which part failed. Remote refusals, local
misuse and a peer that breaks the protocol are different classes. Where Python has a fitting built-in, the
class is that as well::

    TextileError
    ├── InvalidInput (ValueError)
    │   ├── InvalidEncoding
    │   ├── InvalidKey
    │   ├── InvalidThreadID
    │   ├── InvalidPath
    │   ├── InvalidSource
    │   ├── InvalidQuery
    │   ├── SchemaViolation
    │   ├── InvalidCredential
    │   ├── OwnerLockout
    │   ├── ThreadRequired
    │   └── OrgRequired
    ├── ClosedError
    ├── Unavailable (ConnectionError)
    ├── DeadlineExceeded (TimeoutError)
    ├── CancelledByPeer
    ├── Unauthenticated
    │   ├── SignatureRequired
    │   ├── BadSignature
    │   ├── TokenRequired
    │   ├── InvalidToken
    │   ├── InvalidSession
    │   ├── EmailNotConfirmed
    │   └── AuthExpired
    ├── PermissionDenied (PermissionError)
    │   ├── NotThreadOwner
    │   ├── MethodBlocked
    │   └── WriteDenied
    ├── NotFound (LookupError)
    │   ├── ThreadNotFound
    │   ├── DatabaseNotFound
    │   ├── CollectionNotFound
    │   ├── InstanceNotFound
    │   ├── BucketNotFound
    │   ├── PathNotFound (FileNotFoundError)
    │   └── ApiKeyNotFound
    ├── Conflict
    │   ├── AlreadyExists
    │   ├── UniqueViolation
    │   ├── NonFastForward
    │   └── Aborted
    ├── FailedPrecondition
    ├── IsADirectory (IsADirectoryError)
    ├── NotADirectory (NotADirectoryError)
    ├── ResourceExhausted
    │   ├── MessageTooLarge
    │   └── QuotaExceeded
    ├── Unimplemented
    ├── IntegrityError
    │   └── DecryptionFailed
    ├── ProtocolError
    ├── RemoteError
    └── HubError
        ├── DirectoryInUse
        ├── UnsupportedFormat
        ├── DirectoryInvalid
        └── CertificateInvalid

This module knows nothing of gRPC libraries: whoever holds a status calls :func:`from_status` with its number
and text. No error carries request metadata, so none can carry a credential.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class StatusCode(IntEnum):
    """The status codes of gRPC, by number."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class TextileError(Exception):
    """The root of the tree. All subclasses pickle and copy with every attribute.

    Attributes:
        message: What was said; for a refusal by a hub, the hub's exact text.
        code: The status the peer answered with; None for an error raised on this side.
        method: Full name of the call, as ``/package.Service/Method``; empty when no call was made.
        about: What it concerned: a path, a bucket key, a thread id; empty when nothing in particular.
        retryable: True when repeating the very same call may succeed.
    """

    hint: ClassVar[str] = ""
    retryable: bool = False

    def __init__(
        self, message: str, *, code: StatusCode | None = None, method: str = "", about: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.method = method
        self.about = about

    def __str__(self) -> str:
        text = _one_line(f"{_one_line(self.about)}: {self.message}" if self.about else self.message, 1_000)
        if self.code is None:
            return text
        origin = f"{self.code.name} from {self.method}" if self.method else self.code.name
        return f"{text} [{origin}]{'; ' if self.hint else ''}{self.hint}"


def _one_line(text: str, most: int = 200) -> str:
    """What others wrote, fit for a log: neither longer than a few lines nor able to forge another entry."""
    cut = text if len(text) <= most else f"{text[: most - 1]}…"
    return cut if cut.isprintable() else repr(cut)[1:-1]


class InvalidInput(TextileError, ValueError):
    """A value given to the package, or sent to the hub, is not acceptable as it is."""


class InvalidEncoding(InvalidInput):
    """Bytes or text are not a well-formed varint, multibase, protobuf, CID, multiaddr or peer id."""


class InvalidKey(InvalidInput):
    """A public, private or thread key is malformed, of an unsupported type, or lacks a needed part."""


class InvalidThreadID(InvalidInput):
    """Bytes or text are not a thread id."""


class InvalidPath(InvalidInput):
    """A path inside a bucket is not allowed there."""


class InvalidSource(InvalidInput):
    """What was to be pushed cannot be read as content: no such file, no CID, text instead of bytes."""


class InvalidQuery(InvalidInput):
    """A query cannot be expressed, or the hub does not understand it."""


class SchemaViolation(InvalidInput):
    """An instance does not match its collection's schema; the message names the fields."""


class InvalidCredential(InvalidInput):
    """A credential cannot be put into a header, or is malformed. The message does not repeat it."""


class OwnerLockout(InvalidInput):
    """The change would take from a bucket's owner the last right to change its roles; nothing was sent."""

    hint = "leave the owner an admin of the bucket's root, or say lock_out=True"


class ThreadRequired(InvalidInput):
    """The call needs a thread and the context names none."""

    hint = "add it with AuthContext.with_thread"


class OrgRequired(InvalidInput):
    """The call is about an organisation and the context is none's."""

    hint = "add it with AuthContext.with_org"


class ClosedError(TextileError):
    """The object was closed already; open a new one."""


class Unavailable(TextileError, ConnectionError):
    """The hub cannot be reached, or the connection broke during the call."""

    retryable = True


class DeadlineExceeded(TextileError, TimeoutError):
    """The time allowed for the call has passed. Whether it took effect is not known."""


class CancelledByPeer(TextileError):
    """The peer gave the call up. A cancelled task on this side is ``asyncio.CancelledError`` instead."""


class Unauthenticated(TextileError):
    """The hub does not know who is calling."""

    hint = "the context needs an API key or a session that this hub knows"


class SignatureRequired(Unauthenticated):
    """The API key is a secure one and the call was not signed."""

    hint = "give the key's secret: AuthContext.with_api_key(key, secret)"


class BadSignature(Unauthenticated):
    """A signature (of an API key, a challenge or a message) does not verify or is out of date."""

    hint = "check the secret or identity, and this machine's clock"


class TokenRequired(Unauthenticated):
    """A user-group key was used without an identity's token."""

    hint = "authorize an identity first"


class InvalidToken(Unauthenticated):
    """The identity token is malformed, or was not issued by this hub."""

    hint = "authorize the identity again: tokens are valid only at the hub that issued them"


class InvalidSession(Unauthenticated):
    """The developer session is unknown or has expired."""

    hint = "sign in again"


class EmailNotConfirmed(Unauthenticated):
    """Nobody followed the link in the mail of a sign-up or sign-in in time."""

    hint = "call again and follow the link in the newest mail"


class AuthExpired(Unauthenticated):
    """A ready-made signature has passed its date and there is no way to get another; nothing was sent."""


class PermissionDenied(TextileError, PermissionError):
    """The hub knows the caller and refuses."""


class NotThreadOwner(PermissionDenied):
    """The thread belongs to another account, was made with another API key, or does not exist."""


class MethodBlocked(PermissionDenied):
    """This hub offers the method to nobody."""


class WriteDenied(PermissionDenied):
    """The collection's write validator, or a bucket's access roles, refused the change."""


class NotFound(TextileError, LookupError):
    """Something the call names does not exist, or is hidden from the caller."""


class ThreadNotFound(NotFound):
    """There is no such thread at this hub."""


class DatabaseNotFound(NotFound):
    """The thread is known, but there is no database in it."""


class CollectionNotFound(NotFound):
    """There is no collection of that name."""


class InstanceNotFound(NotFound):
    """There is no instance with that id, or the read filter hides it."""


class BucketNotFound(NotFound):
    """There is no bucket with that key in the context's thread."""


class PathNotFound(NotFound, FileNotFoundError):
    """There is nothing at that path of the bucket, or it is hidden from the caller."""


class ApiKeyNotFound(NotFound):
    """The API key is unknown or has been invalidated."""


class Conflict(TextileError):
    """The change does not fit the present state."""


class AlreadyExists(Conflict):
    """What was to be created is there already."""


class UniqueViolation(Conflict):
    """Two instances would have the same value of a unique index."""


class NonFastForward(Conflict):
    """The bucket has moved on since the root the change was based on; nothing was changed.

    Attributes:
        expected: The root path the change was based on, empty if not known.
        actual: The bucket's root path at the time of refusal, empty if not known.
    """

    hint = "get the bucket's current root, look at what changed, and try again on top of it"

    def __init__(
        self,
        message: str = "update is non-fast-forward",
        *,
        expected: str = "",
        actual: str = "",
        code: StatusCode | None = None,
        method: str = "",
        about: str = "",
    ) -> None:
        super().__init__(message, code=code, method=method, about=about)
        self.expected = expected
        self.actual = actual


class Aborted(Conflict):
    """The transaction was given up because of others; nothing of it took effect."""

    retryable = True


class FailedPrecondition(TextileError):
    """The hub's state does not allow the call; something else has to be done first."""


class IsADirectory(TextileError, IsADirectoryError):
    """A file was needed and the path is a directory."""


class NotADirectory(TextileError, NotADirectoryError):
    """A directory was needed and the path, or a part of it, is a file."""


class ResourceExhausted(TextileError):
    """A limit is reached."""


class MessageTooLarge(ResourceExhausted):
    """One message is larger than the receiving side takes (4 MiB at a Go hub)."""


class QuotaExceeded(ResourceExhausted):
    """The account's allowance is used up."""


class Unimplemented(TextileError):
    """This hub does not offer the service, the method or the feature."""


class IntegrityError(TextileError):
    """Content does not have the hash, signature or authentication tag it should have."""


class DecryptionFailed(IntegrityError):
    """A sealed text cannot be opened: another key, or it was altered."""


class ProtocolError(TextileError):
    """The peer sent something that the protocol does not allow at that point."""


class RemoteError(TextileError):
    """The hub failed, or refused with a text that names no known case."""


class HubError(TextileError):
    """The embedded hub cannot work as asked."""


class DirectoryInUse(HubError):
    """Another process has the hub's data directory open."""


class UnsupportedFormat(HubError):
    """The data directory was written by a version whose format this one does not read."""


class DirectoryInvalid(HubError):
    """The data directory is damaged, not a hub's, or cannot be written."""


class CertificateInvalid(HubError):
    """The hub's certificate or its key cannot be read, or they do not belong together."""


def from_status(code: int, message: str, *, method: str = "", about: str = "") -> TextileError:
    """The error for a status other than OK, by its code and its text.

    Go hubs answer most refusals with UNKNOWN and a text, so the text decides where it is a known one (spec:
    client-surface §O, buckets-api §2, threads-api §2-5, identity-and-auth §6-10) and the code otherwise.

    Args:
        code: The number of the status; numbers outside gRPC's count as UNKNOWN.
        message: The status text, as received.
        method: Full name of the call.
        about: What the call concerned.
    """
    from textile_aio._errors_table import classify  # the table is written in terms of the classes above

    status = StatusCode(code) if code in StatusCode._value2member_map_ else StatusCode.UNKNOWN
    return classify(status, message, method)(message, code=status, method=method, about=about)
