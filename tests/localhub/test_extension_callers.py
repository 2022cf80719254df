"""The service of extensions by every kind of caller: on buckets of one's own and of others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.localhub.raw import OK, Outcome, call, outcome
from tests.localhub.test_access import world as world
from tests.localhub.test_callers import CALLERS, FOREIGN, RENEWING, STRANGERS, Stage, refused_callers
from tests.localhub.test_callers import stage as stage
from textile_aio import ThreadID
from textile_aio._proto.api.bucketsd import pb as bucketsd
from textile_aio._proto.textile_aio.buckets import pb
from textile_aio.unixfs import Block, Directory, car

BUCKETS = "/api.bucketsd.pb.APIService/"
EXTENSIONS = "/textile_aio.buckets.pb.Extensions/"

DENIED = (
    "UNKNOWN",
    "verifying bucket update: rpc error: code = Unknown desc = app denied net record body: permission denied",
)
HIDDEN = ("UNKNOWN", "could not resolve path: f")

# fmt: off
RIGHTS: dict[str, tuple[Outcome, Outcome, Outcome]] = {
    # method       on one's own   on another's public one   on another's private one
    "ListTree":   (OK,            OK,                       HIDDEN),
    "HasBlocks":  (OK,            OK,                       OK),
    "CopyPath":   (OK,            DENIED,                   DENIED),
    "ExportCar":  (OK,            OK,                       HIDDEN),
    "ImportCar":  (OK,            FOREIGN,                  FOREIGN),
}
# fmt: on


async def bucket_of(stage: Stage, owner: str, thread: ThreadID, *, private: bool) -> str:
    headers = {**stage.callers[owner], "x-textile-thread": str(thread)}
    target = stage.world.target
    (created,) = await call(target, BUCKETS + "Create", headers, bucketsd.CreateRequest(private=private))
    key: str = created.root.key
    header = bucketsd.PushPathRequestHeader(key=key, path="f")
    await call(
        target,
        BUCKETS + "PushPath",
        headers,
        bucketsd.PushPathRequest(header=header),
        bucketsd.PushPathRequest(chunk=b"content"),
    )
    return key


async def outcomes(stage: Stage, caller: str, thread: ThreadID, key: str) -> dict[str, Outcome]:
    root = Directory().encode(1)
    file = car.header([root.cid]) + b"".join(map(bytes, car.section(root.cid, root.data)))
    requests: dict[str, list[Any]] = {
        "ListTree": [pb.ListTreeRequest(key=key, path="f")],
        "HasBlocks": [pb.HasBlocksRequest(key=key, cids=[Block.of(0x55, b"content").cid.bytes])],
        "CopyPath": [pb.CopyPathRequest(key=key, from_path="f", to_path="g")],
        "ExportCar": [pb.ExportCarRequest(key=key, path="f")],
        "ImportCar": [
            pb.ImportCarRequest(header=pb.ImportCarRequestHeader(name="new")),
            pb.ImportCarRequest(chunk=file),
        ],
    }
    headers = {**stage.callers[caller], "x-textile-thread": str(thread)}
    return {
        method: await outcome(stage.world.target, EXTENSIONS + method, headers, *messages)
        for method, messages in requests.items()
    }


def test_the_table_is_complete() -> None:
    served = {path.removeprefix(EXTENSIONS) for path in pb.ExtensionsBase().__mapping__()}
    assert set(RIGHTS) == served


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("caller", CALLERS)
async def test_what_callers_may_do_with_buckets_of_their_own(
    stage: Stage, caller: str, private: bool
) -> None:
    thread = await stage.new_thread(caller)
    key = await bucket_of(stage, caller, thread, private=private)
    expected = {method: own for method, (own, _, _) in RIGHTS.items()}
    assert await outcomes(stage, caller, thread, key) == expected


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize(("owner", "caller"), STRANGERS)
async def test_what_callers_may_do_with_buckets_of_others(
    stage: Stage, owner: str, caller: str, private: bool
) -> None:
    thread = await stage.new_thread(owner)
    key = await bucket_of(stage, owner, thread, private=private)
    expected = {method: rights[1 + private] for method, rights in RIGHTS.items()}
    assert await outcomes(stage, caller, thread, key) == expected


@pytest.mark.parametrize("caller", ["nobody", "a key that is none", *RENEWING])
async def test_who_is_refused_at_the_door_is_refused_here(stage: Stage, caller: str) -> None:
    headers, refusal = refused_callers(stage.world)[caller]
    stage.callers[caller] = headers
    thread = await stage.new_thread("a user")
    key = await bucket_of(stage, "a user", thread, private=False)
    assert await outcomes(stage, caller, thread, key) == dict.fromkeys(RIGHTS, refusal)
