"""The unary calls of ``api.bucketsd.pb.APIService``: buckets themselves, and what is in them.

From messages to the bucket engine and back (spec: buckets-api §8, §9, §12).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from textile_aio._codec.cid import Cid
from textile_aio._proto.api.bucketsd import pb
from textile_aio.errors import PathNotFound, StatusCode, Unimplemented
from textile_aio.ids import ThreadID
from textile_aio.localhub.buckets.changing import BucketChanges
from textile_aio.localhub.buckets.document import BucketDocument
from textile_aio.localhub.buckets.engine import BucketEngine, Saved, bare_item, metadata_of
from textile_aio.localhub.buckets.paths import ipfs_path, parse, split
from textile_aio.localhub.call import Call
from textile_aio.localhub.refusals import wrapping
from textile_aio.localhub.routes import Method, Service
from textile_aio.localhub.services.bucket_messages import (
    entries_message,
    is_brief,
    item_message,
    item_path,
    role_messages,
    root_message,
)
from textile_aio.localhub.services.bucket_streams import BucketStreams
from textile_aio.localhub.settings import HubSettings

_PREFIX = "/api.bucketsd.pb.APIService/"


class BucketsService:
    """Everything but streams; those are :class:`BucketStreams`."""

    def __init__(self, engine: BucketEngine, settings: HubSettings) -> None:
        self._engine = engine
        self._changes = BucketChanges(engine)
        self._streams = BucketStreams(engine)
        self._settings = settings

    def service(self) -> Service:
        """What is served."""
        handlers: dict[str, Method] = {
            "Create": self.create,
            "Root": self.root,
            "List": self.list_buckets,
            "ListPath": self.list_path,
            "ListIpfsPath": self.list_ipfs_path,
            "Links": self.links,
            "SetPath": self.set_path,
            "MovePath": self.move_path,
            "RemovePath": self.remove_path,
            "Remove": self.remove,
            "PushPathAccessRoles": self.push_roles,
            "PullPathAccessRoles": self.pull_roles,
            "DefaultArchiveConfig": self.no_archiving,
            "SetDefaultArchiveConfig": self.no_archiving,
            "Archive": self.archive,
            "Archives": self.archives,
            "ArchiveWatch": self.no_archiving,
            **self._streams.handlers(),
        }
        return Service(pb.ApiServiceBase, {_PREFIX + name: handler for name, handler in handlers.items()})

    async def create(self, call: Call, request: pb.CreateRequest) -> pb.CreateResponse:
        """Make a bucket."""
        thread = call.thread
        if request.unfreeze:
            raise _archiving_disabled()
        tree: Cid | None = None
        if request.bootstrap_cid:
            with wrapping("invalid bootstrap cid"):
                tree = Cid.parse(request.bootstrap_cid)
        created = await self._engine.create(
            thread, request.name, call.caller.identity, private=request.private, tree=tree
        )
        return pb.CreateResponse(
            root=root_message(created.bucket, thread),
            links=self._links(created.bucket, thread, (), call),
            seed=created.seed,
            seed_cid=str(created.seed_cid),
            pinned=created.pinned,
        )

    async def root(self, call: Call, request: pb.RootRequest) -> pb.RootResponse:
        """A bucket by its key."""
        thread = call.thread
        bucket = await self._engine.get(thread, request.key, call.caller.identity)
        return pb.RootResponse(root=root_message(bucket, thread, only="" if is_brief(call) else None))

    async def list_buckets(self, call: Call, request: pb.ListRequest) -> pb.ListResponse:
        """All buckets of the thread."""
        thread = call.thread
        buckets = await self._engine.list(thread, call.caller.identity)
        return pb.ListResponse(roots=[root_message(bucket, thread) for bucket in buckets])

    async def list_path(self, call: Call, request: pb.ListPathRequest) -> pb.ListPathResponse:
        """What is at a path, with its direct children."""
        thread = call.thread
        async with self._engine.blocks.reading() as reading:
            bucket = await self._engine.get(thread, request.key, call.caller.identity)
            reading.pin(bucket.root.bytes)
            item = await self._engine.item(bucket, request.path)
        where = split(request.path)
        path = item_path(bucket.root, where)
        if is_brief(call) and (entries := entries_message(item.items)) is not None:
            return pb.ListPathResponse(
                item=item_message(item._replace(items=()), path),
                root=root_message(bucket, thread, only="/".join(where)),
                entries=entries,
            )
        return pb.ListPathResponse(item=item_message(item, path), root=root_message(bucket, thread))

    async def list_ipfs_path(self, call: Call, request: pb.ListIpfsPathRequest) -> pb.ListIpfsPathResponse:
        """What is at a path under any root that is at this hub."""
        root, segments = ipfs_path(request.path)
        async with self._engine.blocks.reading() as reading:
            reading.pin(root.bytes)
            item = await bare_item(self._engine.public(root), segments)
        path = item_path(root, segments)
        return pb.ListIpfsPathResponse(item=item_message(item, path, with_metadata=False))

    async def links(self, call: Call, request: pb.LinksRequest) -> pb.LinksResponse:
        """Where a path can be seen."""
        thread = call.thread
        bucket = await self._engine.get(thread, request.key, call.caller.identity)
        segments = await self._engine.check_path(bucket, request.path)
        return self._links(bucket, thread, segments, call)

    async def set_path(self, call: Call, request: pb.SetPathRequest) -> pb.SetPathResponse:
        """Put what has a CID at a path."""
        saved = await self._changes.set_path(
            call.thread, request.key, request.path, request.cid, call.caller.identity
        )
        return pb.SetPathResponse(pinned=saved.pinned)

    async def move_path(self, call: Call, request: pb.MovePathRequest) -> pb.MovePathResponse:
        """Move a file or directory."""
        await self._changes.move_path(
            call.thread, request.key, request.from_path, request.to_path, call.caller.identity
        )
        return pb.MovePathResponse()

    async def remove_path(self, call: Call, request: pb.RemovePathRequest) -> pb.RemovePathResponse:
        """Remove a file or directory."""
        thread = call.thread
        saved = await self._changes.remove_path(
            thread, request.key, request.path, request.root, call.caller.identity
        )
        root = root_message(saved.bucket, thread, only="" if is_brief(call) else None)
        return pb.RemovePathResponse(root=root, pinned=saved.pinned)

    async def remove(self, call: Call, request: pb.RemoveRequest) -> pb.RemoveResponse:
        """Remove a bucket."""
        return pb.RemoveResponse(
            pinned=await self._engine.remove(call.thread, request.key, call.caller.identity)
        )

    async def push_roles(
        self, call: Call, request: pb.PushPathAccessRolesRequest
    ) -> pb.PushPathAccessRolesResponse:
        """Merge roles into those of a path."""
        roles = {identity: int(role) for identity, role in request.roles.items()}
        saved = await self._changes.set_roles(
            call.thread, request.key, request.path, roles, call.caller.identity
        )
        return pb.PushPathAccessRolesResponse(pinned=_pinned(saved))

    async def pull_roles(
        self, call: Call, request: pb.PullPathAccessRolesRequest
    ) -> pb.PullPathAccessRolesResponse:
        """The roles that are set at a path or at the nearest directory above; not merged with others."""
        segments = parse(request.path)
        bucket = await self._engine.get(call.thread, request.key, call.caller.identity)
        entry = metadata_of(bucket, "/".join(segments))
        try:
            await self._engine.contents(bucket).stat(segments)
        except PathNotFound:
            raise PathNotFound(
                f"could not resolve path: {request.path}", code=StatusCode.UNKNOWN, about=request.path
            ) from None
        return pb.PullPathAccessRolesResponse(roles=role_messages(entry.roles))

    async def archive(self, call: Call, request: pb.ArchiveRequest) -> pb.ArchiveResponse:
        """Refused: a hub without Filecoin archives nothing."""
        _ = call.thread
        raise _archiving_disabled()

    async def archives(self, call: Call, request: pb.ArchivesRequest) -> pb.ArchivesResponse:
        """Nothing was ever archived."""
        return pb.ArchivesResponse()

    async def no_archiving(self, call: Call, *_: Any) -> Any:
        """Refused: there is no Filecoin behind this hub."""
        raise _archiving_disabled()

    def _links(
        self, bucket: BucketDocument, thread: ThreadID, segments: tuple[str, ...], call: Call
    ) -> pb.LinksResponse:
        gateway = self._settings.gateway_url
        tail = "".join(f"/{segment}" for segment in segments)
        www = ""
        if self._settings.domain:
            www = f"{urlsplit(gateway).scheme}://{bucket.id}.{self._settings.domain}{tail}"
        token = f"?token={call.caller.token or call.caller.sent_token}" if bucket.is_private else ""
        return pb.LinksResponse(
            url=f"{gateway}/thread/{thread}/buckets/{bucket.id}{tail}{token}",
            www=www + token if www else "",
            ipns=f"{gateway}/ipns/{bucket.id}{tail}{token}",
        )


def _archiving_disabled() -> Unimplemented:
    return Unimplemented("archiving feature is disabled", code=StatusCode.UNKNOWN)


def _pinned(saved: Saved | None) -> int:
    return 0 if saved is None else saved.pinned
