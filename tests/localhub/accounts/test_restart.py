"""What was acknowledged about accounts is there after a restart, and what was over stays so."""

from __future__ import annotations

from pathlib import Path

import pytest

import textile_aio
from textile_aio import AuthContext, Identity, KeyType, errors
from textile_aio.localhub import LocalHub


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
