"""Verify: a save without its effect (spec: threads-api §5.9)."""

from __future__ import annotations

from collections.abc import Sequence

from textile_aio.ids import ThreadID
from textile_aio.records.events import Event
from textile_aio.storage.store import View
from textile_aio.threaddb import databases, instances
from textile_aio.threaddb.commit import event_json
from textile_aio.threaddb.compiled import find_collection
from textile_aio.threaddb.instances import Reader
from textile_aio.threaddb.reads import committed


def verify(view: View, thread: ThreadID, name: str, raws: Sequence[bytes], reader: Reader, now: int) -> None:
    """Check instances against schema and write validator, for the reader's identity.

    Raises:
        InvalidInput, SchemaViolation, WriteDenied: What a save would raise.
    """
    database = databases.find(view, thread)[1].thread
    collection = find_collection(view, database, name)
    at = committed(view, database, name)
    actions = instances.save(collection, at, raws, reader, now)
    validator = collection.config.write_validator
    if not validator:
        return
    changes = [
        (event_json(Event(now + number, name, action.id, action.kind, action.patch)), at(action.id))
        for number, action in enumerate(actions)
    ]
    reader.scripts.validate_all(validator, changes, writer=reader.identity)
