"""The local side of a tree: which files a folder holds, and the CIDs that they would have in a bucket.

Everything here blocks and belongs in worker threads. Symbolic links are not followed, so nothing outside the
folder is read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from textile_aio.buckets.paths import SEED_NAME, for_writing
from textile_aio.errors import InvalidPath, InvalidSource
from textile_aio.ids import Cid
from textile_aio.unixfs.importer import FileImporter

_NEVER = frozenset({SEED_NAME, ".textile"})
_PATCH = ".buckpatch"
_FINDERS = ".DS_Store"  # left by the Finder of macOS; Go leaves out whatever ends so
_READ_SIZE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of the folder: its path in the tree, where it is, and its size in bytes."""

    path: str
    where: Path
    size: int


@dataclass(frozen=True, slots=True)
class LocalTree:
    """What a folder holds: files by their paths in the tree, and what cannot be in a bucket."""

    files: dict[str, LocalFile]
    skipped: tuple[str, ...]
    ignored: Ignored


def scan(folder: Path, ignore: str | None) -> LocalTree:
    """Look through a folder. Memory grows with the number of its files.

    Left out are what the ignore file names (in the syntax of ``.gitignore``), what belongs to Textile's own
    tools, which is the seed file, the folder ``.textile``, and files ending in ``.buckpatch``, and whatever
    ends in ``.DS_Store`` (spec: bucket-folders §4, §5).

    Raises:
        InvalidSource: It is no folder, or part of it cannot be read.
        InvalidPath: A name in it cannot be a name in a bucket.
    """
    ignored = Ignored(folder, ignore)
    files: dict[str, LocalFile] = {}
    skipped: list[str] = []
    waiting: list[tuple[Path, str]] = [(folder, "")]
    while waiting:
        where, prefix = waiting.pop()
        try:
            entries = sorted(os.scandir(where), key=lambda entry: entry.name)
        except OSError as error:
            raise InvalidSource(f"cannot look into {where}: {error.strerror}", about=prefix) from error
        for entry in entries:
            path = f"{prefix}{entry.name}"
            try:
                mode = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # removed since the folder was listed
            if stat.S_ISDIR(mode.st_mode):
                if not ignored.names(path + "/"):
                    waiting.append((Path(entry.path), path + "/"))
            elif ignored.names(path):
                continue
            elif stat.S_ISREG(mode.st_mode):
                files[_checked(path, entry.path)] = LocalFile(path, Path(entry.path), mode.st_size)
            else:
                skipped.append(path)
    return LocalTree(files, tuple(sorted(skipped)), ignored)


def above(path: str) -> Iterator[str]:
    """The directories that a path leads through, the nearest first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def content_cid(where: Path) -> Cid | None:
    """The CID that a file has in a public bucket; None if it cannot be read."""
    importer = FileImporter()
    try:
        with where.open("rb") as file:
            while piece := file.read(_READ_SIZE):
                importer.feed(piece)
    except OSError:
        return None
    return importer.finish()[0].cid


def same(files: Iterable[tuple[LocalFile, Cid]]) -> set[str]:
    """The paths of those files that have the CIDs beside them."""
    return {file.path for file, cid in files if content_cid(file.where) == cid}


class Ignored:
    """What is neither pushed nor removed."""

    def __init__(self, folder: Path, name: str | None) -> None:
        self._spec = None
        if name is None:
            return
        try:
            lines = (folder / name).read_text("utf-8").splitlines()
        except FileNotFoundError:
            return
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidSource(f"cannot read {folder / name}: {error}") from error
        from pathspec import GitIgnoreSpec

        self._spec = GitIgnoreSpec.from_lines(lines)

    def names(self, path: str) -> bool:
        """Whether it names a file, or a directory if the path ends in a slash; those above aside."""
        if path.rstrip("/") in _NEVER or path.endswith((_PATCH, _FINDERS)):
            return True
        return self._spec is not None and self._spec.match_file(path)

    def holds(self, path: str) -> bool:
        """Whether it names a file, or a directory that the file is in."""
        return self.names(path) or any(self.names(f"{each}/") for each in above(path))


def _checked(path: str, where: str) -> str:
    try:
        return for_writing(path)
    except InvalidPath as error:
        raise InvalidPath(f"{where!a} cannot be in a bucket: {error.message}", about=ascii(path)) from None
