"""Who counts as one client, how often it may come, and how many exchanges it may have open."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from textile_aio import QuotaExceeded, ResourceExhausted, Unavailable
from textile_aio.asgi.rates import Places, Rates, client_of


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        (None, ""),
    ],
)
def test_a_subscriber_is_one_client(host: str | None, client: str) -> None:
    assert client_of(host) == client


def test_a_minutes_worth_may_come_at_once_and_then_one_after_another() -> None:
    now = [0.0]
    rates = Rates(6, lambda: now[0])
    for _ in range(6):
        rates.count("a")
    with pytest.raises(QuotaExceeded):
        rates.count("a")
    rates.count("b")  # another one
    now[0] += rates.pause
    rates.count("a")
    with pytest.raises(QuotaExceeded):
        rates.count("a")


def test_coming_too_often_does_not_prolong_the_pause() -> None:
    now = [0.0]
    rates = Rates(1, lambda: now[0])
    rates.count("a")
    for _ in range(59):
        now[0] += 1
        with pytest.raises(QuotaExceeded):
            rates.count("a")
    now[0] += 1
    rates.count("a")


def test_a_flood_of_clients_takes_no_more_memory() -> None:
    rates = Rates(1, lambda: 0.0)
    for number in range(20_000):
        rates.count(str(number))
    assert len(rates._clients) == 10_000
    with pytest.raises(QuotaExceeded):
        rates.count("19999")


def test_places_are_limited_for_each_and_for_all_and_given_back() -> None:
    places = Places(3, each=2)
    with ExitStack() as stack:
        for client in "aab":
            stack.enter_context(places.one(client))
        with pytest.raises(ResourceExhausted):
            stack.enter_context(places.one("a"))
        with pytest.raises(Unavailable):
            stack.enter_context(places.one("c"))
        assert places.taken == 3
    assert places.taken == 0
    with places.one("a"):
        assert places.taken == 1
