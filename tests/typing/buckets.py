"""What type checkers know of buckets. Nothing here is run: mypy and pyright read it.

A line that has to be wrong carries ``type: ignore``; checkers complain where it turns out to be right.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import assert_type

from textile_aio import AuthContext, HubClient, Identity, PathItem, Role, Root
from textile_aio.buckets.handle import BucketHandle


async def roles_have_keys_of_any_kind(hub: HubClient, ctx: AuthContext, friend: Identity) -> None:
    await hub.buckets.push_path_access_roles(ctx, "k", "", {friend.public: Role.READER, "*": Role.READER})
    await hub.buckets.push_path_access_roles(ctx, "k", "", {friend: Role.READER})
    roles = await hub.buckets.pull_path_access_roles(ctx, "k")
    assert_type(roles, dict[str, Role])
    await hub.buckets.push_path_access_roles(ctx, "k", "a", roles)
    await hub.buckets.push_path_access_roles(ctx, "k", "a", {"*": 1})  # type: ignore[dict-item]


async def a_handle_gives_what_the_client_gives(hub: HubClient, ctx: AuthContext) -> None:
    bucket = await hub.buckets.get_or_create(ctx, "things")
    assert_type(bucket, BucketHandle)
    assert_type(bucket.walk(), AsyncGenerator[PathItem, None])
    assert_type(await bucket.list(), tuple[PathItem, ...])
    assert_type(await bucket.remove("a", on_conflict="retry"), Root)
    await bucket.remove("a", on_conflict="merge")  # type: ignore[arg-type]
