"""Tokens and databases, on any hub."""

from __future__ import annotations

import pytest

from textile_aio import AuthContext, HubClient, Identity, ThreadID, ThreadKey, errors


async def test_a_challenge_answered_gives_a_token(client: HubClient, key_ctx: AuthContext) -> None:
    identity = Identity.generate()
    ctx = await client.threads.authorize(key_ctx, identity)
    assert ctx.token
    assert ctx != key_ctx
    assert key_ctx.token is None or key_ctx.token == ""


async def test_an_identity_held_elsewhere_signs_as_well(client: HubClient, key_ctx: AuthContext) -> None:
    inner = Identity.generate()

    class Wallet:
        public = inner.public
        asked = 0

        async def sign(self, message: bytes) -> bytes:
            self.asked += 1
            return inner.sign(message)

    wallet = Wallet()
    ctx = await client.threads.authorize(key_ctx, wallet)
    assert ctx.token
    assert wallet.asked == 1


async def test_a_wrong_signature_gets_no_token(client: HubClient, key_ctx: AuthContext) -> None:
    class Liar:
        public = Identity.generate().public

        async def sign(self, message: bytes) -> bytes:
            return Identity.generate().sign(message)

    with pytest.raises(errors.BadSignature, match="bad signature"):
        await client.threads.authorize(key_ctx, Liar())


async def test_a_database_can_be_made_described_and_deleted(client: HubClient, ctx: AuthContext) -> None:
    thread = await client.threads.new_db(ctx, name="first")
    info = await client.threads.get_db_info(ctx, thread)
    assert info.name == "first"
    assert info.key is not None
    assert info.key.can_read
    assert all(str(thread) in str(address) for address in info.addrs)
    await client.threads.delete_db(ctx, thread)
    with pytest.raises((errors.NotThreadOwner, errors.ThreadNotFound)):
        await client.threads.get_db_info(ctx, thread)


async def test_a_database_takes_the_id_and_key_it_is_given(client: HubClient, ctx: AuthContext) -> None:
    thread, key = ThreadID.random(), ThreadKey.random()
    assert await client.threads.new_db(ctx, thread, key=key, log_key=Identity.generate()) == thread
    info = await client.threads.get_db_info(ctx, thread)
    assert info.key == key
    assert info.name == "unnamed"


async def test_the_same_database_cannot_be_made_twice(client: HubClient, ctx: AuthContext) -> None:
    thread = await client.threads.new_db(ctx)
    with pytest.raises(errors.AlreadyExists):
        await client.threads.new_db(ctx, thread)


async def test_a_deleted_database_can_be_made_again(client: HubClient, ctx: AuthContext) -> None:
    thread = await client.threads.new_db(ctx)
    await client.threads.delete_db(ctx, thread)
    assert await client.threads.new_db(ctx, thread) == thread


async def test_a_key_that_cannot_read_makes_no_database(client: HubClient, ctx: AuthContext) -> None:
    with pytest.raises(errors.InvalidKey, match="thread read key is required"):
        await client.threads.new_db(ctx, key=ThreadKey.random_service())


async def test_a_refused_database_leaves_nothing_behind(client: HubClient, ctx: AuthContext) -> None:
    thread = ThreadID.random()
    with pytest.raises(errors.InvalidKey):
        await client.threads.new_db(ctx, thread, key=ThreadKey.random_service())
    assert await client.threads.new_db(ctx, thread) == thread


@pytest.mark.needs("list_dbs")
async def test_a_daemon_without_accounts_lists_its_databases(client: HubClient, ctx: AuthContext) -> None:
    made = {await client.threads.new_db(ctx), await client.threads.new_db(ctx)}
    listed = {database.id for database in await client.threads.list_dbs(ctx)}
    assert made <= listed


@pytest.mark.needs("accounts")
async def test_a_hub_lists_databases_to_nobody(client: HubClient, ctx: AuthContext) -> None:
    with pytest.raises(errors.MethodBlocked, match="Method is not accessible"):
        await client.threads.list_dbs(ctx)


@pytest.mark.needs("users")
async def test_threads_are_found_by_name_and_listed_in_order(client: HubClient, ctx: AuthContext) -> None:
    first = await client.threads.new_db(ctx, name="One")
    second = await client.threads.new_db(ctx)
    third = await client.threads.new_db(ctx, name="three")
    assert (await client.users.get_thread(ctx, "One")).id == first
    with pytest.raises(errors.ThreadNotFound) as caught:
        await client.users.get_thread(ctx, "one")
    assert caught.value.message == "Thread not found"
    listed = await client.users.list_threads(ctx)
    assert [(thread.id, thread.name) for thread in listed] == [(first, "One"), (second, ""), (third, "three")]
    assert all(thread.is_db for thread in listed)


@pytest.mark.needs("users")
async def test_names_are_unique_for_an_owner_in_any_case(client: HubClient, ctx: AuthContext) -> None:
    await client.threads.new_db(ctx, name="notes")
    with pytest.raises(errors.AlreadyExists) as caught:
        await client.threads.new_db(ctx, name="Notes")
    assert "E11000 duplicate key error" in caught.value.message
    assert "multiple write errors" in caught.value.message


@pytest.mark.parametrize("name", ["-a", "a-", "a--b", "a_b", "ä", "a b"])
async def test_a_name_out_of_form_is_refused(client: HubClient, ctx: AuthContext, name: str) -> None:
    with pytest.raises(errors.TextileError):
        await client.threads.new_db(ctx, name=name)
