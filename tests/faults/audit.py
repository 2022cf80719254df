"""What the rows of a database have to say of each other, whatever happened to the hub that wrote them.

Reads a store nobody serves. An audit remembers what it has seen: looking again costs what is new, and shows
that nothing that was seen has changed since.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from textile_aio.identity import PublicKey
from textile_aio.ids import ThreadID
from textile_aio.records.events import Event, EventKind, decode_events
from textile_aio.records.record import Nodes, open_body, open_record, verify
from textile_aio.storage.sqlite import SqliteStore
from textile_aio.storage.store import View
from textile_aio.storage.values import Change, ChangeKind, Thread, ThreadLog
from textile_aio.threaddb.collections import Collection, CollectionConfig, decode
from textile_aio.threaddb.documents import load
from textile_aio.threaddb.patches import merge

KINDS = {
    EventKind.CREATE: ChangeKind.CREATE,
    EventKind.SAVE: ChangeKind.SAVE,
    EventKind.DELETE: ChangeKind.DELETE,
}


@dataclass
class Audit:
    """One database, as its records tell it.

    Attributes:
        documents: What the records say that there is, by collection and id.
        changes: The change log, from its beginning.
        configs: The collections' configurations, by name, as they were when last looked at.
    """

    thread: ThreadID
    documents: dict[tuple[str, str], bytes] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    configs: dict[str, CollectionConfig] = field(default_factory=dict)
    _seen: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)  # head and counter, by log
    _time: int = -1
    _claims: set[tuple[str, str, bytes]] = field(default_factory=set)  # whatever was claimed at some time

    def look(self, file: Path) -> None:
        """Check everything; what is found wrong fails an assertion."""
        store = SqliteStore.open(file, fsync=False)
        try:
            store.read(self.check)
        finally:
            store.close()

    def check(self, view: View) -> None:
        """As :meth:`look`, on a store that is open."""
        thread = view.thread(bytes(self.thread))
        assert thread is not None
        events = [event for log in view.logs(thread.id) for event in self._longer(view, thread, log)]
        events.sort(key=lambda event: event.timestamp)
        changes = self._new_changes(view)
        for event in events:
            assert event.timestamp > self._time, "an event is not later than one that was there before it"
            self._time = event.timestamp
            self._replay(event)
        told = [(KINDS[event.kind], event.collection, event.id) for event in events]
        assert told == [(each.kind, each.collection, each.document.decode()) for each in changes]
        self.configs = {row.name: decode(row.config) for row in view.collections(thread.id)}
        found = {
            (name, document.id.decode()): document.body
            for name in self.configs
            for document in view.scan(thread.id, name)
        }
        assert found == self.documents, "documents are not what their records say"
        for config in self.configs.values():
            self._check_indexes(view, config)

    def _longer(self, view: View, thread: Thread, log: ThreadLog) -> list[Event]:
        """The events of a log's records since the last look, each record verified, up to the first."""
        last, count = self._seen.get(log.id, (b"", 0))
        assert thread.read_key is not None
        events: list[Event] = []
        cid, counter = log.head, log.counter
        while cid != last:
            row = view.record(thread.id, cid)
            assert row is not None, "a record is missing from its chain"
            assert (row.log, row.counter) == (log.id, counter)
            record = open_record(Nodes(row.record, row.event, row.header, row.body), thread.service_key)
            verify(record, PublicKey.from_bytes(log.public_key))
            assert bytes(record.cid) == cid
            events += decode_events(open_body(record, thread.read_key))
            cid, counter = bytes(record.prev) if record.prev else b"", counter - 1
        assert counter == count, "a log's counter does not count its records"
        self._seen[log.id] = (log.head, log.counter)
        return events

    def _new_changes(self, view: View) -> list[Change]:
        """The changes of documents since the last look; no sequence is left out."""
        database = view.database(bytes(self.thread))
        assert database is not None
        at = self.changes[-1].sequence if self.changes else 0
        found = []
        while page := view.changes_after(database.thread, at, limit=1000):
            for change in page:
                assert change.sequence in (at, at + 1), "a sequence has no change"
                at = change.sequence
            found += page
        assert at == database.sequence
        self.changes += found
        return [change for change in found if change.kind in KINDS.values()]

    def _replay(self, event: Event) -> None:
        key = (event.collection, event.id)
        match event.kind:
            case EventKind.CREATE:
                assert key not in self.documents
                self.documents[key] = event.patch or b"{}"
            case EventKind.SAVE:
                self.documents[key] = merge(self.documents.get(key, b"{}"), event.patch or b"{}")
            case EventKind.DELETE:
                del self.documents[key]

    def _check_indexes(self, view: View, config: CollectionConfig) -> None:
        """Entries and claims are those of the documents, no more and no less."""
        database = bytes(self.thread)
        ready = {(row.path, row.unique) for row in view.indexes(database, config.name) if row.ready}
        assert ready == {(index.path, index.unique) for index in config.indexes}
        collection = Collection(config)
        keys: dict[str, list[tuple[bytes, bytes]]] = {index.path: [] for index in config.indexes}
        claims: dict[tuple[str, str, bytes], bytes] = {}
        for (name, id_), body in self.documents.items():
            if name != config.name:
                continue
            for entry in collection.entries(load(body)):
                if entry.key:
                    keys[entry.path].append((entry.key, id_.encode()))
                if entry.claim:
                    claim = (name, entry.path, entry.claim)
                    assert claim not in claims, "two documents have one unique value"
                    claims[claim] = id_.encode()
        for path, expected in keys.items():
            assert list(view.entries(database, config.name, path)) == sorted(expected)
        self._claims |= claims.keys()
        unique = {index.path for index in config.indexes if index.unique}
        for claim in self._claims:
            if claim[0] == config.name and claim[1] in unique:
                assert view.claimant(database, *claim) == claims.get(claim)
