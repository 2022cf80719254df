"""What listeners are told, and where in a database's history they stand.

Values and pure decisions; who waits for what is in ``listening``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import IntEnum

from textile_aio.errors import FailedPrecondition, InvalidInput, StatusCode
from textile_aio.storage.store import View
from textile_aio.storage.values import Change, ChangeKind, Database


class Action(IntEnum):
    """What happened to an instance (spec: threads-api §8)."""

    CREATE = 0
    SAVE = 1
    DELETE = 2


ACTIONS = {ChangeKind.CREATE: Action.CREATE, ChangeKind.SAVE: Action.SAVE, ChangeKind.DELETE: Action.DELETE}


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a database's history: after the change at ``index`` of ``sequence``.

    ``index`` -1 is before the first change of the sequence. Only positions of one incarnation compare.
    """

    incarnation: bytes
    sequence: int
    index: int

    def __str__(self) -> str:
        return f"{self.incarnation.hex()}-{self.sequence}-{self.index}"

    @classmethod
    def parse(cls, text: str) -> Position:
        """Read what :meth:`__str__` wrote.

        Raises:
            InvalidInput: It is no position.
        """
        try:
            incarnation, sequence, index = text.split("-", 2)
            return cls(bytes.fromhex(incarnation), int(sequence), int(index))
        except ValueError:
            raise InvalidInput(
                "the position is not one that this hub gave", code=StatusCode.INVALID_ARGUMENT
            ) from None


def present(database: Database) -> Position:
    """The position after everything that has happened."""
    return Position(database.incarnation, database.sequence + 1, -1)


def check_kept(database: Database, position: Position) -> None:
    """Refuse to go on from where changes are forgotten, or from what was never this database's past.

    Raises:
        FailedPrecondition: As OUT_OF_RANGE; some change may have been missed.
    """
    if position.incarnation != database.incarnation:
        reason = "the database was made anew since"
    elif position.sequence <= database.oldest:
        reason = "the changes after this position are gone"
    elif position > present(database):
        reason = "the database is older than this position, as after restoring a backup"
    else:
        return
    raise FailedPrecondition(reason, code=StatusCode.OUT_OF_RANGE, about=str(position))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which changes are wanted: all that match each part given. Empty, or None, matches any."""

    collection: str = ""
    id: str = ""
    action: Action | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """One change, for one listener.

    ``instance`` is its present state as the listener sees it; empty for a deletion, or if it is gone since.
    """

    position: Position
    collection: str
    id: str
    action: Action
    instance: bytes


class Filters:
    """Filters of one listener, found by look-up however many there are. None at all let everything pass."""

    def __init__(self, filters: Iterable[Filter]) -> None:
        self._actions: dict[tuple[str, str], set[Action | None]] = {}
        for each in filters:
            self._actions.setdefault((each.collection, each.id), set()).add(each.action)
        if not self._actions:
            self._actions["", ""] = {None}

    @property
    def names(self) -> Collection[tuple[str, str]]:
        """Collections and ids that some filter asks for; empty ones stand for any."""
        return self._actions.keys()

    def match(self, collection: str, id: str, action: Action) -> bool:  # noqa: A002
        """Whether any filter lets a change pass."""
        for key in places(collection, id):
            wanted = self._actions.get(key)
            if wanted is not None and (None in wanted or action in wanted):
                return True
        return False


def places(collection: str, id: str) -> tuple[tuple[str, str], ...]:  # noqa: A002
    """The names under which filters for an instance may be found."""
    return (collection, id), (collection, ""), ("", id), ("", "")


def changes_since(view: View, database: Database, position: Position) -> list[tuple[Position, Change]]:
    """The next changes of instances after a position, each with its own. Empty: there are no more.

    Raises:
        FailedPrecondition: See :func:`check_kept`.
    """
    while True:
        check_kept(database, position)
        page = view.changes_after(database.thread, position.sequence - 1, limit=_PAGE)
        found = []
        sequence, index = -1, -1
        for change in page:
            sequence, index = change.sequence, index + 1 if change.sequence == sequence else 0
            at = Position(database.incarnation, sequence, index)
            if at > position and change.kind in ACTIONS:
                found.append((at, change))
        if found or not page:
            return found
        # Nothing here was about an instance: go on after it.
        position = Position(database.incarnation, sequence + 1, -1)


_PAGE = 512
"""Changes read at once; a page ends with a whole sequence."""
