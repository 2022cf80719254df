"""People with tokens at a bucket daemon, and what they do to a bucket, message by message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.localhub.raw import call, outcome
from textile_aio import AuthContext, Identity, ThreadID, connect
from textile_aio._proto.api.bucketsd import pb
from textile_aio.localhub import LocalHub

BUCKETS = "/api.bucketsd.pb.APIService/"


class Person:
    """Somebody with a token in one thread of a bucket daemon."""

    def __init__(self, target: str, identity: Identity, headers: dict[str, str]) -> None:
        self.target = target
        self.name = str(identity.public)
        self.headers = headers

    async def call(self, method: str, *messages: Any) -> Any:
        replies = await call(self.target, BUCKETS + method, self.headers, *messages)
        return replies[-1] if replies else None

    async def outcome(self, method: str, *messages: Any) -> tuple[str, str]:
        return await outcome(self.target, BUCKETS + method, self.headers, *messages)

    async def root(self, key: str) -> pb.Root:
        root: pb.Root = (await self.call("Root", pb.RootRequest(key=key))).root
        return root

    async def push(self, key: str, path: str, content: bytes) -> Any:
        header = pb.PushPathRequest(header=pb.PushPathRequestHeader(key=key, path=path))
        chunks = [content[at : at + 262_144] for at in range(0, len(content), 262_144)]
        return await self.call("PushPath", header, *(pb.PushPathRequest(chunk=each) for each in chunks))

    async def try_push(self, key: str, path: str) -> tuple[str, str]:
        header = pb.PushPathRequest(header=pb.PushPathRequestHeader(key=key, path=path))
        return await self.outcome("PushPath", header, pb.PushPathRequest(chunk=b"new"))

    async def pull(self, key: str, path: str) -> bytes:
        request = pb.PullPathRequest(key=key, path=path)
        replies = await call(self.target, BUCKETS + "PullPath", self.headers, request)
        return b"".join(bytes(reply.chunk) for reply in replies)

    async def list(self, key: str, path: str = "") -> pb.PathItem:
        item: pb.PathItem = (await self.call("ListPath", pb.ListPathRequest(key=key, path=path))).item
        return item

    async def roles(self, key: str, path: str, **roles: int) -> tuple[str, str]:
        given = {name: pb.PathAccessRole(role) for name, role in roles.items()}
        return await self.outcome(
            "PushPathAccessRoles", pb.PushPathAccessRolesRequest(key=key, path=path, roles=given)
        )


class Scene:
    def __init__(self, hub: LocalHub, folder: Path, owner: Person, other: Person, key: str) -> None:
        self.hub = hub
        self.folder = folder
        self.owner = owner
        self.other = other
        self.key = key

    async def files(self, person: Person) -> dict[str, bytes]:
        """All files that the person sees, with their content."""
        found: dict[str, bytes] = {}
        waiting = [""]
        while waiting:
            where = waiting.pop()
            for item in (await person.list(self.key, where)).items:
                path = f"{where}/{item.name}".lstrip("/")
                if item.is_dir:
                    waiting.append(path)
                elif item.name != ".textileseed":
                    found[path] = await person.pull(self.key, path)
        return found


async def person(hub: LocalHub, thread: ThreadID | None = None) -> tuple[Person, ThreadID]:
    identity = Identity.generate()
    async with connect(hub.target) as client:
        ctx = await client.threads.authorize(AuthContext(), identity)
        thread = thread or await client.threads.new_db(ctx)
    headers = {"authorization": f"bearer {ctx.token}", "x-textile-thread": str(thread)}
    return Person(hub.target, identity, headers), thread
