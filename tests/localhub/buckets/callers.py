"""Buckets as several callers see them on the wire: each message as it is sent, each status as it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.localhub.raw import Outcome, call, outcome
from textile_aio import AuthContext, Identity, ThreadID, connect
from textile_aio._proto.api.bucketsd import pb
from textile_aio._proto.threads import pb as threads

SERVICE = "/api.bucketsd.pb.APIService/"
SEED = ".textileseed"
DENIED = "app denied net record body: permission denied"
NONE, READER, WRITER, ADMIN = (pb.PathAccessRole(number) for number in range(4))


@dataclass(frozen=True)
class Caller:
    """Who calls, in one thread of a bucket daemon. ``identity`` is empty for one without a token."""

    target: str
    thread: ThreadID
    identity: str = ""
    token: str = ""

    @property
    def headers(self) -> dict[str, str]:
        given = {"x-textile-thread": str(self.thread)}
        return {**given, "authorization": f"bearer {self.token}"} if self.token else given

    async def call(self, method: str, *messages: Any) -> list[Any]:
        return await call(self.target, SERVICE + method, self.headers, *messages)

    async def outcome(self, method: str, *messages: Any) -> Outcome:
        return await outcome(self.target, SERVICE + method, self.headers, *messages)

    async def create(self, *, private: bool = False, cid: str = "") -> Bucket:
        (made,) = await self.call("Create", pb.CreateRequest(name="n", private=private, bootstrap_cid=cid))
        return Bucket(self, made.root.key, private)


@dataclass(frozen=True)
class Bucket:
    """A bucket as one caller has it."""

    caller: Caller
    key: str
    private: bool

    def seen_by(self, caller: Caller) -> Bucket:
        return Bucket(caller, self.key, self.private)

    async def root(self) -> pb.Root:
        (reply,) = await self.caller.call("Root", pb.RootRequest(key=self.key))
        root: pb.Root = reply.root
        return root

    async def push(self, path: str, content: bytes = b"") -> Any:
        """Push a file; the last event of it."""
        replies = await self.caller.call("PushPath", *self._push(path, content))
        return replies[-1].event

    async def pushed(self, path: str, content: bytes = b"x") -> Outcome:
        return await self.caller.outcome("PushPath", *self._push(path, content))

    def _push(self, path: str, content: bytes) -> list[pb.PushPathRequest]:
        header = pb.PushPathRequest(header=pb.PushPathRequestHeader(key=self.key, path=path))
        pieces = [content[at : at + 262_144] for at in range(0, len(content), 262_144)]
        return [header, *(pb.PushPathRequest(chunk=piece) for piece in pieces)]

    async def pull(self, path: str) -> bytes:
        replies = await self.caller.call("PullPath", pb.PullPathRequest(key=self.key, path=path))
        return b"".join(bytes(reply.chunk) for reply in replies)

    async def pulled(self, path: str) -> Outcome:
        return await self.caller.outcome("PullPath", pb.PullPathRequest(key=self.key, path=path))

    async def item(self, path: str = "") -> pb.PathItem:
        (reply,) = await self.caller.call("ListPath", pb.ListPathRequest(key=self.key, path=path))
        item: pb.PathItem = reply.item
        return item

    async def listed(self, path: str = "") -> Outcome:
        return await self.caller.outcome("ListPath", pb.ListPathRequest(key=self.key, path=path))

    async def tree(self, path: str = "") -> dict[str, bytes | None]:
        """Every path below ``path``: content of files, None for directories. Without the seed."""
        found: dict[str, bytes | None] = {}
        waiting = [path]
        while waiting:
            parent = waiting.pop()
            for child in (await self.item(parent)).items:
                at = f"{parent}/{child.name}" if parent else child.name
                if child.is_dir:
                    found[at] = None
                    waiting.append(at)
                elif at != SEED:
                    found[at] = await self.pull(at)
        return found

    async def set_path(self, path: str, cid: str) -> Outcome:
        return await self.caller.outcome("SetPath", pb.SetPathRequest(key=self.key, path=path, cid=cid))

    async def move(self, start: str, to: str) -> Outcome:
        request = pb.MovePathRequest(key=self.key, from_path=start, to_path=to)
        return await self.caller.outcome("MovePath", request)

    async def remove(self, path: str) -> Outcome:
        return await self.caller.outcome("RemovePath", pb.RemovePathRequest(key=self.key, path=path))

    async def grant(self, path: str, roles: Mapping[str, pb.PathAccessRole]) -> Outcome:
        request = pb.PushPathAccessRolesRequest(key=self.key, path=path, roles=dict(roles))
        return await self.caller.outcome("PushPathAccessRoles", request)

    async def roles(self, path: str = "") -> dict[str, pb.PathAccessRole]:
        request = pb.PullPathAccessRolesRequest(key=self.key, path=path)
        (reply,) = await self.caller.call("PullPathAccessRoles", request)
        return dict(reply.roles)

    async def missing(self, path: str, name: str = "", under: str = "") -> Outcome:
        """How a path that is not there is refused (spec: buckets-api §2)."""
        root = (await self.root()).path
        if self.private:
            return "UNKNOWN", f"could not resolve path: {root}/{path}"
        return "UNKNOWN", f'no link named "{name or path}" under {under or root.removeprefix("/ipfs/")}'


def many(key: str, *paths: str, root: str = "") -> pb.PushPathsRequest:
    """The header of PushPaths."""
    return pb.PushPathsRequest(header=pb.PushPathsRequestHeader(key=key, root=root, paths=list(paths)))


def part(path: str, data: bytes = b"") -> pb.PushPathsRequest:
    """Bytes of a file in PushPaths; none end it."""
    return pb.PushPathsRequest(chunk=pb.PushPathsRequestChunk(path=path, data=data))


async def callers(target: str, count: int) -> Sequence[Caller]:
    """Callers with tokens in one new thread."""
    thread = ThreadID.random()
    await call(target, "/threads.pb.API/NewDB", {}, threads.NewDbRequest(db_id=bytes(thread)))
    made = []
    async with connect(target) as client:
        for _ in range(count):
            identity = Identity.generate()
            token = await client.threads.get_token(AuthContext(), identity)
            made.append(Caller(target, thread, str(identity.public), token))
    return made
