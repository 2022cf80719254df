"""From the messages of ``api.bucketsd.pb`` to values of ours.

The only place that knows the fields of both. An answer that cannot be such a value is the hub's fault:
ProtocolError.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from textile_aio._codec.cid import RAW
from textile_aio._proto.api.bucketsd import pb
from textile_aio.buckets._convert_archives import archives
from textile_aio.buckets.values import (
    Bucket,
    Links,
    Metadata,
    PathItem,
    PathListing,
    PushedPath,
    Role,
    Root,
)
from textile_aio.errors import InvalidInput, ProtocolError
from textile_aio.identity import PublicKey
from textile_aio.ids import Cid, ThreadID

IPFS = "/ipfs/"


def root(message: pb.Root | None) -> Root:
    """The value of a Root message.

    Raises:
        ProtocolError: There is none, or a part of it is malformed.
    """
    if message is None:
        raise ProtocolError("the hub answered without the bucket's root")
    with _reading(f"the root of bucket {message.key}"):
        return Root(
            message.key,
            name=message.name,
            path=message.path,
            cid=content(message.path),
            created_at_ns=message.created_at,
            updated_at_ns=message.updated_at,
            thread=ThreadID.parse(message.thread),
            owner=PublicKey.from_string(message.owner) if message.owner else None,
            version=message.version,
            metadata=_metadata(message.metadata),
            path_metadata={path: _known(entry) for path, entry in message.path_metadata.items()},
            link_key=message.link_key,
            archives=archives(message.archives),
        )


def bucket(message: pb.CreateResponse) -> Bucket:
    """The value of Create's answer."""
    if message.links is None:
        raise ProtocolError("the hub answered without the bucket's links")
    with _reading("the new bucket"):
        return Bucket(
            root(message.root),
            links=links(message.links),
            seed=message.seed,
            seed_cid=Cid.parse(message.seed_cid),
            pinned=message.pinned,
        )


def links(message: pb.LinksResponse) -> Links:
    """The value of Links' answer."""
    return Links(url=message.url, www=message.www, ipns=message.ipns)


def listing(message: pb.ListPathResponse) -> PathListing:
    """The value of ListPath's answer."""
    with _reading("the listing"):
        under = root(message.root)
        return PathListing(listed_item(message, under), under)


def listed_item(message: pb.ListPathResponse, under: Root) -> PathItem:
    """The item alone, where the value of the root is there already."""
    found = item(message.item)
    if under.link_key:
        found = _sealed(message.item, found)
    if message.entries is None:
        return found
    with _reading("the entries of a directory"):
        return replace(found, items=tuple(_entries(message.entries, found.path)))


def item(message: pb.PathItem | None) -> PathItem:
    """The value of ListIpfsPath's answer."""
    if message is None:
        raise ProtocolError("the hub answered without an item")
    with _reading("the listing"):
        return _item(message)


def roles(message: Mapping[str, int]) -> dict[str, Role]:
    """The value of PullPathAccessRoles' answer."""
    with _reading("roles"):
        return _roles(message)


def pushed_file(path: str, event: pb.PushPathResponseEvent) -> PushedPath:
    """The value of PushPath's last event."""
    with _reading(f"the answer for {path}"):
        if not event.size.isdecimal():
            raise InvalidInput("its size is no number")
        return PushedPath(
            path, cid=content(event.path), size=int(event.size), root=root(event.root), pinned=event.pinned
        )


def pushed_one_of_many(message: pb.PushPathsResponse) -> PushedPath:
    """The value of one answer of PushPaths."""
    with _reading(f"the answer for {message.path}"):
        return PushedPath(
            message.path,
            cid=Cid.parse(message.cid),
            size=message.size,
            root=root(message.root),
            pinned=message.pinned,
        )


def content(path: str) -> Cid:
    """The CID in ``/ipfs/<cid>``.

    Raises:
        InvalidInput: It is not of that form.
    """
    if not path.startswith(IPFS):
        raise InvalidInput(f"{path[:80]!r} does not start with {IPFS}")
    return Cid.parse(path.removeprefix(IPFS))


def _item(message: pb.PathItem) -> PathItem:
    cid = Cid.parse(message.cid)
    return PathItem(
        cid,
        name=message.name,
        path=message.path,
        size=message.size,
        is_dir=message.is_dir,
        items=tuple(map(_item, message.items)),
        items_count=message.items_count,
        metadata=_metadata(message.metadata),
        content_size=message.size
        if message.content_size is None and cid.codec == RAW
        else message.content_size,
    )


def _entries(message: pb.Entries, above: str) -> list[PathItem]:
    """What is in a directory, from columns that this package's hub sends in place of items."""
    names = message.names.split("/") if message.sizes else []
    known = list(map(_known, message.different_metadata))
    data = message.cids
    found: list[PathItem] = []
    at = 0
    try:
        for name, is_dir, size, content_size, items_count, place in zip(
            names,
            message.is_dir,
            message.sizes,
            message.content_sizes,
            message.items_counts,
            message.metadata,
            strict=True,
        ):
            start, at = at, at + (34 if data[at] == 0x12 else 36)
            found.append(
                PathItem(
                    Cid.from_bytes(data[start:at]),
                    name=name,
                    path=f"{above}/{name}",
                    size=size,
                    is_dir=is_dir > 0,
                    items_count=items_count,
                    metadata=known[place],
                    content_size=None if content_size < 0 else content_size,
                )
            )
    except (ValueError, IndexError) as error:
        raise InvalidInput("its columns do not go together") from error
    return found


def _sealed(message: pb.PathItem | None, value: PathItem) -> PathItem:
    """The same in a private bucket, where a raw leaf is not content but an encrypted file."""
    if message is None:
        return value
    items = tuple(map(_sealed, message.items, value.items))
    return replace(value, items=items, content_size=message.content_size)


def _metadata(message: pb.Metadata | None) -> Metadata | None:
    return None if message is None else _known(message)


def _known(message: pb.Metadata) -> Metadata:
    return Metadata(roles=_roles(message.roles), updated_at_ns=message.updated_at, key=message.key)


def _roles(message: Mapping[str, int]) -> dict[str, Role]:
    try:
        return {identity: Role(role) for identity, role in message.items()}
    except ValueError as error:
        raise InvalidInput(str(error)) from None


@contextmanager
def _reading(what: str) -> Iterator[None]:
    try:
        yield
    except InvalidInput as error:
        raise ProtocolError(f"the hub sent something malformed as {what}: {error.message}") from error
