"""Attempts are counted for each name, within bounds, whatever the clock does."""

from __future__ import annotations

from contextlib import suppress

import pytest

from tests.localhub.accounts.room import MINUTE, SECOND, Clock, Postbox, room
from textile_aio.errors import NotFound, ResourceExhausted, Unauthenticated
from textile_aio.localhub.accounts.entrance import EntranceRules
from textile_aio.localhub.accounts.rates import Rates


def admitted(rates: Rates, name: str, attempts: int) -> int:
    count = 0
    for _ in range(attempts):
        try:
            rates.admit(name)
        except ResourceExhausted:
            continue
        count += 1
    return count


def test_so_many_attempts_are_admitted_and_then_so_many_a_minute() -> None:
    clock = Clock()
    rates = Rates(10, clock)
    assert admitted(rates, "a", 25) == 10
    assert admitted(rates, "b", 1) == 1, "others are not concerned"
    clock.now += 6 * SECOND
    assert admitted(rates, "a", 5) == 1
    clock.now += 60 * MINUTE
    assert admitted(rates, "a", 25) == 10, "a quiet hour saves up no more than a minute does"


def test_fewer_than_one_attempt_a_minute_is_one_now_and_then() -> None:
    clock = Clock()
    rates = Rates(0.5, clock)
    assert admitted(rates, "a", 5) == 1
    clock.now += MINUTE
    assert admitted(rates, "a", 5) == 0
    clock.now += MINUTE
    assert admitted(rates, "a", 5) == 1


def test_a_refusal_says_when_to_come_back() -> None:
    rates = Rates(2, Clock())
    admitted(rates, "a", 2)
    with pytest.raises(ResourceExhausted, match="try again in 30 s"):
        rates.admit("a")


def test_a_clock_that_goes_back_neither_opens_nor_locks() -> None:
    clock = Clock()
    rates = Rates(10, clock)
    assert admitted(rates, "a", 10) == 10
    clock.now -= 365 * 24 * 60 * MINUTE
    assert admitted(rates, "a", 10) == 0
    clock.now += MINUTE
    assert admitted(rates, "a", 20) == 10, "nobody waits for a time that was never there"


def test_names_by_the_million_take_no_memory() -> None:
    rates = Rates(10, Clock())
    for number in range(30_000):
        rates.admit(number)
    assert len(rates._left) <= 10_000


async def test_a_name_longer_than_any_is_not_remembered() -> None:
    async with room(EntranceRules(each_minute=1)) as there:
        entrance = there.accounts.entrance
        for letter in "ab":
            with pytest.raises(NotFound):
                await entrance.sign_in(letter * 100_000)
        assert not entrance._each._left


async def test_whatever_somebody_is_called_by_no_more_mails_come() -> None:
    postbox = Postbox()
    rules = EntranceRules(mailer=postbox, each_minute=3, seconds=1e-9)
    async with room(rules) as there:
        await there.developer("ann", "Ann <ann@x.y>")
        refusals = 0
        for name in ("ann", "Ann <ann@x.y>", "ann", "Ann <ann@x.y>", "ann", "ann@x.y") * 3:
            with suppress(NotFound, Unauthenticated):  # nobody follows the link
                try:
                    await there.accounts.entrance.sign_in(name)
                except ResourceExhausted:
                    refusals += 1
        assert refusals
        assert len(postbox.mails) == 3
