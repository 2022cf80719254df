"""Actions become events, events become documents and one record (spec: threads-api §7.2, §9.3, §10).

Owns the order of a commit: validators on the state before it, then every event in order, then the record. All
of it is prepared on a draft; a commit that fails leaves nothing there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from textile_aio.errors import AlreadyExists, NotFound, ResourceExhausted, StatusCode
from textile_aio.identity import PublicKey
from textile_aio.records.events import Event, EventKind, encode_events
from textile_aio.storage.values import ChangeKind
from textile_aio.threaddb.draft import Draft
from textile_aio.threaddb.instances import Action
from textile_aio.threaddb.patches import merged
from textile_aio.threaddb.scripts import Scripts

MOST_CHANGES = 32_768
"""Instances that one record can tell of."""


def check_number(changes: int) -> None:
    """Refuse more changes at once than a record can hold. Raises :class:`ResourceExhausted`."""
    if changes > MOST_CHANGES:
        raise ResourceExhausted(
            f"one call or transaction changes {MOST_CHANGES} instances at most; use several",
            code=StatusCode.RESOURCE_EXHAUSTED,
        )


def commit(
    draft: Draft,
    collection: str,
    actions: Sequence[Action],
    author: PublicKey,
    scripts: Scripts | None,
    now: int,
) -> None:
    """Prepare a transaction as one record with one event for each action.

    Without ``scripts`` no validator is asked: for callers who have decided by rules of their own.

    Raises:
        WriteDenied: The collection's write validator refuses.
        AlreadyExists, NotFound, UniqueViolation: The actions do not go together, or with what is there.
    """
    if not actions:
        return
    events = [
        Event(now + number, collection, action.id, action.kind, action.patch)
        for number, action in enumerate(actions)
    ]
    draft.note_absent(collection, [action.id for action in actions if action.is_drawn])
    with draft.attempt():
        if scripts is not None:
            validate_events(draft, events, str(author), scripts)
        for event in events:
            apply_event(draft, event)
        draft.write_record(encode_events(events), author)


def validate_events(draft: Draft, events: Sequence[Event], writer: str, scripts: Scripts) -> None:
    """Ask the collections' write validators about events, each with the document as it is before all of them.

    Raises:
        CollectionNotFound: An event's collection is not there.
        WriteDenied: A write validator refuses.
    """
    collections = {event.collection: draft.collection(event.collection) for event in events}
    for name, collection in collections.items():
        if collection.config.write_validator:
            changes = [
                (event_json(event), draft.document(name, event.id))
                for event in events
                if event.collection == name
            ]
            scripts.validate_all(collection.config.write_validator, changes, writer=writer)


def event_json(event: Event) -> bytes:
    """An event as validators see it (spec: threads-api §10)."""
    id_ = json.dumps(event.id).encode("ascii")
    patch = b'{"type":"%s","instance_id":%s' % (event.kind.name.lower().encode("ascii"), id_)
    if event.patch is not None:
        patch += b',"json_patch":' + event.patch
    name = json.dumps(event.collection).encode("ascii")
    return b'{"timestamp":%d,"_id":%s,"collection_name":%s,"patch":%s}}' % (event.timestamp, id_, name, patch)


def apply_event(draft: Draft, event: Event) -> None:
    """Prepare what an event does to its document.

    Raises:
        CollectionNotFound: Its collection is not there.
        AlreadyExists, NotFound, UniqueViolation: See :func:`commit`.
        InvalidInput: It saves what is no merge patch.
    """
    collection = draft.collection(event.collection)
    present = draft.document(collection.name, event.id)
    match event.kind:
        case EventKind.CREATE:
            if present is not None:
                # The words are upstream's, and clients look for them.
                raise AlreadyExists(
                    "cant't create already existent instance", code=StatusCode.UNKNOWN, about=event.id
                )
            draft.put(collection, event.id, event.patch or b"{}", ChangeKind.CREATE)
        case EventKind.SAVE:
            result = merged(present if present is not None else b"{}", event.patch or b"{}")
            draft.put(
                collection, event.id, result.text, ChangeKind.SAVE, values=(result.before, result.after)
            )
        case EventKind.DELETE:
            if present is None:
                raise NotFound("datastore: key not found", code=StatusCode.UNKNOWN, about=event.id)
            draft.delete(collection, event.id)
