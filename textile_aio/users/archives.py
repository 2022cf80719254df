"""Filecoin archives of an account, and what brings them back, as values of ours."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from enum import Enum

from textile_aio.ids import Cid


@dataclass(frozen=True, slots=True)
class AccountArchive:
    """Content that an account has archived.

    Attributes:
        cid: Its address.
        deal_ids: The deals that store it.
    """

    cid: Cid
    _: KW_ONLY
    deal_ids: tuple[int, ...]


class RetrievalStatus(Enum):
    """How far the retrieval of an archive is."""

    UNSPECIFIED = 0
    QUEUED = 1
    EXECUTING = 2
    MOVING_TO_BUCKET = 3
    FAILED = 4
    CANCELED = 5
    SUCCESS = 6


@dataclass(frozen=True, slots=True)
class ArchiveRetrieval:
    """An archive that is brought back into a bucket.

    Attributes:
        id: Names the retrieval.
        cid: What is brought back.
        status: How far it is.
        failure_cause: Why it failed; empty otherwise.
        created_at: When it was asked for, to the second, UTC.
        bucket_name: The name of the new bucket; None if it is for no new one.
        is_private: Whether that is a private one.
    """

    id: str
    _: KW_ONLY
    cid: Cid
    status: RetrievalStatus
    failure_cause: str
    created_at: datetime
    bucket_name: str | None
    is_private: bool
