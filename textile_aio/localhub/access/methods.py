"""Which methods are special to the access rules (spec: identity-and-auth §10.1, §10.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_THREADS = "/threads.pb.API/"
_NET = "/threads.net.pb.API/"
_BUCKETS = "/api.bucketsd.pb.APIService/"
_HUB = "/api.hubd.pb.APIService/"


def _all(service: str, names: str) -> frozenset[str]:
    return frozenset(service + name for name in names.split())


NO_AUTH = _all(_HUB, "Signup Signin IsUsernameAvailable") | {"/grpc.health.v1.Health/Check"}
"""Anyone may call these, with whatever headers."""

BLOCKED = frozenset({_THREADS + "ListDBs", _NET + "Subscribe"})
"""Nobody may call these on a hub."""

TOKEN_OPTIONAL = frozenset({_THREADS + "GetToken", _NET + "GetToken"})
"""The only methods a user-group key may call without a token, and with a stale one."""

CROSS_USER = (
    _all(_THREADS, "Create Verify Save Delete Has Find FindByID ReadTransaction WriteTransaction Listen")
    | _all(
        _BUCKETS,
        "Root Links ListPath PushPath PullPath SetPath MovePath RemovePath "
        "PullPathAccessRoles PushPathAccessRoles",
    )
    # Upstream forgets PushPaths, and never notices because it does not check streams. Clients push to
    # shared buckets with it, so it belongs here once streams are checked.
    | _all(_BUCKETS, "PushPaths")
    | _all("/textile_aio.buckets.pb.Extensions/", "ListTree HasBlocks CopyPath ExportCar")
)
"""A caller who does not own the thread may call these: buckets and collections have rules of their own."""

THREADLESS_STREAMS = TOKEN_OPTIONAL | {_BUCKETS + "PullIpfsPath"}
"""Streams that touch no thread, whatever the headers name. (Unary ones are checked, as upstream does.)"""

CREATING = frozenset(
    {_THREADS + "NewDB", _THREADS + "NewDBFromAddr", _NET + "CreateThread", _NET + "AddThread"}
)
"""These make a thread, which is then tracked for its owner."""

DATABASE_CREATING = _all(_THREADS, "NewDB NewDBFromAddr")

POWERGATE = "/powergate.user.v1.UserService/"
POWERGATE_ALLOWED = _all(
    POWERGATE, "Addresses Balance SignMessage VerifyMessage CidInfo StorageDealRecords RetrievalDealRecords"
)

_DATABASE_ID = _all(
    _THREADS,
    "NewDB GetDBInfo DeleteDB NewCollection UpdateCollection DeleteCollection "
    "GetCollectionInfo GetCollectionIndexes ListCollections",
)
_THREAD_ID = _all(
    _NET, "GetThread PullThread DeleteThread AddReplicator CreateRecord AddRecord GetRecord CreateThread"
)
_ADDRESS = frozenset({_THREADS + "NewDBFromAddr", _NET + "AddThread"})


def request_thread(method: str) -> Callable[[Any], bytes] | None:
    """How to read the thread id that a request of ``method`` names and that has to be checked, if any.

    For a method that takes a multiaddr the result is the address; see :func:`names_address`.
    """
    if method in _DATABASE_ID:
        return lambda request: bytes(request.db_id)
    if method in _THREAD_ID:
        return lambda request: bytes(request.thread_id)
    if method in _ADDRESS:
        return lambda request: bytes(request.addr)
    return None


def names_address(method: str) -> bool:
    """Whether the request names its thread by multiaddr instead of by id."""
    return method in _ADDRESS
