"""What lies on the disk is of no use to who has not got the key."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

import textile_aio
from textile_aio import AuthContext, Identity, KeyType, errors
from textile_aio._codec import multibase
from textile_aio.localhub import HubSettings, LocalHub

KEY = multibase.encode(bytes(range(32)))


async def fill(data: Path, settings: HubSettings | None = None) -> list[str | bytes]:
    """Use all that is secret; what it was."""
    async with LocalHub.open(data, settings) as hub, textile_aio.connect(hub.target) as client:
        accounts = client.accounts
        ann = await accounts.sign_up(AuthContext(), "ann", "ann@test.com")
        ctx = ann.context()
        org = ctx.with_org((await accounts.create_org(ctx, "Acme")).slug)
        keys = [await accounts.create_key(each, kind) for each in (ctx, org) for kind in KeyType]
        token = await accounts.invite_to_org(org, "bo@test.com")
        identities = [await accounts.identity(each) for each in (ctx, org)]
        user = await client.threads.authorize(keys[1].context(), Identity.generate())
        await client.threads.new_db(user)
        await accounts.sign_out((await accounts.sign_in(AuthContext(), "ann")).context())
        texts = [ann.session, token, *(text for key in keys for text in (key.key, key.secret))]
        secrets: list[str | bytes] = [*texts, *(multibase.decode(text) for text in texts)]
        return secrets + [part for each in identities for part in (each.seed, each.to_string())]


def contents(data: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in sorted(data.rglob("*"))
        if path.is_file() and path.name != "secrets.key"
    }


async def test_no_file_but_the_keys_own_has_a_secret(tmp_path: Path) -> None:
    secrets = await fill(tmp_path)
    files = contents(tmp_path)
    assert b"ann@test.com" in b"".join(files.values()), "what is not secret can be found, so secrets could be"
    for secret in secrets:
        needle = secret if isinstance(secret, bytes) else secret.encode()
        assert [name for name, content in files.items() if needle in content] == []


async def test_only_its_owner_can_read_the_key(tmp_path: Path) -> None:
    await fill(tmp_path)
    assert stat.S_IMODE((tmp_path / "secrets.key").stat().st_mode) == 0o600


async def test_a_key_that_is_given_is_not_written(tmp_path: Path) -> None:
    settings = HubSettings(secrets_key=KEY)
    await fill(tmp_path, settings)
    assert not (tmp_path / "secrets.key").exists()
    assert not any(
        bytes(range(32)) in content or KEY.encode() in content for content in contents(tmp_path).values()
    )
    async with LocalHub.open(tmp_path, settings) as hub, textile_aio.connect(hub.target) as client:
        assert await client.accounts.sign_in(AuthContext(), "ann")


@pytest.mark.parametrize("other", [multibase.encode(bytes(32)), ""])
async def test_another_key_opens_nothing(tmp_path: Path, other: str) -> None:
    await fill(tmp_path, HubSettings(secrets_key=KEY))
    with pytest.raises(errors.DirectoryInvalid, match="secrets"):
        async with LocalHub.open(tmp_path, HubSettings(secrets_key=other)):
            pass


async def test_a_lost_key_is_not_replaced_by_another(tmp_path: Path) -> None:
    await fill(tmp_path)
    (tmp_path / "secrets.key").unlink()
    with pytest.raises(errors.DirectoryInvalid):
        async with LocalHub.open(tmp_path):
            pass


@pytest.mark.parametrize("key", ["x", multibase.encode(b"short"), "b" + "!" * 52])
async def test_a_malformed_key_is_refused_and_not_repeated(tmp_path: Path, key: str) -> None:
    with pytest.raises(errors.InvalidInput) as caught:
        async with LocalHub.open(tmp_path, HubSettings(secrets_key=key)):
            pass
    assert key not in str(caught.value)


async def test_all_is_there_again_after_a_restart(tmp_path: Path) -> None:
    async with LocalHub.open(tmp_path) as hub, textile_aio.connect(hub.target) as client:
        ann = await client.accounts.sign_up(AuthContext(), "ann", "ann@test.com")
        bo = await client.accounts.sign_up(AuthContext(), "bo", "bo@test.com")
        gone = (await client.accounts.sign_in(AuthContext(), "ann")).context()
        await client.accounts.sign_out(gone)
        org = await client.accounts.create_org(ann.context(), "Acme")
        kept = await client.accounts.create_key(ann.context(), KeyType.USER)
        over = await client.accounts.create_key(ann.context())
        await client.accounts.invalidate_key(ann.context(), over)
        await client.accounts.destroy_account(bo.context())
        identity = await client.accounts.identity(ann.context())
    async with LocalHub.open(tmp_path) as hub, textile_aio.connect(hub.target) as client:
        accounts = client.accounts
        assert await accounts.identity(ann.context()) == identity
        assert await accounts.list_orgs(ann.context()) == [org]
        listed = await accounts.list_keys(ann.context())
        assert [(key.key, key.secret, key.valid) for key in listed] == [
            (kept.key, kept.secret, True),
            (over.key, over.secret, False),
        ]
        await client.threads.authorize(kept.context(), Identity.generate())
        for refused, call in (
            (errors.InvalidSession, accounts.session_info(gone)),
            (errors.InvalidSession, accounts.session_info(bo.context())),
            (errors.ApiKeyNotFound, accounts.build_info(over.context())),
            (errors.NotFound, accounts.sign_in(AuthContext(), "bo")),
        ):
            with pytest.raises(refused):
                await call
