"""Our users client against what the JavaScript ones sent and were answered."""

from __future__ import annotations

import pytest

from tests.transcripts import Case, Replay, label, recorded
from textile_aio import TextileError
from textile_aio._proto.api.usersd import pb
from textile_aio.users._methods import GET_THREAD, LIST_THREADS

ALL = {"users", "hub-threads", "buckets"}


@pytest.mark.parametrize("case", recorded("getThread", clients=ALL), ids=label)
async def test_a_thread_is_asked_for_by_name(case: Case) -> None:
    replay = Replay(case)
    async with replay.client() as hub:
        if "error" in case:
            kind, message = replay.failure()
            with pytest.raises(TextileError) as caught:
                await hub.users.get_thread(replay.context(), case["args"][0])
            assert (type(caught.value), caught.value.message) == (kind, message)
        else:
            thread = await hub.users.get_thread(replay.context(), case["args"][0])
            assert (str(thread.id), thread.name) == (case["result"]["id"], case["result"]["name"])
    ours, theirs = replay.messages(GET_THREAD.path, pb.GetThreadRequest)
    assert ours == theirs
    replay.check_headers()


@pytest.mark.parametrize(
    "case",
    [
        case
        for case in recorded("listThreads", "listDBs", clients=ALL)
        if case["calls"][0]["method"] == LIST_THREADS.path
    ],
    ids=label,
)
async def test_threads_are_listed_as_they_come(case: Case) -> None:
    replay = Replay(case)
    async with replay.client() as hub:
        threads = await hub.users.list_threads(replay.context())
    assert [(str(thread.id), thread.name) for thread in threads] == [
        (entry["id"], entry["name"]) for entry in case["result"]
    ]
    flags = [entry["isDb"] for entry in case["result"] if "isDb" in entry]
    assert not flags or [thread.is_db for thread in threads] == flags
    replay.check_headers()
