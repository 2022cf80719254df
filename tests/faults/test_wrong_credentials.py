"""Wrong credentials through the SDK: one class, one code, the hub's own words, and nothing done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

import textile_aio
from textile_aio import AuthContext, HubClient, Identity, StatusCode, create_api_sig, errors
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.localhub.accounts import ApiKeyCredentials

NOW = datetime(2030, 3, 17, 17, 46, 40, tzinfo=UTC)


@dataclass
class World:
    """A hub whose clock stands at ``NOW``, two accounts with a key each, and a bucket of the first."""

    hub: LocalHub
    client: HubClient
    mine: ApiKeyCredentials
    theirs: ApiKeyCredentials
    identity: Identity
    ctx: AuthContext
    key: str

    async def check_untouched(self) -> None:
        chunks = [chunk async for chunk in self.client.buckets.pull_path(self.ctx, self.key, "f")]
        assert b"".join(chunks) == b"mine"
        assert len(await self.client.buckets.list(self.ctx)) == 1


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock = int(NOW.timestamp()) * 10**9
    async with (
        LocalHub.in_memory(HubSettings(clock=lambda: clock)) as hub,
        textile_aio.connect(hub.target) as client,
    ):
        mine, theirs = [await hub.create_key(await hub.create_account(name)) for name in ("me", "them")]
        identity = Identity.generate()
        ctx = await client.threads.authorize(key_of(mine), identity)
        ctx = ctx.with_thread(await client.threads.new_db(ctx))
        bucket = await client.buckets.create(ctx, "b")
        await client.buckets.push_path(ctx, bucket.key, "f", b"mine")
        yield World(hub, client, mine, theirs, identity, ctx, bucket.key)


def key_of(credentials: ApiKeyCredentials) -> AuthContext:
    """Signed for the hub's clock, not for the machine's."""
    return AuthContext(clock=lambda: NOW.timestamp()).with_api_key(credentials.key, credentials.secret)


Use = Callable[[World, AuthContext], Awaitable[object]]


async def pulled(world: World, ctx: AuthContext) -> list[bytes]:
    return [chunk async for chunk in world.client.buckets.pull_path(ctx, world.key, "f")]


WRITES: dict[str, Use] = {
    "create": lambda world, ctx: world.client.buckets.create(ctx, "x"),
    "push_path": lambda world, ctx: world.client.buckets.push_path(ctx, world.key, "f", b"theirs"),
    "push_files": lambda world, ctx: world.client.buckets.push_files(ctx, world.key, {"f": b"theirs"}),
    "remove_path": lambda world, ctx: world.client.buckets.remove_path(ctx, world.key, "f"),
    "remove": lambda world, ctx: world.client.buckets.remove(ctx, world.key),
}
READS: dict[str, Use] = {
    "root": lambda world, ctx: world.client.buckets.root(ctx, world.key),
    "list": lambda world, ctx: world.client.buckets.list(ctx),
    "list_path": lambda world, ctx: world.client.buckets.list_path(ctx, world.key, "f"),
    "links": lambda world, ctx: world.client.buckets.links(ctx, world.key),
    "pull_path": pulled,
}
USES = READS | WRITES
every_call = pytest.mark.parametrize("use", USES.values(), ids=USES)


async def refusal(world: World, use: Use, ctx: AuthContext) -> errors.TextileError:
    with pytest.raises(errors.TextileError) as caught:
        await use(world, ctx)
    await world.check_untouched()
    assert caught.value.method.startswith("/api.bucketsd.pb.APIService/")
    assert not caught.value.retryable
    return caught.value


def told(error: errors.TextileError) -> tuple[type[errors.TextileError], StatusCode | None, str]:
    return type(error), error.code, error.message


@every_call
async def test_an_unknown_key(world: World, use: Use) -> None:
    ctx = world.ctx.with_api_key("bunknownkey", world.mine.secret)
    error = await refusal(world, use, ctx)
    assert told(error) == (errors.ApiKeyNotFound, StatusCode.NOT_FOUND, "API key not found or is invalid")


@every_call
async def test_a_key_that_was_invalidated(world: World, use: Use) -> None:
    account = await world.hub.create_account("third")
    key = await world.hub.create_key(account)
    ctx = await world.client.threads.authorize(key_of(key), Identity.generate())
    ctx = ctx.with_thread(await world.client.threads.new_db(ctx))
    await world.hub.invalidate_key(key.key)
    error = await refusal(world, use, ctx)
    assert type(error) is errors.ApiKeyNotFound


@every_call
async def test_a_secret_of_another_key(world: World, use: Use) -> None:
    ctx = world.ctx.with_api_key(world.mine.key, world.theirs.secret)
    error = await refusal(world, use, ctx)
    assert told(error) == (errors.BadSignature, StatusCode.UNAUTHENTICATED, "Bad API key signature")


@every_call
async def test_a_secure_key_without_its_secret(world: World, use: Use) -> None:
    ctx = world.ctx.with_api_key(world.mine.key)
    error = await refusal(world, use, ctx)
    assert told(error) == (errors.SignatureRequired, StatusCode.UNAUTHENTICATED, "API key signature required")


@every_call
async def test_a_signature_that_ended_at_the_hub(world: World, use: Use) -> None:
    # By this side's clock, which is behind, it is still good; so it is sent, and the hub refuses.
    signature = create_api_sig(world.mine.secret, NOW - timedelta(seconds=1))
    behind = replace(world.ctx, clock=lambda: NOW.timestamp() - 3600)
    ctx = behind.with_signature(signature)
    error = await refusal(world, use, ctx)
    assert told(error) == (errors.BadSignature, StatusCode.UNAUTHENTICATED, "Bad API key signature")


@every_call
async def test_a_signature_that_ended_here_is_not_even_sent(world: World, use: Use) -> None:
    signature = create_api_sig(world.mine.secret, NOW - timedelta(seconds=1))
    ctx = world.ctx.with_signature(signature)
    with pytest.raises(errors.AuthExpired) as caught:
        await use(world, ctx)
    assert caught.value.code is None
    await world.check_untouched()


@every_call
async def test_no_identity(world: World, use: Use) -> None:
    error = await refusal(world, use, world.ctx.without("token"))
    assert told(error) == (errors.TokenRequired, StatusCode.UNAUTHENTICATED, "Token required")


@every_call
async def test_a_token_of_another_hub(world: World, use: Use) -> None:
    async with (
        LocalHub.in_memory(HubSettings(mode="buckd")) as other,
        textile_aio.connect(other.target) as elsewhere,
    ):
        token = await elsewhere.threads.get_token(AuthContext(), Identity.generate())
    error = await refusal(world, use, world.ctx.with_token(token))
    assert (type(error), error.code) == (errors.InvalidToken, StatusCode.UNAUTHENTICATED)
    assert token not in f"{error} {error!r}"


DENIED = (errors.WriteDenied, StatusCode.UNKNOWN, "app denied net record body: permission denied")
NOT_OWNER = (errors.NotThreadOwner, StatusCode.PERMISSION_DENIED, "User does not own thread")
STRANGERS: dict[str, tuple[type[errors.TextileError], StatusCode, str]] = {
    "create": NOT_OWNER,
    "remove": NOT_OWNER,
    "list": NOT_OWNER,
    "push_path": DENIED,
    "remove_path": DENIED,
    "push_files": (  # whose header names all paths, so that the hub can look before anything is sent
        errors.WriteDenied,
        StatusCode.PERMISSION_DENIED,
        f"verifying bucket update: rpc error: code = Unknown desc = {DENIED[2]}",
    ),
}


@pytest.mark.parametrize("name", STRANGERS)
async def test_another_accounts_thread(world: World, name: str) -> None:
    them = await world.client.threads.authorize(key_of(world.theirs), Identity.generate())
    assert world.ctx.thread is not None
    error = await refusal(world, USES[name], them.with_thread(world.ctx.thread))
    assert told(error) == STRANGERS[name]


@every_call
async def test_a_thread_made_with_another_key(world: World, use: Use) -> None:
    """The very same identity, come through another application."""
    them = await world.client.threads.authorize(key_of(world.theirs), world.identity)
    assert world.ctx.thread is not None
    error = await refusal(world, use, them.with_thread(world.ctx.thread))
    assert told(error) == (errors.NotThreadOwner, StatusCode.PERMISSION_DENIED, "Bad API key")
