"""Between fsspec's paths, values and errors and those of a hub."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from textile_aio.buckets.values import PathItem, Root
from textile_aio.errors import BucketNotFound, InstanceNotFound, IsADirectory, PathNotFound, ThreadNotFound

P = ParamSpec("P")
T = TypeVar("T")

Info = dict[str, Any]
"""What fsspec knows of a file or directory."""

ABOVE: Final = (BucketNotFound, InstanceNotFound, ThreadNotFound)
"""What may be missing above a path: the thread, or the bucket, which some calls name as an instance."""


def as_os_errors(call: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """What is missing above a path is missing at the path: fsspec's callers expect FileNotFoundError."""

    @wraps(call)
    async def called(*args: P.args, **options: P.kwargs) -> T:
        try:
            return await call(*args, **options)
        except ABOVE as error:
            raise PathNotFound(
                error.message, code=error.code, method=error.method, about=error.about
            ) from error

    return called


def split(path: str) -> tuple[str, str]:
    """The bucket's key and the path in it, either may be empty."""
    key, _, inner = path.partition("/")
    return key, inner


def file_in(path: str) -> tuple[str, str]:
    """The same of something below a bucket's root.

    Raises:
        IsADirectory: It is the root.
    """
    key, inner = split(path)
    if not inner:
        raise IsADirectory("a bucket is a directory; name a file in it", about=path)
    return key, inner


def outermost(paths: Iterable[str]) -> list[str]:
    """Paths without those below others of them."""
    kept: list[str] = []
    for path in sorted(paths, key=lambda path: path.split("/")):
        if not kept or not path.startswith(f"{kept[-1]}/"):
            kept.append(path)
    return kept


def directory(name: str) -> Info:
    """A directory of which nothing is known but that it is there."""
    return {"name": name, "size": 0, "type": "directory"}


def info_of(item: PathItem, name: str, root: Root | None = None) -> Info:
    """A file or directory. ``size`` is None where the hub does not tell it."""
    info: Info = {
        "name": name,
        "size": 0 if item.is_dir else item.content_size,
        "type": "directory" if item.is_dir else "file",
        "cid": str(item.cid),
    }
    if root is not None:
        info["mtime"] = modified_at(item, root)
    return info


def modified_at(item: PathItem, root: Root) -> datetime:
    """When it was last written, or else the nearest directory of which that is known."""
    return item.metadata.updated_at if item.metadata else root.updated_at


def first_of(errors: ExceptionGroup[Exception]) -> Exception:
    """One of the errors in a group."""
    error: Exception = errors
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
