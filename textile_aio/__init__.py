"""Textile for asyncio: threads, buckets and users, at a hub elsewhere or at one that this package runs.

::

    async with textile_aio.connect("127.0.0.1:3006") as hub:
        ctx = textile_aio.AuthContext.from_env()  # or .with_api_key(KEY, SECRET)
        ctx = await hub.threads.authorize(ctx, textile_aio.Identity.generate())
        ctx = ctx.with_thread(await hub.threads.new_db(ctx, name="my-buckets"))
        bucket = await hub.buckets.create(ctx, "images")

Everything public is here; modules below are where it lives and may move.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from textile_aio._rpc.connection import Keepalive
from textile_aio._rpc.retry import RetryPolicy
from textile_aio.auth import ApiSig, AuthContext, UserAuth, create_api_sig, create_user_auth
from textile_aio.buckets.values import (
    Bucket,
    Links,
    Metadata,
    PathItem,
    PathListing,
    Progress,
    ProgressCallback,
    PushedPath,
    Role,
    Root,
)
from textile_aio.client import HubClient, connect
from textile_aio.errors import (
    Aborted,
    AlreadyExists,
    ApiKeyNotFound,
    AuthExpired,
    BadSignature,
    BucketNotFound,
    CancelledByPeer,
    CertificateInvalid,
    ClosedError,
    CollectionNotFound,
    Conflict,
    DatabaseNotFound,
    DeadlineExceeded,
    DecryptionFailed,
    DirectoryInUse,
    DirectoryInvalid,
    EmailNotConfirmed,
    FailedPrecondition,
    HubError,
    InstanceNotFound,
    IntegrityError,
    InvalidCredential,
    InvalidEncoding,
    InvalidInput,
    InvalidKey,
    InvalidPath,
    InvalidQuery,
    InvalidSession,
    InvalidSource,
    InvalidThreadID,
    InvalidToken,
    IsADirectory,
    MessageTooLarge,
    MethodBlocked,
    NonFastForward,
    NotADirectory,
    NotFound,
    NotThreadOwner,
    OrgRequired,
    OwnerLockout,
    PathNotFound,
    PermissionDenied,
    ProtocolError,
    QuotaExceeded,
    RemoteError,
    ResourceExhausted,
    SchemaViolation,
    SignatureRequired,
    StatusCode,
    TextileError,
    ThreadNotFound,
    ThreadRequired,
    TokenRequired,
    Unauthenticated,
    Unavailable,
    Unimplemented,
    UniqueViolation,
    UnsupportedFormat,
    WriteDenied,
)
from textile_aio.identity import Identity, PublicKey, Signer
from textile_aio.ids import Cid, Multiaddr, PeerID, SymmetricKey, ThreadID, ThreadKey, Variant
from textile_aio.users.values import ThreadInfo

if TYPE_CHECKING:
    from textile_aio.accounts.billing import (
        AccountType,
        BillingCustomer,
        BillingPeriod,
        BillingUsage,
        BillingUsers,
    )
    from textile_aio.accounts.client import AccountsClient
    from textile_aio.accounts.values import (
        ApiKey,
        BuildInfo,
        KeyType,
        Org,
        OrgMember,
        OrgName,
        OrgRole,
        Session,
        SessionInfo,
    )
    from textile_aio.buckets.archives import (
        Archive,
        ArchiveConfig,
        ArchiveRenew,
        Archives,
        ArchiveStatus,
        DealInfo,
    )
    from textile_aio.buckets.client import BucketsClient
    from textile_aio.buckets.conflicts import OnConflict
    from textile_aio.buckets.handle import BucketHandle
    from textile_aio.buckets.paths import BucketPath
    from textile_aio.buckets.pull import Pull
    from textile_aio.buckets.push import Items, PathsPush, RootLike
    from textile_aio.buckets.reader import AsyncReader
    from textile_aio.buckets.roles import AccessExplanation, Grantee, RolesLike, explain_access
    from textile_aio.buckets.sources import Source
    from textile_aio.buckets.trees.values import TreePull, TreePush
    from textile_aio.net.client import NetClient
    from textile_aio.net.subscription import Subscription
    from textile_aio.net.values import LogInfo, ThreadDetails, ThreadRecord
    from textile_aio.records.events import Event, EventKind
    from textile_aio.records.record import Record, seal
    from textile_aio.threads.client import ThreadsClient
    from textile_aio.threads.listening.listening import Listening
    from textile_aio.threads.listening.values import Change, ChangeAction, Gap, ListenFilter
    from textile_aio.threads.paging import Found
    from textile_aio.threads.query.builder import Field, Query, QueryLike, where
    from textile_aio.threads.schemas import infer_schema
    from textile_aio.threads.transactions import ReadTransaction, WriteTransaction
    from textile_aio.threads.typed.collection import Collection
    from textile_aio.threads.typed.listening import TypedChange, TypedListening
    from textile_aio.threads.typed.markers import Alias, Id, Modified
    from textile_aio.threads.typed.scalars import rfc3339
    from textile_aio.threads.typed.transaction import TypedTransaction
    from textile_aio.threads.typed.upkeep import Unfit
    from textile_aio.threads.values import CollectionConfig, CollectionInfo, DatabaseInfo, Explanation, Index
    from textile_aio.users.archives import AccountArchive, ArchiveRetrieval, RetrievalStatus
    from textile_aio.users.client import UsersClient
    from textile_aio.users.invites import AcceptedInvite, BucketInvite
    from textile_aio.users.messages import Message, MessageStatus
    from textile_aio.users.paging import Messages
    from textile_aio.users.usage import AccountUsage
    from textile_aio.users.watching import MailEvent, MailEventKind, Watch

__version__ = "0.1.0"

__all__ = [
    "Aborted",
    "AcceptedInvite",
    "AccessExplanation",
    "AccountArchive",
    "AccountType",
    "AccountUsage",
    "AccountsClient",
    "Alias",
    "AlreadyExists",
    "ApiKey",
    "ApiKeyNotFound",
    "ApiSig",
    "Archive",
    "ArchiveConfig",
    "ArchiveRenew",
    "ArchiveRetrieval",
    "ArchiveStatus",
    "Archives",
    "AsyncReader",
    "AuthContext",
    "AuthExpired",
    "BadSignature",
    "BillingCustomer",
    "BillingPeriod",
    "BillingUsage",
    "BillingUsers",
    "Bucket",
    "BucketHandle",
    "BucketInvite",
    "BucketNotFound",
    "BucketPath",
    "BucketsClient",
    "BuildInfo",
    "CancelledByPeer",
    "CertificateInvalid",
    "Change",
    "ChangeAction",
    "Cid",
    "ClosedError",
    "Collection",
    "CollectionConfig",
    "CollectionInfo",
    "CollectionNotFound",
    "Conflict",
    "DatabaseInfo",
    "DatabaseNotFound",
    "DeadlineExceeded",
    "DealInfo",
    "DecryptionFailed",
    "DirectoryInUse",
    "DirectoryInvalid",
    "EmailNotConfirmed",
    "Event",
    "EventKind",
    "Explanation",
    "FailedPrecondition",
    "Field",
    "Found",
    "Gap",
    "Grantee",
    "HubClient",
    "HubError",
    "Id",
    "Identity",
    "Index",
    "InstanceNotFound",
    "IntegrityError",
    "InvalidCredential",
    "InvalidEncoding",
    "InvalidInput",
    "InvalidKey",
    "InvalidPath",
    "InvalidQuery",
    "InvalidSession",
    "InvalidSource",
    "InvalidThreadID",
    "InvalidToken",
    "IsADirectory",
    "Items",
    "Keepalive",
    "KeyType",
    "Links",
    "ListenFilter",
    "Listening",
    "LogInfo",
    "MailEvent",
    "MailEventKind",
    "Message",
    "MessageStatus",
    "MessageTooLarge",
    "Messages",
    "Metadata",
    "MethodBlocked",
    "Modified",
    "Multiaddr",
    "NetClient",
    "NonFastForward",
    "NotADirectory",
    "NotFound",
    "NotThreadOwner",
    "OnConflict",
    "Org",
    "OrgMember",
    "OrgName",
    "OrgRequired",
    "OrgRole",
    "OwnerLockout",
    "PathItem",
    "PathListing",
    "PathNotFound",
    "PathsPush",
    "PeerID",
    "PermissionDenied",
    "Progress",
    "ProgressCallback",
    "ProtocolError",
    "PublicKey",
    "Pull",
    "PushedPath",
    "Query",
    "QueryLike",
    "QuotaExceeded",
    "ReadTransaction",
    "Record",
    "RemoteError",
    "ResourceExhausted",
    "RetrievalStatus",
    "RetryPolicy",
    "Role",
    "RolesLike",
    "Root",
    "RootLike",
    "SchemaViolation",
    "Session",
    "SessionInfo",
    "SignatureRequired",
    "Signer",
    "Source",
    "StatusCode",
    "Subscription",
    "SymmetricKey",
    "TextileError",
    "ThreadDetails",
    "ThreadID",
    "ThreadInfo",
    "ThreadKey",
    "ThreadNotFound",
    "ThreadRecord",
    "ThreadRequired",
    "ThreadsClient",
    "TokenRequired",
    "TreePull",
    "TreePush",
    "TypedChange",
    "TypedListening",
    "TypedTransaction",
    "Unauthenticated",
    "Unavailable",
    "Unfit",
    "Unimplemented",
    "UniqueViolation",
    "UnsupportedFormat",
    "UserAuth",
    "UsersClient",
    "Variant",
    "Watch",
    "WriteDenied",
    "WriteTransaction",
    "__version__",
    "connect",
    "create_api_sig",
    "create_user_auth",
    "explain_access",
    "infer_schema",
    "rfc3339",
    "seal",
    "where",
]

_LATER = {
    "AcceptedInvite": "textile_aio.users.invites",
    "AccessExplanation": "textile_aio.buckets.roles",
    "AccountArchive": "textile_aio.users.archives",
    "AccountType": "textile_aio.accounts.billing",
    "AccountUsage": "textile_aio.users.usage",
    "AccountsClient": "textile_aio.accounts.client",
    "Alias": "textile_aio.threads.typed.markers",
    "ApiKey": "textile_aio.accounts.values",
    "Archive": "textile_aio.buckets.archives",
    "ArchiveConfig": "textile_aio.buckets.archives",
    "ArchiveRenew": "textile_aio.buckets.archives",
    "ArchiveRetrieval": "textile_aio.users.archives",
    "ArchiveStatus": "textile_aio.buckets.archives",
    "Archives": "textile_aio.buckets.archives",
    "AsyncReader": "textile_aio.buckets.reader",
    "BillingCustomer": "textile_aio.accounts.billing",
    "BillingPeriod": "textile_aio.accounts.billing",
    "BillingUsage": "textile_aio.accounts.billing",
    "BillingUsers": "textile_aio.accounts.billing",
    "BucketHandle": "textile_aio.buckets.handle",
    "BucketInvite": "textile_aio.users.invites",
    "BucketPath": "textile_aio.buckets.paths",
    "BucketsClient": "textile_aio.buckets.client",
    "BuildInfo": "textile_aio.accounts.values",
    "Change": "textile_aio.threads.listening.values",
    "ChangeAction": "textile_aio.threads.listening.values",
    "Collection": "textile_aio.threads.typed.collection",
    "CollectionConfig": "textile_aio.threads.values",
    "CollectionInfo": "textile_aio.threads.values",
    "DatabaseInfo": "textile_aio.threads.values",
    "DealInfo": "textile_aio.buckets.archives",
    "Event": "textile_aio.records.events",
    "EventKind": "textile_aio.records.events",
    "Explanation": "textile_aio.threads.values",
    "Field": "textile_aio.threads.query.builder",
    "Found": "textile_aio.threads.paging",
    "Gap": "textile_aio.threads.listening.values",
    "Grantee": "textile_aio.buckets.roles",
    "Id": "textile_aio.threads.typed.markers",
    "Index": "textile_aio.threads.values",
    "Items": "textile_aio.buckets.push",
    "KeyType": "textile_aio.accounts.values",
    "ListenFilter": "textile_aio.threads.listening.values",
    "Listening": "textile_aio.threads.listening.listening",
    "LogInfo": "textile_aio.net.values",
    "MailEvent": "textile_aio.users.watching",
    "MailEventKind": "textile_aio.users.watching",
    "Message": "textile_aio.users.messages",
    "MessageStatus": "textile_aio.users.messages",
    "Messages": "textile_aio.users.paging",
    "Modified": "textile_aio.threads.typed.markers",
    "NetClient": "textile_aio.net.client",
    "OnConflict": "textile_aio.buckets.conflicts",
    "Org": "textile_aio.accounts.values",
    "OrgMember": "textile_aio.accounts.values",
    "OrgName": "textile_aio.accounts.values",
    "OrgRole": "textile_aio.accounts.values",
    "PathsPush": "textile_aio.buckets.push",
    "Pull": "textile_aio.buckets.pull",
    "Query": "textile_aio.threads.query.builder",
    "QueryLike": "textile_aio.threads.query.builder",
    "ReadTransaction": "textile_aio.threads.transactions",
    "Record": "textile_aio.records.record",
    "RetrievalStatus": "textile_aio.users.archives",
    "RolesLike": "textile_aio.buckets.roles",
    "RootLike": "textile_aio.buckets.push",
    "Session": "textile_aio.accounts.values",
    "SessionInfo": "textile_aio.accounts.values",
    "Source": "textile_aio.buckets.sources",
    "Subscription": "textile_aio.net.subscription",
    "ThreadDetails": "textile_aio.net.values",
    "ThreadRecord": "textile_aio.net.values",
    "ThreadsClient": "textile_aio.threads.client",
    "TreePull": "textile_aio.buckets.trees.values",
    "TreePush": "textile_aio.buckets.trees.values",
    "TypedChange": "textile_aio.threads.typed.listening",
    "TypedListening": "textile_aio.threads.typed.listening",
    "TypedTransaction": "textile_aio.threads.typed.transaction",
    "Unfit": "textile_aio.threads.typed.upkeep",
    "UsersClient": "textile_aio.users.client",
    "Watch": "textile_aio.users.watching",
    "WriteTransaction": "textile_aio.threads.transactions",
    "explain_access": "textile_aio.buckets.roles",
    "infer_schema": "textile_aio.threads.schemas",
    "rfc3339": "textile_aio.threads.typed.scalars",
    "seal": "textile_aio.records.record",
    "where": "textile_aio.threads.query.builder",
}
"""Names that not every program needs, loaded when they are: they would double the time of importing this."""


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = _as_ours(getattr(importlib.import_module(_LATER[name]), name))
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _as_ours(value: object) -> object:
    """Let tracebacks, reprs and pickles name what users import, not where it happens to live."""
    if getattr(value, "__module__", "").startswith(f"{__name__}."):
        value.__module__ = __name__
    return value


for _name in __all__:
    if _name not in _LATER:
        _as_ours(globals()[_name])
del _name
