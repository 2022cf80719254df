"""Calls about archiving on Filecoin."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from textile_aio._arguments import context, one_of
from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc.calls import ServiceCalls
from textile_aio.auth import AuthContext
from textile_aio.buckets import _convert_archives, _methods
from textile_aio.buckets._checks import check, check_key
from textile_aio.buckets.archives import ArchiveConfig, Archives


class ArchiveCalls(ServiceCalls):
    """The group of calls about archiving. Hubs without Filecoin, the embedded one among them, refuse them."""

    async def default_archive_config(
        self, ctx: AuthContext, key: str, *, timeout: float | None = None
    ) -> ArchiveConfig:
        """How archives of a bucket are made unless they say otherwise. Safe to repeat.

        Raises:
            Unimplemented: The hub has no archiving.
        """
        _check(ctx, key)
        request = pb.DefaultArchiveConfigRequest(key=key)
        reply = await self._call(_methods.ARCHIVE_CONFIG, request, ctx, timeout=timeout, about=key)
        return _convert_archives.config(reply.archive_config)

    async def set_default_archive_config(
        self, ctx: AuthContext, key: str, config: ArchiveConfig, *, timeout: float | None = None
    ) -> None:
        """Set how archives of a bucket are made. Not repeated.

        Raises:
            Unimplemented: The hub has no archiving.
        """
        _check(ctx, key)
        one_of(ArchiveConfig, config, "the config")
        request = pb.SetDefaultArchiveConfigRequest(
            key=key, archive_config=_convert_archives.config_message(config)
        )
        await self._call(_methods.SET_ARCHIVE_CONFIG, request, ctx, timeout=timeout, about=key)

    async def archive(
        self,
        ctx: AuthContext,
        key: str,
        *,
        config: ArchiveConfig | None = None,
        skip_automatic_verified_deal: bool = False,
        timeout: float | None = None,
    ) -> None:
        """Begin to archive a bucket as it stands; :meth:`archives` says how far it is. Not repeated.

        Args:
            ctx: Who calls, in which thread.
            key: The bucket.
            config: How; the bucket's default by default.
            skip_automatic_verified_deal: Do not look for a verified allowance.
            timeout: See the class.

        Raises:
            Unimplemented: The hub has no archiving.
        """
        check(ctx, key)
        if config is not None:
            one_of(ArchiveConfig, config, "the config")
        request = pb.ArchiveRequest(
            key=key,
            archive_config=None if config is None else _convert_archives.config_message(config),
            skip_automatic_verified_deal=one_of(
                bool, skip_automatic_verified_deal, "skip_automatic_verified_deal"
            ),
        )
        await self._call(_methods.ARCHIVE, request, ctx, timeout=timeout, about=key)

    async def archives(self, ctx: AuthContext, key: str, *, timeout: float | None = None) -> Archives:
        """The archives of a bucket; none at a hub without archiving. Safe to repeat."""
        _check(ctx, key)
        request = pb.ArchivesRequest(key=key)
        reply = await self._call(_methods.ARCHIVES, request, ctx, timeout=timeout, about=key)
        return _convert_archives.archives(reply)

    async def archive_watch(
        self, ctx: AuthContext, key: str, *, timeout: float | None = None
    ) -> AsyncGenerator[str, None]:
        """What the hub logs about the current archive, line by line, until the iteration is left.

        The call is made at the first line. Close the iterator (``contextlib.aclosing``) to give it up at
        once.

        Raises:
            Unimplemented: The hub has no archiving, raised while iterating.
        """
        _check(ctx, key)
        stream = self._channel.stream(
            _methods.ARCHIVE_WATCH,
            ctx,
            timeout=timeout,
            about=key,
            request=pb.ArchiveWatchRequest(key=key),
        )
        async with stream:
            async for reply in stream:
                yield reply.msg


def _check(ctx: AuthContext, key: str) -> None:
    context(ctx)
    check_key(key)
