"""What owners do with their mailboxes (spec: users-and-mail §4).

Owns the order of checks, whose first failure clients see, and the time and id of a message. Callers are given by
their public key: whoever may act for an owner has been decided before. Knows no wire messages.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from textile_aio.errors import (
    AlreadyExists,
    BadSignature,
    FailedPrecondition,
    InstanceNotFound,
    InvalidInput,
    InvalidKey,
    QuotaExceeded,
    SchemaViolation,
    StatusCode,
)
from textile_aio.identity import PublicKey
from textile_aio.ids import ThreadID
from textile_aio.localhub.access.ownership import Ownership
from textile_aio.localhub.mail import message as messages
from textile_aio.localhub.mail.boxes import BOXES, INBOX, NAME, SENTBOX
from textile_aio.localhub.mail.message import StoredMessage
from textile_aio.localhub.mail.page import Listing, read_page
from textile_aio.localhub.mail.writing import Drafts, MailWriter
from textile_aio.localhub.services.claims import claimed
from textile_aio.storage.changes import Batch
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import View
from textile_aio.storage.transact import in_turn
from textile_aio.storage.values import TrackedThread
from textile_aio.threaddb import databases, instances
from textile_aio.threaddb.compiled import compiled
from textile_aio.threaddb.documents import load, new_id
from textile_aio.threaddb.engine import ThreadDatabases
from textile_aio.threaddb.founding import plan_database
from textile_aio.threaddb.instances import Reader
from textile_aio.threaddb.rawjson import dumps

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as its sender hands it in: sealed once for each side, both signed by the sender.

    Attributes:
        to: Public key text of the recipient, in any form.
        to_body: Sealed for the recipient.
        to_signature: Over ``to_body``.
        from_body: Sealed for the sender.
        from_signature: Over ``from_body``.
    """

    to: str
    to_body: bytes
    to_signature: bytes
    from_body: bytes
    from_signature: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """What the hub gave a message: its id, and the time in UTC nanoseconds."""

    id: str
    created_at: int
