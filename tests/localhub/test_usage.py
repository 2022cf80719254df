"""What the hub says it stores for somebody is what it stores."""

from __future__ import annotations

from typing import Any

from tests.localhub.raw import call, outcome
from tests.localhub.test_access import NOW, Headers, World, token_for
from tests.localhub.test_access import world as world
from textile_aio import AuthContext, HubClient, Identity, ThreadID, connect
from textile_aio._proto.api.usersd import pb
from textile_aio.threads.values import CollectionConfig

USAGE = "/api.usersd.pb.APIService/GetUsage"
SCHEMA = {"properties": {"_id": {"type": "string"}, "text": {"type": "string"}}}


async def usage(world: World, headers: Headers, key: str = "") -> Any:
    (reply,) = await call(world.target, USAGE, headers, pb.GetUsageRequest(key=key))
    return reply


async def stored(world: World, headers: Headers, key: str = "") -> int:
    reply = await usage(world, headers, key)
    assert set(reply.usage.usage) == {"stored_data"}
    return int(reply.usage.usage["stored_data"].total)


def context(world: World) -> AuthContext:
    return AuthContext().with_api_key(world.insecure["x-textile-api-key"]).with_token(world.token)


async def database(client: HubClient, ctx: AuthContext) -> ThreadID:
    thread = await client.threads.new_db(ctx)
    await client.threads.new_collection(ctx, thread, CollectionConfig("notes", schema=SCHEMA))
    return thread


async def test_documents_are_counted_by_their_bytes(world: World) -> None:
    assert await stored(world, world.user()) == 0
    async with connect(world.target) as client:
        ctx = context(world)
        thread = await database(client, ctx)
        await client.threads.create(
            ctx, thread, "notes", [{"_id": f"{n}", "text": "x" * 50} for n in range(2500)]
        )
        documents = await client.threads.find(ctx, thread, "notes", as_=bytes)
        assert await stored(world, world.user()) == sum(map(len, documents)) > 2500 * 50
        await client.threads.delete(ctx, thread, "notes", [f"{n}" for n in range(2500)])
    assert await stored(world, world.user()) == 0


async def test_blocks_of_buckets_are_counted_once(world: World) -> None:
    async with connect(world.target) as client:
        ctx = context(world)
        ctx = ctx.with_thread(await client.threads.new_db(ctx))
        one = await client.buckets.create(ctx, "one")
        empty = await stored(world, world.user())
        content = b"".join(b"%08d" % n for n in range(150_000))  # several leaves, all different
        await client.buckets.push_path(ctx, one.key, "a", content)
        first = await stored(world, world.user())
        assert len(content) < first - empty < len(content) + 2000
        await client.buckets.push_path(ctx, one.key, "b", content)
        assert await stored(world, world.user()) - first < 2000
        await client.buckets.remove(ctx, one.key)
        assert await stored(world, world.user()) == 0


async def test_of_users_an_account_is_told_what_is_in_threads_of_its_keys(world: World) -> None:
    user = str(world.identity.public)
    assert await outcome(world.target, USAGE, world.account, pb.GetUsageRequest(key=user)) == (
        "NOT_FOUND",
        "User not found",
    )
    stranger = await world.hub.create_account("stranger")
    foreign = await world.hub.create_key(stranger, secure=False)
    async with connect(world.target) as client:
        for ctx in (context(world), AuthContext().with_api_key(foreign.key).with_token(world.token)):
            thread = await database(client, ctx)
            await client.threads.create(ctx, thread, "notes", [{"text": "x" * 100}])
    total = await stored(world, world.user())
    for headers in (world.account, {"x-textile-session": world.session}):
        reply = await usage(world, headers, user)
        assert reply.usage.usage["stored_data"].total == total // 2
        assert (reply.customer.key, reply.customer.account_type) == (user, 2)
        account = await usage(world, headers)
        assert reply.customer.parent_key == account.customer.key
        assert (account.customer.account_type, account.usage.usage["stored_data"].total) == (0, 0)
        assert account.customer.created_at == NOW // 10**9
    own = await usage(world, world.user(), user)
    assert own.customer.parent_key == account.customer.key
    other = await token_for(world, Identity.generate())
    of_other = world.user(authorization=f"bearer {other}")
    for headers, key in ((of_other, user), (world.user(), account.customer.key)):
        assert await outcome(world.target, USAGE, headers, pb.GetUsageRequest(key=key)) == (
            "NOT_FOUND",
            "User not found",
        )


async def test_a_key_that_is_none_is_refused(world: World) -> None:
    assert await outcome(world.target, USAGE, world.user(), pb.GetUsageRequest(key="nonsense")) == (
        "FAILED_PRECONDITION",
        "Invalid public key",
    )
