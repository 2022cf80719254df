"""Any sequence of sends, reads and deletions leaves boxes as a model of two dictionaries has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.localhub.mail.office import Office, office
from textile_aio.errors import InstanceNotFound
from textile_aio.identity import Identity
from textile_aio.localhub.mail.boxes import INBOX, SENTBOX
from textile_aio.localhub.mail.page import MOST, Status

PEOPLE = 3

Kind = Literal["send", "read", "delete received", "delete sent"]
Step = tuple[Kind, int, int, int]
"""What is done, by whom, to whom, and with which body or message."""

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["send", "send", "read", "delete received", "delete sent"]),
        st.integers(0, PEOPLE - 1),
        st.integers(0, PEOPLE - 1),
        st.integers(0, 20),
    ),
    max_size=30,
)


@dataclass
class Model:
    """What somebody has: bodies of messages by id, and when they were read."""

    inbox: dict[str, bytes] = field(default_factory=dict)
    sentbox: dict[str, bytes] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)


async def step(
    post: Office,
    people: list[Identity],
    models: list[Model],
    ids: list[str],
    what: Step,
) -> None:
    kind, one, other, number = what
    owner = bytes(people[one].public)
    if kind == "send":
        sent = await post.send(people[one], people[other], b"%d" % number)
        ids.append(sent.id)
        models[other].inbox[sent.id] = b"to:%d" % number
        models[one].sentbox[sent.id] = b"from:%d" % number
        return
    id_ = ids[number % len(ids)] if ids else "nothing"
    match kind:
        case "read" if id_ in models[one].inbox:
            models[one].read[id_] = await post.mailboxes.read(owner, id_)
        case "read":
            with pytest.raises(InstanceNotFound):
                await post.mailboxes.read(owner, id_)
        case "delete received":
            await post.mailboxes.delete(owner, INBOX, id_)
            models[one].inbox.pop(id_, None)
        case "delete sent":
            await post.mailboxes.delete(owner, SENTBOX, id_)
            models[one].sentbox.pop(id_, None)


@given(steps=STEPS)
async def test_boxes_are_as_the_model_has_them(steps: list[Step]) -> None:
    async with office() as post:
        people = [await post.person() for _ in range(PEOPLE)]
        models = [Model() for _ in people]
        ids: list[str] = []
        for each in steps:
            await step(post, people, models, ids, each)
        for person, model in zip(people, models, strict=True):
            inbox = await post.inbox(person, limit=MOST)
            assert {each.id: each.body for each in inbox} == model.inbox
            assert [each.id for each in inbox] == sorted(model.inbox)
            assert {each.id: each.body for each in await post.sentbox(person, limit=MOST)} == model.sentbox
            assert {each.id: each.read_at for each in inbox} == {
                id_: model.read.get(id_, 0) for id_ in model.inbox
            }
            read = [each.id for each in await post.inbox(person, limit=MOST, status=Status.READ)]
            unread = [each.id for each in await post.inbox(person, limit=MOST, status=Status.UNREAD)]
            assert read == [id_ for id_ in sorted(model.inbox) if id_ in model.read]
            assert unread == [id_ for id_ in sorted(model.inbox) if id_ not in model.read]
