"""The part of the users client that concerns watching a mailbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textile_aio._arguments import context
from textile_aio._rpc.retry import RetryPolicy
from textile_aio.auth import AuthContext
from textile_aio.errors import ThreadNotFound
from textile_aio.identity import Identity, Signer
from textile_aio.ids import ThreadID
from textile_aio.users.mailbox import MailboxCalls
from textile_aio.users.watching import Watch

if TYPE_CHECKING:
    from textile_aio.threads.listening.listening import Listening


class WatchCalls(MailboxCalls):
    """The group of calls that watch."""

    def watch_inbox(
        self,
        ctx: AuthContext,
        *,
        since: str | None = None,
        identity: Identity | Signer | None = None,
        retry: RetryPolicy | None = None,
    ) -> Watch:
        """Hear of every message that comes, and with :meth:`Watch.events` of those read and deleted.

        Each is told once, complete and verified, also across cuts of the connection; at the hub of this
        package with ``since`` across restarts of client and hub, too. A mailbox is made if there is none.

        Args:
            ctx: Whose inbox.
            since: Start after this position, which an event had, or :attr:`Watch.position
                <textile_aio.Watch.position>`; by default, from now on.
            identity: Gets a new token, once, when the hub does not take the context's any more.
            retry: As for :meth:`ThreadsClient.listen <textile_aio.ThreadsClient.listen>`: by default without
                end.
        """
        return self._watch(ctx, "inbox", since, identity, retry)

    def watch_sentbox(
        self,
        ctx: AuthContext,
        *,
        since: str | None = None,
        identity: Identity | Signer | None = None,
        retry: RetryPolicy | None = None,
    ) -> Watch:
        """Hear of every message that is sent, from wherever that is done; as :meth:`watch_inbox`."""
        return self._watch(ctx, "sentbox", since, identity, retry)

    def _watch(
        self,
        ctx: AuthContext,
        box: str,
        since: str | None,
        identity: Identity | Signer | None,
        retry: RetryPolicy | None,
    ) -> Watch:
        # A mailbox is its owner's whichever key they come with; named in the headers, it would be the key's.
        listener = context(ctx).without("thread")

        async def start() -> tuple[Listening, int]:
            from textile_aio.threads.client import ThreadsClient
            from textile_aio.threads.listening.listening import BACK_OFF

            mailbox = await self._ensured(ctx)
            floor = 0
            if since is None:
                ask = self.list_inbox if box == "inbox" else self.list_sentbox
                floor = max([0, *(each.created_at_ns for each in await ask(ctx, limit=1, verify=False))])
            threads = ThreadsClient(self._channel, timeout=self._timeout)
            listening = threads.listen(
                listener, mailbox, box, since=since, identity=identity, retry=retry or BACK_OFF
            )
            return listening, floor

        return Watch(start)

    async def _ensured(self, ctx: AuthContext) -> ThreadID:
        """The mailbox. Looked for first, since a Go hub lets nobody set one up again who is at the quota."""
        try:
            return await self.mailbox(ctx)
        except ThreadNotFound:
            return await self.setup_mailbox(ctx)
