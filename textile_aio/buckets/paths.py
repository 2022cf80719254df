"""Paths inside a bucket: what callers may write, and the one form that is sent.

A path is relative to the bucket's root, ``/``-separated; one leading slash is taken off, as hubs do. Hubs of
the Go kind handle empty parts and dots badly (spec: buckets-api §3), so these are refused here, before
anything is sent.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TypeAlias

from textile_aio.errors import InvalidInput, InvalidPath
from textile_aio.ids import Cid

BucketPath: TypeAlias = str | PurePosixPath

SEED_NAME = ".textileseed"
"""The file that makes the root of every bucket unique. Clients may read it and must not write it."""


def for_reading(path: BucketPath) -> str:
    """A path to look at; empty (or ``/``) for the root directory.

    Raises:
        InvalidPath: It has an empty part, ``.``, ``..`` or a NUL, or is no text that UTF-8 can carry.
    """
    if isinstance(path, PurePosixPath):
        text = "" if path == PurePosixPath() else str(path)
    elif isinstance(path, str):
        text = path
    else:
        raise InvalidPath(f"a path in a bucket is text or a PurePosixPath, not {type(path).__name__}")
    clean = text.removeprefix("/")
    if not clean:
        return ""
    if "\0" in clean:
        raise InvalidPath("a path must not contain NUL", about=repr(text))
    try:
        clean.encode()
    except UnicodeEncodeError:
        raise InvalidPath("a path must be valid Unicode", about=repr(text)) from None
    for part in clean.split("/"):
        if not part:
            raise InvalidPath("a path must not have empty parts; take surplus slashes out", about=text)
        if part in (".", ".."):
            raise InvalidPath(f"a path must not have {part!r} as a part", about=text)
    return clean


def for_file(path: BucketPath) -> str:
    """A path that names something below the root.

    Raises:
        InvalidPath: As :func:`for_reading`, or it is the root directory.
    """
    clean = for_reading(path)
    if not clean:
        raise InvalidPath("the path is empty; name something below the bucket's root")
    return clean


def for_writing(path: BucketPath) -> str:
    """A path to put something at, or to remove.

    Raises:
        InvalidPath: As :func:`for_file`, or it has to do with the seed file.
    """
    return without_seed(for_file(path))


def without_seed(clean: str) -> str:
    """The same path, which must have nothing to do with the seed file.

    Raises:
        InvalidPath: It has.
    """
    if SEED_NAME in clean:
        raise InvalidPath(f"paths containing {SEED_NAME} are not allowed", about=clean)
    return clean


def for_ipfs(path: BucketPath | Cid) -> str:
    """A path that begins with a CID: ``/ipfs/<cid>`` or ``/ipfs/<cid>/<path>``, also without ``/ipfs/``.

    Raises:
        InvalidPath: It does not, or has parts that :func:`for_reading` refuses.
    """
    clean = for_reading(str(path) if isinstance(path, Cid) else path).removeprefix("ipfs/")
    try:
        Cid.parse(clean.partition("/")[0])
    except InvalidInput as error:
        raise InvalidPath(f"the path does not begin with a CID: {error.message}", about=str(path)) from None
    return f"/ipfs/{clean}"
