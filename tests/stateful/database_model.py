"""What a collection should do, as a dictionary, a queue for the turn to write, and the rules of transactions.

Spec: threads-api §7.2, §7.3. Knows values, nothing of stores, tasks or messages. The collection's schema
demands a ``name``, and its index of ``email``, where there is one, is unique.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Document = dict[str, Any]
Documents = dict[str, Document]

NO_SCHEMA = "SchemaViolation"
EXISTS = "AlreadyExists"
GONE = "NotFound"
NOT_FOUND = "InstanceNotFound"
NOT_UNIQUE = "UniqueViolation"
OVER = "FailedPrecondition"


class Refused(Exception):
    """The call fails with the error of this name, and changes nothing."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True)
class Action:
    kind: Literal["create", "save", "delete"]
    id: str
    document: Document | None = None


@dataclass
class Collection:
    """What is committed."""

    documents: Documents = field(default_factory=dict)
    unique: bool = False

    def apply(self, actions: Sequence[Action]) -> None:
        """Apply actions in order, all or none."""
        after = dict(self.documents)
        for action in actions:
            match action.kind:
                case "create":
                    if action.id in after:
                        raise Refused(EXISTS)
                case "delete":
                    if action.id not in after:
                        raise Refused(GONE)
            after.pop(action.id, None)
            if action.document is not None:
                email = action.document.get("email")
                if self.unique and email and any(each.get("email") == email for each in after.values()):
                    raise Refused(NOT_UNIQUE)
                after[action.id] = action.document
        self.documents = after

    def update(self, unique: bool) -> None:
        emails = [each["email"] for each in self.documents.values() if "email" in each]
        if unique and not self.unique and len(set(emails)) < len(emails):
            raise Refused(NOT_UNIQUE)
        self.unique = unique

    def create(self, documents: Sequence[Document]) -> list[Action]:
        for document in documents:
            check(document)
            if document["_id"] in self.documents:
                raise Refused(EXISTS)
        return [Action("create", each["_id"], each) for each in documents]

    def save(self, documents: Sequence[Document]) -> list[Action]:
        for document in documents:
            check(document)
        return [Action("save", each["_id"], each) for each in documents]

    def delete(self, ids: Sequence[str]) -> list[Action]:
        return [Action("delete", id_) for id_ in ids if id_ in self.documents]

    def decide(self, verb: str, what: Any) -> list[Action]:
        """The actions of a writing operation, by what is committed."""
        actions: list[Action] = getattr(self, verb)(what)
        return actions

    def read(self, verb: str, what: Any) -> Any:
        """The answer of a reading operation."""
        match verb:
            case "has":
                return all(id_ in self.documents for id_ in what)
            case "find":
                return [self.documents[id_] for id_ in sorted(self.documents)]
            case _:
                if what not in self.documents:
                    raise Refused(NOT_FOUND)
                return self.documents[what]


def check(document: Document) -> None:
    if "name" not in document:
        raise Refused(NO_SCHEMA)


@dataclass
class Transaction:
    """A write transaction that has begun."""

    collection: Collection
    actions: list[Action] = field(default_factory=list)
    over: bool = False
    holds: bool = True

    def write(self, verb: str, what: Any) -> None:
        actions = self.collection.decide(verb, what)
        if not self.over:
            self.actions += actions

    def verify(self, documents: Sequence[Document]) -> None:
        if self.over:
            raise Refused(OVER)
        for document in documents:
            check(document)

    def discard(self) -> None:
        self.over, self.holds, self.actions = True, False, []

    def commit(self) -> None:
        if self.over:
            raise Refused(OVER)
        self.over = True
        self.collection.apply(self.actions)


@dataclass
class Waiting:
    """Somebody who waits for the turn: several unary writes that go together, or one other."""

    run: list[tuple[Any, Callable[[], Any]]]
    together: bool = False
    keeps: bool = False


@dataclass
class Turn:
    """Who has the turn to write, and who waits for it in which order."""

    holder: Any = None
    queue: list[Waiting] = field(default_factory=list)

    def write(self, who: Any, run: Callable[[], Any]) -> None:
        """A unary write: it joins those that wait already."""
        for waiting in self.queue:
            if waiting.together:
                waiting.run.append((who, run))
                return
        self.queue.append(Waiting([(who, run)], together=True))

    def enter(self, who: Any, run: Callable[[], Any], *, keeps: bool) -> None:
        """Anything else: it has a turn of its own, and keeps it, or not."""
        self.queue.append(Waiting([(who, run)], keeps=keeps))

    def leave(self, who: Any) -> None:
        """Whoever it is has it no more, or does not wait any more."""
        if self.holder is who:
            self.holder = None
        for waiting in tuple(self.queue):
            waiting.run = [each for each in waiting.run if each[0] is not who]
            if not waiting.run and not waiting.together:
                self.queue.remove(waiting)

    def go_on(self) -> list[tuple[Any, Callable[[], Any]]]:
        """Those whose turn it has become, in order; the last of them may have kept it."""
        ready: list[tuple[Any, Callable[[], Any]]] = []
        while self.queue and self.holder is None:
            waiting = self.queue.pop(0)
            ready += waiting.run
            if waiting.keeps:
                self.holder = waiting.run[0][0]
        return ready
