"""What type content has: by its path's extension, otherwise by its first bytes (spec: gateway-and-web §A9).

The signatures are those of the WHATWG MIME Sniffing Standard that Go's ``DetectContentType`` knows. Upstream
fills short content up with zeros and so takes short texts for binary; here only real bytes are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

SNIFFED = 512
"""How many of the first bytes matter."""

_BY_EXTENSION = {
    "htm": "text/html",
    "html": "text/html",
    "css": "text/css",
    "js": "application/javascript",
    "mjs": "application/javascript",  # not upstream's; a browser runs modules under no other type
    "json": "application/json",
    "svg": "image/svg+xml",
    "txt": "text/plain",
    "md": "text/plain",
}

_SCRIPTABLE = frozenset(
    {"text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml"}
)

_WHITE = b"\t\n\x0c\r "

_MARKUP = (
    b"<!doctype html", b"<html", b"<head", b"<script", b"<iframe", b"<h1", b"<div", b"<font", b"<table",
    b"<a", b"<style", b"<title", b"<b", b"<body", b"<br", b"<p", b"<!--",
)  # fmt: skip

_PREFIXES: Sequence[tuple[bytes, str]] = (
    (b"%PDF-", "application/pdf"),
    (b"%!PS-Adobe-", "application/postscript"),
    (b"\xfe\xff", "text/plain; charset=utf-16be"),
    (b"\xff\xfe", "text/plain; charset=utf-16le"),
    (b"\xef\xbb\xbf", "text/plain; charset=utf-8"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"\x00\x00\x02\x00", "image/x-icon"),
    (b"BM", "image/bmp"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"ID3", "audio/mpeg"),
    (b"OggS\x00", "application/ogg"),
    (b"MThd\x00\x00\x00\x06", "audio/midi"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
    (b"\x00\x01\x00\x00", "font/ttf"),
    (b"OTTO", "font/otf"),
    (b"ttcf", "font/collection"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"\x1f\x8b\x08", "application/x-gzip"),
    (b"PK\x03\x04", "application/zip"),
    (b"Rar!\x1a\x07\x00", "application/x-rar-compressed"),
    (b"Rar!\x1a\x07\x01\x00", "application/x-rar-compressed"),
    (b"\x00asm", "application/wasm"),
)

_CONTAINERS: Sequence[tuple[bytes, bytes, str]] = (
    (b"RIFF", b"WEBPVP", "image/webp"),
    (b"RIFF", b"WAVE", "audio/wave"),
    (b"RIFF", b"AVI ", "video/avi"),
    (b"FORM", b"AIFF", "audio/aiff"),
)
"""Four bytes, a length that may be anything, and what follows it."""

_BINARY = bytes({*range(0x20)} - {0x09, 0x0A, 0x0C, 0x0D, 0x1B})


def by_name(name: str) -> str | None:
    """The type that a name's extension says, in this very letter case; None if it says none."""
    _, dot, extension = name.rpartition(".")
    return _BY_EXTENSION.get(extension) if dot else None


def by_content(head: bytes) -> str:
    """The type that content looks like by its first :data:`SNIFFED` bytes, or all of it."""
    head = head[:SNIFFED]
    text = head.lstrip(_WHITE)
    lower = text[:16].lower()
    for tag in _MARKUP:
        if lower.startswith(tag) and (tag == b"<!--" or text[len(tag) : len(tag) + 1] in (b" ", b">")):
            return "text/html; charset=utf-8"
    if text.startswith(b"<?xml"):
        return "text/xml; charset=utf-8"
    for prefix, media in _PREFIXES:
        if head.startswith(prefix):
            return media
    for kind, form, media in _CONTAINERS:
        if head.startswith(kind) and head[8:].startswith(form):
            return media
    if _is_mp4(head):
        return "video/mp4"
    if head.translate(None, _BINARY) == head:
        return "text/plain; charset=utf-8"
    return "application/octet-stream"


def is_scriptable(media: str) -> bool:
    """Whether a browser that opens it runs what is in it."""
    return media.partition(";")[0] in _SCRIPTABLE


def _is_mp4(head: bytes) -> bool:
    size = int.from_bytes(head[:4])
    if len(head) < max(size, 12) or size % 4 or head[4:8] != b"ftyp":
        return False
    brands = (head[at : at + 3] for at in range(8, size, 4) if at != 12)
    return b"mp4" in brands
