"""Bucket calls message by message, with exact texts (spec: buckets-api §2, §3, §8, §10, §16)."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.localhub.raw import OK, call, outcome
from textile_aio import AuthContext, Cid, Identity, ThreadID, connect
from textile_aio._proto.api.bucketsd import pb
from textile_aio._proto.threads import pb as threads
from textile_aio.localhub import HubSettings, LocalHub

BUCKETS = "/api.bucketsd.pb.APIService/"
SEED = ".textileseed"
DENIED = "rpc error: code = Unknown desc = app denied net record body: permission denied"
CLOCK = 1_800_000_000_123_456_789


@dataclass
class Place:
    """One bucket of an ownerless kind on a bucket daemon: anyone may do anything."""

    target: str
    headers: dict[str, str]
    key: str
    root: str

    async def call(self, method: str, *messages: Any, **headers: str) -> list[Any]:
        return await call(self.target, BUCKETS + method, {**self.headers, **headers}, *messages)

    async def outcome(self, method: str, *messages: Any) -> tuple[str, str]:
        return await outcome(self.target, BUCKETS + method, self.headers, *messages)

    async def current(self) -> pb.Root:
        (reply,) = await self.call("Root", pb.RootRequest(key=self.key))
        root: pb.Root = reply.root
        return root

    async def pull(self, path: str, **headers: str) -> list[bytes]:
        replies = await self.call("PullPath", pb.PullPathRequest(key=self.key, path=path), **headers)
        return [bytes(reply.chunk) for reply in replies]

    def header(self, path: str, root: str = "") -> pb.PushPathRequest:
        return pb.PushPathRequest(header=pb.PushPathRequestHeader(key=self.key, path=path, root=root))

    def many(self, *paths: str, root: str = "") -> pb.PushPathsRequest:
        return pb.PushPathsRequest(
            header=pb.PushPathsRequestHeader(key=self.key, root=root, paths=list(paths))
        )


def chunk(data: bytes) -> pb.PushPathRequest:
    return pb.PushPathRequest(chunk=data)


def part(path: str, data: bytes = b"") -> pb.PushPathsRequest:
    return pb.PushPathsRequest(chunk=pb.PushPathsRequestChunk(path=path, data=data))


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    settings = HubSettings(
        mode="buckd", clock=lambda: CLOCK, domain="example.org", gateway_url="https://gate.way"
    )
    async with LocalHub.in_memory(settings) as hub:
        thread = ThreadID.random()
        await call(hub.target, "/threads.pb.API/NewDB", {}, threads.NewDbRequest(db_id=bytes(thread)))
        headers = {"x-textile-thread": str(thread)}
        (created,) = await call(hub.target, BUCKETS + "Create", headers, pb.CreateRequest(name="n"))
        yield Place(hub.target, headers, created.root.key, created.root.path)


async def test_a_created_bucket_describes_itself(place: Place) -> None:
    # The clock stands still, but a bucket is younger than those before it.
    (created,) = await place.call("Create", pb.CreateRequest(name="näme"))
    root = created.root
    assert (root.name, root.version, root.owner, root.link_key) == ("näme", 1, "", "")
    assert root.created_at == root.updated_at == CLOCK + 1
    assert root.thread == place.headers["x-textile-thread"]
    assert set(root.path_metadata) == {"", SEED}
    assert root.metadata == root.path_metadata[""]
    assert root.metadata.roles == {}
    assert root.archives == pb.Archives(current=pb.Archive())
    assert Cid.parse(root.key).codec == 0x72
    assert created.links.url == f"https://gate.way/thread/{root.thread}/buckets/{root.key}"
    assert created.links.www == f"https://{root.key}.example.org"
    assert created.links.ipns == f"https://gate.way/ipns/{root.key}"
    (listing,) = await place.call("ListPath", pb.ListPathRequest(key=root.key))
    assert created.pinned == listing.item.size == 92
    assert created.seed_cid == listing.item.items[0].cid
    assert listing.item.path == root.path


async def test_an_owned_public_bucket_is_read_by_everyone() -> None:
    async with LocalHub.in_memory(HubSettings(mode="buckd")) as hub:
        identity = Identity.generate()
        async with connect(hub.target) as client:
            token = await client.threads.get_token(AuthContext(), identity)
        thread = ThreadID.random()
        await call(hub.target, "/threads.pb.API/NewDB", {}, threads.NewDbRequest(db_id=bytes(thread)))
        headers = {"x-textile-thread": str(thread), "authorization": f"BeArEr {token}"}
        (created,) = await call(hub.target, BUCKETS + "Create", headers, pb.CreateRequest(name="n"))
        assert created.root.owner == str(identity.public)
        assert created.root.metadata.roles == {
            str(identity.public): pb.PathAccessRole.ADMIN,
            "*": pb.PathAccessRole.READER,
        }


async def test_a_push_tells_its_progress_and_then_what_came_of_it(place: Place) -> None:
    content = os.urandom(1_000_000)
    *progress, last = await place.call(
        "PushPath",
        place.header("/a/b.bin"),
        *(chunk(content[i : i + 1000]) for i in range(0, len(content), 1000)),
    )
    assert progress
    assert [each.event.path for each in progress] == [""] * len(progress)
    counts = [each.event.bytes for each in progress]
    assert counts == sorted(counts)
    assert counts[-1] == len(content)
    event = last.event
    assert event.path.startswith("/ipfs/bafybei")
    assert int(event.size) > len(content)
    assert event.pinned > len(content)
    assert event.root == await place.current()
    assert set(event.root.path_metadata) == {"", SEED, "a/b.bin"}


async def test_a_push_of_nothing_is_an_empty_file(place: Place) -> None:
    for messages in ([place.header("e")], [place.header("e"), chunk(b""), chunk(b"")]):
        progress, last = await place.call("PushPath", *messages)
        assert progress.event.bytes == 0
        assert last.event.path == "/ipfs/bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
        assert last.event.size == "0"
    assert await place.pull("e") == []


async def test_a_stream_without_messages_is_no_error(place: Place) -> None:
    assert await place.call("PushPath") == []
    assert await place.call("PushPaths") == []
    assert (await place.current()).path == place.root


@pytest.mark.parametrize("first", [chunk(b"x"), pb.PushPathRequest()], ids=["chunk", "nothing"])
async def test_a_push_begins_with_its_header(place: Place, first: pb.PushPathRequest) -> None:
    assert await place.outcome("PushPath", first) == ("UNKNOWN", "push bucket path header is required")
    assert await place.outcome("PushPaths", part("a", b"x")) == (
        "UNKNOWN",
        "push bucket path header is required",
    )


async def test_a_second_header_is_refused_and_nothing_is_stored(place: Place) -> None:
    assert await place.outcome("PushPath", place.header("a"), chunk(b"x"), place.header("b")) == (
        "UNKNOWN",
        "invalid request",
    )
    assert await place.outcome("PushPaths", place.many("a"), part("a", b"x"), part("a"), place.many("b")) == (
        "UNKNOWN",
        "invalid request",
    )
    assert (await place.current()).path == place.root


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (SEED, f"paths containing {SEED} are not allowed"),
        (f"a/{SEED}x", f"paths containing {SEED} are not allowed"),
        ("", "a path below the bucket's root is needed"),
        ("/", "a path below the bucket's root is needed"),
        ("//x", "paths with empty, . or .. segments are not allowed"),
        ("a//b", "paths with empty, . or .. segments are not allowed"),
        ("a/", "paths with empty, . or .. segments are not allowed"),
        ("a/./b", "paths with empty, . or .. segments are not allowed"),
        ("../b", "paths with empty, . or .. segments are not allowed"),
    ],
)
async def test_paths_that_cannot_be_pushed_to(place: Place, path: str, text: str) -> None:
    assert await place.outcome("PushPath", place.header(path), chunk(b"x")) == ("UNKNOWN", text)
    wrapped = ("UNKNOWN", f"parsing path: {text}")
    assert await place.outcome("PushPaths", place.many(path)) == wrapped
    assert await place.outcome("PushPaths", place.many(), part(path, b"x"), part(path)) == wrapped
    assert (await place.current()).path == place.root


@pytest.mark.parametrize("path", ["a/" * 300 + "f", "x" * 5000, "é" * 2100], ids=["deep", "long", "bytes"])
async def test_paths_without_end_are_refused_before_anybody_looks_for_them(place: Place, path: str) -> None:
    refused = ("INVALID_ARGUMENT", "paths longer than 4096 bytes or 256 segments are not allowed")
    key = place.key
    assert await place.outcome("PushPath", place.header(path)) == refused
    assert await place.outcome("ListPath", pb.ListPathRequest(key=key, path=path)) == refused
    assert await place.outcome("Links", pb.LinksRequest(key=key, path=path)) == refused
    assert await place.outcome("PullPath", pb.PullPathRequest(key=key, path=path)) == refused
    assert await place.outcome("RemovePath", pb.RemovePathRequest(key=key, path=path)) == refused
    for messages in ([place.many(path)], [place.many(), part(path, b"x")]):
        code, text = await place.outcome("PushPaths", *messages)
        assert text == f"parsing path: {refused[1]}"
        assert code == "UNKNOWN"


async def test_files_of_one_push_may_be_interleaved(place: Place) -> None:
    one, two = os.urandom(600_000), os.urandom(300_000)
    messages = [place.many("one", "d/two", "three")]
    for offset in range(0, 600_000, 100_000):
        messages.append(part("/one", one[offset : offset + 100_000]))
        messages.append(part("d/two", two[offset // 2 : offset // 2 + 50_000]))
        if offset == 200_000:
            messages.append(part("three"))
    messages += [part("d/two"), part("one")]
    replies = await place.call("PushPaths", *messages)
    assert [reply.path for reply in replies] == ["three", "d/two", "one"]
    assert [reply.pinned for reply in replies] == sorted(reply.pinned for reply in replies)
    assert replies[-1].root.path == (await place.current()).path
    assert len({reply.root.path for reply in replies}) == 3
    assert b"".join(await place.pull("one")) == one
    assert b"".join(await place.pull("d/two")) == two
    assert await place.pull("three") == []
    assert set((await place.current()).path_metadata) == {"", SEED, "one", "d/two", "three"}


async def test_sizes_are_those_of_the_dag(place: Place) -> None:
    replies = await place.call(
        "PushPaths", place.many(), part("a", b"x" * 47), part("a"), part("b", b"y" * 262_145), part("b")
    )
    assert replies[0].size == 47
    assert replies[1].size > 262_145


async def test_a_path_comes_once_in_a_push(place: Place) -> None:
    messages = [place.many(), part("a", b"1"), part("a"), part("a", b"2"), part("a")]
    assert await place.outcome("PushPaths", *messages) == (
        "UNKNOWN",
        "writing chunk: io: read/write on closed pipe",
    )
    assert (await place.current()).path == place.root


async def test_a_file_that_is_never_closed_fails_the_push(place: Place) -> None:
    code, text = await place.outcome(
        "PushPaths", place.many(), part("done", b"1"), part("done"), part("open", b"2")
    )
    assert code == "INVALID_ARGUMENT"
    assert "'open'" in text
    assert (await place.current()).path == place.root, "all of a push is stored, or nothing"


async def test_an_announced_file_need_not_come(place: Place) -> None:
    assert await place.outcome("PushPaths", place.many("a", "b"), part("a", b"1"), part("a")) == OK
    assert set((await place.current()).path_metadata) == {"", SEED, "a"}


async def test_a_push_that_announces_nothing_is_judged_file_by_file() -> None:
    async with LocalHub.in_memory(HubSettings(mode="buckd")) as hub, connect(hub.target) as client:
        owner, other = [await client.threads.authorize(AuthContext(), Identity.generate()) for _ in range(2)]
        thread = await client.threads.new_db(owner)
        key = (await client.buckets.create(owner.with_thread(thread))).key
        headers = await other.with_thread(thread).metadata()
        begin = pb.PushPathsRequest(header=pb.PushPathsRequestHeader(key=key))
        assert await outcome(hub.target, BUCKETS + "PushPaths", headers, begin) == OK
        assert await outcome(hub.target, BUCKETS + "PushPaths", headers, begin, part("a", b"x")) == (
            "UNKNOWN",
            f"enqueueing file: verifying bucket update: {DENIED}",
        )


async def test_the_fast_forward_check_comes_before_everything_else(place: Place) -> None:
    stale = ("FAILED_PRECONDITION", "update is non-fast-forward")
    await place.call("PushPath", place.header("a", root=place.root), chunk(b"1"))
    assert await place.outcome("PushPath", place.header("a", root=place.root)) == stale
    assert await place.outcome("PushPaths", place.many("a", root=place.root)) == stale
    gone = pb.RemovePathRequest(key=place.key, path="gone", root=place.root)
    assert await place.outcome("RemovePath", gone) == stale


async def test_pulled_messages_hold_32_kib_unless_more_is_asked_for(place: Place) -> None:
    content = os.urandom(1_000_000)
    await place.call("PushPath", place.header("f"), chunk(content))
    pieces = await place.pull("f")
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) == 32_768
    large = await place.pull("f", **{"textile-aio-chunk-size": "262144"})
    assert b"".join(large) == content
    assert max(map(len, large)) == 262_144
    for nonsense in ("-1", "many", "1e9", "99999999999999"):
        assert await place.pull("f", **{"textile-aio-chunk-size": nonsense}) == pieces


@pytest.mark.parametrize("path", ["a/b.txt", "/a/b.txt", "a//b.txt", "a/./b.txt", "a/b.txt/"])
async def test_reading_joins_paths_lexically(place: Place, path: str) -> None:
    await place.call("PushPath", place.header("a/b.txt"), chunk(b"x"))
    assert await place.pull(path) == [b"x"]


async def test_missing_paths_name_what_is_missing(place: Place) -> None:
    cid = place.root.removeprefix("/ipfs/")
    missing = ("UNKNOWN", f'no link named "file1.jpg" under {cid}')
    assert await place.outcome("PullPath", pb.PullPathRequest(key=place.key, path="file1.jpg")) == missing
    assert await place.outcome("ListPath", pb.ListPathRequest(key=place.key, path="file1.jpg")) == missing
    assert await place.outcome("Links", pb.LinksRequest(key=place.key, path="file1.jpg")) == missing
    assert await place.outcome("RemovePath", pb.RemovePathRequest(key=place.key, path="file1.jpg")) == (
        "UNKNOWN",
        "no link by that name",
    )


async def test_a_folder_has_no_content(place: Place) -> None:
    for path in ("", "a"):
        await place.call("PushPath", place.header("a/b"), chunk(b"x"))
        request = pb.PullPathRequest(key=place.key, path=path)
        assert await place.outcome("PullPath", request) == ("UNKNOWN", "node is a directory")


async def test_an_unknown_bucket_is_no_instance(place: Place) -> None:
    unknown = ("UNKNOWN", "instance not found")
    assert await place.outcome("Root", pb.RootRequest(key="nothing")) == unknown
    assert await place.outcome("Remove", pb.RemoveRequest(key="nothing")) == unknown
    header = pb.PushPathRequest(header=pb.PushPathRequestHeader(key="nothing", path="a"))
    assert await place.outcome("PushPath", header, chunk(b"x")) == unknown
    many = pb.PushPathsRequest(header=pb.PushPathsRequestHeader(key="nothing"))
    assert await place.outcome("PushPaths", many) == (
        "UNKNOWN",
        "getting bucket: rpc error: code = Unknown desc = instance not found",
    )


async def test_removing_a_path_spares_entries_that_only_begin_alike(place: Place) -> None:
    for path in ("a", "ab", "abc/x"):
        await place.call("PushPath", place.header(path), chunk(b"x"))
    (reply,) = await place.call("RemovePath", pb.RemovePathRequest(key=place.key, path="a"))
    assert set(reply.root.path_metadata) == {"", SEED, "ab", "abc/x"}
    assert reply.pinned < 0
    assert reply.root == await place.current()


async def test_the_root_of_a_bucket_cannot_be_removed(place: Place) -> None:
    for path in ("", "/"):
        code, _ = await place.outcome("RemovePath", pb.RemovePathRequest(key=place.key, path=path))
        assert code == "INVALID_ARGUMENT"
    assert (await place.current()).path == place.root


async def test_a_removed_bucket_gives_its_bytes_back(place: Place) -> None:
    (reply,) = await place.call("Remove", pb.RemoveRequest(key=place.key))
    assert reply.pinned == -92
    assert await place.outcome("Root", pb.RootRequest(key=place.key)) == ("UNKNOWN", "instance not found")


async def test_a_create_that_cannot_be_is_refused(place: Place) -> None:
    code, text = await place.outcome("Create", pb.CreateRequest(bootstrap_cid="nonsense"))
    assert code == "UNKNOWN"
    assert text.startswith("invalid bootstrap cid: ")
    assert await place.outcome("Create", pb.CreateRequest(unfreeze=True)) == (
        "UNKNOWN",
        "archiving feature is disabled",
    )
    absent = str(Cid.sha256(0x70, b"\1" * 32))
    code, text = await place.outcome("Create", pb.CreateRequest(bootstrap_cid=absent))
    assert code == "UNKNOWN"
    assert text.startswith(f"creating prepared bucket: block {absent} is not at this hub")


async def test_a_listing_describes_children_and_not_their_children(place: Place) -> None:
    await place.call("PushPath", place.header("d/e/f"), chunk(b"x" * 300_000))
    await place.call("PushPath", place.header("d/g"), chunk(b"y"))
    (reply,) = await place.call("ListPath", pb.ListPathRequest(key=place.key, path="d"))
    item = reply.item
    assert (item.name, item.is_dir, item.items_count) == ("d", True, 2)
    assert [(each.name, each.is_dir, each.items_count, each.items) for each in item.items] == [
        ("e", True, 1, []),
        ("g", False, 0, []),
    ]
    assert item.items[0].path == f"{reply.root.path}/d/e"
    assert item.items[0].size > 300_000
    assert item.items[1].size == 1
    assert item.size > item.items[0].size
    (one,) = await place.call("ListPath", pb.ListPathRequest(key=place.key, path="d/e/f"))
    assert (one.item.name, one.item.is_dir, one.item.items) == ("f", False, [])
    assert one.item.metadata.updated_at == CLOCK


async def test_nothing_can_be_pushed_below_a_file(place: Place) -> None:
    await place.call("PushPath", place.header("a"), chunk(b"x"))
    assert await place.outcome("PushPath", place.header("a/b"), chunk(b"y")) == (
        "UNKNOWN",
        "expected protobuf dag node",
    )
    assert await place.outcome("PushPaths", place.many(), part("a/b", b"y"), part("a/b")) == (
        "UNKNOWN",
        "adding bucket link: expected protobuf dag node",
    )
    assert await place.pull("a") == [b"x"]


async def test_thousands_of_paths_may_be_announced(place: Place) -> None:
    paths = [f"d{number}/f" for number in range(3_000)]
    assert await place.outcome("PushPaths", place.many(*paths), part("d7/f", b"x"), part("d7/f")) == OK
    code, text = await place.outcome("PushPaths", place.many(*paths, f"d/{SEED}"))
    assert (code, text) == ("UNKNOWN", f"parsing path: paths containing {SEED} are not allowed")
