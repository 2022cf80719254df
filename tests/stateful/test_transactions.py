"""Transactions and single calls of several callers, interleaved at random, against a serial model.

A schedule is a list of steps, and each is taken to its end, or to where it waits for its turn, before the
next: so it can be replayed, and shrinks. What waits, and who comes next, is checked as well as every answer.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.faults.audit import Audit
from tests.stateful.database_model import Collection, Refused, Transaction, Turn
from tests.threaddb.engine_fixtures import Bench, dump, person, running
from textile_aio.errors import TextileError
from textile_aio.identity import Identity
from textile_aio.threaddb.collections import Index
from textile_aio.threaddb.transactions import ReadTransaction, WriteTransaction

T = TypeVar("T")

GRACE = 10.0
NAME = "Person"

ids = st.sampled_from(["a", "b", "c"])
id_lists = st.lists(ids, max_size=3)
documents = st.fixed_dictionaries(
    {"_id": ids},
    optional={
        "name": st.sampled_from(["N", "M"]),
        "email": st.sampled_from(["x", "y"]),
        "age": st.integers(1, 2),
        "more": st.fixed_dictionaries({}, optional={"p": st.integers(1, 2), "q": st.just([1, {"r": 2}])}),
    },
) | st.fixed_dictionaries({"_id": ids, "name": st.just("N")})
document_lists = st.lists(documents, min_size=1, max_size=3)
writes = (
    st.tuples(st.just("create"), document_lists)
    | st.tuples(st.just("save"), document_lists)
    | st.tuples(st.just("delete"), id_lists)
)
reads = (
    st.tuples(st.just("has"), id_lists)
    | st.tuples(st.just("find"), st.just(b"null"))
    | st.tuples(st.just("find_by_id"), ids)
)
people = st.sampled_from(["", "ann", "bob"])


@dataclass(eq=False)
class Caller:
    """Somebody who writes: waiting for the turn, or within a transaction."""

    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    task: asyncio.Task[Any] | None = None
    model: Transaction | None = None
    real: WriteTransaction | None = None


class TransactionMachine(RuleBasedStateMachine):
    """One collection, on a loop of the machine's own."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.exits = AsyncExitStack()
        self.model = Collection()
        self.turn = Turn()
        self.waiting: list[Caller] = []
        self.open: list[Caller] = []
        self.readers: list[tuple[AsyncExitStack, ReadTransaction, Collection]] = []
        self.bench: Bench = self.do(self.exits.enter_async_context(running(self.path())))
        self.do(self.bench.person())
        self.who = {"": "", **{name: str(Identity.generate().public) for name in ("ann", "bob")}}
        self.tasks = self.do(_count_tasks())

    def path(self) -> Path | None:
        return None

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        async def timed() -> T:
            async with asyncio.timeout(GRACE):
                return await work

        return self.runner.run(timed())

    def teardown(self) -> None:
        for caller in (*self.waiting, *self.open):
            self.let_go(caller)
        for stack, _, _ in self.readers:
            self.do(stack.aclose())
        self.settle()
        self.do(self.bench.store.read(Audit(self.bench.db).check))
        self.do(self.exits.aclose())
        self.runner.close()

    # What the steps are made of.

    def same(self, real: Coroutine[Any, Any, Any], model: Callable[[], Any]) -> Any:
        """Run both to the end and compare."""
        expected = _model(model)
        found = self.do(_real(real))
        assert found == expected
        return found

    def begin(self, real: Coroutine[Any, Any, Any], caller: Caller | None = None) -> Caller:
        async def start() -> asyncio.Task[Any]:
            return asyncio.create_task(_real(real))

        caller = caller or Caller()
        caller.task = self.do(start())
        self.waiting.append(caller)
        self.look()  # It gets to where it waits meanwhile.
        return caller

    def look(self) -> None:
        """Go to the store and back, while everybody else gets as far as they can."""
        self.do(self.bench.engine.has(self.bench.db, NAME, ["a"], who=""))

    def settle(self) -> None:
        """Whoever has the turn now gets on, in that order; all others wait."""
        for caller, run in self.turn.go_on():
            expected = _model(run)
            self.waiting.remove(caller)
            assert self.do(_finished(caller)) == expected
        self.look()
        assert not any(_done(caller) for caller in self.waiting)

    def let_go(self, caller: Caller) -> None:
        if caller in self.waiting:
            self.waiting.remove(caller)
            self.do(_cancelled(caller))
        elif caller in self.open:
            self.open.remove(caller)
            self.do(caller.stack.aclose())
        self.turn.leave(caller)

    # Single calls.

    @rule(write=writes, who=people)
    def write(self, write: tuple[str, Any], who: str) -> None:
        verb, what = write
        call = getattr(self.bench.engine, verb)(self.bench.db, NAME, _sent(verb, what), who=self.who[who])

        def run() -> Any:
            seen = what if verb != "delete" else list(dict.fromkeys(what))
            actions = self.model.decide(verb, seen)
            self.model.apply(actions)
            return [action.id for action in actions] if verb != "delete" else None

        self.turn.write(self.begin(call), run)
        self.settle()

    @rule(read=reads)
    def read(self, read: tuple[str, Any]) -> None:
        verb, what = read
        call = getattr(self.bench.engine, verb)(self.bench.db, NAME, what, who="")
        self.same(call, lambda: self.model.read(verb, what))

    @rule(unique=st.booleans())
    def update(self, unique: bool) -> None:
        config = person(*([Index("email", unique=True)] if unique else []))
        caller = self.begin(self.bench.engine.update_collection(self.bench.db, config))
        self.turn.enter(caller, lambda: self.model.update(unique), keeps=False)
        self.settle()

    # Write transactions.

    @precondition(lambda self: len(self.open) + len(self.waiting) < 6)
    @rule(who=people)
    def begin_transaction(self, who: str) -> None:
        caller = Caller()
        opening = self.bench.engine.write_transaction(self.bench.db, NAME, who=self.who[who])

        async def enter() -> None:
            caller.real = await caller.stack.enter_async_context(opening)

        self.begin(enter(), caller)

        def run() -> None:
            caller.model = Transaction(self.model)
            self.open.append(caller)

        self.turn.enter(caller, run, keeps=True)
        self.settle()

    def one(self, data: st.DataObject) -> tuple[Caller, WriteTransaction, Transaction]:
        caller = data.draw(st.sampled_from(self.open))
        assert caller.real is not None
        assert caller.model is not None
        return caller, caller.real, caller.model

    @precondition(lambda self: self.open)
    @rule(data=st.data(), write=writes)
    def write_within(self, data: st.DataObject, write: tuple[str, Any]) -> None:
        _, real, model = self.one(data)
        verb, what = write
        self.same(_silent(getattr(real, verb)(_sent(verb, what))), lambda: model.write(verb, what))

    @precondition(lambda self: self.open)
    @rule(data=st.data(), read=reads)
    def read_within(self, data: st.DataObject, read: tuple[str, Any]) -> None:
        _, real, _ = self.one(data)
        verb, what = read
        self.same(getattr(real, verb)(what), lambda: self.model.read(verb, what))

    @precondition(lambda self: self.open)
    @rule(data=st.data(), some=document_lists)
    def verify_within(self, data: st.DataObject, some: list[dict[str, Any]]) -> None:
        _, real, model = self.one(data)
        self.same(real.verify(_sent("verify", some)), lambda: model.verify(some))

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def commit(self, data: st.DataObject) -> None:
        _, real, model = self.one(data)
        self.same(real.commit(), model.commit)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def discard(self, data: st.DataObject) -> None:
        caller, real, model = self.one(data)
        self.same(real.discard(), model.discard)
        self.turn.leave(caller)
        self.settle()

    @precondition(lambda self: self.open)
    @rule(data=st.data(), commits=st.booleans())
    def leave(self, data: st.DataObject, commits: bool) -> None:
        caller, real, model = self.one(data)
        if commits:
            self.same(real.commit(), model.commit)
        self.let_go(caller)
        self.settle()

    @precondition(lambda self: self.turn.holder is None)
    @rule(some=st.lists(writes, min_size=2, max_size=6), who=people)
    def whole_transaction(self, some: list[tuple[str, Any]], who: str) -> None:
        model = Transaction(self.model)
        stack = AsyncExitStack()
        opening = self.bench.engine.write_transaction(self.bench.db, NAME, who=self.who[who])
        real = self.do(stack.enter_async_context(opening))
        for verb, what in some:
            self.same(_silent(getattr(real, verb)(_sent(verb, what))), partial(model.write, verb, what))
        self.same(real.commit(), model.commit)
        self.do(stack.aclose())

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def give_up_waiting(self, data: st.DataObject) -> None:
        self.let_go(data.draw(st.sampled_from(self.waiting)))
        self.settle()

    # Read transactions.

    @precondition(lambda self: len(self.readers) < 3)
    @rule()
    def begin_reading(self) -> None:
        stack = AsyncExitStack()
        reading = self.bench.engine.read_transaction(self.bench.db, NAME, who="")
        seen = Collection(self.model.documents)
        self.readers.append((stack, self.do(stack.enter_async_context(reading)), seen))

    @precondition(lambda self: self.readers)
    @rule(data=st.data(), read=reads, leaves=st.booleans())
    def read_the_past(self, data: st.DataObject, read: tuple[str, Any], leaves: bool) -> None:
        number = data.draw(st.integers(0, len(self.readers) - 1))
        stack, real, model = self.readers[number]
        verb, what = read
        self.same(getattr(real, verb)(what), lambda: model.read(verb, what))
        if leaves:
            del self.readers[number]
            self.do(stack.aclose())

    @invariant()
    def nobody_is_left_over(self) -> None:
        """Without anybody who waits there is no task between the steps."""
        if not self.turn.queue:
            assert self.do(_count_tasks()) == self.tasks


class DiskTransactionMachine(TransactionMachine):
    """The same on a disk."""

    def path(self) -> Path | None:
        self.folder = Path(tempfile.mkdtemp(prefix="textile-transactions-"))
        return self.folder / "hub.sqlite"

    def teardown(self) -> None:
        super().teardown()
        shutil.rmtree(self.folder)


async def _real(call: Coroutine[Any, Any, Any]) -> tuple[str, Any]:
    try:
        return "", _plain(await call)
    except TextileError as error:
        return type(error).__name__, None


async def _silent(call: Coroutine[Any, Any, Any]) -> None:
    await call


def _model(call: Callable[[], Any]) -> tuple[str, Any]:
    try:
        return "", call()
    except Refused as refused:
        return refused.name, None


def _done(caller: Caller) -> bool:
    return caller.task is not None and caller.task.done()


async def _finished(caller: Caller) -> Any:
    assert caller.task is not None
    return await caller.task


async def _cancelled(caller: Caller) -> None:
    assert caller.task is not None
    caller.task.cancel()
    await asyncio.wait((caller.task,))
    assert caller.task.cancelled()


async def _count_tasks() -> int:
    return len(asyncio.all_tasks())


def _sent(verb: str, what: Any) -> Any:
    return what if verb == "delete" else [dump(each) for each in what]


def _plain(value: Any) -> Any:
    """An answer as the model gives it: documents without the time of their last change."""
    match value:
        case bytes():
            document = json.loads(value)
            assert document.pop("_mod") > 0
            return document
        case list():
            return [_plain(each) for each in value]
    return value


bounded = settings(deadline=None, suppress_health_check=list(HealthCheck))

TestTransactionsInMemory = TransactionMachine.TestCase
TestTransactionsInMemory.settings = settings(bounded, max_examples=60, stateful_step_count=40)
TestTransactionsOnDisk = DiskTransactionMachine.TestCase
TestTransactionsOnDisk.settings = settings(bounded, max_examples=15, stateful_step_count=40)
