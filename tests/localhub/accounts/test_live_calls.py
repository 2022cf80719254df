"""Calls end together with what they came with, are refused if that ended meanwhile, and leave nothing."""

from __future__ import annotations

import asyncio

import pytest

from textile_aio.errors import ApiKeyNotFound, InvalidSession, PermissionDenied, TextileError
from textile_aio.localhub.access.caller import Caller, Credential
from textile_aio.localhub.live import LiveCalls

SESSION = Caller(Credential.SESSION, owner=b"dev", account=b"dev", session="s1")
MEMBER = Caller(Credential.SESSION, owner=b"org", account=b"dev", org="org", session="s1")
KEY = Caller(Credential.USER_KEY, owner=b"user", api_key="k1")


class Served:
    """A call that goes on until it is ended."""

    def __init__(self, live: LiveCalls, caller: Caller) -> None:
        self._live = live
        self._caller = caller
        self.began = asyncio.Event()
        self.cleaning = asyncio.Event()
        self.may_leave = asyncio.Event()
        self.may_leave.set()
        self.task = asyncio.ensure_future(self._serve())

    async def _serve(self) -> None:
        async with self._live.during(self._caller):
            self.began.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.cleaning.set()
                await self.may_leave.wait()

    async def refusal(self) -> TextileError:
        with pytest.raises(TextileError) as refused:
            await self.task
        return refused.value


async def serve(live: LiveCalls, *callers: Caller) -> list[Served]:
    calls = [Served(live, caller) for caller in callers]
    for call in calls:
        await call.began.wait()
    return calls


@pytest.mark.parametrize(
    ("caller", "name", "refusal"),
    [
        (SESSION, "s1", InvalidSession),
        (MEMBER, "s1", InvalidSession),
        (MEMBER, (b"org", b"dev"), PermissionDenied),
        (KEY, "k1", ApiKeyNotFound),
    ],
)
async def test_a_call_ends_with_what_it_came_with(
    caller: Caller, name: object, refusal: type[TextileError]
) -> None:
    live = LiveCalls()
    (call,) = await serve(live, caller)
    await live.ended("s2", "k2", (b"org", b"other"))
    assert not call.task.done()
    await live.ended(name)
    assert call.task.done()
    assert type(await call.refusal()) is refusal
    assert not live._calls


async def test_a_call_that_takes_its_time_to_end_is_ended_once() -> None:
    live = LiveCalls()
    (call,) = await serve(live, MEMBER)
    call.may_leave.clear()
    live.end((b"org", b"dev"))
    await call.cleaning.wait()
    live.end("s1", "s1")
    live.end((b"org", b"dev"))
    call.may_leave.set()
    assert type(await call.refusal()) is PermissionDenied


async def test_nobody_waits_for_a_call_that_has_just_ended_by_itself() -> None:
    live = LiveCalls()
    leave = asyncio.Event()

    async def serve_shortly() -> None:
        async with live.during(KEY):
            await leave.wait()

    call = asyncio.create_task(serve_shortly())
    await asyncio.sleep(0)
    leave.set()
    await asyncio.sleep(0)  # its next step is due now
    async with asyncio.timeout(1):
        await live.ended("k1")
    await asyncio.gather(call, return_exceptions=True)


async def test_whoever_ends_what_they_came_with_goes_on() -> None:
    live = LiveCalls()
    (other,) = await serve(live, SESSION)
    async with live.during(SESSION):
        await live.ended("s1")
        assert other.task.done()
    assert isinstance(await other.refusal(), InvalidSession)


async def test_a_caller_who_was_recognised_before_the_end_is_refused_after_it() -> None:
    live = LiveCalls()
    for caller, name in ((SESSION, "s1"), (MEMBER, (b"org", b"dev")), (KEY, "k1")):
        moment = live.moment
        live.end(name)
        early = Caller(
            caller.credential,
            owner=caller.owner,
            account=caller.account,
            org=caller.org,
            session=caller.session,
            api_key=caller.api_key,
            moment=moment,
        )
        with pytest.raises(TextileError):
            async with live.during(early):
                pytest.fail("it was served")


async def test_whoever_is_recognised_anew_is_served() -> None:
    """A member who came back; an account that was not destroyed after all, since the disk was full."""
    live = LiveCalls()
    live.end("s1", (b"org", b"dev"))
    back = Caller(
        Credential.SESSION, owner=b"org", account=b"dev", org="org", session="s1", moment=live.moment
    )
    async with live.during(back):
        pass


async def test_what_the_call_raised_itself_is_not_replaced() -> None:
    live = LiveCalls()
    with pytest.raises(ValueError, match="its own"):
        async with live.during(KEY):
            raise ValueError("its own")
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_thousands_of_calls_leave_nothing() -> None:
    live = LiveCalls()
    for number in range(10_000):
        caller = Caller(
            Credential.SESSION,
            owner=b"org",
            account=b"dev",
            org="org",
            session=f"s{number}",
            moment=live.moment,
        )
        async with live.during(caller):
            assert len(live._calls) == 2
    assert not live._calls
    live.end(*(f"s{number}" for number in range(30_000)))
    assert len(live._ended) <= 10_000
