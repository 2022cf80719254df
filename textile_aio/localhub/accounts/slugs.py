"""From an organisation's name to what it is called in headers and links (spec: hub-accounts §4.6)."""

from __future__ import annotations

import re

from textile_aio.errors import HubError

LONGEST = 32

_WORDS = str.maketrans(
    {"&": "and", "@": "at", '"': "", "'": "", "’": "", "‒": "-", "–": "-", "—": "-", "―": "-"}
)
_NAME_LENGTH = 1024


def slug(name: str) -> str:
    """The slug of a name; empty where nothing of it is left. Case is kept.

    Characters beyond ASCII are transliterated, with other tables than upstream's.

    Raises:
        HubError: The name is not ASCII, and the package that transliterates is not installed.
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
    try:
        from anyascii import anyascii
    except ModuleNotFoundError as error:
        raise HubError(
            f"names beyond ASCII need {error.name}, which is not installed: pip install 'textile-aio[hub]'"
        ) from error
    transliterated: str = anyascii(text)
    return transliterated
