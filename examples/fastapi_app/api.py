"""The API over a user's shelf: notes, files, and what changes while somebody looks.

Who calls is in the cookie that the sign-in has set. Errors of the hub become answers in one handler.
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import StreamingResponse
from shelf import Note, Shelf

from textile_aio import Change, Gap, IsADirectory, Listening, MessageTooLarge

LARGEST = 256 * 1024 * 1024
SHOWN = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"}
"""What browsers may show in place; everything else is saved: a page of somebody's is not to run here."""

router = APIRouter(prefix="/api")


async def own_shelf(request: Request) -> Shelf:
    """The shelf of whoever calls."""
    state = request.app.state
    return await Shelf.of(state.hub, state.user_auth.context_of(request))


Own = Annotated[Shelf, Depends(own_shelf)]


@router.get("/notes")
async def list_notes(shelf: Own) -> list[Note]:
    notes = await shelf.notes()
    return [note async for note in notes.find()]


@router.post("/notes", status_code=201)
async def add_note(shelf: Own, note: Note) -> Note:
    notes = await shelf.notes()
    return await notes.create(note.model_copy(update={"id": ""}))


@router.put("/notes/{id_}")
async def change_note(shelf: Own, id_: str, note: Note) -> Note:
    notes = await shelf.notes()
    await notes.get(id_)  # one that is gone stays gone
    changed = note.model_copy(update={"id": id_})
    await notes.save(changed)
    return changed


@router.delete("/notes/{id_}", status_code=204)
async def delete_note(shelf: Own, id_: str) -> None:
    await (await shelf.notes()).delete(id_)


@router.get("/files")
async def list_files(shelf: Own) -> list[dict[str, Any]]:
    files = await shelf.files()
    return [
        {"name": item.name, "size": item.content_size or item.size, "cid": str(item.cid)}
        for item in await files.list()
        if not item.is_dir and not item.name.startswith(".")
    ]


@router.put("/files/{name}", status_code=201)
async def push_file(shelf: Own, name: str, request: Request) -> dict[str, str]:
    async def content() -> AsyncIterator[bytes]:
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if size > LARGEST:
                raise MessageTooLarge(f"a file has at most {LARGEST >> 20} MiB")
            yield piece

    # Nothing is held here: pieces go on to the hub as they come, and a push that breaks off leaves no trace.
    pushed = await (await shelf.files()).push(name, content())
    return {"name": name, "cid": str(pushed.cid)}


@router.get("/files/{name}")
async def pull_file(shelf: Own, name: str) -> StreamingResponse:
    files = await shelf.files()
    item = await files.stat(name)
    if item.is_dir:
        raise IsADirectory("this is a directory", about=name)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    shown = "inline" if kind in SHOWN else "attachment"
    headers = {
        "content-disposition": f"{shown}; filename*=UTF-8''{quote(name, safe='')}",
        "content-security-policy": "sandbox",
        "x-content-type-options": "nosniff",
        "cache-control": "private, no-cache",
    }
    if item.content_size is not None:
        headers["content-length"] = str(item.content_size)
    return StreamingResponse(files.pull(name), media_type=kind, headers=headers)


@router.delete("/files/{name}", status_code=204)
async def remove_file(shelf: Own, name: str) -> None:
    await (await shelf.files()).remove(name)


@router.get("/live")
async def live(shelf: Own, last_event_id: Annotated[str | None, Header()] = None) -> StreamingResponse:
    """Server-sent events: what changes on the shelf, from the position that the browser has heard last."""
    changes = shelf.hub.threads.listen(shelf.ctx, since=last_event_id or None)
    await changes.__aenter__()  # before the answer begins: a refusal has a status of its own
    return StreamingResponse(
        events(changes), media_type="text/event-stream", headers={"cache-control": "no-store"}
    )


async def events(changes: Listening) -> AsyncIterator[str]:
    """Changes as the browser's ``EventSource`` reads them; buckets are in a collection like others."""
    async with aclosing(changes):
        yield event("ready", changes.position, {})
        async for change in changes:
            match change:
                case Gap():
                    yield event("reload", change.position, {})
                case Change(collection="notes"):
                    note = {"id": change.id, "note": change.instance}
                    yield event("note", change.position, note)
                case Change(collection="buckets"):
                    yield event("files", change.position, {})


def event(name: str, position: str | None, data: dict[str, Any]) -> str:
    """One event of ``text/event-stream``; the position comes back when the browser connects again."""
    where = f"id: {position}\n" if position else ""
    return f"event: {name}\n{where}data: {json.dumps(data)}\n\n"
