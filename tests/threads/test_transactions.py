"""When a transaction is committed and when it is not, on a hub that tells what it saw of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError
from grpclib.server import Stream

import textile_aio
from tests.fakehub import CTX, FakeHub, connected, received
from tests.rpc.leaks import nothing_left
from textile_aio import (
    AlreadyExists,
    AuthContext,
    ClosedError,
    DatabaseNotFound,
    FailedPrecondition,
    HubClient,
    InstanceNotFound,
    InvalidInput,
    ProtocolError,
    RemoteError,
    SchemaViolation,
    ThreadID,
    ThreadRequired,
)
from textile_aio._proto.threads import pb
from textile_aio.threads import _methods

THREAD = ThreadID.random()
REFUSED = "instance doesn't correspond to schema: (root): name is required"


class Ledger:
    """A hub's side of write transactions: what was started, done, committed, and given up."""

    def __init__(self) -> None:
        self.started: list[pb.StartTransactionRequest] = []
        self.done: list[str] = []
        self.committed = 0
        self.over = asyncio.Event()
        self.at_commit: Callable[[], None] = lambda: None

    def serve(self, fake: FakeHub) -> None:
        fake.on(_methods.WRITE_TRANSACTION, self._handle)
        fake.on(_methods.READ_TRANSACTION, self._handle)

    async def _handle(self, stream: Stream[Any, Any]) -> None:
        try:
            self.started.append((await received(stream)).start_transaction_request)
            discarded = False
            async for message in stream:
                reply = self._reply(message)
                discarded |= isinstance(reply, pb.WriteTransactionReply) and reply.discard_reply is not None
                await stream.send_message(reply)
            if discarded:
                raise GRPCError(Status.UNKNOWN, "can't commit discarded/committed txn")
            self.at_commit()
            self.committed += 1
        except StreamTerminatedError:
            pass
        finally:
            self.over.set()

    def _reply(self, message: Any) -> Any:
        if isinstance(message, pb.ReadTransactionRequest):
            return pb.ReadTransactionReply(
                find_by_id_reply=pb.FindByIdReply(transaction_error="instance not found")
            )
        if message.create_request is not None:
            self.done.append("create")
            ids = [str(number) for number, _ in enumerate(message.create_request.instances)]
            return pb.WriteTransactionReply(create_reply=pb.CreateReply(instance_i_ds=ids))
        if message.save_request is not None:
            bad = b'{"bad":true}' in message.save_request.instances
            self.done.append("bad save" if bad else "save")
            return pb.WriteTransactionReply(save_reply=pb.SaveReply(transaction_error=REFUSED if bad else ""))
        if message.delete_request is not None:
            self.done.append("delete")
            return pb.WriteTransactionReply(delete_reply=pb.DeleteReply())
        if message.has_request is not None:
            return pb.WriteTransactionReply(has_reply=pb.HasReply(exists=True))
        if message.discard_request is not None:
            self.done.append("discard")
            return pb.WriteTransactionReply(discard_reply=pb.DiscardReply())
        return pb.WriteTransactionReply()


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def fake(ledger: Ledger) -> FakeHub:
    fake = FakeHub()
    ledger.serve(fake)
    return fake


async def test_leaving_the_block_commits(fake: FakeHub, ledger: Ledger) -> None:
    async with nothing_left(), connected(fake) as hub:
        async with hub.threads.write_transaction(CTX, THREAD, "people") as txn:
            assert await txn.create([{"n": 1}, {"n": 2}]) == ["0", "1"]
            await txn.save([{"_id": "x"}])
            await txn.delete(["y"])
            assert await txn.has(["x"])
            assert ledger.committed == 0
        assert ledger.committed == 1
    assert ledger.done == ["create", "save", "delete"]
    assert ledger.started == [pb.StartTransactionRequest(db_id=THREAD.bytes, collection_name="people")]


async def test_a_transaction_without_operations_is_started_and_ended(fake: FakeHub, ledger: Ledger) -> None:
    async with connected(fake) as hub, hub.threads.write_transaction(CTX, None, "people"):
        pass
    assert ledger.committed == 1
    assert CTX.thread is not None
    assert [start.db_id for start in ledger.started] == [CTX.thread.bytes]


async def test_an_exception_commits_nothing_and_reaches_the_caller(fake: FakeHub, ledger: Ledger) -> None:
    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(KeyError, match="mine"):
            async with hub.threads.write_transaction(CTX, THREAD, "people") as txn:
                await txn.create([{}])
                raise KeyError("mine")
        await ledger.over.wait()
    assert ledger.committed == 0


async def test_a_cancellation_commits_nothing(fake: FakeHub, ledger: Ledger) -> None:
    inside = asyncio.Event()

    async def work(hub: HubClient) -> None:
        async with hub.threads.write_transaction(CTX, THREAD, "people") as txn:
            await txn.create([{}])
            inside.set()
            await asyncio.Event().wait()

    async with nothing_left(), connected(fake) as hub:
        task = asyncio.create_task(work(hub))
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await ledger.over.wait()
    assert ledger.committed == 0


async def test_a_refusal_is_the_error_that_its_text_stands_for(fake: FakeHub, ledger: Ledger) -> None:
    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(SchemaViolation, match="name is required") as caught:
            async with hub.threads.write_transaction(CTX, THREAD, "people") as txn:
                await txn.save([{"bad": True}])
        await ledger.over.wait()
    assert ledger.committed == 0
    assert caught.value.method == _methods.WRITE_TRANSACTION.path


async def test_after_a_refusal_nothing_is_committed_by_accident(fake: FakeHub, ledger: Ledger) -> None:
    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(FailedPrecondition, match="not committed.*name is required") as caught:
            async with hub.threads.write_transaction(CTX, THREAD, "people") as txn:
                await txn.create([{}])
                with pytest.raises(SchemaViolation):
                    await txn.save([{"bad": True}])
                await txn.create([{}])
        await ledger.over.wait()
    assert isinstance(caught.value.__cause__, SchemaViolation)
    assert ledger.done == ["create", "bad save", "create"]
    assert ledger.committed == 0


async def test_after_a_refusal_one_may_go_on_explicitly(fake: FakeHub, ledger: Ledger) -> None:
    async with connected(fake) as hub:
        async with hub.threads.write_transaction(CTX, THREAD, "people") as txn:
            with pytest.raises(SchemaViolation):
                await txn.save([{"bad": True}])
            txn.proceed()
            await txn.create([{}])
        assert ledger.committed == 1


async def test_going_on_forgives_only_what_was_before(fake: FakeHub, ledger: Ledger) -> None:
    async with connected(fake) as hub:
        with pytest.raises(FailedPrecondition):
            async with hub.threads.write_transaction(CTX, THREAD, "people") as txn:
                txn.proceed()
                with pytest.raises(SchemaViolation):
                    await txn.save([{"bad": True}])
    assert ledger.committed == 0


async def test_discarding_ends_it_quietly(fake: FakeHub, ledger: Ledger) -> None:
    async with (
        nothing_left(),
        connected(fake) as hub,
        hub.threads.write_transaction(CTX, THREAD, "people") as txn,
    ):
        await txn.create([{}])
        await txn.discard()
        await ledger.over.wait()
        with pytest.raises(ClosedError, match="discarded"):
            await txn.create([{}])
        with pytest.raises(ClosedError, match="discarded"):
            txn.proceed()
    assert ledger.done == ["create", "discard"]
    assert ledger.committed == 0


async def test_discarding_after_a_refusal_ends_it_quietly_as_well(fake: FakeHub, ledger: Ledger) -> None:
    async with connected(fake) as hub, hub.threads.write_transaction(CTX, THREAD, "people") as txn:
        with pytest.raises(SchemaViolation):
            await txn.save([{"bad": True}])
        await txn.discard()
    assert ledger.committed == 0


async def test_a_commit_that_fails_raises_where_the_block_is_left(fake: FakeHub, ledger: Ledger) -> None:
    def refuse() -> None:
        raise GRPCError(Status.UNKNOWN, "cant't create already existent instance")

    ledger.at_commit = refuse
    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(AlreadyExists):
            async with hub.threads.write_transaction(CTX, THREAD, "people") as txn:
                await txn.create([{}])
    assert ledger.committed == 0


async def test_a_start_that_is_refused_shows_at_the_first_operation_or_the_end(fake: FakeHub) -> None:
    async def refuse(stream: Stream[Any, Any]) -> None:
        await received(stream)
        raise GRPCError(Status.NOT_FOUND, "db not found")

    fake.on(_methods.WRITE_TRANSACTION, refuse)
    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(DatabaseNotFound):
            async with hub.threads.write_transaction(CTX, THREAD, "people") as txn:
                await txn.has(["x"])
        with pytest.raises(DatabaseNotFound):
            async with hub.threads.write_transaction(CTX, THREAD, "people"):
                pass
        with pytest.raises(FailedPrecondition):
            async with hub.threads.write_transaction(CTX, THREAD, "people") as txn:
                for _ in range(2):
                    with pytest.raises(DatabaseNotFound):
                        await txn.has(["x"])


async def test_an_operation_cancelled_half_way_ends_the_transaction(fake: FakeHub, ledger: Ledger) -> None:
    asked = asyncio.Event()

    async def silent(stream: Stream[Any, Any]) -> None:
        try:
            await received(stream)
            await received(stream)
            asked.set()
            await stream.recv_message()
            ledger.committed += 1
        except StreamTerminatedError:
            pass
        finally:
            ledger.over.set()

    fake.on(_methods.WRITE_TRANSACTION, silent)
    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(FailedPrecondition, match="not committed"):
            async with hub.threads.write_transaction(CTX, THREAD, "people") as txn:
                task = asyncio.create_task(txn.create([{}]))
                await asked.wait()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                with pytest.raises(ClosedError, match="given up"):
                    await txn.has(["x"])
        await ledger.over.wait()
    assert ledger.committed == 0


async def test_operations_of_several_tasks_take_turns(fake: FakeHub, ledger: Ledger) -> None:
    async with connected(fake) as hub, hub.threads.write_transaction(CTX, THREAD, "people") as txn:
        counts = await asyncio.gather(*(txn.create([{}] * size) for size in range(20)))
    assert [len(ids) for ids in counts] == list(range(20))
    assert ledger.committed == 1


async def test_a_commit_waits_for_an_operation_of_another_task(fake: FakeHub, ledger: Ledger) -> None:
    async with connected(fake) as hub:
        async with hub.threads.write_transaction(CTX, THREAD, "people") as txn:
            task = asyncio.create_task(txn.create([{}]))
            await asyncio.sleep(0)
        assert await task == ["0"]
    assert ledger.committed == 1


@pytest.mark.parametrize(
    "write",
    [
        lambda hub: hub.threads.create(CTX, THREAD, "people", [{}]),
        lambda hub: hub.threads.save(CTX, THREAD, "pets", [{"_id": "x"}]),
        lambda hub: hub.threads.verify(CTX, THREAD, "people", [{"_id": "x"}]),
        lambda hub: hub.threads.delete(CTX, THREAD, "people", ["x"]),
        lambda hub: hub.threads.delete_db(CTX, THREAD),
        lambda hub: hub.threads.delete_collection(CTX, THREAD, "pets"),
        lambda hub: hub.threads.write_transaction(CTX, THREAD, "pets").__aenter__(),
    ],
    ids=["create", "save", "verify", "delete", "delete_db", "delete_collection", "write_transaction"],
)
async def test_a_write_beside_ones_own_transaction_is_refused_at_once(
    fake: FakeHub, ledger: Ledger, write: Callable[[HubClient], Any]
) -> None:
    async with nothing_left(), connected(fake) as hub:
        async with hub.threads.write_transaction(CTX, THREAD, "people") as txn:
            with pytest.raises(FailedPrecondition, match="this task has a write transaction open"):
                await write(hub)
            await txn.create([{}])
        assert ledger.committed == 1
    assert fake.called == [_methods.WRITE_TRANSACTION.path]


async def test_other_databases_tasks_and_times_are_not_concerned(fake: FakeHub, ledger: Ledger) -> None:
    created = fake.answer(_methods.CREATE, pb.CreateReply(instance_i_ds=["x"]))
    async with connected(fake) as hub:
        create = hub.threads.create
        async with hub.threads.write_transaction(CTX, THREAD, "people"):
            await create(CTX, ThreadID.random(), "people", [{}])
            await asyncio.create_task(create(CTX, THREAD, "people", [{}]))
        with pytest.raises(KeyError):
            async with hub.threads.write_transaction(CTX, THREAD, "people"):
                raise KeyError
        await create(CTX, THREAD, "people", [{}])
    assert len(created) == 3


async def test_the_refusal_holds_for_another_client_of_the_same_hub(fake: FakeHub) -> None:
    async with (
        connected(fake) as hub,
        textile_aio.connect(hub.target) as other,
        hub.threads.write_transaction(CTX, THREAD, "people"),
    ):
        with pytest.raises(FailedPrecondition):
            await other.threads.create(CTX, THREAD, "people", [{}])


async def test_in_a_read_transaction_a_refusal_leaves_it_usable(fake: FakeHub, ledger: Ledger) -> None:
    async with connected(fake) as hub, hub.threads.read_transaction(CTX, THREAD, "people") as txn:
        for _ in range(2):
            with pytest.raises(InstanceNotFound):
                await txn.find_by_id("x")
    assert ledger.committed == 1


async def test_a_reply_of_another_kind_breaks_the_protocol(fake: FakeHub, ledger: Ledger) -> None:
    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(ProtocolError, match="verify"):
            async with hub.threads.write_transaction(CTX, THREAD, "people") as txn:
                await txn.verify([{"_id": "x"}])
        await ledger.over.wait()
    assert ledger.committed == 0


async def test_a_hub_that_ends_early_breaks_the_protocol(fake: FakeHub) -> None:
    async def leave(stream: Stream[Any, Any]) -> None:
        await received(stream)
        await received(stream)
        await stream.send_trailing_metadata()

    fake.on(_methods.WRITE_TRANSACTION, leave)
    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(ProtocolError, match="has"):
            async with hub.threads.write_transaction(CTX, THREAD, "people") as txn:
                await txn.has(["x"])


async def test_it_is_entered_once_and_used_inside_only(fake: FakeHub) -> None:
    async with connected(fake) as hub:
        txn = hub.threads.write_transaction(CTX, THREAD, "people")
        with pytest.raises(ClosedError, match="async with"):
            await txn.has(["x"])
        async with txn:
            pass
        with pytest.raises(ClosedError, match="has ended"):
            await txn.has(["x"])
        with pytest.raises(ClosedError):
            async with txn:
                pass


async def test_arguments_are_checked_before_anything_is_sent(fake: FakeHub) -> None:
    async with connected(fake) as hub:
        with pytest.raises(ThreadRequired):
            hub.threads.write_transaction(AuthContext(), None, "people")
        with pytest.raises(InvalidInput):
            hub.threads.read_transaction(CTX, THREAD, 1)  # type: ignore[arg-type]
    assert fake.called == []


async def test_a_document_that_cannot_be_sent_leaves_the_transaction_as_it_was(
    fake: FakeHub, ledger: Ledger
) -> None:
    async with connected(fake) as hub, hub.threads.write_transaction(CTX, THREAD, "people") as txn:
        with pytest.raises(InvalidInput):
            await txn.create([{"a": float("nan")}])
        await txn.create([{}])
    assert ledger.done == ["create"]
    assert ledger.committed == 1


async def test_a_refusal_while_discarding_other_than_the_expected_is_raised(fake: FakeHub) -> None:
    async def fail(stream: Stream[Any, Any]) -> None:
        await received(stream)
        await received(stream)
        raise GRPCError(Status.UNKNOWN, "boom")

    fake.on(_methods.WRITE_TRANSACTION, fail)
    async with (
        nothing_left(),
        connected(fake) as hub,
        hub.threads.write_transaction(CTX, THREAD, "people") as txn,
    ):
        with pytest.raises(RemoteError, match="boom"):
            await txn.discard()
