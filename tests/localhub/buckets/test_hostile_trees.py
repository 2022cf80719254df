"""UnixFS that lies (issue 5 §5): typed refusals, the old root intact, the hub alive and of bounded memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.localhub.buckets.callers import Bucket
from tests.localhub.buckets.dags import folder, node, raw, store, unixfs
from tests.localhub.raw import OK
from textile_aio import Cid
from textile_aio._proto.api.bucketsd import pb
from textile_aio.localhub import LocalHub
from textile_aio.unixfs.block import Block
from textile_aio.unixfs.fsnode import NodeType

HUGE = 2**63 - 1
LEAF = raw(b"leaf")
ABSENT = Cid.parse("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku")

TYPED = {"UNKNOWN", "INVALID_ARGUMENT", "DATA_LOSS", "FAILED_PRECONDITION", "NOT_FOUND", "RESOURCE_EXHAUSTED",
         "UNIMPLEMENTED", "OUT_OF_RANGE"}  # fmt: skip
"""INTERNAL is a bug, whatever was read."""

Maker = Callable[[], list[Block]]


def wrong_sum() -> list[Block]:
    return [LEAF, unixfs(NodeType.FILE, [(b"", LEAF, None)], filesize=999, blocksizes=(4,))]


def wrong_block_size() -> list[Block]:
    return [LEAF, unixfs(NodeType.FILE, [(b"", LEAF, None)], filesize=9, blocksizes=(9,))]


def no_block_sizes() -> list[Block]:
    return [LEAF, unixfs(NodeType.FILE, [(b"", LEAF, None)], filesize=4)]


def huge_file() -> list[Block]:
    return [LEAF, unixfs(NodeType.FILE, [(b"", LEAF, HUGE)], filesize=HUGE, blocksizes=(HUGE,))]


def sum_beyond() -> list[Block]:
    links = [(b"", LEAF, HUGE), (b"", LEAF, HUGE)]
    return [LEAF, unixfs(NodeType.FILE, links, filesize=HUGE, blocksizes=(HUGE, HUGE))]


def missing_leaf() -> list[Block]:
    return [unixfs(NodeType.FILE, [(b"", ABSENT, 4)], filesize=4, blocksizes=(4,))]


def no_data() -> list[Block]:
    return [LEAF, node(None, [(b"f", LEAF, None)])]


def nonsense_data() -> list[Block]:
    return [node(b"\xff\xff\xff\xff\xff\xff\xff\xff")]


def cut_node() -> list[Block]:
    good = folder((b"f", LEAF, None))
    return [LEAF, Block.of(0x70, bytes(good.data)[:-3])]


def symlink() -> list[Block]:
    return [unixfs(NodeType.SYMLINK, data=b"/etc/passwd")]


def metadata() -> list[Block]:
    return [unixfs(NodeType.METADATA, data=b"text/plain")]


def doubling() -> list[Block]:
    """Forty levels of two equal halves: 2^40 leaves in 40 blocks."""
    blocks, size = [LEAF], 4
    for _ in range(40):
        below = blocks[-1]
        links = [(b"", below, None), (b"", below, None)]
        size *= 2
        blocks.append(unixfs(NodeType.FILE, links, filesize=size, blocksizes=(size // 2, size // 2)))
    return blocks


FILES: list[Maker] = [
    wrong_sum, wrong_block_size, no_block_sizes, huge_file, sum_beyond, missing_leaf, no_data, nonsense_data,
    cut_node, symlink, metadata,
]  # fmt: skip


def huge_link() -> list[Block]:
    return [LEAF, folder((b"f", LEAF, HUGE), (b"g", LEAF, HUGE))]


def size_beyond() -> list[Block]:
    return [LEAF, folder((b"f", LEAF, 2**63))]


def missing_child() -> list[Block]:
    return [folder((b"f", ABSENT, 4))]


def hamt() -> list[Block]:
    return [
        LEAF,
        unixfs(NodeType.HAMT_SHARD, [(b"00f", LEAF, None)], data=b"\x01", hash_type=0x22, fanout=256),
    ]


def hamt_without_end() -> list[Block]:
    return [unixfs(NodeType.HAMT_SHARD, [(b"00", ABSENT, 4)], data=b"\x01", hash_type=0x22, fanout=2**62)]


def same_name_twice() -> list[Block]:
    return [LEAF, folder((b"f", LEAF, None), (b"f", LEAF, None))]


def odd_names() -> list[Block]:
    names = [b"", b".", b"..", b"a/b", b"\xff\xfe", b"nul\x00", b".textileseed", b"x" * 255, b"y" * 5000]
    return [LEAF, folder(*((name, LEAF, None) for name in names))]


def deep() -> list[Block]:
    blocks = [LEAF]
    name = b"f"
    for _ in range(2_000):
        blocks.append(folder((name, blocks[-1], None)))
        name = b"d"
    return blocks


FOLDERS: list[Maker] = [
    huge_link, size_beyond, missing_child, hamt, hamt_without_end, same_name_twice, odd_names, deep,
    no_data, nonsense_data, cut_node,
]  # fmt: skip


def made_by(maker: Maker) -> str:
    return maker.__name__.replace("_", " ")


async def works_as_before(bucket: Bucket) -> None:
    """Nothing that was there is lost, and everything goes on."""
    assert await bucket.pull("kept") == b"kept"
    await bucket.push("more", b"more")
    assert await bucket.pull("more") == b"more"
    assert await bucket.remove("more") == OK


@pytest.mark.parametrize("maker", FILES, ids=made_by)
async def test_files_that_lie(daemon: LocalHub, bucket: Bucket, maker: Maker) -> None:
    blocks = maker()
    await store(daemon, blocks)
    await bucket.push("kept", b"kept")
    before = await bucket.root()
    at = f"/ipfs/{blocks[-1].cid}"
    assert (await bucket.caller.outcome("PullIpfsPath", pb.PullIpfsPathRequest(path=at)))[0] in TYPED
    assert (await bucket.caller.outcome("ListIpfsPath", pb.ListIpfsPathRequest(path=at)))[0] in TYPED | {"OK"}
    for path in ("bad", ""):
        code, text = await bucket.set_path(path, str(blocks[-1].cid))
        assert code in TYPED | {"OK"}, text
        if code != "OK":
            assert await bucket.root() == before
            continue
        assert not bucket.private or maker is symlink, "what is encrypted is read first, and so is refused"
        if not path:
            return  # a tree of no use, but asked for by its owner
        assert (await bucket.pulled("bad"))[0] in TYPED
        assert (await bucket.listed("bad"))[0] in TYPED | {"OK"}
        await works_as_before(bucket)
        assert await bucket.remove("bad") == OK
        before = await bucket.root()
    await works_as_before(bucket)


@pytest.mark.parametrize("maker", FOLDERS, ids=made_by)
async def test_folders_that_lie(daemon: LocalHub, bucket: Bucket, maker: Maker) -> None:
    blocks = maker()
    await store(daemon, blocks)
    await bucket.push("kept", b"kept")
    before = await bucket.root()
    cid = str(blocks[-1].cid)
    for path in (cid, f"{cid}/f", f"{cid}/d/d/f", f"{cid}//", f"{cid}/.."):
        listed = pb.ListIpfsPathRequest(path=path)
        assert (await bucket.caller.outcome("ListIpfsPath", listed))[0] in TYPED | {"OK"}
        pulled = pb.PullIpfsPathRequest(path=path)
        assert (await bucket.caller.outcome("PullIpfsPath", pulled))[0] in TYPED | {"OK"}
    made = await bucket.caller.outcome("Create", pb.CreateRequest(private=bucket.private, bootstrap_cid=cid))
    assert made[0] in TYPED | {"OK"}
    code, text = await bucket.set_path("bad", cid)
    assert code in TYPED | {"OK"}, text
    if code != "OK":
        assert await bucket.root() == before
        await works_as_before(bucket)
        return
    assert (await bucket.listed("bad"))[0] in TYPED | {"OK"}
    assert (await bucket.listed("bad/f"))[0] in TYPED | {"OK"}
    assert (await bucket.pulled("bad"))[0] in TYPED
    assert (await bucket.pushed("bad/new/file"))[0] in TYPED | {"OK"}
    await works_as_before(bucket)
    assert (await bucket.move("bad", "worse"))[0] in TYPED | {"OK"}
    for path in ("bad", "worse"):
        await bucket.remove(path)
    assert await bucket.tree() == {"kept": b"kept"}


async def test_a_file_that_unfolds_without_end_is_not_read_to_its_end(
    daemon: LocalHub, bucket: Bucket
) -> None:
    blocks = doubling()
    await store(daemon, blocks)
    await bucket.push("kept", b"kept")
    code, _ = await bucket.set_path("bad", str(blocks[-1].cid))
    if bucket.private:
        assert code in TYPED, "it would be four tebibytes of ciphertext"
    else:
        assert code == "OK", "a link costs nothing"
        item = await bucket.item("bad")
        assert not item.is_dir
    await works_as_before(bucket)
