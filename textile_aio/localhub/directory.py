"""The data directory: who has it, which format it is in, and where its parts lie.

Owns the lock, the format mark, the host key file, the address file and all permissions. Knows
nothing of what the database and the packs contain.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

import filelock
import platformdirs

from textile_aio._codec import multibase
from textile_aio.errors import DirectoryInUse, DirectoryInvalid, UnsupportedFormat
from textile_aio.identity import Identity
from textile_aio.storage.files import sync_folder

FORMAT = 1

_BEFORE_THE_MARK = frozenset({"lock", "format.new", "address.json"})
"""What a hub that was stopped while it made the directory may have left without a format mark."""


def default_directory() -> Path:
    """Where ``connect("local")`` keeps its data: the platform's user data directory."""
    return Path(platformdirs.user_data_dir("textile-aio", appauthor=False)) / "hub"


@dataclass(frozen=True, slots=True)
class Address:
    """What a serving hub writes into its directory, for a second process to find it."""

    target: str
    pid: int
    mode: str


class DataDirectory:
    """An exclusively held data directory, readable by its owner alone.

    Open one with :meth:`acquire`; it stays locked until :meth:`release`, or until the process ends
    however it ends (the lock is the operating system's).
    """

    def __init__(self, path: Path, lock: filelock.BaseFileLock) -> None:
        self.path = path
        self._lock = lock
        self._made_secrets_key = False

    @classmethod
    def acquire(cls, path: Path) -> DataDirectory:
        """Create ``path`` if need be, lock it and check its format.

        Raises:
            DirectoryInUse: Another hub has it; the error says which process, and where it serves.
            UnsupportedFormat: A newer version of this package wrote it.
            DirectoryInvalid: It is not a hub's directory, or cannot be used.
        """
        try:
            _create(path)
            _refuse_strangers(path)
            lock = filelock.FileLock(path / "lock", mode=0o600, thread_local=False)
            lock.acquire(blocking=False)
        except filelock.Timeout:
            raise _in_use(path) from None
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            reason = getattr(error, "strerror", None) or error
            raise DirectoryInvalid(
                f"cannot use {path} as a hub's data directory: {reason}", about=str(path)
            ) from error
        directory = cls(path, lock)
        try:
            directory._check_format()
            _close_to_others(path)
            # A hub that was killed has left its own; a second process must not be sent there.
            directory._address.unlink(missing_ok=True)
            _create_parts(directory)
        except BaseException:
            lock.release()
            raise
        return directory

    @property
    def _address(self) -> Path:
        return self.path / "address.json"

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.path / "hub.sqlite"

    @property
    def packs(self) -> Path:
        """The folder of pack files."""
        return self.path / "packs"

    def host_identity(self) -> Identity:
        """The hub's own key, made on first use. All tokens hang on it, so it is never replaced."""
        file = self.path / "host.key"
        try:
            return Identity.from_string(file.read_text("ascii").strip())
        except FileNotFoundError:
            identity = Identity.generate()
            _write_durably(file, identity.to_string() + "\n")
            return identity
        except (ValueError, OSError) as error:
            raise DirectoryInvalid(
                f"the host key {file} cannot be read; restore it from a backup: every token hangs on it",
                about=str(file),
            ) from error

    def secrets_key(self) -> str:
        """The key that secrets in the database are sealed with, made on first use; as multibase text."""
        file = self.path / "secrets.key"
        try:
            return file.read_text("ascii").strip()
        except FileNotFoundError:
            key = multibase.encode(os.urandom(32))
            _write_durably(file, key + "\n")
            self._made_secrets_key = True
            return key
        except (ValueError, OSError) as error:
            raise DirectoryInvalid(
                f"the secrets key {file} cannot be read; restore it from a backup: without it no session, "
                "API key or identity of this hub can be used",
                about=str(file),
            ) from error

    def withdraw_secrets_key(self) -> None:
        """Take away a key that :meth:`secrets_key` has just made: what is there is sealed with another."""
        if self._made_secrets_key:
            (self.path / "secrets.key").unlink(missing_ok=True)

    def publish(self, address: Address) -> None:
        """Say where the hub serves."""
        _write_durably(self._address, json.dumps(asdict(address)) + "\n")

    def release(self) -> None:
        """Withdraw the address and give the directory up. Idempotent."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._address.unlink(missing_ok=True)
            self._lock.release()

    def _check_format(self) -> None:
        mark = self.path / "format"
        try:
            text = mark.read_text("ascii").strip()
        except FileNotFoundError:
            # A first start that was killed, or found no room, may have left the mark beside its place.
            ours = {"lock", "address.json", "format.new"}
            strangers = {entry.name for entry in self.path.iterdir()} - ours
            if strangers:
                raise DirectoryInvalid(
                    f"{self.path} is not a hub's data directory: it holds {min(strangers)!r} "
                    "and no format mark; give an empty or a new one",
                    about=str(self.path),
                ) from None
            _write_durably(mark, f"{FORMAT}\n")
            return
        if not text.isdecimal():
            raise DirectoryInvalid(
                f"the format mark {mark} is damaged; it should hold a number", about=str(self.path)
            )
        if int(text) > FORMAT:
            raise UnsupportedFormat(
                f"{self.path} is in format {text}, this version knows up to {FORMAT}; "
                "use a newer textile-aio",
                about=str(self.path),
            )


def read_address(path: Path) -> Address | None:
    """Where the hub that has ``path`` serves, if it has said so."""
    try:
        return Address(**json.loads((path / "address.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _create(path: Path) -> None:
    """Make the folder, and bring to the disk every name that was made for it."""
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in reversed(made):
        sync_folder(folder.parent)


def _refuse_strangers(path: Path) -> None:
    """Stop before anything in somebody else's folder is touched: locking would empty a file of that name.

    The mark is the first file of a new directory beside the lock, so whoever sees another one and then no
    mark is not watching a hub that is just starting.
    """
    strangers = {entry.name for entry in path.iterdir()} - _BEFORE_THE_MARK
    if strangers and not (path / "format").exists():
        raise DirectoryInvalid(
            f"{path} is not a hub's data directory: it holds {min(strangers)!r} and no format mark; "
            "give an empty or a new one",
            about=str(path),
        )


def _close_to_others(path: Path) -> None:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o700)


def _create_parts(directory: DataDirectory) -> None:
    """Made here for their permissions: SQLite gives those of the database to its other files."""
    directory.database.touch(mode=0o600)
    directory.packs.mkdir(mode=0o700, exist_ok=True)


def _in_use(path: Path) -> DirectoryInUse:
    address = read_address(path)
    if address is None:
        return DirectoryInUse(f"another hub has {path} and does not serve yet", about=str(path))
    return DirectoryInUse(
        f"process {address.pid} has {path} and serves at {address.target}; connect to it there",
        about=str(path),
    )


def _write_durably(file: Path, text: str) -> None:
    """Replace ``file`` in one step: the old or the new text is there, whatever happens."""
    aside = file.with_name(file.name + ".new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    aside.replace(file)
    sync_folder(file.parent)
