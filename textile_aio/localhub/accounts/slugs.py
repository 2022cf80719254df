"""From an organisation's name to what it is called in headers and links (spec: hub-accounts §4.6)."""

from __future__ import annotations

import re

LONGEST = 32

_WORDS = str.maketrans(
    {"&": "and", "@": "at", '"': "", "'": "", "’": "", "‒": "-", "–": "-", "—": "-", "―": "-"}
)
_NAME_LENGTH = 1024


def slug(name: str) -> str:
    """The slug of a name; empty where nothing of it is left. Case is kept.

    Characters beyond ASCII are transliterated, with other tables than upstream's.
    """
    text = name[:_NAME_LENGTH].strip().translate(_WORDS)
    if not text.isascii():
        text = _transliterated(text)
    text = re.sub(r"[^a-zA-Z0-9_-]", "-", text)
    text = re.sub(r"-+", "-", text).strip("-_")
    return text if len(text) < LONGEST else _shortened(text)


def _shortened(text: str) -> str:
    """As many whole words as fit, as upstream counts them: one character more may come out of it."""
    pieces: list[str] = re.findall(r"[^-]*-|[^-]+", text)
    if len(pieces[0]) > LONGEST:
        return pieces[0][:LONGEST]
    short = ""
    for piece in pieces:
        if len(short) + len(piece) - 1 > LONGEST:
            break
        short += piece
    return short.strip("-")


def _transliterated(text: str) -> str:
    from anyascii import anyascii  # its tables are read when a name needs them

    transliterated: str = anyascii(text)
    return transliterated
