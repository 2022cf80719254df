"""Random batches, applied to both stores: the same results, the same refusals, the same views."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.storage.rows import account, api_key, invite, name_key, thread, tracked
from textile_aio.storage.changes import (
    AddMember,
    Batch,
    CreateAccount,
    CreateDatabase,
    CreateThread,
    DeleteAccount,
    DeleteCollection,
    DeleteDocument,
    DeleteInvite,
    DeleteMember,
    DeleteNameKey,
    DeleteSession,
    DeleteThread,
    DropBlocks,
    DropIndex,
    ForgetPlace,
    MoveBlocks,
    PutApiKey,
    PutBlocks,
    PutCollection,
    PutDocument,
    PutEntries,
    PutIndex,
    PutInvite,
    PutLog,
    PutNameKey,
    PutReadKey,
    PutRecord,
    PutSession,
    PutSetting,
    SetHead,
    SetRoot,
    TouchBlocks,
    TrackThread,
    TrimChanges,
    UntrackThread,
)
from textile_aio.storage.memory import MemoryStore
from textile_aio.storage.sqlite import SqliteStore
from textile_aio.storage.store import Snapshot, View
from textile_aio.storage.values import (
    BlockRow,
    ChangeKind,
    Entry,
    LogRecord,
    Member,
    Role,
    Session,
    ThreadLog,
)

# Few values, so that batches meet each other; one is a prefix of another, some differ only in case.
ids = st.sampled_from([b"\x00", b"a", b"a\x00", b"b", b"\xff"])
names = st.sampled_from(["", "ab", "AB", "aB", "b", "ß", "SS"])
keys = st.sampled_from(["x", "y", "z"])
bodies = st.binary(max_size=3)
places = st.sampled_from(["p" * 32, "q" * 32])
cids = st.sampled_from([b"1", b"2", b"3", b"4", b"5"])

epochs = st.integers(0, 3)
placed = st.builds(
    lambda cid, place, at, epoch: BlockRow(cid, 9, (), place=place, offset=at, epoch=epoch),
    cids,
    places,
    st.integers(0, 9),
    epochs,
)
some_cids = st.lists(cids, max_size=4).map(tuple)
rows = st.one_of(
    st.builds(
        lambda cid, data, links, epoch: BlockRow(cid, len(data), tuple(links), data, epoch=epoch),
        cids,
        bodies,
        st.lists(cids),
        epochs,
    ),
    placed,
)
logs = st.builds(
    ThreadLog,
    ids,
    ids,
    bodies,
    st.none() | bodies,
    st.just(b"") | ids,
    st.booleans(),
    bodies,
    st.integers(0, 9),
)
records = st.builds(LogRecord, ids, cids, ids, st.integers(1, 9), bodies, bodies, bodies, bodies)
paths = st.sampled_from(["name", "age"])
entries = st.builds(
    Entry, paths, st.sampled_from([b"", b"k", b"k\x00", b"l"]), st.sampled_from([b"", b"1", b"2"])
)
some_entries = st.lists(entries, max_size=3).map(tuple)
of_the_hub = st.one_of(
    st.builds(CreateThread, st.builds(thread, ids)),
    st.builds(CreateDatabase, ids, names, bodies),
    st.builds(DeleteThread, ids),
    st.builds(PutReadKey, ids, bodies),
    st.builds(PutLog, logs),
    st.builds(SetHead, ids, ids, bodies, st.integers(0, 9), st.just(b"") | bodies),
    st.builds(PutRecord, records),
    st.builds(SetRoot, ids, ids, st.none() | bodies, st.none() | bodies),
    st.builds(lambda some: PutBlocks(tuple(some)), st.lists(rows, max_size=4)),
    st.builds(TouchBlocks, some_cids, epochs),
    st.builds(DropBlocks, some_cids, epochs),
    st.builds(lambda some, source: MoveBlocks(tuple(some), source), st.lists(placed, max_size=3), places),
    st.builds(ForgetPlace, places),
    st.builds(CreateAccount, st.builds(account, ids, names, names)),
    st.builds(PutSession, st.builds(Session, keys, ids, st.integers(0, 3))),
    st.builds(DeleteSession, keys),
    st.builds(PutApiKey, st.builds(api_key, keys, ids, sealed=bodies)),
    st.builds(DeleteAccount, ids),
    st.builds(AddMember, st.builds(Member, ids, ids, st.sampled_from(Role))),
    st.builds(DeleteMember, ids, ids),
    st.builds(PutInvite, st.builds(invite, keys, ids, ids, names)),
    st.builds(DeleteInvite, keys),
    st.builds(TrackThread, st.builds(tracked, ids, ids, names, key=st.just("") | keys)),
    st.builds(UntrackThread, ids, ids),
    st.builds(PutNameKey, st.builds(name_key, keys, ids)),
    st.builds(DeleteNameKey, keys),
    st.builds(PutSetting, keys, bodies),
)
of_a_database = st.one_of(
    st.builds(PutCollection, names, bodies),
    st.builds(DeleteCollection, names),
    st.builds(PutDocument, names, ids, bodies, st.sampled_from(ChangeKind)),
    st.builds(DeleteDocument, names, ids),
    st.builds(DeleteDocument, st.just("ab"), ids, some_entries),
    st.builds(PutDocument, st.just("ab"), ids, bodies, st.just(ChangeKind.SAVE), some_entries, some_entries),
    st.builds(PutDocument, st.just("ab"), ids, bodies, st.just(ChangeKind.SAVE), some_entries, some_entries),
    st.builds(PutIndex, names, paths, st.booleans(), st.booleans()),
    st.builds(PutIndex, st.just("ab"), paths, st.booleans(), st.booleans()),
    st.builds(DropIndex, st.just("ab"), paths),
    st.builds(PutEntries, st.just("ab"), st.lists(st.tuples(ids, entries), max_size=4).map(tuple)),
    st.builds(TrimChanges, st.integers(0, 9)),
)


def everything(view: View) -> tuple[object, ...]:
    """All a view can tell about the values above."""
    some_ids = [b"\x00", b"a", b"a\x00", b"b", b"\xff"]
    some_names = ["", "ab", "AB", "aB", "b", "ß", "SS"]
    some_keys = ["x", "y", "z"]
    some_cids = [b"1", b"2", b"3", b"4", b"5", b"6"]
    return (
        [view.setting(key) for key in some_keys],
        view.threads(),
        view.databases(),
        view.roots(),
        view.accounts(),
        view.places(),
        view.blocks(some_cids),
        view.block_links(some_cids),
        view.block_epochs(some_cids),
        [view.blocks_after(after, limit=limit) for after in (b"", b"2") for limit in (1, 3, 99)],
        [sorted(view.blocks_in(each * 32, limit=99), key=lambda row: row.cid) for each in "pqr"],
        view.place_sizes(),
        [
            (view.account_named(name), view.account_by_email(name), view.invites_to(name))
            for name in some_names
        ],
        [(view.session(key), view.api_key(key), view.name_key(key)) for key in some_keys],
        [(view.invite(key), view.tracked_with(key)) for key in some_keys],
        [
            (
                view.thread(id_),
                view.logs(id_),
                [(view.log(id_, other), view.log_of(id_, other)) for other in some_ids],
                [view.record(id_, cid) for cid in some_cids],
                view.database(id_),
                view.collections(id_),
                [
                    view.changes_after(id_, after, limit=limit)
                    for after in (0, 1, 3)
                    for limit in (0, 1, 2, 99)
                ],
                view.root(id_),
                view.account(id_),
                view.api_keys(id_),
                view.tracked_by(id_),
                view.name_keys(id_),
                [view.tracked(id_, other) for other in some_ids],
                [view.tracked_named(id_, name) for name in some_names],
                (view.members(id_), view.memberships(id_), view.sessions_of(id_)),
                [view.collection(id_, name) for name in some_names],
                [view.document(id_, name, other) for name in some_names for other in some_ids],
                [
                    list(view.scan(id_, name, low=low, high=high, reverse=reverse))
                    for name in ("ab", "AB")
                    for low in (b"", b"a", b"z")
                    for high in (None, b"", b"a", b"b")
                    for reverse in (False, True)
                ],
                [view.indexes(id_, name) for name in some_names],
                [
                    list(view.entries(id_, "ab", path, low=low, high=high, reverse=reverse))
                    for path in ("name", "age", "other")
                    for low in (b"", b"k", b"k\x00")
                    for high in (None, b"", b"k\x00", b"l")
                    for reverse in (False, True)
                ],
                [view.claimant(id_, "ab", path, claim) for path in ("name", "age") for claim in (b"1", b"2")],
            )
            for id_ in some_ids
        ],
    )


class SameStore(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.sqlite = SqliteStore.open(f"{self.folder}/hub.db", fsync=False)
        self.memory = MemoryStore()

        self.kept: list[tuple[Snapshot, Snapshot, tuple[object, ...]]] = []

    def teardown(self) -> None:
        self.sqlite.close()
        self.memory.close()
        shutil.rmtree(self.folder)

    def apply(self, batches: Sequence[Batch]) -> None:
        for_sqlite, for_memory = self.sqlite.apply(batches), self.memory.apply(batches)
        assert [(type(e), str(e)) for e in for_sqlite] == [(type(e), str(e)) for e in for_memory]
        assert self.sqlite.read(everything) == self.memory.read(everything)

    def batch(self, data: st.DataObject, name: str) -> Batch:
        databases = self.memory.read(lambda v: v.databases())
        # Mostly a fence that holds, so that more than refusals is compared.
        fences = [(each.thread, each.sequence) for each in databases]
        fence = data.draw(st.sampled_from([*fences, *fences, (b"a", 1), (b"b", 0), None]), label=f"{name} on")
        one = of_the_hub if fence is None else st.one_of(of_the_hub, of_a_database, of_a_database)
        operations = tuple(data.draw(st.lists(one, max_size=5), label=name))
        return Batch(operations) if fence is None else Batch(operations, database=fence[0], expect=fence[1])

    @rule(data=st.data(), count=st.integers(1, 3))
    def some_batches(self, data: st.DataObject, count: int) -> None:
        self.apply([self.batch(data, f"batch {n}") for n in range(count)])

    @precondition(lambda self: len(self.memory.read(lambda v: v.databases())) < 2)
    @rule(id_=ids, body=bodies)
    def a_new_database(self, id_: bytes, body: bytes) -> None:
        operations = (
            CreateThread(thread(id_)),
            CreateDatabase(id_, "x"),
            PutCollection("ab", body),
            PutIndex("ab", "name", True, True),
            PutIndex("ab", "age", False, False),
            PutDocument("ab", b"a", body, ChangeKind.CREATE, add=(Entry("name", b"k", b"1"),)),
        )
        self.apply([Batch(operations, database=id_, expect=0)])

    @rule(data=st.data())
    def writes_while_somebody_reads(self, data: st.DataObject) -> None:
        batch = self.batch(data, "batch")

        def look(view: View) -> tuple[object, ...]:
            before = everything(view)
            self.apply([batch])
            assert everything(view) == before
            return before

        assert self.memory.read(look) is not None

    @precondition(lambda self: len(self.kept) < 3)
    @rule()
    def a_state_is_kept(self) -> None:
        self.kept.append((self.sqlite.snapshot(), self.memory.snapshot(), self.memory.read(everything)))

    @precondition(lambda self: self.kept)
    @rule(let_go=st.booleans())
    def a_kept_state_is_as_it_was(self, let_go: bool) -> None:
        *snapshots, before = self.kept[0]
        for snapshot in snapshots:
            assert snapshot.read(everything) == before
            if let_go:
                snapshot.close()
        del self.kept[: int(let_go)]

    @rule()
    def the_file_is_opened_again(self) -> None:
        for of_sqlite, of_memory, _ in self.kept:
            of_sqlite.close()
            of_memory.close()
        self.kept.clear()
        self.sqlite.close()
        self.sqlite = SqliteStore.open(f"{self.folder}/hub.db", fsync=False)
        assert self.sqlite.read(everything) == self.memory.read(everything)


SameStore.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestSameStore = SameStore.TestCase
