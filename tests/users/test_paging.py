"""Pages of a box led through one after another, against a hub that is a sorted list."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio import Identity, Message, MessageTooLarge, ProtocolError
from textile_aio.users.paging import Messages, beside

ALICE = Identity.from_seed(b"a" * 32)
ULIDS = st.text(alphabet="0123456789abcdefghjkmnpqrstvwxyz", min_size=4, max_size=4)


def message(id: str, size: int = 1) -> Message:  # noqa: A002
    return Message(id, from_=ALICE.public, to=ALICE.public, body=b"x" * size, signature=b"", created_at_ns=1)


class Box:
    """What lists a box as hubs do, in answers of at most so many bytes."""

    def __init__(self, sizes: dict[str, int], *, ascending: bool, room: int = 10**9) -> None:
        self.messages = {id_: message(id_, size) for id_, size in sizes.items()}
        self.ascending = ascending
        self.room = room
        self.asked: list[int] = []

    async def ask(self, seek: str, limit: int) -> list[Message]:
        self.asked.append(limit)
        ids = sorted(self.messages, reverse=not self.ascending)
        if seek:
            ids = [each for each in ids if (each >= seek if self.ascending else each <= seek)]
        found = [self.messages[each] for each in ids[:limit]]
        if sum(len(each.body) for each in found) > self.room:
            raise MessageTooLarge("the result is larger than a message may be")
        return found

    def all(self, seek: str = "") -> Messages:
        return Messages(self.ask, seek=seek, ascending=self.ascending)


@given(
    sizes=st.dictionaries(ULIDS, st.integers(1, 10), max_size=230),
    seek=st.one_of(st.just(""), ULIDS),
    ascending=st.booleans(),
    room=st.integers(10, 60),
)
async def test_every_message_is_seen_once_and_in_order(
    sizes: dict[str, int], seek: str, ascending: bool, room: int
) -> None:
    box = Box(sizes, ascending=ascending, room=room)
    seen = [each.id async for each in box.all(seek)]
    ids = sorted(sizes, reverse=not ascending)
    assert seen == [each for each in ids if not seek or (each >= seek if ascending else each <= seek)]


@pytest.mark.parametrize("ascending", [True, False])
async def test_messages_that_fill_an_answer_each_come_one_by_one(ascending: bool) -> None:
    box = Box({f"000{number}": 10 for number in range(5)}, ascending=ascending, room=10)
    assert len([each async for each in box.all()]) == 5


async def test_a_message_that_fits_no_answer_is_an_error() -> None:
    box = Box({"0001": 11}, ascending=True, room=10)
    with pytest.raises(MessageTooLarge):
        await anext(box.all())


@pytest.mark.parametrize("ascending", [True, False])
async def test_what_is_deleted_meanwhile_leaves_no_hole(ascending: bool) -> None:
    box = Box({f"{number:04}": 1 for number in range(250)}, ascending=ascending)
    seen = []
    async for each in box.all():
        seen.append(each.id)
        if len(seen) == 50:  # The id that the next page begins with goes as well.
            for number in range(90, 160):
                del box.messages[f"{number:04}"]
    kept = {f"{number:04}" for number in range(250) if not 90 <= number < 160}
    assert kept <= set(seen)
    assert len(seen) == len(set(seen))


async def test_no_more_is_asked_for_than_was_taken() -> None:
    box = Box({f"{number:04}": 1 for number in range(250)}, ascending=True)
    messages = box.all()
    assert box.asked == []
    for _ in range(100):
        await anext(messages)
    assert box.asked == [101]
    await anext(messages)
    assert box.asked == [101, 101]


async def test_a_hub_whose_pages_do_not_move_on_is_found_out() -> None:
    async def ask(_: str, limit: int) -> list[Message]:
        return [message("0001")] * limit

    messages = Messages(ask, seek="0001", ascending=True)
    with pytest.raises(ProtocolError, match="do not move on"):
        async with asyncio.timeout(10):
            async for _ in messages:
                pass


@given(id_=ULIDS, other=ULIDS)
def test_beside_an_id_there_is_no_other(id_: str, other: str) -> None:
    after, before = beside(id_, after=True), beside(id_, after=False)
    assert before < id_ < after
    assert not id_ < other <= after
    assert not before <= other < id_
