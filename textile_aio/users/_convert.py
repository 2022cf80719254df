"""From the messages of ``api.usersd.pb`` to values of ours.

What cannot be such a value is the hub's fault: ProtocolError.
"""

from __future__ import annotations

from datetime import UTC, datetime

from textile_aio._proto.api.usersd import pb
from textile_aio.errors import InvalidInput, ProtocolError
from textile_aio.ids import Cid, ThreadID
from textile_aio.users.archives import AccountArchive, ArchiveRetrieval, RetrievalStatus
from textile_aio.users.messages import Message, public_key
from textile_aio.users.values import ThreadInfo


def thread(message: pb.GetThreadResponse) -> ThreadInfo:
    """The value of GetThread's answer, and of an entry of ListThreads'.

    Raises:
        ProtocolError: The id is malformed.
    """
    return ThreadInfo(thread_id(bytes(message.id), message.name), name=message.name, is_db=message.is_db)


def thread_id(data: bytes, name: str) -> ThreadID:
    """The id of the thread of that name.

    Raises:
        ProtocolError: It is malformed.
    """
    try:
        return ThreadID.from_bytes(data)
    except InvalidInput as error:
        raise ProtocolError(f"the hub sent a malformed thread id: {error.message}", about=name) from error


def message(message: pb.Message) -> Message:
    """A message of a box, not verified.

    Raises:
        IntegrityError: Its ``from`` or ``to`` is no public key.
    """
    return Message(
        message.id,
        from_=public_key(message.from_, "from", message.id),
        to=public_key(message.to, "to", message.id),
        body=bytes(message.body),
        signature=bytes(message.signature),
        created_at_ns=message.created_at,
        read_at_ns=message.read_at,
    )


def archive(message: pb.ArchiveLsItem) -> AccountArchive:
    """An archive of an account.

    Raises:
        ProtocolError: Its address is malformed.
    """
    return AccountArchive(_cid(message.cid), deal_ids=tuple(deal.deal_id for deal in message.info))


def retrieval(message: pb.ArchiveRetrievalLsItem) -> ArchiveRetrieval:
    """A retrieval.

    Raises:
        ProtocolError: Its address, status or date is malformed.
    """
    bucket = message.new_bucket
    try:
        return ArchiveRetrieval(
            message.id,
            cid=_cid(message.cid),
            status=RetrievalStatus(int(message.status)),
            failure_cause=message.failure_cause,
            created_at=datetime.fromtimestamp(message.created_at, UTC),
            bucket_name=None if bucket is None else bucket.name,
            is_private=bucket is not None and bucket.private,
        )
    except (ValueError, OverflowError, OSError) as error:
        raise ProtocolError(f"the hub sent a malformed retrieval: {error}", about=message.id) from error


def _cid(text: str) -> Cid:
    try:
        return Cid.parse(text)
    except InvalidInput as error:
        raise ProtocolError(f"the hub sent a malformed CID: {error.message}", about=text) from error
