"""Files as answers: conditions, ranges, types, and bytes at the pace of whoever reads them."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

from starlette.types import Message, Receive, Scope, Send

from textile_aio._codec.cid import Cid
from textile_aio.localhub.buckets.contents import Contents
from textile_aio.localhub.gateway import media
from textile_aio.localhub.gateway.answers import Body, Validators, head
from textile_aio.localhub.gateway.ranges import Span, Unsatisfiable, span
from textile_aio.localhub.gateway.remembering import Memory
from textile_aio.unixfs.block import BytesLike
from textile_aio.unixfs.stat import Stat

SMALL = 1024 * 1024
"""Bytes up to which a public file is read whole, sent as one body, and remembered."""

REMEMBERED = 64 * 1024 * 1024
"""Bytes of small files that are remembered: public ones, named by their hashes, so never out of date."""

_TYPES = 4096

SANDBOX = "sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts"
"""For content that could run scripts on a host that others' content is on as well: it gets an origin of its
own, so it can act as nobody else's."""


class ContentBroken(Exception):
    """Reading failed after the head of an answer was sent: all that is left is to cut the connection."""


class _Gone(Exception):
    """Nobody is there any more who would read the answer."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that was found, and how it may be shown.

    Attributes:
        contents: What it is in.
        segments: Its path there.
        stat: What was found at the path.
        caching: The ``Cache-Control`` header.
        shared: Whether the host has content of others as well.
        name: What it is called; empty for content that has a hash only.
        download: Whether it shall be kept instead of shown.
    """

    contents: Contents
    segments: tuple[str, ...]
    stat: Stat
    caching: str
    shared: bool
    name: str
    download: bool = False

    @property
    def size(self) -> int:
        """Bytes of content."""
        return self.stat.content_size or 0


class Files:
    """Answers with files. Remembers small public ones, and the types of those that had to be looked into."""

    def __init__(self) -> None:
        self._small: Memory[Cid, bytes] = Memory(REMEMBERED)
        self._types: Memory[tuple[Cid, bool], str] = Memory(_TYPES)
        # Of private content even the address of the ciphertext is nobody's business.
        self._tag_key = secrets.token_bytes(32)

    def tag(self, file: File) -> str:
        """The entity tag: the content's address, or of private content a keyed hash of it."""
        if not file.contents.is_private:
            return f'"{file.stat.cid}"'
        return f'"{hmac.digest(self._tag_key, file.stat.cid.bytes, sha256).hex()[:32]}"'

    async def answer(self, file: File, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a GET or HEAD request.

        Raises:
            TextileError, StoreError: It cannot be read; nothing was sent.
            ContentBroken: It could not be read to the end.
        """
        tag = self.tag(file)
        validators = Validators.of(scope)
        headers = [("cache-control", file.caching), ("etag", tag)]
        verdict = validators.verdict(tag)
        if verdict is not None:
            await Body(status=verdict, caching=file.caching, extra=(("etag", tag),))(scope, receive, send)
            return
        headers.append(("accept-ranges", "bytes"))
        wanted, status = Span(0, file.size), 200
        asked = validators.range_of(tag) if scope["method"] == "GET" else None
        if asked is not None:
            try:
                part = span(asked, file.size)
            except Unsatisfiable:
                extra = (("content-range", f"bytes */{file.size}"),)
                await Body(status=416, caching=file.caching, extra=extra)(scope, receive, send)
                return
            if part is not None:
                wanted, status = part, 206
                headers.append(("content-range", f"bytes {part.start}-{part.stop - 1}/{file.size}"))
        kind = await self._media(file)
        headers += [("content-type", kind), ("content-length", str(wanted.stop - wanted.start))]
        if file.shared and media.is_scriptable(kind):
            headers.append(("content-security-policy", SANDBOX))
        if file.download:
            headers.append(("content-disposition", _disposition(file.name)))
        start: Message = {"type": "http.response.start", "status": status, "headers": head(*headers)}
        if scope["method"] == "HEAD" or wanted.start == wanted.stop:
            await send(start)
            await send({"type": "http.response.body", "body": b""})
        elif _is_small(file):
            body = await self._whole(file)
            part_of_it = body if status == 200 else memoryview(body)[wanted.start : wanted.stop]
            await send(start)
            await send({"type": "http.response.body", "body": part_of_it})
        else:
            await _stream(file, wanted, start, receive, send)

    async def _media(self, file: File) -> str:
        by_name = media.by_name(file.name)
        if by_name is not None:
            return by_name
        key = (file.stat.cid, file.contents.is_private)
        known = self._types.get(key)
        if known is None:
            if _is_small(file):
                first = await self._whole(file)
            else:
                first = await _read(file, media.SNIFFED)
            known = media.by_content(first)
            self._types.put(key, known, 1)
        return known

    async def _whole(self, file: File) -> bytes:
        body = self._small.get(file.stat.cid)
        if body is None:
            body = await _read(file, file.size)
            self._small.put(file.stat.cid, body, len(body) + 256)
        return body


def _is_small(file: File) -> bool:
    return file.size <= SMALL and not file.contents.is_private


async def _read(file: File, stop: int) -> bytes:
    pieces: list[BytesLike] = []

    async def keep(piece: BytesLike) -> None:
        pieces.append(piece)

    await file.contents.send_found("/".join(file.segments), file.stat, keep, stop=stop)
    return b"".join(pieces)


async def _stream(file: File, wanted: Span, start: Message, receive: Receive, send: Send) -> None:
    """Send a part of a file as it is read; stop reading once nobody listens.

    Nothing is sent before there is something to send, so what cannot be read at all can still be refused.
    """
    begun = False
    left = wanted.stop - wanted.start

    async def sink(piece: BytesLike) -> None:
        nonlocal begun, left
        if not begun:
            begun = True
            await send(start)
        left -= len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": left > 0})

    async def read() -> None:
        await file.contents.send_found(
            "/".join(file.segments), file.stat, sink, start=wanted.start, stop=wanted.stop
        )

    try:
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(_until_gone(receive))
            await read()
            watching.cancel()
    except BaseExceptionGroup as group_of_errors:
        error = group_of_errors.exceptions[0]
        if isinstance(error, _Gone):
            return
        if begun:
            raise ContentBroken(f"{file.stat.cid} could not be read to its end") from error
        raise error from None
    if left:
        raise ContentBroken(f"{file.stat.cid} is {left} bytes shorter than its root says")


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    raise _Gone


def _disposition(name: str) -> str:
    """As RFC 6266 has it; whatever the name is, nothing in it ends the header."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return f"attachment; filename*=UTF-8''{quote(text or 'content', safe='')}"
