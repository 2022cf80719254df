"""What users calls give back, as values of ours."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from textile_aio.ids import ThreadID


@dataclass(frozen=True, slots=True)
class ThreadInfo:
    """A thread that belongs to the caller at a hub with accounts.

    Attributes:
        id: The thread.
        name: The name it was made with, unique for the owner; empty for none.
        is_db: Whether there is a database in it.
    """

    id: ThreadID
    _: KW_ONLY
    name: str
    is_db: bool
