"""What listeners ask for and what they are told."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import Enum
from typing import Any


class ChangeAction(Enum):
    """What was done to an instance. Saving one that was not there is a save."""

    CREATE = "create"
    SAVE = "save"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class ListenFilter:
    """Which changes are wanted: those that match every part that is given.

    Attributes:
        collection: Name of the collection; empty for any. It need not exist yet.
        id: Id of the instance; empty for any.
        action: What was done; None for anything.
    """

    collection: str = ""
    _: KW_ONLY
    id: str = ""
    action: ChangeAction | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one instance.

    Attributes:
        collection: Name of the collection.
        id: Id of the instance.
        action: What was done.
        instance: The instance as it was when the hub sent this, which may be later than the change; None for
            a deletion, or if it has been deleted since.
        position: Where to go on listening after this one; None at a hub that does not say.
        is_repeat: True for an instance that was read again after a gap, and may have been told before.
    """

    collection: str
    id: str
    action: ChangeAction
    _: KW_ONLY
    instance: dict[str, Any] | None
    position: str | None = None
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """Changes may have been missed; deletions among them are told by nobody.

    Instances that were created or saved meanwhile follow as changes that are repeats.

    Attributes:
        reason: Why.
        position: Where the hub is now; None at a hub that does not say.
    """

    reason: str
    _: KW_ONLY
    position: str | None = None
