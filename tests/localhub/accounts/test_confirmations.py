"""A link in a mail works once, for a time, for whoever was sent it; and nothing is left of it."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest

from tests.localhub.accounts.room import Postbox, room
from textile_aio.errors import ResourceExhausted, Unauthenticated, Unavailable
from textile_aio.localhub.accounts import confirmations
from textile_aio.localhub.accounts.confirmations import Confirmations, Waiting
from textile_aio.localhub.accounts.entrance import EntranceRules


async def test_a_link_works_once() -> None:
    links = Confirmations()
    with links.waiting() as waiting:
        assert links.confirm(waiting.secret)
        await waiting.confirmed(60)
        assert not links.confirm(waiting.secret)
    assert not links.confirm(waiting.secret)


async def test_a_link_lets_in_nobody_else() -> None:
    links = Confirmations()
    with links.waiting() as one, links.waiting() as other:
        assert links.confirm(one.secret)
        await one.confirmed(60)
        with pytest.raises(Unauthenticated, match="Could not verify email address"):
            await other.confirmed(0)


async def test_a_link_that_is_too_old_does_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    links = Confirmations()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with links.waiting() as waiting:
        task = asyncio.create_task(waiting.confirmed(1800))
        await asyncio.sleep(0)
        assert not task.done()
        monkeypatch.setattr(loop, "time", lambda: begun + 1801)
        with pytest.raises(Unauthenticated, match="Could not verify email address"):
            await task
        monkeypatch.undo()
    assert not links.confirm(waiting.secret)


async def test_secrets_are_of_44_random_bytes_each() -> None:
    links = Confirmations()
    with links.waiting() as one, links.waiting() as other:
        assert one.secret != other.secret
        assert len(one.secret) == 72
        assert one.secret[0] == "b"
        for guess in ("", "b", one.secret[:-1], one.secret.upper(), one.secret + "a"):
            assert not links.confirm(guess)


async def test_whoever_goes_away_leaves_nothing() -> None:
    postbox = Postbox()
    async with room(EntranceRules(mailer=postbox, each_minute=None)) as there:
        entrance = there.accounts.entrance
        task = asyncio.create_task(entrance.sign_up("ann", "ann@x.y"))
        await postbox.arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not entrance._confirmations._waiting
        assert not entrance.confirm(postbox.secret())
        assert await there.accounts.developers.find("ann") is None


async def test_a_mail_that_cannot_be_sent_leaves_nothing() -> None:
    postbox = Postbox(error=Unavailable("no mail server"))
    async with room(EntranceRules(mailer=postbox, each_minute=None)) as there:
        with pytest.raises(Unavailable):
            await there.accounts.entrance.sign_up("ann", "ann@x.y")
        assert not there.accounts.entrance._confirmations._waiting
        assert await there.accounts.developers.find("ann") is None


async def test_only_so_many_wait_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirmations, "MOST", 3)
    for static in ("", "shared"):
        links = Confirmations(static)
        with ExitStack() as others:
            for _ in range(3):
                others.enter_context(links.waiting())
            with pytest.raises(ResourceExhausted):
                others.enter_context(links.waiting())
        with links.waiting():
            pass
        assert not links._waiting


async def test_a_shared_secret_lets_in_everybody_who_waits() -> None:
    links = Confirmations("hubsession")
    with links.waiting() as one, links.waiting() as other:
        assert one.secret == other.secret == "hubsession"
        assert links.confirm("hubsession")
        await one.confirmed(60)
        await other.confirmed(60)
    assert links.confirm("hubsession"), "upstream's page says nothing else"
    assert not links.confirm("hubsession2")


async def test_a_mail_says_nothing_beyond_its_link() -> None:
    """The address alone decides: neither name nor address are looked up before the link was followed."""
    postbox = Postbox()
    async with room(EntranceRules(mailer=postbox, each_minute=None)) as there:
        await there.developer("taken", "taken@x.y")
        task = asyncio.create_task(there.accounts.entrance.sign_up("taken", "new@x.y"))
        await postbox.arrived.wait()
        assert there.accounts.entrance.confirm(postbox.secret())
        with pytest.raises(Exception, match="Account exists"):
            await task


def test_a_secret_is_not_shown() -> None:
    assert "hush" not in repr(Waiting("hush"))
