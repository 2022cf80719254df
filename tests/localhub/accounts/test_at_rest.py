"""Nothing that opens a door lies in the data directory in clear."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

from textile_aio import AuthContext, connect
from textile_aio.identity import Identity
from textile_aio.localhub import HubSettings, LocalHub


def found(data: Path, secret: bytes) -> set[str]:
    """The files that hold a secret, as it is or in a usual spelling."""
    spellings = {secret, secret.hex().encode(), base64.b64encode(secret).rstrip(b"=")}
    spellings |= {secret.upper(), base64.b32encode(secret).rstrip(b"=").lower()}
    return {
        path.name
        for path in data.rglob("*")
        if path.is_file() and path.name != "secrets.key"
        for spelling in spellings
        if spelling in path.read_bytes()
    }


def halves(identity: Identity) -> tuple[bytes, bytes]:
    return identity.bytes, identity.bytes[4:36]  # with its frame, and the seed alone


async def test_no_secret_of_an_account_lies_in_the_directory(tmp_path: Path) -> None:
    secrets: list[bytes] = []
    async with LocalHub.open(tmp_path, HubSettings(web_port=None)) as hub, connect(hub.target) as client:
        nobody = AuthContext()
        accounts = client.accounts
        ann = await accounts.sign_up(nobody, "ann", "ann@example.com")
        again = await accounts.sign_in(nobody, "ann")
        secrets += [ann.session.encode(), again.session.encode()]
        ctx = nobody.with_session(ann.session)
        org = await accounts.create_org(ctx, "Our organisation")
        for who in (ctx, ctx.with_org(org.slug)):
            secrets += halves(await accounts.identity(who))
            for secure in (True, False):
                key = await accounts.create_key(who, secure=secure)
                secrets += [key.key.encode(), key.secret.encode()]
        withdrawn = await accounts.create_key(ctx)
        await accounts.invalidate_key(ctx, withdrawn.key)
        secrets += [withdrawn.key.encode(), withdrawn.secret.encode()]
        token = await accounts.invite_to_org(ctx.with_org(org.slug), "bob@example.com")
        secrets.append(token.encode())
        await client.threads.new_db(ctx, name="mine")
        await accounts.sign_out(nobody.with_session(again.session))

        assert found(tmp_path, b"ann@example.com"), "the search finds what is there"
        assert (tmp_path / "hub.sqlite-wal").exists(), "the write-ahead log was searched as well"
        for secret in secrets:
            assert not found(tmp_path, secret), "while it serves"
    for secret in secrets:
        assert not found(tmp_path, secret), "after it"


async def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "hub"
    async with LocalHub.open(data) as hub:
        await hub.create_account("ann")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [data, *data.rglob("*")]}
    assert modes["secrets.key"] == 0o600
    assert all(mode & 0o077 == 0 for mode in modes.values()), modes
