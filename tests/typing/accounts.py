"""What type checkers know of accounts. Nothing here is run: mypy and pyright read it.

A line that has to be wrong carries ``type: ignore``; checkers complain where it turns out to be right.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import assert_type

from textile_aio import ApiKey, AuthContext, HubClient, Identity, KeyType, Org, OrgName, Session


async def calls_give_values(hub: HubClient, ctx: AuthContext) -> None:
    session = await hub.accounts.sign_up(AuthContext(), "ann", "ann@example.com", timeout=60)
    assert_type(session, Session)
    assert_type(session.context(), AuthContext)
    key = await hub.accounts.create_key(ctx, KeyType.USER, secure=False)
    assert_type(key, ApiKey)
    assert_type(key.type, KeyType)
    await hub.accounts.invalidate_key(ctx, key)
    await hub.accounts.invalidate_key(ctx, key.key)
    assert_type(await hub.accounts.identity(ctx), Identity)
    assert_type(await hub.accounts.list_orgs(ctx), list[Org])
    assert_type(await hub.accounts.is_username_available(ctx, "ann"), bool)
    assert_type(await hub.accounts.is_org_name_available(ctx, "Acme"), OrgName)
    await hub.accounts.create_key(ctx, 2)  # type: ignore[arg-type]
    await hub.accounts.create_key(ctx, KeyType.USER, False)  # type: ignore[call-arg]
    session.session = ""  # type: ignore[misc]
