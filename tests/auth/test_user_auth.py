"""Refreshing user auth: one refresh at a time, whoever waits, whatever happens to the one who began it."""

from __future__ import annotations

import asyncio
import dataclasses
import pickle
import threading
from datetime import UTC, datetime

import pytest

from textile_aio._userauth import UserAuthSource
from textile_aio.auth import AuthContext, UserAuth, create_user_auth
from textile_aio.errors import AuthExpired, InvalidInput

SECRET = "baaaqeayeaudaocajbifqydiob4ibceqtcqkrmfy"


class Server:
    """Hands out user auth valid for a minute; a refresh waits until it is let through."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.begun = self.running = self.most = 0
        self.begin = asyncio.Event()
        self.let = asyncio.Event()
        self.failure: Exception | None = None

    def clock(self) -> float:
        return self.now

    def auth(self, number: int = 0, token: str = "token") -> UserAuth:
        expires = datetime.fromtimestamp(self.now + 60, UTC)
        return create_user_auth(f"key{number}", SECRET, expires=expires, token=token)

    async def refresh(self) -> UserAuth:
        self.begun += 1
        self.running += 1
        self.most = max(self.most, self.running)
        self.begin.set()
        try:
            await self.let.wait()
            if self.failure:
                raise self.failure
            return self.auth(self.begun, f"token{self.begun}")
        finally:
            self.running -= 1

    def context(self, auth: UserAuth | None = None) -> AuthContext:
        return dataclasses.replace(AuthContext.from_user_auth(auth, refresh=self.refresh), clock=self.clock)


@pytest.fixture
def server() -> Server:
    return Server()


async def settled() -> None:
    """Let every task run until all of them wait."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_present_auth_is_used_until_shortly_before_its_end(server: Server) -> None:
    context = server.context(server.auth())
    assert (await context.metadata())["x-textile-api-key"] == "key0"
    server.now += 49
    assert (await context.metadata())["authorization"] == "bearer token"
    assert server.begun == 0
    server.now += 1
    server.let.set()
    assert (await context.metadata())["authorization"] == "bearer token1"
    assert (context.api_key, context.token) == ("key1", "token1")


async def test_however_many_calls_wait_there_is_one_refresh(server: Server) -> None:
    context = server.context()
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(context.with_org(f"org{n}").metadata()) for n in range(50)]
        await server.begin.wait()
        await settled()
        server.let.set()
    assert server.begun == 1
    assert {call.result()["x-textile-api-key"] for call in calls} == {"key1"}
    assert {call.result()["x-textile-org"] for call in calls} == {f"org{n}" for n in range(50)}


async def test_when_the_call_that_began_is_cancelled_another_takes_over(server: Server) -> None:
    context = server.context()
    first = asyncio.ensure_future(context.metadata())
    await server.begin.wait()
    others = [asyncio.ensure_future(context.metadata()) for _ in range(5)]
    await settled()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await settled()
    assert (server.begun, server.running, server.most) == (2, 1, 1)
    server.let.set()
    assert [headers["x-textile-api-key"] for headers in await asyncio.gather(*others)] == ["key2"] * 5
    assert server.begun == 2


async def test_a_waiting_call_that_is_cancelled_disturbs_nobody(server: Server) -> None:
    context = server.context()
    calls = [asyncio.ensure_future(context.metadata()) for _ in range(5)]
    await server.begin.wait()
    await settled()
    calls[2].cancel()
    await settled()
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))
    server.let.set()
    cancelled = calls.pop(2)
    outcomes = await asyncio.gather(*calls)
    await settled()
    assert complaints == []
    assert cancelled.cancelled()
    assert [outcome["x-textile-api-key"] for outcome in outcomes] == ["key1"] * 4


async def test_a_failure_reaches_all_who_waited_and_the_next_call_tries_again(server: Server) -> None:
    context = server.context()
    server.failure = OSError("server down")
    calls = [asyncio.ensure_future(context.metadata()) for _ in range(3)]
    await server.begin.wait()
    await settled()
    server.let.set()
    assert await asyncio.gather(*calls, return_exceptions=True) == [server.failure] * 3
    assert server.begun == 1
    server.failure = None
    assert (await context.metadata())["x-textile-api-key"] == "key2"


def test_calls_on_several_event_loops_share_one_refresh() -> None:
    """The first loop's refresh waits until the calls of all other loops wait for it."""
    loops, now = 4, 1_000_000.0
    arrived = threading.Barrier(loops)
    refreshed: list[int] = []

    async def refresh() -> UserAuth:
        assert isinstance(source, UserAuthSource)
        refreshed.append(threading.get_ident())
        while len(source._waiting) < loops - 1:  # noqa: ASYNC110 - they wait on other loops
            await asyncio.sleep(0)
        return create_user_auth("key", SECRET, expires=datetime.fromtimestamp(now + 60, UTC))

    context = dataclasses.replace(AuthContext.from_user_auth(None, refresh=refresh), clock=lambda: now)
    source = context._proof
    results = []

    def run() -> None:
        async def call() -> None:
            arrived.wait()
            results.append(await context.metadata())

        asyncio.run(call())

    threads = [threading.Thread(target=run) for _ in range(loops)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(refreshed) == 1
    assert [headers["x-textile-api-key"] for headers in results] == ["key"] * loops


def test_a_refresh_left_by_a_stopped_loop_does_not_block_another(server: Server) -> None:
    context = server.context()

    async def call_and_leave() -> asyncio.Future[dict[str, str]]:
        task = asyncio.ensure_future(context.metadata())
        await server.begin.wait()
        return task  # cancelled by the end of the run

    asyncio.run(call_and_leave())
    server.let = asyncio.Event()
    server.let.set()
    assert asyncio.run(context.metadata())["x-textile-api-key"] == "key2"


async def test_a_loop_closed_while_its_call_waited_does_not_disturb_the_refresh(server: Server) -> None:
    context = server.context()
    first = asyncio.ensure_future(context.metadata())
    await server.begin.wait()

    async def wait_and_leave() -> asyncio.Future[dict[str, str]]:
        waiting = asyncio.ensure_future(context.metadata())
        await settled()
        return waiting  # cancelled by the end of the run

    await asyncio.to_thread(lambda: asyncio.run(wait_and_leave()))
    server.let.set()
    assert (await first)["x-textile-api-key"] == "key1"


async def test_what_a_server_gives_too_late_is_not_sent(server: Server) -> None:
    old = server.auth()

    async def refresh() -> UserAuth:
        return old

    server.now += 60
    context = dataclasses.replace(AuthContext.from_user_auth(old, refresh=refresh), clock=server.clock)
    with pytest.raises(AuthExpired, match="already expired"):
        await context.metadata()


async def test_a_refresh_that_gives_something_else_is_a_mistake_of_the_caller() -> None:
    async def refresh() -> dict[str, str]:
        return {"key": "k"}

    with pytest.raises(InvalidInput, match="must return a UserAuth, not dict"):
        await AuthContext.from_user_auth(None, refresh=refresh).metadata()  # type: ignore[arg-type]


async def test_a_refresh_that_uses_its_own_context_is_refused_instead_of_hanging(server: Server) -> None:
    async def refresh() -> UserAuth:
        return UserAuth.from_json(await context.metadata())

    context = AuthContext.from_user_auth(None, refresh=refresh)
    with pytest.raises(AuthExpired, match="must not use"):
        await context.metadata()


async def test_without_a_refresh_expired_auth_is_refused(server: Server) -> None:
    context = dataclasses.replace(AuthContext.from_user_auth(server.auth()), clock=server.clock)
    assert (await context.metadata())["authorization"] == "bearer token"
    server.now += 60
    with pytest.raises(AuthExpired):
        await context.metadata()


def test_there_must_be_auth_or_a_way_to_get_it() -> None:
    with pytest.raises(InvalidInput):
        AuthContext.from_user_auth(None)


async def test_values_given_besides_stay_through_a_refresh(server: Server) -> None:
    server.let.set()
    context = server.context().with_org("org").with_token("mine")
    headers = await context.metadata()
    assert (headers["x-textile-org"], headers["authorization"]) == ("org", "bearer mine")
    assert "authorization" not in await context.without("token").metadata()
    assert "x-textile-api-key" not in await context.without("api_key").metadata()


async def test_a_signature_given_later_is_for_the_key_and_the_token_that_were_handed_out(
    server: Server,
) -> None:
    auth = server.auth()
    headers = await server.context(auth).with_signature(auth.signature).metadata()
    assert headers == await server.context(auth).metadata()


async def test_a_merge_takes_user_auth_over_with_its_refresh(server: Server) -> None:
    server.let.set()
    merged = AuthContext(clock=server.clock).with_api_key("other", SECRET).merge(server.context())
    assert (await merged.metadata())["x-textile-api-key"] == "key1"
    assert (await server.context().merge(AuthContext().with_api_key("other")).metadata()) == {
        "x-textile-api-key": "other"
    }


async def test_json_is_given_once_there_is_auth_to_write(server: Server) -> None:
    context = server.context()
    with pytest.raises(AuthExpired, match="not fetched yet"):
        context.to_json()
    server.let.set()
    headers = await context.metadata()
    assert context.to_json(host="h") == {"host": "h"} | headers
    server.now += 60
    with pytest.raises(AuthExpired):
        context.to_json()


async def refresh_of_a_module() -> UserAuth:
    raise NotImplementedError


def test_contexts_with_a_refresh_are_values_and_pickle_where_the_function_does(server: Server) -> None:
    one = AuthContext.from_user_auth(server.auth(), refresh=refresh_of_a_module)
    other = AuthContext.from_user_auth(server.auth(), refresh=refresh_of_a_module)
    assert one == other == pickle.loads(pickle.dumps(one))
    assert len({one, other}) == 1
    assert one != AuthContext.from_user_auth(None, refresh=refresh_of_a_module)
