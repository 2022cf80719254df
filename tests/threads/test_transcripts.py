"""Our threads client against what the JavaScript one sent and was answered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.transcripts import Case, Replay, label, recorded
from textile_aio import HubClient, Identity, PublicKey, TextileError, ThreadID
from textile_aio._proto.threads import pb
from textile_aio.threads._methods import DELETE_DB, GET_DB_INFO, GET_TOKEN, LIST_DBS, NEW_DB

ALL = {"threads", "hub-threads", "users", "buckets"}


class Elsewhere:
    """A signer that is not an Identity, as getTokenChallenge has one."""

    def __init__(self, public: str, secret: str) -> None:
        self.public = PublicKey.from_string(public)
        self._identity = Identity.from_string(secret)

    async def sign(self, message: bytes) -> bytes:
        return self._identity.sign(message)


@pytest.mark.parametrize("case", recorded("newDB", clients=ALL), ids=label)
async def test_new_db_sends_id_and_name_as_javascript_does(case: Case) -> None:
    replay = Replay(case)
    path = NEW_DB.path
    theirs = pb.NewDbRequest.parse(bytes.fromhex(case["calls"][0]["messages_hex"][0]))
    args = case["args"]
    name = args[1] if len(args) > 1 else ""
    ctx = replay.context("x-textile-thread-name") if name else replay.context()

    async def act(hub: HubClient) -> None:
        thread = await hub.threads.new_db(ctx, ThreadID.from_bytes(theirs.db_id), name=name)
        assert str(thread) == case["result"]["thread_id"]

    await run(replay, act)
    ours, _ = replay.messages(path, pb.NewDbRequest)
    assert ours == [theirs]
    replay.check_headers()


@pytest.mark.parametrize("case", recorded("deleteDB", clients=ALL), ids=label)
async def test_delete_db_sends_the_id(case: Case) -> None:
    replay = Replay(case)
    thread = ThreadID.parse(case["args"][0]["thread_id"])
    await run(replay, lambda hub: hub.threads.delete_db(replay.context(), thread))
    ours, theirs = replay.messages(DELETE_DB.path, pb.DeleteDbRequest)
    assert ours == theirs
    replay.check_headers()


@pytest.mark.parametrize("case", recorded("getDBInfo", clients=ALL), ids=label)
async def test_get_db_info_understands_key_and_addresses(case: Case) -> None:
    replay = Replay(case)
    thread = ThreadID.parse(case["args"][0]["thread_id"])

    async def act(hub: HubClient) -> None:
        info = await hub.threads.get_db_info(replay.context(), thread)
        assert info.key is not None
        assert info.key.to_string() == case["result"]["key"]
        assert [str(addr) for addr in info.addrs] == case["result"]["addrs"]

    await run(replay, act)
    ours, theirs = replay.messages(GET_DB_INFO.path, pb.GetDbInfoRequest)
    assert ours == theirs


@pytest.mark.parametrize(
    "case",
    [case for case in recorded("listDBs", clients=ALL) if case["calls"][0]["method"] == LIST_DBS.path],
    ids=label,
)
async def test_list_dbs_gives_ids_and_names(case: Case) -> None:
    replay = Replay(case)

    async def act(hub: HubClient) -> None:
        listed = await hub.threads.list_dbs(replay.context())
        wanted = [(entry["id"], entry.get("name", "")) for entry in case["result"]]
        assert [(str(info.id), info.name) for info in listed] == wanted

    await run(replay, act)
    ours, theirs = replay.messages(LIST_DBS.path, pb.ListDBsRequest)
    assert ours == theirs


@pytest.mark.parametrize("case", recorded("getToken", "getTokenChallenge", clients=ALL), ids=label)
async def test_the_challenge_is_answered_alike(case: Case) -> None:
    replay = Replay(case)
    first = case["args"][0]
    signer: Any
    if isinstance(first, str):
        signer = Elsewhere(first, case["args"][1]["signs_with_identity_string"])
    else:
        signer = Identity.from_string(first["identity_string"])

    async def act(hub: HubClient) -> None:
        ctx = await hub.threads.authorize(replay.context(), signer)
        assert ctx.token == case["result"]

    await run(replay, act)
    ours, theirs = replay.messages(GET_TOKEN.path, pb.GetTokenRequest)
    assert ours == theirs
    replay.check_headers()


async def run(replay: Replay, act: Any) -> None:
    """Do it, and expect the error that was recorded, if one was."""
    async with replay.client() as hub:
        if "error" not in replay.case:
            await act(hub)
            return
        kind, message = replay.failure()
        with pytest.raises(TextileError) as caught:
            await act(hub)
        assert type(caught.value) is kind
        assert caught.value.message == message
