"""Paths inside a bucket (spec: buckets-api §3): no ``//``, no ``..``, no seed, and none without end."""

from __future__ import annotations

from textile_aio._codec.cid import Cid
from textile_aio.errors import InvalidInput, InvalidPath, StatusCode

SEED_NAME = ".textileseed"

LONGEST = 4096
"""Bytes a path may have, as on Linux."""

DEEPEST = 256
"""Segments it may have. Finding one costs the square of them, and a message has room for two million."""


def split(path: str) -> tuple[str, ...]:
    """The segments of a path that is only read; the root has none.

    As upstream's reading joins paths lexically, empty and ``.`` segments vanish. ``..`` is refused:
    it would lead out of what the access entries were looked up for.
    """
    _check_size(path)
    segments = tuple(segment for segment in path.split("/") if segment not in ("", "."))
    if ".." in segments:
        raise InvalidPath("paths containing .. are not allowed", code=StatusCode.UNKNOWN, about=path)
    return segments


def parse(path: str) -> tuple[str, ...]:
    """The segments of a path that is written to, or whose roles are. One leading slash is allowed.

    Raises:
        InvalidPath: It names the seed, or is refused by :func:`clean`.
    """
    if SEED_NAME in path:
        raise InvalidPath(
            f"paths containing {SEED_NAME} are not allowed", code=StatusCode.UNKNOWN, about=path
        )
    return clean(path)


def clean(path: str) -> tuple[str, ...]:
    """As :func:`parse`, where the seed may be named.

    Raises:
        InvalidPath: It is too long, or has an empty, ``.`` or ``..`` segment. Upstream stores nameless links
            for those, or loops.
    """
    _check_size(path)
    relative = path.removeprefix("/")
    if not relative:
        return ()
    segments = tuple(relative.split("/"))
    if any(segment in ("", ".", "..") for segment in segments):
        raise InvalidPath(
            "paths with empty, . or .. segments are not allowed", code=StatusCode.UNKNOWN, about=path
        )
    return segments


def file_path(path: str) -> str:
    """A path that a file is pushed to, in its one form: checked as by :func:`parse`, and not the root."""
    segments = parse(path)
    if not segments:
        raise InvalidPath("a path below the bucket's root is needed", code=StatusCode.UNKNOWN, about=path)
    return "/".join(segments)


def ipfs_path(path: str) -> tuple[Cid, tuple[str, ...]]:
    """The root and the segments of ``/ipfs/<cid>/…`` or ``<cid>/…``.

    Raises:
        InvalidPath: It begins with no CID.
    """
    root, *segments = split(path.removeprefix("/ipfs/")) or ("",)
    try:
        return Cid.parse(root), tuple(segments)
    except InvalidInput as error:
        raise InvalidPath(
            f"invalid path {path[:80]!r}: {error.message}", code=StatusCode.UNKNOWN, about=path
        ) from None


def _check_size(path: str) -> None:
    if len(path.encode()) > LONGEST or path.count("/") > DEEPEST:
        raise InvalidPath(
            f"paths longer than {LONGEST} bytes or {DEEPEST} segments are not allowed",
            code=StatusCode.INVALID_ARGUMENT,
            about=path,
        )
