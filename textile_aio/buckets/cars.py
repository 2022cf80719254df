"""Calls that carry a bucket out of a hub and into another, as a CAR file."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from textile_aio._arguments import one_of, text
from textile_aio._rpc.calls import ServiceCalls
from textile_aio.auth import AuthContext
from textile_aio.buckets._checks import check, check_thread
from textile_aio.buckets.paths import BucketPath, for_reading
from textile_aio.buckets.sources import Content, Source, opened

if TYPE_CHECKING:
    from textile_aio._proto.textile_aio.buckets import pb


class CarCalls(ServiceCalls):
    """The group of calls about CAR files. Hubs other than that of this package refuse them."""

    async def export_car(
        self, ctx: AuthContext, key: str, path: BucketPath = "", *, timeout: float | None = None
    ) -> AsyncGenerator[bytes, None]:
        """A bucket, or a path in it, as the bytes of a CARv1 file, in chunks of any size.

        The call is made at the first chunk and not repeated. The file is whole only when the iteration has
        ended by itself. Of a private bucket the blocks are encrypted, and the keys are not in the file.

        Args:
            ctx: Who calls, in which thread.
            key: The bucket.
            path: The file or directory; the root by default.
            timeout: In seconds, for the whole; no limit unless one is given.

        Raises:
            Unimplemented: The hub is of another kind, raised while iterating.
            PathNotFound: There is nothing at the path, raised while iterating.
        """
        from textile_aio._proto.textile_aio.buckets import pb
        from textile_aio.buckets._extensions import EXPORT_CAR

        check(ctx, key)
        clean = for_reading(path)
        stream = self._channel.stream(
            EXPORT_CAR,
            ctx,
            timeout=timeout,
            about=clean or key,
            request=pb.ExportCarRequest(key=key, path=clean),
        )
        async with stream:
            async for reply in stream:
                if reply.chunk:
                    yield reply.chunk

    async def import_car(
        self,
        ctx: AuthContext,
        source: Source,
        *,
        name: str = "",
        private: bool = False,
        timeout: float | None = None,
    ) -> str:
        """Make a bucket from a CARv1 file with one root, a directory. Atomic; not repeated.

        Args:
            ctx: Who calls, in which thread.
            source: The file, as for :meth:`push_path`.
            name: The bucket's name.
            private: Encrypt content and directories.
            timeout: In seconds, for the whole; no limit unless one is given.

        Returns:
            The new bucket's key.

        Raises:
            Unimplemented: The hub is of another kind.
            InvalidSource: The source cannot be read.
            InvalidInput: It is no CARv1 file or cut short, has several roots, a block is not what its CID
                says, or one is missing that the hub does not have.
            NotADirectory: Its root is a file.
            QuotaExceeded: The account's allowance is used up.
        """
        from textile_aio._proto.textile_aio.buckets import pb
        from textile_aio.buckets._extensions import IMPORT_CAR

        check_thread(ctx)
        header = pb.ImportCarRequestHeader(
            name=text(name, "the name"), private=one_of(bool, private, "private")
        )
        about = name or "a CAR file"
        async with opened(source, about=about, measure=False) as content:
            stream = self._channel.stream(
                IMPORT_CAR, ctx, timeout=timeout, about=about, source=_messages(header, content)
            )
            key = ""
            async with stream:
                async for reply in stream:
                    key = reply.key
        return key


async def _messages(
    header: pb.ImportCarRequestHeader, content: Content
) -> AsyncGenerator[pb.ImportCarRequest, None]:
    from textile_aio._proto.textile_aio.buckets import pb

    yield pb.ImportCarRequest(header=header)
    async for chunk in content.chunks:
        yield pb.ImportCarRequest(chunk=chunk)
