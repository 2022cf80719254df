"""The access matrix: one row for each method of each service, and all that the rules say about it.

Owns what is special about which method (spec: identity-and-auth §10.1, §10.5; hub-accounts §3, §4).
Refuses to know headers, accounts and messages: ``authentication``, ``ownership`` and ``guards`` read their
decisions here, and a method without a row is served to nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

THREADS = "/threads.pb.API/"
NET = "/threads.net.pb.API/"
BUCKETS = "/api.bucketsd.pb.APIService/"
EXTENSIONS = "/textile_aio.buckets.pb.Extensions/"
USERS = "/api.usersd.pb.APIService/"
HUB = "/api.hubd.pb.APIService/"
POWERGATE = "/powergate.user.v1.UserService/"
HEALTH = "/grpc.health.v1.Health/"


class Who(Enum):
    """Whom a method serves.

    Attributes:
        ANYBODY: Whoever calls; no header is looked at.
        NOBODY: A hub does not serve it, whoever calls.
        NEWCOMERS: As ``CALLERS``; and users of a group without a token, or with one that is stale, for
            this is where they get one.
        CALLERS: Whoever has credentials: developers, organisations, and users of a group with a token.
        ACCOUNTS: Developers and organisations.
        DEVELOPERS: Developers, for themselves or for an organisation; no organisation's key.
        ORGANISATIONS: Whoever acts for an organisation.
        MEMBERS: Developers who act for an organisation.
        SESSIONS: Callers with a session.
    """

    ANYBODY = auto()
    NOBODY = auto()
    NEWCOMERS = auto()
    CALLERS = auto()
    ACCOUNTS = auto()
    DEVELOPERS = auto()
    ORGANISATIONS = auto()
    MEMBERS = auto()
    SESSIONS = auto()


class Reach(Enum):
    """What the thread that a call names may have to do with its caller.

    Attributes:
        NONE: The call touches no thread, whatever the headers name.
        OWN: It has to be the caller's own.
        SHARED: It may be somebody else's: roles, validators and filters say who may do what there.
        NEW_THREAD: It is made by the call, and belongs to its caller from then on.
        NEW_DATABASE: So is it, with a database.
    """

    NONE = auto()
    OWN = auto()
    SHARED = auto()
    NEW_THREAD = auto()
    NEW_DATABASE = auto()


@dataclass(frozen=True, slots=True)
class Access:
    """A row of the matrix.

    Attributes:
        who: Whom the method serves.
        reach: What threads it may be called for. The thread of the ``x-textile-thread`` header is
            looked at for ``OWN`` and ``SHARED``.
        named_by: The field of the (unary) request that names a thread to be looked at as well; empty
            for none. ``addr`` holds a multiaddress, the others an id.
    """

    who: Who
    reach: Reach
    named_by: str = ""

    @property
    def creates(self) -> bool:
        """Whether the method makes a thread."""
        return self.reach in (Reach.NEW_THREAD, Reach.NEW_DATABASE)


# fmt: off
_ROWS: Mapping[str, Sequence[tuple[str, Who, Reach, str]]] = {
    # methods                                   whom they serve      in which threads     named by
    THREADS: (
        ("GetToken",                            Who.NEWCOMERS,       Reach.NONE,          ""),
        ("ListDBs",                             Who.NOBODY,          Reach.NONE,          ""),
        ("NewDB",                               Who.CALLERS,         Reach.NEW_DATABASE,  "db_id"),
        ("NewDBFromAddr",                       Who.CALLERS,         Reach.NEW_DATABASE,  "addr"),
        ("GetDBInfo DeleteDB",                  Who.CALLERS,         Reach.OWN,           "db_id"),
        ("NewCollection UpdateCollection",      Who.CALLERS,         Reach.OWN,           "db_id"),
        ("DeleteCollection ListCollections",    Who.CALLERS,         Reach.OWN,           "db_id"),
        ("GetCollectionInfo",                   Who.CALLERS,         Reach.OWN,           "db_id"),
        ("GetCollectionIndexes",                Who.CALLERS,         Reach.OWN,           "db_id"),
        # Of these upstream looks at the header's thread alone, and so do clients that come with another
        # key than the one their thread was made with.
        ("Create Verify Save Delete",           Who.CALLERS,         Reach.SHARED,        ""),
        ("Has Find FindByID Listen",            Who.CALLERS,         Reach.SHARED,        ""),
        ("ReadTransaction WriteTransaction",    Who.CALLERS,         Reach.SHARED,        ""),
    ),
    NET: (
        ("GetToken",                            Who.NEWCOMERS,       Reach.NONE,          ""),
        ("Subscribe",                           Who.NOBODY,          Reach.NONE,          ""),
        ("GetHostID",                           Who.CALLERS,         Reach.OWN,           ""),
        ("CreateThread",                        Who.CALLERS,         Reach.NEW_THREAD,    "thread_id"),
        ("AddThread",                           Who.CALLERS,         Reach.NEW_THREAD,    "addr"),
        ("GetThread PullThread DeleteThread",   Who.CALLERS,         Reach.OWN,           "thread_id"),
        ("AddReplicator",                       Who.CALLERS,         Reach.OWN,           "thread_id"),
        ("CreateRecord AddRecord GetRecord",    Who.CALLERS,         Reach.OWN,           "thread_id"),
    ),
    BUCKETS: (
        ("List Create Remove",                  Who.CALLERS,         Reach.OWN,           ""),
        ("Root Links ListPath PullPath",        Who.CALLERS,         Reach.SHARED,        ""),
        # Upstream forgets PushPaths here, and never notices because it does not check streams.
        ("PushPath PushPaths SetPath",          Who.CALLERS,         Reach.SHARED,        ""),
        ("MovePath RemovePath",                 Who.CALLERS,         Reach.SHARED,        ""),
        ("PushPathAccessRoles",                 Who.CALLERS,         Reach.SHARED,        ""),
        ("PullPathAccessRoles",                 Who.CALLERS,         Reach.SHARED,        ""),
        ("ListIpfsPath",                        Who.CALLERS,         Reach.OWN,           ""),
        ("PullIpfsPath",                        Who.CALLERS,         Reach.NONE,          ""),
        ("Archive Archives ArchiveWatch",       Who.CALLERS,         Reach.OWN,           ""),
        ("DefaultArchiveConfig",                Who.CALLERS,         Reach.OWN,           ""),
        ("SetDefaultArchiveConfig",             Who.CALLERS,         Reach.OWN,           ""),
    ),
    EXTENSIONS: (
        ("ListTree HasBlocks",                  Who.CALLERS,         Reach.SHARED,        ""),
        ("CopyPath ExportCar",                  Who.CALLERS,         Reach.SHARED,        ""),
        ("ImportCar",                           Who.CALLERS,         Reach.OWN,           ""),
    ),
    USERS: (
        ("GetThread ListThreads",               Who.CALLERS,         Reach.OWN,           ""),
        ("SetupMailbox SendMessage",            Who.CALLERS,         Reach.OWN,           ""),
        ("ListInboxMessages ReadInboxMessage",  Who.CALLERS,         Reach.OWN,           ""),
        ("ListSentboxMessages",                 Who.CALLERS,         Reach.OWN,           ""),
        ("DeleteInboxMessage",                  Who.CALLERS,         Reach.OWN,           ""),
        ("DeleteSentboxMessage GetUsage",       Who.CALLERS,         Reach.OWN,           ""),
        ("ArchivesLs ArchivesImport",           Who.CALLERS,         Reach.OWN,           ""),
        ("ArchiveRetrievalLs",                  Who.CALLERS,         Reach.OWN,           ""),
        ("ArchiveRetrievalLogs",                Who.CALLERS,         Reach.OWN,           ""),
    ),
    HUB: (
        ("Signup Signin IsUsernameAvailable",   Who.ANYBODY,         Reach.NONE,          ""),
        ("BuildInfo IsOrgNameAvailable",        Who.CALLERS,         Reach.OWN,           ""),
        ("Signout",                             Who.SESSIONS,        Reach.OWN,           ""),
        ("GetSessionInfo DestroyAccount",       Who.DEVELOPERS,      Reach.OWN,           ""),
        ("GetIdentity",                         Who.ACCOUNTS,        Reach.OWN,           ""),
        ("CreateKey ListKeys InvalidateKey",    Who.ACCOUNTS,        Reach.OWN,           ""),
        ("CreateOrg ListOrgs",                  Who.DEVELOPERS,      Reach.OWN,           ""),
        ("GetOrg",                              Who.ORGANISATIONS,   Reach.OWN,           ""),
        ("RemoveOrg InviteToOrg LeaveOrg",      Who.MEMBERS,         Reach.OWN,           ""),
        # There is none; upstream says so before it looks at the account.
        ("SetupBilling GetBillingSession",      Who.CALLERS,         Reach.OWN,           ""),
        ("ListBillingUsers",                    Who.CALLERS,         Reach.OWN,           ""),
    ),
    POWERGATE: (
        ("BuildInfo UserIdentifier",            Who.CALLERS,         Reach.OWN,           ""),
        ("Addresses NewAddress Balance",        Who.CALLERS,         Reach.OWN,           ""),
        ("SendFil SignMessage VerifyMessage",   Who.CALLERS,         Reach.OWN,           ""),
        ("DefaultStorageConfig",                Who.CALLERS,         Reach.OWN,           ""),
        ("SetDefaultStorageConfig",             Who.CALLERS,         Reach.OWN,           ""),
        ("ApplyStorageConfig Remove",           Who.CALLERS,         Reach.OWN,           ""),
        ("Stage StageCid ReplaceData Get",      Who.CALLERS,         Reach.OWN,           ""),
        ("CidInfo CidSummary",                  Who.CALLERS,         Reach.OWN,           ""),
        ("StorageInfo ListStorageInfo",         Who.CALLERS,         Reach.OWN,           ""),
        ("StorageJob StorageConfigForJob",      Who.CALLERS,         Reach.OWN,           ""),
        ("ListStorageJobs StorageJobsSummary",  Who.CALLERS,         Reach.OWN,           ""),
        ("CancelStorageJob",                    Who.CALLERS,         Reach.OWN,           ""),
        ("WatchLogs WatchStorageJobs",          Who.CALLERS,         Reach.OWN,           ""),
        ("StorageDealRecords",                  Who.CALLERS,         Reach.OWN,           ""),
        ("RetrievalDealRecords",                Who.CALLERS,         Reach.OWN,           ""),
    ),
    HEALTH: (
        ("Check Watch",                         Who.ANYBODY,         Reach.NONE,          ""),
    ),
}
# fmt: on


def rows() -> Iterator[tuple[str, Access]]:
    """Full method names with their rows, in the order of the table."""
    for service, group in _ROWS.items():
        for names, who, reach, named_by in group:
            row = Access(who, reach, named_by)
            for name in names.split():
                yield service + name, row


TABLE: Mapping[str, Access] = dict(rows())
"""The rows by full method name."""


def _for(*who: Who) -> frozenset[str]:
    return frozenset(method for method, row in TABLE.items() if row.who in who)


NO_AUTH = _for(Who.ANYBODY)
"""Anyone may call these, with whatever headers."""

BLOCKED = _for(Who.NOBODY)
"""Nobody may call these on a hub."""

TOKEN_OPTIONAL = _for(Who.NEWCOMERS)
"""The only methods a user-group key may call without a token, and with a stale one."""
