"""What is sealed can be opened with its key, for its row, whole; and with nothing else."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio._codec import multibase
from textile_aio.errors import DirectoryInvalid, InvalidInput
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.localhub.accounts.vault import Vault


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_what_is_sealed_can_be_opened(secret: bytes, about: bytes) -> None:
    vault = Vault.generate()
    sealed = vault.seal(secret, about)
    assert vault.open(sealed, about) == secret
    assert sealed != vault.seal(secret, about), "nobody sees that two secrets are the same"


def test_nothing_else_opens_it() -> None:
    vault = Vault.generate()
    sealed = vault.seal(b"secret", b"row 1")
    attempts = [
        (Vault.generate(), sealed, b"row 1"),
        (vault, sealed, b"row 2"),
        (vault, sealed, b""),
        (vault, sealed[:-1], b"row 1"),
        (vault, sealed + b"\0", b"row 1"),
        (vault, sealed[:12], b"row 1"),
        (vault, sealed[:5], b"row 1"),
        (vault, b"", b"row 1"),
        *(
            (vault, sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], b"row 1")
            for at in range(len(sealed))
        ),
    ]
    for by, data, about in attempts:
        with pytest.raises(DirectoryInvalid, match="cannot be opened"):
            by.open(data, about)


def test_names_are_the_same_with_one_key_only() -> None:
    text = multibase.encode(os.urandom(32))
    assert Vault.from_string(text).name("session") == Vault.from_string(text).name("session")
    assert Vault.generate().name("session") != Vault.generate().name("session")
    assert Vault.generate().name("\udcff\x00") != ""


@pytest.mark.parametrize(
    "text", ["", "b", "zzz", "x", multibase.encode(b"short"), multibase.encode(bytes(33)), "é"]
)
def test_a_key_is_32_bytes_as_text(text: str) -> None:
    with pytest.raises(InvalidInput, match="secrets key") as refused:
        Vault.from_string(text)
    assert not text or text not in str(refused.value) or len(text) < 4


def rows(data: Path) -> sqlite3.Connection:
    return sqlite3.connect(data / "hub.sqlite", isolation_level=None)


async def founded(data: Path, **settings: str) -> tuple[bytes, bytes]:
    async with LocalHub.open(data, HubSettings(**settings)) as hub:  # type: ignore[arg-type]
        one, other = await hub.create_account("one"), await hub.create_account("other")
        await hub.create_key(one)
        await hub.create_key(other)
    return one.public_key, other.public_key


async def test_rows_whose_secrets_were_swapped_are_refused(tmp_path: Path) -> None:
    one, other = await founded(tmp_path)
    with closing(rows(tmp_path)) as database:
        for table, column in (("account", "private_key"), ("api_key", "sealed")):
            pairs = database.execute(f"SELECT position, {column} FROM {table} ORDER BY position").fetchall()
            for (position, _), (_, secret) in zip(pairs, reversed(pairs), strict=True):
                database.execute(f"UPDATE {table} SET {column} = ? WHERE position = ?", (secret, position))
    async with LocalHub.open(tmp_path) as hub:
        assert hub._accounts is not None
        for key in (one, other):
            account = await hub._accounts.registry.account(key)
            assert account is not None
            with pytest.raises(DirectoryInvalid):
                hub._accounts.developers.identity(account.row)
            with pytest.raises(DirectoryInvalid):
                await hub._accounts.keys.list(key)


async def test_a_lost_key_is_said_so_and_no_other_takes_its_place(tmp_path: Path) -> None:
    await founded(tmp_path)
    file = tmp_path / "secrets.key"
    text = file.read_text()
    file.unlink()
    for _ in range(2):
        with pytest.raises(DirectoryInvalid, match="restore its file from a backup"):
            async with LocalHub.open(tmp_path):
                pass
        assert not file.exists()
    file.write_text(text)
    async with LocalHub.open(tmp_path) as hub:
        await hub.create_account("third")


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: multibase.encode(os.urandom(32)).encode(),
        lambda text: text[:-10],
        lambda text: text[:1],
        lambda _: b"",
        lambda _: b"\xff\xfe",
        lambda _: b"\n\n\n",
    ],
    ids=["replaced", "truncated", "nearly empty", "empty", "binary", "blank"],
)
async def test_another_key_is_refused_and_left_alone(tmp_path: Path, damage: object) -> None:
    await founded(tmp_path)
    file = tmp_path / "secrets.key"
    good = file.read_bytes()
    bad = damage(good)  # type: ignore[operator]
    file.write_bytes(bad)
    with pytest.raises(DirectoryInvalid) as refused:
        async with LocalHub.open(tmp_path):
            pass
    assert "backup" in str(refused.value)
    assert not bad.strip() or len(bad) < 10 or bad.strip().decode("latin-1") not in str(refused.value)
    assert file.read_bytes() == bad
    file.write_bytes(good)
    async with LocalHub.open(tmp_path):
        pass


async def test_a_key_from_outside_lies_in_no_file(tmp_path: Path) -> None:
    key = multibase.encode(os.urandom(32))
    await founded(tmp_path, secrets_key=key)
    assert not (tmp_path / "secrets.key").exists()
    assert all(key.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for wrong in ("", multibase.encode(os.urandom(32))):
        with pytest.raises(DirectoryInvalid):
            async with LocalHub.open(tmp_path, HubSettings(secrets_key=wrong)):
                pass
        assert not (tmp_path / "secrets.key").exists()
    async with LocalHub.open(tmp_path, HubSettings(secrets_key=key)):
        pass
    with pytest.raises(InvalidInput):
        async with LocalHub.open(tmp_path, HubSettings(secrets_key="nonsense")):
            pass
    assert key not in repr(HubSettings(secrets_key=key))


async def test_a_store_without_its_mark_takes_no_other_key(tmp_path: Path) -> None:
    """As an older one is, if its hub was killed between bringing it forward and marking it."""
    await founded(tmp_path)
    with closing(rows(tmp_path)) as database:
        assert database.execute("DELETE FROM setting WHERE name = 'secrets'").rowcount == 1
    with pytest.raises(DirectoryInvalid, match="is not the one"):
        async with LocalHub.open(tmp_path, HubSettings(secrets_key=multibase.encode(os.urandom(32)))):
            pass
    async with LocalHub.open(tmp_path):
        pass
    with closing(rows(tmp_path)) as database:
        assert database.execute("SELECT count(*) FROM setting WHERE name = 'secrets'").fetchone() == (1,)
