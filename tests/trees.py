"""Everything in a bucket, read through the API as any client could."""

from __future__ import annotations

from dataclasses import dataclass, field

from textile_aio import AuthContext, HubClient
from textile_aio.buckets.values import Root

SEED = ".textileseed"


@dataclass
class Tree:
    """What a bucket holds: files with their content, and directories, the root and the seed left out."""

    root: Root
    files: dict[str, bytes] = field(default_factory=dict)
    directories: set[str] = field(default_factory=set)


async def pull(client: HubClient, ctx: AuthContext, key: str, path: str) -> bytes:
    """A file, whole."""
    return b"".join([chunk async for chunk in client.buckets.pull_path(ctx, key, path)])


async def whole(client: HubClient, ctx: AuthContext, key: str) -> Tree:
    """Walk a bucket from its root to its last leaf; every block of it has to be there."""
    tree = Tree(await client.buckets.root(ctx, key))
    waiting = [""]
    while waiting:
        above = waiting.pop()
        listing = await client.buckets.list_path(ctx, key, above)
        assert listing.root.path == tree.root.path, "the bucket changed while it was walked"
        assert listing.item.items_count == len(listing.item.items)
        for item in listing.item.items:
            path = f"{above}/{item.name}".lstrip("/")
            if path == SEED:
                assert len(await pull(client, ctx, key, path)) == 32
            elif item.is_dir:
                tree.directories.add(path)
                waiting.append(path)
            else:
                tree.files[path] = await pull(client, ctx, key, path)
    return tree
