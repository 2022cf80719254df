"""Looking: what is there, how large, since when. The file system's connection is here as well."""

from __future__ import annotations

import asyncio
import os
import weakref
from contextlib import aclosing
from datetime import datetime
from typing import Any, Final, cast

from fsspec.asyn import AsyncFileSystem, sync, sync_wrapper

from textile_aio.auth import AuthContext
from textile_aio.buckets.client import BucketsClient
from textile_aio.buckets.paths import SEED_NAME
from textile_aio.buckets.values import PathItem
from textile_aio.client import HubClient
from textile_aio.errors import InvalidInput, IsADirectory, PathNotFound
from textile_aio.fs.callers import Caller, KnownByCaller
from textile_aio.fs.connections import Connections
from textile_aio.fs.mapping import ABOVE, Info, as_os_errors, directory, info_of, modified_at, split
from textile_aio.ids import Cid, ThreadID

_BLOCK: Final = 4 * 1024 * 1024
_AT_ONCE: Final = 32


class Looking(AsyncFileSystem, metaclass=KnownByCaller):  # type: ignore[misc]  # fsspec has no types
    """The part of the file system that changes nothing and moves no content."""

    protocol = "bucket"
    root_marker = ""
    batch_size: int
    _extra_tokenize_attributes = ("_environment",)

    def __init__(
        self,
        *,
        target: str | None = None,
        ctx: AuthContext | Caller | None = None,
        client: HubClient | None = None,
        api_key: str | None = None,
        api_secret: str | None = None,
        token: str | None = None,
        thread: ThreadID | str | None = None,
        block_size: int = _BLOCK,
        asynchronous: bool = False,
        loop: asyncio.AbstractEventLoop | None = None,
        batch_size: int = _AT_ONCE,
        use_listings_cache: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(
            asynchronous=asynchronous,
            loop=loop,
            batch_size=batch_size,
            use_listings_cache=use_listings_cache,
            **options,
        )
        if client is not None and (target is not None or not asynchronous):
            raise InvalidInput("client goes with asynchronous=True, and takes the place of target")
        caller = ctx.ctx if isinstance(ctx, Caller) else ctx or AuthContext.from_env()
        if api_key is not None:
            caller = caller.with_api_key(api_key, api_secret)
        elif api_secret is not None:
            raise InvalidInput("api_secret goes with api_key")
        if token is not None:
            caller = caller.with_token(token)
        if thread is not None:
            caller = caller.with_thread(thread)
        self.ctx = caller
        self.blocksize = block_size
        self._given = client
        self._connections = Connections(target or os.environ.get("TEXTILE_TARGET"))
        weakref.finalize(self, self._connections.stop).atexit = False

    def __repr__(self) -> str:
        return f"<BucketFileSystem for {self.ctx!r}>"

    def __reduce__(self) -> Any:
        if self._given is not None:
            raise TypeError("a file system with a client of its owner's cannot be pickled; give it a target")
        return super().__reduce__()

    def close(self) -> None:
        """Close the connection of the blocking methods. It is opened again when it is needed."""
        sync(self.loop, self.aclose)

    async def aclose(self) -> None:
        """Close the running loop's connection. It is opened again when it is needed."""
        await self._connections.aclose()

    async def _buckets(self) -> BucketsClient:
        client = self._given or await self._connections.client()
        return client.buckets

    def invalidate_cache(self, path: str | None = None) -> None:
        """Forget listings: those at, below and above the path, or all."""
        if path is None:
            self.dircache.clear()
        else:
            path = self._strip_protocol(path)
            for listed in list(self.dircache):
                if path == listed or path.startswith(f"{listed}/") or listed.startswith(f"{path}/"):
                    self.dircache.pop(listed, None)
        super().invalidate_cache(path)

    @as_os_errors
    async def _info(self, path: str, **_: Any) -> Info:
        path = self._strip_protocol(path)
        key, inner = split(path)
        if not key:
            return directory("")
        cached = self._ls_from_cache(path) if inner else None
        if cached is not None:
            for info in cached:
                if info["name"] == path:
                    return cast("Info", info)
        (item,) = await self._first(path, 1)
        return info_of(item, path)

    async def _first(self, path: str, count: int) -> list[PathItem]:
        """What is at a path, and the first of what is below it.

        Where the hub lists trees this costs the same however much there is, unlike a listing, which names all
        that is in a directory and what is known of every path of the bucket.
        """
        found: list[PathItem] = []
        buckets = await self._buckets()
        async with aclosing(buckets.list_tree(self.ctx, *split(path))) as items:
            async for item in items:
                found.append(item)
                if len(found) == count:
                    break
        return found

    @as_os_errors
    async def _ls(self, path: str, detail: bool = True, **options: Any) -> list[Any]:
        path = self._strip_protocol(path)
        infos = None if options.get("refresh") else self.dircache.get(path)
        if infos is None:
            infos = await self._listed(path)
            if path and not (len(infos) == 1 and infos[0]["name"] == path):
                self.dircache[path] = infos
        return list(infos) if detail else [info["name"] for info in infos]

    async def _listed(self, path: str) -> list[Info]:
        buckets = await self._buckets()
        key, inner = split(path)
        if not key:
            roots = await buckets.list(self.ctx)
            return [
                {**directory(root.key), "cid": str(root.cid), "title": root.name, "mtime": root.updated_at}
                for root in roots
            ]
        listing = await buckets.list_path(self.ctx, key, inner)
        if not listing.item.is_dir:
            return [info_of(listing.item, path, listing.root)]
        return [
            info_of(item, f"{path}/{item.name}", listing.root)
            for item in listing.item.items
            if inner or item.name != SEED_NAME
        ]

    async def _find(
        self, path: str, maxdepth: int | None = None, withdirs: bool = False, **options: Any
    ) -> Any:
        clean = self._strip_protocol(path)
        key, inner = split(clean)
        if maxdepth is not None or not key or options.get("on_error", "omit") != "omit":
            return await super()._find(path, maxdepth=maxdepth, withdirs=withdirs, **options)
        found = {}
        try:
            buckets = await self._buckets()
            async with aclosing(buckets.list_tree(self.ctx, key, inner)) as items:
                async for item in items:
                    relative = item.relative_path
                    if relative != SEED_NAME and (withdirs or not item.is_dir):
                        name = f"{key}/{relative}" if relative else key
                        found[name] = info_of(item, name)
        except (PathNotFound, *ABOVE):
            return {} if options.get("detail") else []
        names = sorted(found)
        return {name: found[name] for name in names} if options.get("detail") else names

    def checksum(self, path: str) -> int:
        """The digest in the file's or directory's CID, as a number."""
        return int.from_bytes(Cid.parse(self.ukey(path)).digest)

    def ukey(self, path: str) -> str:
        """The CID: another one whenever the content is. In private buckets also when it was written anew."""
        return str(self.info(path)["cid"])

    @as_os_errors
    async def _modified(self, path: str) -> datetime:
        key, inner = split(self._strip_protocol(path))
        if not key:
            raise IsADirectory("the list of buckets has no time of its own", about=path)
        listing = await (await self._buckets()).list_path(self.ctx, key, inner)
        return modified_at(listing.item, listing.root)

    async def _created(self, path: str) -> datetime:
        key, inner = split(self._strip_protocol(path))
        if not key or inner:
            raise NotImplementedError("buckets know when they were created, what is in them does not")
        return await self._created_bucket(key)

    @as_os_errors
    async def _created_bucket(self, key: str) -> datetime:
        return (await (await self._buckets()).root(self.ctx, key)).created_at

    modified = sync_wrapper(_modified)
    created = sync_wrapper(_created)
