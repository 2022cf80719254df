"""``api.usersd.pb.APIService``: what belongs to the caller (spec: users-and-mail).

Threads, usage and archives here; mail beside it.
"""

from __future__ import annotations

from textile_aio._proto.api.billingd import pb as billingd
from textile_aio._proto.api.usersd import pb
from textile_aio.errors import FailedPrecondition, InvalidKey, NotFound, StatusCode, ThreadNotFound
from textile_aio.identity import PublicKey
from textile_aio.localhub.call import Call, Exchange
from textile_aio.localhub.mail.mailboxes import Mailboxes
from textile_aio.localhub.routes import Method, Service
from textile_aio.localhub.services.mail import MailMethods
from textile_aio.localhub.usage import stored_in
from textile_aio.storage.locks import Locks
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import View
from textile_aio.storage.values import AccountKind, TrackedThread

_PREFIX = "/api.usersd.pb.APIService/"
_SECOND = 1_000_000_000


class UsersService:
    """The owner's view of what they made."""

    def __init__(self, store: StoreRunner, mailboxes: Mailboxes) -> None:
        self._store = store
        self._mail = MailMethods(mailboxes)
        self._counting = Locks()

    def service(self) -> Service:
        """What is served."""
        handlers: dict[str, Method] = {
            "GetThread": self.get_thread,
            "ListThreads": self.list_threads,
            "GetUsage": self.get_usage,
            "ArchivesLs": self.no_archives,
            "ArchivesImport": self.no_archives,
            "ArchiveRetrievalLs": self.list_retrievals,
            "ArchiveRetrievalLogs": self.retrieval_logs,
            **self._mail.handlers(),
        }
        return Service(pb.ApiServiceBase, {_PREFIX + name: handler for name, handler in handlers.items()})

    async def get_thread(self, call: Call, request: pb.GetThreadRequest) -> pb.GetThreadResponse:
        """The owner's thread with exactly that name."""
        owner = call.owner
        row = await self._store.read(lambda view: view.tracked_named(owner, request.name))
        if row is None or not request.name:
            raise ThreadNotFound("Thread not found", code=StatusCode.NOT_FOUND)
        return _message(row)

    async def list_threads(self, call: Call, request: pb.ListThreadsRequest) -> pb.ListThreadsResponse:
        """All threads of the owner, in order of creation."""
        owner = call.owner
        rows = await self._store.read(lambda view: view.tracked_by(owner))
        return pb.ListThreadsResponse(list=[_message(row) for row in rows])

    async def get_usage(self, call: Call, request: pb.GetUsageRequest) -> pb.GetUsageResponse:
        """What the hub stores for the owner, or for a user of theirs. Upstream needs its billing for that."""
        owner = call.owner
        of = _public_key(request.key) if request.key else owner
        customer, threads = await self._store.read(lambda view: _customer(view, call, of))
        async with self._counting.hold(owner):  # which may take long, so one after the other for each caller
            stored = await stored_in(self._store, threads)
        usage = {"stored_data": billingd.Usage(description="Stored data", total=stored.total)}
        return pb.GetUsageResponse(customer=customer, usage=billingd.GetCustomerUsageResponse(usage=usage))

    async def no_archives(self, call: Call, request: object) -> None:
        """As upstream without Filecoin."""
        raise _no_filecoin()

    async def list_retrievals(
        self, call: Call, request: pb.ArchiveRetrievalLsRequest
    ) -> pb.ArchiveRetrievalLsResponse:
        """There are none; upstream's handler breaks off."""
        return pb.ArchiveRetrievalLsResponse()

    async def retrieval_logs(
        self, call: Call, request: pb.ArchiveRetrievalLogsRequest, exchange: Exchange
    ) -> None:
        """As the other archive calls; upstream's handler breaks off."""
        raise _no_filecoin()


def _message(row: TrackedThread) -> pb.GetThreadResponse:
    return pb.GetThreadResponse(id=row.thread, name=row.name, is_db=row.is_database)


def _public_key(text: str) -> bytes:
    try:
        return bytes(PublicKey.from_string(text))
    except InvalidKey:
        raise InvalidKey("Invalid public key", code=StatusCode.FAILED_PRECONDITION) from None


def _customer(view: View, call: Call, of: bytes) -> tuple[billingd.GetCustomerResponse, list[bytes]]:
    """Whose usage is told, and in which threads it is.

    An account is told of what its users have in threads that were made with its API keys, and of nothing
    else.

    Raises:
        NotFound: Nobody whose usage the caller may see.
    """
    owner = call.owner
    rows = view.tracked_by(of)
    parent = b""
    kind = AccountKind.USER if call.caller.kind is None else call.caller.kind
    if of != owner:
        keys = {key.key for key in view.api_keys(owner)}
        rows = [row for row in rows if row.key in keys]
        if not rows:
            raise NotFound("User not found", code=StatusCode.NOT_FOUND)
        parent, kind = owner, AccountKind.USER
    elif kind is AccountKind.USER and (key := view.api_key(call.caller.api_key)) is not None:
        parent = key.owner
    account = view.account(of)
    created = [account.created_at] if account is not None else [row.created_at for row in rows]
    customer = billingd.GetCustomerResponse(
        key=str(PublicKey.from_bytes(of)),
        parent_key=str(PublicKey.from_bytes(parent)) if parent else "",
        email=account.email if account is not None else "",
        account_type=int(kind),
        created_at=min(created, default=0) // _SECOND,
    )
    return customer, [row.thread for row in rows]


def _no_filecoin() -> FailedPrecondition:
    return FailedPrecondition("no powergate info associated with account", code=StatusCode.UNKNOWN)
