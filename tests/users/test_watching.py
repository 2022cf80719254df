"""What a watch tells of the changes it hears of, also where a hub cannot say what was missed."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence
from typing import Any, Self

import pytest

from textile_aio import Change, ChangeAction, ClosedError, Gap, Identity, MailEventKind, Watch

ALICE = Identity.from_seed(b"a" * 32)
NEW, READ, DELETED, GAP = MailEventKind.NEW, MailEventKind.READ, MailEventKind.DELETED, MailEventKind.GAP


def stored(id: str, created_at: int, read_at: int = 0) -> dict[str, Any]:  # noqa: A002
    body = id.encode()
    return {
        "_id": id,
        "from": str(ALICE.public),
        "to": str(ALICE.public),
        "body": base64.b64encode(body).decode(),
        "signature": base64.b64encode(ALICE.sign(body)).decode(),
        "created_at": created_at,
        "read_at": read_at,
    }


def came(id: str, created_at: int = 100) -> Change:  # noqa: A002
    return Change("inbox", id, ChangeAction.CREATE, instance=stored(id, created_at))


def was_read(id: str, read_at: int, created_at: int = 100) -> Change:  # noqa: A002
    return Change("inbox", id, ChangeAction.SAVE, instance=stored(id, created_at, read_at))


def again(id: str, created_at: int = 100, read_at: int = 0) -> Change:  # noqa: A002
    instance = stored(id, created_at, read_at)
    return Change("inbox", id, ChangeAction.SAVE, instance=instance, is_repeat=True)


class Changes:
    """What listens, in a test's place."""

    position = None

    def __init__(self, changes: Sequence[Change | Gap]) -> None:
        self.changes = changes
        self.closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.closed = True

    async def __aiter__(self) -> AsyncIterator[Change | Gap]:
        for change in self.changes:
            yield change


def watch(*changes: Change | Gap, floor: int = 0) -> tuple[Watch, Changes]:
    listening: Any = Changes(changes)

    async def start() -> tuple[Any, int]:
        return listening, floor

    return Watch(start), listening


async def told(*changes: Change | Gap, floor: int = 0) -> list[tuple[MailEventKind, str]]:
    watching, _ = watch(*changes, floor=floor)
    return [(event.kind, event.id) async for event in watching.events()]


async def test_changes_are_told_as_what_they_mean() -> None:
    deleted = Change("inbox", "a", ChangeAction.DELETE, instance=None)
    assert await told(came("a"), was_read("a", 200), deleted) == [(NEW, "a"), (READ, "a"), (DELETED, "a")]


async def test_messages_alone_are_those_that_came() -> None:
    watching, listening = watch(came("a"), was_read("a", 200), Gap("cut"), came("b"))
    assert [message.id async for message in watching] == ["a", "b"]
    assert listening.closed


async def test_what_was_deleted_before_it_could_be_told_has_no_message() -> None:
    gone = Change("inbox", "a", ChangeAction.CREATE, instance=None)
    watching, _ = watch(gone, came("b"))
    first, second = [event async for event in watching.events()]
    assert (first.kind, first.id, first.message) == (NEW, "a", None)
    assert second.message is not None
    watching, _ = watch(gone, came("b"))
    assert [message.id async for message in watching] == ["b"]


async def test_of_what_is_read_again_only_what_is_new_is_told() -> None:
    assert await told(
        came("a"),
        Gap("cut"),
        again("a"),
        again("b", 101),
        again("a"),
        again("b", 101),
        Gap("cut"),
        again("c", 102),
    ) == [(NEW, "a"), (GAP, ""), (NEW, "b"), (GAP, ""), (NEW, "c")]


async def test_what_was_there_before_the_watch_is_not_new() -> None:
    events = await told(Gap("cut"), again("old", 99), again("newest", 100), again("new", 101), floor=100)
    assert events == [(GAP, ""), (NEW, "new")]


async def test_a_read_during_a_cut_is_told_once() -> None:
    assert await told(
        came("a"),
        Gap("cut"),
        again("a", read_at=300),
        again("a", read_at=300),
        again("old", 5, 300),
        floor=10,
    ) == [(NEW, "a"), (GAP, ""), (READ, "a"), (READ, "old")]


async def test_a_message_that_arrives_late_is_told_though_it_was_taken_early() -> None:
    assert await told(came("b", 200), came("a", 100), floor=150) == [(NEW, "b"), (NEW, "a")]


async def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textile_aio.users.watching._REMEMBERED", 2)
    events = await told(
        came("a", 1), came("b", 2), came("c", 3), Gap("cut"), again("a", 1), again("c", 3), again("d", 4)
    )
    assert events == [(NEW, "a"), (NEW, "b"), (NEW, "c"), (GAP, ""), (NEW, "d")]


async def test_a_watch_is_used_once() -> None:
    watching, listening = watch(came("a"))
    async with watching:
        assert (await anext(watching)).id == "a"
        with pytest.raises(ClosedError):
            await watching.__aenter__()
    assert listening.closed
    watching, _ = watch(came("a"))
    await watching.aclose()
    with pytest.raises(ClosedError):
        await watching.__aenter__()
