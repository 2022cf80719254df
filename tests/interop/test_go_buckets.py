"""Textile's unmodified bucket client for Go at our hub: all that it can do, public and private."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.interop.conftest import Pair
from tests.interop.gopeer import OK, Outcome, outcome
from textile_aio import Identity

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.parametrize("pair", ["user", "buckd"], indirect=True),
    pytest.mark.parametrize("private", [False, True], ids=["public", "private"]),
]

READER, WRITER, ADMIN = 1, 2, 3
SEED = ".textileseed"
BIG = os.urandom(1_048_577)
DISABLED = ("UNKNOWN", "archiving feature is disabled")


@dataclass(frozen=True)
class Did:
    """What came of a step."""

    said: dict[str, Any]

    @property
    def outcome(self) -> Outcome:
        return outcome(self.said)

    @property
    def content(self) -> bytes:
        return base64.b64decode(self.said["content"] or "")


Step = dict[str, Any]


def step(do: str, path: str = "", **more: Any) -> Step:
    content = more.pop("content", None)
    given = {} if content is None else {"content": base64.b64encode(content).decode()}
    return {"do": do, "path": path, **more, **given}


async def run(pair: Pair, *steps: Step) -> list[Did]:
    return [Did(said) for said in await pair.go.run("steps", steps=list(steps))]


async def all_good(pair: Pair, *steps: Step) -> list[Did]:
    done = await run(pair, *steps)
    assert [(made["do"], each.outcome) for made, each in zip(steps, done, strict=True)] == [
        (made["do"], OK) for made in steps
    ]
    return done


def create(private: bool, **more: Any) -> Step:
    return step("create", private=private, **more)


async def someone(pair: Pair) -> tuple[str, str]:
    """Another caller: identity and token."""
    identity = Identity.generate()
    token = await pair.ours.threads.get_token(pair.ctx, identity)
    return str(identity.public), token


async def test_what_is_pushed_is_listed_and_pulled(pair: Pair, private: bool) -> None:
    files = {"a/b.bin": BIG, "a/empty": b"", "\u00fc": b"x"}
    made, *rest = await all_good(
        pair,
        create(private),
        *(step("push", path, content=content) for path, content in files.items()),
        *(step("pull", path) for path in files),
        step("list"),
        step("list", "a"),
        step("pull", SEED),
        step("root"),
    )
    pushed, pulled, (top, below, seed, root) = rest[:3], rest[3:6], rest[6:]
    assert [each.content for each in pulled] == list(files.values())
    assert top.said["names"] == [SEED, "a", "\u00fc"]
    assert below.said["names"] == ["b.bin", "empty"]
    assert seed.content.hex() == made.said["seed"]
    assert root.said["root"].endswith(pushed[-1].said["root"].removeprefix("/ipld/"))
    for path, told in zip(files, pushed, strict=True):
        ours = await pair.ours.buckets.list_path(pair.ctx, made.said["key"], path)
        assert told.said["cid"] == str(ours.item.cid)


async def test_a_push_on_an_old_root(pair: Pair, private: bool) -> None:
    made = (await all_good(pair, create(private)))[0].said
    pair = Pair(pair.kind, pair.go.given(bucket=made["key"]), pair.ours, pair.ctx, pair.prepared)
    good, stale = await run(
        pair,
        step("push", "a", content=b"1", root=made["root"]),
        step("push", "a", content=b"2", root=made["root"]),
    )
    assert good.outcome == OK
    assert stale.outcome == ("FAILED_PRECONDITION", "update is non-fast-forward")


@pytest.mark.parametrize(
    ("before", "start", "to", "after"),
    [
        (["f"], "f", "g", ["g"]),
        (["a/b/c"], "a/b/c", "", ["c"]),
        (["f", "d/x"], "f", "d", ["d/x", "d/f"]),
        (["a/x"], "a", "b/c", ["b/c/x"]),
        (["abc"], "abc", "ab", ["ab"]),
        (["a.txt"], "a.txt", "a.txt.bak", ["a.txt.bak"]),
        (["photos/x"], "photos", "photos2", ["photos2/x"]),
        (["a/x", "a/y"], "a", "a/b", ["a/b/x", "a/b/y"]),
        (["a/x", "a/y"], "a", "a/b/c", ["a/b/c/x", "a/b/c/y"]),
    ],
)
async def test_moves(
    pair: Pair, private: bool, before: Sequence[str], start: str, to: str, after: Sequence[str]
) -> None:
    done = await all_good(
        pair,
        create(private),
        *(step("push", path, content=path.encode()) for path in before),
        step("move", start, to=to),
        *(step("pull", path) for path in after),
    )
    assert sorted(each.content for each in done[-len(after) :]) == sorted(path.encode() for path in before)
    missing = [path for path in before if path not in after]
    tree = await pair.ours.buckets.list_path_flat(pair.ctx, done[0].said["key"], "", dirs=False)
    assert not set(missing) & set(tree)


async def test_moves_that_cannot_be(pair: Pair, private: bool) -> None:
    *_, root, folder_to_file, missing = await run(
        pair, create(private), step("push", "f", content=b"x"), step("push", "d/x", content=b"x"),
        step("move", "", to="x"), step("move", "d", to="f"), step("move", "gone", to="x"),
    )  # fmt: skip
    assert root.outcome == ("UNKNOWN", "source is root directory")
    assert folder_to_file.outcome == ("UNKNOWN", "not a directory")
    text = "could not resolve path: " if private else 'no link named "gone" under '
    assert missing.outcome[1].startswith(text)


async def test_a_tree_is_taken_over(pair: Pair, private: bool) -> None:
    source = await all_good(
        pair, create(False), step("push", "t/a/b", content=BIG), step("push", "t/c", content=b"c"),
        step("list", "t"),
    )  # fmt: skip
    cid = source[-1].said["cid"]
    done = await all_good(
        pair, step("list ipfs", f"/ipfs/{cid}"), step("pull ipfs", f"/ipfs/{cid}/a/b"),
        create(private, cid=cid), step("list"), step("pull", "a/b"), step("set", "x/y", cid=cid),
        step("pull", "x/y/a/b"), step("set", "", cid=cid), step("list"), step("pull", "c"),
    )  # fmt: skip
    listed, pulled, _, top, big, _, again, _, replaced, last = done
    assert listed.said["names"] == ["a", "c"]
    assert pulled.content == big.content == again.content == BIG
    assert top.said["names"] == replaced.said["names"] == [SEED, "a", "c"]
    assert last.content == b"c"


async def test_roles(pair: Pair, private: bool) -> None:
    friend, theirs = await someone(pair)
    _, strangers = await someone(pair)
    done = await run(
        pair,
        create(private), step("push", "d/f", content=b"1"), step("roles", "d/f"),
        step("grant", "d/f", roles={friend: READER}), step("roles", "d/f"),
        step("pull", "d/f", **{"as": theirs}), step("push", "d/f", content=b"2", **{"as": theirs}),
        step("pull", "d/f", **{"as": strangers}),
        step("grant", "d/f", roles={friend: WRITER}),
        step("push", "d/f", content=b"3", **{"as": theirs}), step("pull", "d/f"),
        step("push", "d/new", content=b"4", **{"as": theirs}),
        step("remove path", "d/f", **{"as": theirs}), step("remove", **{"as": theirs}),
        step("grant", "d/f", roles={friend: 0}), step("pull", "d/f", **{"as": theirs}),
        step("grant", "d/f", roles={"*": WRITER}), step("push", "d/f", content=b"5", **{"as": strangers}),
        step("pull", "d/f"),
        step("grant", "d/f", roles={"*": 0, friend: ADMIN}), step("roles", "d/f"),
        step("remove path", "d/f", **{"as": theirs}), step("list", "d"),
    )  # fmt: skip
    owned = pair.kind == "user" or pair.prepared["token"]
    (_, _, fresh, granted, reader, read, overwritten, stranger, _, written, third, new, removed, _,
     taken, after, everyone, fifth, last, _, admin, gone, empty) = done  # fmt: skip
    for fine in (granted, read, written, taken, everyone, fifth, last, gone, empty):
        assert fine.outcome == OK
    assert owned, "both kinds of callers have tokens"
    assert fresh.said["roles"] == {}
    assert reader.said["roles"] == {friend: READER}
    assert (read.content, third.content, last.content) == (b"1", b"3", b"5")
    for refused in (overwritten, new, removed):
        assert refused.outcome[0] == "UNKNOWN"
        assert "permission denied" in refused.outcome[1]
    assert (stranger.outcome == OK) is (after.outcome == OK) is not private
    assert admin.said["roles"] == {friend: ADMIN}
    assert empty.said["names"] == []


async def test_a_role_on_the_root_of_a_bucket(pair: Pair, private: bool) -> None:
    friend, theirs = await someone(pair)
    *_, listed, pulled, below = await all_good(
        pair, create(private), step("push", "a/b", content=BIG), step("push", "c", content=b"c"),
        step("grant", "a/b", roles={friend: READER}), step("grant", "", roles={friend: WRITER}),
        step("list", **{"as": theirs}), step("pull", "a/b", **{"as": theirs}),
        step("push", "c", content=b"d", **{"as": theirs}),
    )  # fmt: skip
    assert listed.said["names"] == [SEED, "a", "c"]
    assert pulled.content == BIG
    assert below.said["cid"]


async def test_archives_of_a_hub_that_makes_none(pair: Pair, private: bool) -> None:
    _, archive, config, watch, archives = await run(
        pair, create(private), step("archive"), step("default config"), step("watch"), step("archives")
    )
    assert [each.outcome for each in (archive, config, watch)] == [DISABLED] * 3
    assert watch.said["texts"] == []
    assert (archives.outcome, archives.said["texts"]) == (OK, [""])


async def test_a_bucket_is_removed(pair: Pair, private: bool) -> None:
    *_, removed, gone = await run(
        pair, create(private), step("push", "a/b", content=b"x"), step("remove path", "a"),
        step("remove"), step("root"),
    )  # fmt: skip
    assert removed.outcome == OK
    assert gone.outcome == ("UNKNOWN", "instance not found")
