"""What each call comes to, as the specifications have it; nothing here is read from the hub.

Sources: identity-and-auth §10.1 to §10.5, hub-accounts §3 and §4, users-and-mail §7, filecoin-and-admin §1.1,
threads-api §2, buckets-api §1 and §8.
"""

from __future__ import annotations

from grpclib.const import Cardinality

from tests.localhub.access_matrix.places import BUCKETS, DB, EXTENSIONS, HEALTH, HUB, NET, POWERGATE, USERS
from tests.localhub.raw import METHODS, OK, Outcome


def _all(service: str, names: str) -> frozenset[str]:
    return frozenset(service + name for name in names.split())


OPEN = _all(HUB, "Signup Signin IsUsernameAvailable") | _all(HEALTH, "Check Watch")
"""No header is looked at. (``Watch`` is not upstream's: it says no more than ``Check``.)"""

BLOCKED = {DB + "ListDBs", NET + "Subscribe"}
GET_TOKEN = {DB + "GetToken", NET + "GetToken"}
MAKING = _all(DB, "NewDB NewDBFromAddr") | _all(NET, "CreateThread AddThread")
THREADLESS = OPEN | BLOCKED | GET_TOKEN | {BUCKETS + "PullIpfsPath"}
"""Which thread the headers name makes no difference."""

OTHERS_MAY = (
    _all(DB, "Create Verify Save Delete Has Find FindByID ReadTransaction WriteTransaction Listen")
    | _all(BUCKETS, "Root Links ListPath PushPath PushPaths PullPath SetPath MovePath RemovePath")
    | _all(BUCKETS, "PullPathAccessRoles PushPathAccessRoles")
    | _all(EXTENSIONS, "ListTree HasBlocks CopyPath ExportCar")
)
"""Open to those who do not own the thread: ``PushPaths`` is so upstream by omission, extensions are ours."""

NAMED = _all(
    DB,
    "GetDBInfo DeleteDB NewCollection UpdateCollection DeleteCollection GetCollectionInfo "
    "GetCollectionIndexes ListCollections",
) | _all(NET, "GetThread PullThread DeleteThread AddReplicator CreateRecord AddRecord GetRecord")
"""The thread that the request names is looked at as well."""

INSTANCES = _all(DB, "Create Verify Save Delete Has Find FindByID ReadTransaction WriteTransaction Listen")

DENIED: Outcome = ("PERMISSION_DENIED", "Method is not accessible")
FOREIGN: Outcome = ("PERMISSION_DENIED", "User does not own thread")
OTHER_KEY: Outcome = ("PERMISSION_DENIED", "Bad API key")
UNFINISHED: Outcome = ("UNKNOWN", "EOF")
NO_FILECOIN: Outcome = ("UNKNOWN", "no powergate info associated with account")
NO_ARCHIVES: Outcome = ("UNKNOWN", "archiving feature is disabled")
NOT_HERE: Outcome = ("UNKNOWN", "cannot retrieve thread from self: thread not found")
NO_INSTANCE: Outcome = ("UNKNOWN", "instance not found")
TRACKED: Outcome = (
    "UNKNOWN",
    "multiple write errors: [{write errors: [{E11000 duplicate key error collection: textile.threads}]}]",
)
BAD_TOKEN: Outcome = ("UNKNOWN", "invalid thread token")
NO_BILLING: Outcome = ("UNKNOWN", "billing is not enabled")
USER: Outcome = ("INVALID_ARGUMENT", "account type not supported")
NO_DEVELOPER: Outcome = ("INVALID_ARGUMENT", "developer account required")
NO_ORG: Outcome = ("INVALID_ARGUMENT", "organization account required")
NO_ORG_SHOWN: Outcome = ("FAILED_PRECONDITION", "organization account required")
NO_SESSION: Outcome = ("NOT_FOUND", "session not found")
UNKNOWN_KEY: Outcome = ("UNKNOWN", "mongo: no documents in result")
NOT_OWNER: Outcome = ("PERMISSION_DENIED", "User must be an org owner")
LAST_OWNER: Outcome = ("UNKNOWN", "an org must have at least one owner")
HAS_ORG: Outcome = ("FAILED_PRECONDITION", "Account not empty (delete orgs first)")
REFUSED_WRITE = "app denied net record body: permission denied"
WRAPPED_WRITE = f"verifying bucket update: rpc error: code = Unknown desc = {REFUSED_WRITE}"

_ANSWERS: dict[str, Outcome] = {
    DB + "GetToken": UNFINISHED,
    DB + "NewDBFromAddr": NOT_HERE,
    DB + "FindByID": NO_INSTANCE,
    NET + "GetToken": UNFINISHED,
    NET + "AddThread": NOT_HERE,
    NET + "CreateRecord": ("UNKNOWN", "cannot create record: thread is in use"),
    NET + "AddRecord": ("INVALID_ARGUMENT", "a record is required"),
    NET + "GetRecord": ("NOT_FOUND", "record not found"),
    NET + "DeleteThread": ("UNKNOWN", "cannot delete thread: thread is in use"),
    **dict.fromkeys(_all(BUCKETS, "Archive ArchiveWatch DefaultArchiveConfig"), NO_ARCHIVES),
    BUCKETS + "SetDefaultArchiveConfig": NO_ARCHIVES,
    USERS + "GetThread": ("NOT_FOUND", "Thread not found"),
    USERS + "SendMessage": ("UNAUTHENTICATED", "Bad message signature"),
    USERS + "ReadInboxMessage": NO_INSTANCE,
    **dict.fromkeys(_all(USERS, "ArchivesLs ArchivesImport ArchiveRetrievalLogs"), NO_FILECOIN),
}
"""What a request that nothing is wrong with comes to, unless that is OK: what the hub has not got."""

# fmt: off
_HUB: dict[str, tuple[Outcome, ...]] = {
    # method             developer      org's owner   org's member  org's key      app's user
    "BuildInfo":         (OK,           OK,           OK,           OK,            OK),
    "IsOrgNameAvailable": (OK,          OK,           OK,           OK,            OK),
    "Signout":           (OK,           OK,           OK,           NO_SESSION,    NO_SESSION),
    "GetSessionInfo":    (OK,           OK,           OK,           NO_DEVELOPER,  USER),
    "GetIdentity":       (OK,           OK,           OK,           OK,            USER),
    "CreateKey":         (OK,           OK,           OK,           OK,            USER),
    "ListKeys":          (OK,           OK,           OK,           OK,            USER),
    "InvalidateKey":     (UNKNOWN_KEY,  UNKNOWN_KEY,  UNKNOWN_KEY,  UNKNOWN_KEY,   USER),
    "CreateOrg":         (OK,           OK,           OK,           NO_DEVELOPER,  USER),
    "GetOrg":            (NO_ORG_SHOWN, OK,           OK,           OK,            USER),
    "ListOrgs":          (OK,           OK,           OK,           NO_DEVELOPER,  USER),
    "RemoveOrg":         (NO_ORG,       OK,           NOT_OWNER,    NO_DEVELOPER,  USER),
    "InviteToOrg":       (NO_ORG,       OK,           OK,           NO_DEVELOPER,  USER),
    "LeaveOrg":          (NO_ORG,       LAST_OWNER,   OK,           NO_DEVELOPER,  USER),
    "SetupBilling":      (NO_BILLING,   NO_BILLING,   NO_BILLING,   NO_BILLING,    NO_BILLING),
    "GetBillingSession": (NO_BILLING,   NO_BILLING,   NO_BILLING,   NO_BILLING,    NO_BILLING),
    "ListBillingUsers":  (NO_BILLING,   NO_BILLING,   NO_BILLING,   NO_BILLING,    NO_BILLING),
    "DestroyAccount":    (OK,           HAS_ORG,      OK,           NO_DEVELOPER,  USER),
}
# fmt: on
_COLUMNS = {
    "session": 0,
    "session beside a bad key": 0,
    "account's key": 0,
    "account's secure key": 0,
    "account's key and a token": 0,
    "organisation's owner": 1,
    "organisation's member": 2,
    "organisation's key": 3,
    "organisation's secure key": 3,
}


def refused(method: str, refusal: Outcome, *, newcomer: bool) -> Outcome:
    """For somebody whom the hub does not recognise."""
    if method in OPEN:
        return _ANSWERS.get(method, OK)
    if method in BLOCKED:
        return DENIED
    return UNFINISHED if newcomer and method in GET_TOKEN else refusal


def let_in(method: str, kind: str) -> Outcome:
    """For somebody whom the hub recognises, about what is their own."""
    if method in BLOCKED:
        return DENIED
    if method.startswith(HUB) and method not in OPEN:
        if method == HUB + "Signout" and "key" in kind and "session" not in kind:
            return NO_SESSION
        return _HUB[method.removeprefix(HUB)][_COLUMNS.get(kind, 4)]
    if method.startswith(POWERGATE):
        if METHODS[method].cardinality is Cardinality.UNARY_UNARY:
            return ("INTERNAL", "Powergate isn't enabled in Hub")
        return ("UNIMPLEMENTED", f"method {method.removeprefix(POWERGATE)} not implemented")
    return _ANSWERS.get(method, OK)


def with_foreign_token(method: str, kind: str) -> Outcome:
    """For an account that sends another hub's token: the threads services believe none but their own."""
    about_threads = method.startswith((DB, NET)) and method not in THREADLESS
    return BAD_TOKEN if about_threads and method != NET + "GetHostID" else let_in(method, kind)


_STRANGERS: dict[str, Outcome] = {
    DB + "NewDB": ("UNKNOWN", "db already exists"),
    DB + "NewDBFromAddr": ("UNKNOWN", "db already exists"),
    NET + "CreateThread": ("UNKNOWN", "service-key mismatch"),
    NET + "AddThread": ("UNKNOWN", "service-key mismatch"),
    **dict.fromkeys(_all(BUCKETS, "PushPath RemovePath"), ("UNKNOWN", REFUSED_WRITE)),
    BUCKETS + "PushPaths": ("UNKNOWN", f"enqueueing file: {WRAPPED_WRITE}"),
    **dict.fromkeys(_all(BUCKETS, "SetPath MovePath PushPathAccessRoles"), ("UNKNOWN", WRAPPED_WRITE)),
    EXTENSIONS + "CopyPath": ("UNKNOWN", WRAPPED_WRITE),
}


def stranger(method: str, kind: str) -> Outcome:
    """For somebody else than the owner, about the owner's place, where the headers or the request name it."""
    if method in THREADLESS:
        return let_in(method, kind)
    if method in OTHERS_MAY or method in MAKING:
        return _STRANGERS.get(method, let_in(method, kind))
    return FOREIGN


_NO_THREAD = {
    BUCKETS + "MovePath": "getting path: ",
    BUCKETS + "PushPaths": "getting bucket: ",
    BUCKETS + "SetPath": "get bucket: ",
    EXTENSIONS + "CopyPath": "getting path: ",
}


def nowhere(method: str) -> Outcome:
    """About a thread that is not there, of methods that others may call as well."""
    if method in _NO_THREAD:
        return ("UNKNOWN", f"{_NO_THREAD[method]}rpc error: code = NotFound desc = thread not found")
    return ("NOT_FOUND", "thread not found") if method in OTHERS_MAY else FOREIGN
