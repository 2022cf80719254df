"""What callers do with instances, as actions that a commit will apply (spec: threads-api §5).

Within a transaction, reads, creations and deletions look at committed state only; no operation sees the ones
before it (spec: threads-api §7.2). A save is the exception: what it records is the difference from what the
transaction has made of the instance so far, so that what is stored in the end is what was saved last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from textile_aio.errors import AlreadyExists, InstanceNotFound, InvalidInput, StatusCode
from textile_aio.records.events import EventKind
from textile_aio.threaddb.collections import Collection
from textile_aio.threaddb.documents import Incoming, check_id, new_id, read_instance, stored_form
from textile_aio.threaddb.gojson import MAX_DEPTH
from textile_aio.threaddb.gosyntax import complaint
from textile_aio.threaddb.patches import diff, merge
from textile_aio.threaddb.scripts import Scripts

Committed = Callable[[str], bytes | None]
"""From an id to the committed document of the collection in question."""


@dataclass(frozen=True, slots=True)
class Action:
    """One change that was asked for.

    Attributes:
        kind: What is to be done.
        id: The instance.
        patch: What its event will carry: None for a deletion.
        is_drawn: The id was drawn here, with so many random bits that there cannot be such an instance.
    """

    kind: EventKind
    id: str
    patch: bytes | None
    is_drawn: bool = False


class Pending:
    """Documents as the actions of one transaction have left them so far."""

    def __init__(self, committed: Committed, changed: dict[str, bytes | None] | None = None) -> None:
        self._committed = committed
        self._changed = {} if changed is None else changed

    def document(self, id: str) -> bytes | None:  # noqa: A002
        """A document's body."""
        return self._changed[id] if id in self._changed else self._committed(id)

    def note(self, actions: Iterable[Action]) -> None:
        """Take further actions into account."""
        for action in actions:
            match action.kind:
                case EventKind.CREATE:
                    self._changed[action.id] = action.patch
                case EventKind.SAVE:
                    base = self.document(action.id)
                    self._changed[action.id] = merge(b"{}" if base is None else base, action.patch or b"{}")
                case EventKind.DELETE:
                    self._changed[action.id] = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Through whose eyes documents are seen. ``identity`` is a public key text, None for nobody's."""

    scripts: Scripts
    identity: str | None

    def visible(self, collection: Collection, document: bytes) -> bytes | None:
        """The document as the collection's read filter shows it; None if it hides it."""
        body = collection.config.read_filter
        if not body:
            return document
        return self.scripts.filter(body, reader=self.identity, instance=document)


def create(
    collection: Collection, committed: Committed, instances: Sequence[bytes], now: int
) -> list[Action]:
    """Create instances; those without an id get one.

    Raises:
        InvalidInput, SchemaViolation: An instance is malformed.
        AlreadyExists: An id is taken.
    """
    actions = []
    for raw in instances:
        incoming = read_instance(raw)
        id_ = incoming.id or new_id(now)
        check_id(id_)
        collection.schema.check(incoming)
        if incoming.id and committed(id_) is not None:
            raise AlreadyExists("can't create already existing instance", code=StatusCode.UNKNOWN, about=id_)
        stored = stored_form(incoming, id=id_, mod=now)
        actions.append(Action(EventKind.CREATE, id_, stored, is_drawn=not incoming.id))
    return actions


def save(
    collection: Collection, committed: Committed, instances: Sequence[bytes], reader: Reader, now: int
) -> list[Action]:
    """Replace instances, or create those that are not there.

    What is recorded is the difference from the instance as the caller sees it, so that what a read filter
    hides is kept (spec: threads-api §5.5).

    Raises:
        InvalidInput, SchemaViolation: An instance is malformed or has no id.
    """
    actions = []
    pending = Pending(committed)
    for raw in instances:
        incoming = _allowed(collection, raw)
        id_ = incoming.id or _generated(incoming, now)
        check_id(id_)
        patch = stored_form(incoming, id=id_, mod=now)
        old = pending.document(id_)
        if old is not None:
            seen = reader.visible(collection, old)
            if seen is None:
                raise InvalidInput("Invalid JSON Document", code=StatusCode.UNKNOWN, about=id_)
            patch = diff(seen, patch)
        action = Action(EventKind.SAVE, id_, patch)
        pending.note((action,))
        actions.append(action)
    return actions


def delete(committed: Committed, ids: Iterable[str]) -> list[Action]:
    """Delete instances; those that are not there are passed over."""
    return [Action(EventKind.DELETE, id_, None) for id_ in ids if committed(id_) is not None]


def has(collection: Collection, committed: Committed, ids: Iterable[str], reader: Reader) -> bool:
    """Whether all of the instances are there and visible; one that is named often is looked at once."""
    for id_ in dict.fromkeys(ids):
        document = committed(id_)
        if document is None or reader.visible(collection, document) is None:
            return False
    return True


def find_by_id(collection: Collection, committed: Committed, id: str, reader: Reader) -> bytes:  # noqa: A002
    """One instance, as the caller sees it.

    Raises:
        InstanceNotFound: It is not there, or hidden.
    """
    document = committed(id)
    seen = None if document is None else reader.visible(collection, document)
    if seen is None:
        raise InstanceNotFound("instance not found", code=StatusCode.UNKNOWN, about=id)
    return seen


def _allowed(collection: Collection, raw: bytes) -> Incoming:
    """An instance to be saved. Unlike a creation, upstream asks the schema before it looks for an id."""
    try:
        incoming = read_instance(raw)
    except InvalidInput:
        if not complaint(raw, max_depth=MAX_DEPTH):
            collection.schema.check(raw)
        raise
    collection.schema.check(incoming)
    return incoming


def _generated(incoming: Incoming, now: int) -> str:
    """An id for an instance that has an empty one, as JavaScript clients send (spec: threads-api §5.1)."""
    if incoming.value.get("_id") != "":
        raise InvalidInput("invalid instance: missing _id attribute", code=StatusCode.UNKNOWN)
    return new_id(now)
