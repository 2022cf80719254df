"""What one caller can ask for at most, and that it takes no more time than its share."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.threaddb.engine_fixtures import Bench, dump, running
from textile_aio.errors import ResourceExhausted
from textile_aio.records.events import Event, EventKind, decode_events, encode_events
from textile_aio.threaddb import listening
from textile_aio.threaddb.commit import MOST_CHANGES
from textile_aio.threaddb.notices import Action, Filter, Filters


async def saving(bench: Bench, count: int) -> float:
    """CPU seconds of a transaction with so many calls."""
    began = time.process_time()
    async with bench.engine.write_transaction(bench.db, "Person", who="") as transaction:
        for number in range(count):
            await transaction.save([dump({"_id": f"s{number}", "name": "a"})])
        await transaction.commit()
    return time.process_time() - began


async def test_many_saves_in_a_transaction_take_time_by_their_number() -> None:
    async with running() as bench:
        await bench.person()
        await saving(bench, 10)
        few = await saving(bench, 200)
        assert await saving(bench, 1_600) < 24 * few


async def test_a_transaction_has_room_for_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textile_aio.threaddb.transactions._ROOM", 1024 * 1024)
    large = dump({"name": "a" * 400_000})
    async with running() as bench:
        await bench.person()
        async with bench.engine.write_transaction(bench.db, "Person", who="") as transaction:
            for _ in range(2):
                await transaction.create([large])
            with pytest.raises(ResourceExhausted, match="1 MiB of changes at most"):
                await transaction.create([large])
            await transaction.commit()
        assert len(await bench.find()) == 2


async def test_more_instances_than_a_record_can_tell_of_are_refused_at_once() -> None:
    async with running() as bench:
        await bench.person()
        with pytest.raises(ResourceExhausted, match="32768 instances at most; use several"):
            await bench.engine.create(bench.db, "Person", [b'{"name":"a"}'] * (MOST_CHANGES + 1), who="")


async def test_a_listener_who_is_far_behind_reads_a_few_mebibytes_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "_PAGE_BYTES", 1024 * 1024)
    sizes: list[int] = []
    read_page = listening.Feeds.read_page

    async def measured(*args: Any) -> Any:
        page = await read_page(*args)
        sizes.append(sum(len(notice.instance) for _, notice in page.deliveries))
        return page

    monkeypatch.setattr(listening.Feeds, "read_page", measured)
    async with running() as bench:
        await bench.person()
        async with bench.engine.listen(bench.db, (), who="") as now:
            since = str(now.position)
        ids = []
        for _ in range(5):
            ids += await bench.create(*({"name": "a" * 300_000} for _ in range(4)))
        async with bench.engine.listen(bench.db, (), who="", since=since) as listener:
            told = [await anext(listener) for _ in range(20)]
    assert [notice.position for notice in told] == sorted({notice.position for notice in told})
    assert [notice.id for notice in told] == ids
    assert max(sizes) < 1_500_000


async def test_a_change_is_found_among_very_many_filters_at_once() -> None:
    filters = Filters(Filter("Person", f"i{number}") for number in range(100_000))
    began = time.process_time()
    for _ in range(1_000):
        assert not filters.match("Person", "j", Action.SAVE)
    assert time.process_time() - began < 1
    assert filters.match("Person", "i99999", Action.SAVE)


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ([], "CSD"),
        ([Filter()], "CSD"),
        ([Filter("Person")], "CSD"),
        ([Filter("person")], ""),
        ([Filter("", "i")], "CSD"),
        ([Filter("Person", "j")], ""),
        ([Filter("Person", "i", Action.SAVE)], "S"),
        ([Filter("Person", "i", Action.SAVE), Filter("Person", "i", Action.DELETE)], "SD"),
        ([Filter("Person", "i", Action.SAVE), Filter(action=Action.CREATE), Filter("X")], "CS"),
        ([Filter("Person", "i", Action.SAVE), Filter("Person", "i")], "CSD"),
    ],
)
def test_filters_are_alternatives_and_all_parts_of_one_have_to_match(
    filters: list[Filter], told: str
) -> None:
    given = Filters(filters)
    assert "".join(action.name[0] for action in Action if given.match("Person", "i", action)) == told


def test_a_record_can_tell_of_as_many_changes_as_are_allowed() -> None:
    events = [Event(2**62, "Person", "i", EventKind.SAVE, b"{}")] * MOST_CHANGES
    assert len(decode_events(encode_events(events))) == MOST_CHANGES
