"""The part of the users client that concerns the Filecoin archives of an account (spec: users-and-mail §5).

The hub of this package has no Filecoin and answers as one without it does.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable

from textile_aio._arguments import context, one_of, text
from textile_aio._proto.api.usersd import pb
from textile_aio._rpc.calls import ServiceCalls
from textile_aio.auth import AuthContext
from textile_aio.errors import InvalidInput
from textile_aio.ids import Cid
from textile_aio.users import _convert, _methods
from textile_aio.users.archives import AccountArchive, ArchiveRetrieval


class ArchiveCalls(ServiceCalls):
    """The group of calls about archives."""

    async def list_archives(self, ctx: AuthContext, *, timeout: float | None = None) -> list[AccountArchive]:
        """What the account has archived. Safe to repeat.

        Raises:
            RemoteError: The hub has no Filecoin, or none for this account.
        """
        reply = await self._call(_methods.ARCHIVES_LS, pb.ArchivesLsRequest(), ctx, timeout=timeout)
        return [_convert.archive(each) for each in reply.archives]

    async def import_archives(
        self,
        ctx: AuthContext,
        cid: Cid | str,
        deal_ids: Iterable[int],
        *,
        timeout: float | None = None,
    ) -> None:
        """Let the hub know of deals that were made elsewhere for content.

        Raises:
            RemoteError: As :meth:`list_archives`.
        """
        context(ctx)
        address = cid if isinstance(cid, Cid) else Cid.parse(text(cid, "the CID"))
        ids = [one_of(int, each, "a deal's id") for each in deal_ids]
        if any(not 0 <= each < 2**64 for each in ids):
            raise InvalidInput("a deal's id is a number from 0 to 2^64 - 1", about=str(address))
        request = pb.ArchivesImportRequest(cid=str(address), deal_ids=ids)
        await self._call(_methods.ARCHIVES_IMPORT, request, ctx, timeout=timeout, about=str(address))

    async def list_retrievals(
        self, ctx: AuthContext, *, timeout: float | None = None
    ) -> list[ArchiveRetrieval]:
        """Retrievals of archives; none at a hub without Filecoin. Safe to repeat."""
        reply = await self._call(_methods.RETRIEVAL_LS, pb.ArchiveRetrievalLsRequest(), ctx, timeout=timeout)
        return [_convert.retrieval(each) for each in reply.retrievals]

    async def retrieval_logs(
        self,
        ctx: AuthContext,
        id: str,  # noqa: A002
        *,
        timeout: float | None = None,
    ) -> AsyncGenerator[str, None]:
        """What the hub logs about a retrieval, line by line, from its beginning on.

        The call is made at the first line. Close the iterator (``contextlib.aclosing``) to give it up at
        once.

        Raises:
            RemoteError: As :meth:`list_archives`, raised while iterating.
        """
        stream = self._channel.stream(
            _methods.RETRIEVAL_LOGS,
            context(ctx),
            timeout=timeout,
            about=text(id, "the retrieval's id"),
            request=pb.ArchiveRetrievalLogsRequest(id=id),
        )
        async with stream:
            async for reply in stream:
                yield reply.msg
