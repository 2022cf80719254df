"""The client for a hub's buckets service, put together from groups of calls, and how one bucket is held."""

from __future__ import annotations

from textile_aio._arguments import text
from textile_aio.auth import AuthContext
from textile_aio.buckets._checks import check, check_thread
from textile_aio.buckets.access import AccessCalls
from textile_aio.buckets.archiving import ArchiveCalls
from textile_aio.buckets.cars import CarCalls
from textile_aio.buckets.changing import ChangeCalls
from textile_aio.buckets.handle import BucketHandle
from textile_aio.buckets.lifecycle import LifecycleCalls
from textile_aio.buckets.listing import ListingCalls
from textile_aio.buckets.pulling import PullCalls
from textile_aio.buckets.pushing import PushCalls
from textile_aio.buckets.values import Bucket, Root
from textile_aio.errors import BucketNotFound
from textile_aio.ids import Cid


class BucketsClient(
    LifecycleCalls, ListingCalls, PushCalls, PullCalls, ChangeCalls, AccessCalls, ArchiveCalls, CarCalls
):
    """Buckets: file trees that live in a thread.

    Reached as :attr:`HubClient.buckets <textile_aio.HubClient.buckets>`. Every call takes the context first,
    and acts in the context's thread. :meth:`bucket` gives a handle that remembers context and key. The same
    errors can come from every call and are not repeated below:

    * before anything is sent: :class:`~textile_aio.ThreadRequired`, :class:`~textile_aio.ClosedError`,
      :class:`~textile_aio.InvalidPath` and :class:`~textile_aio.InvalidInput` for arguments that no hub would
      take;
    * :class:`~textile_aio.BucketNotFound`, :class:`~textile_aio.ThreadNotFound`;
    * :class:`~textile_aio.Unauthenticated` and :class:`~textile_aio.PermissionDenied`;
    * :class:`~textile_aio.Unavailable`, :class:`~textile_aio.DeadlineExceeded`,
      :class:`~textile_aio.ProtocolError`.

    ``timeout`` is in seconds. For pushes and pulls it covers the whole transfer, and there is none unless one
    is given; for all other calls it includes repetitions, and without one the client's default applies. Calls
    that only read are repeated when the hub was unavailable; others only when their request certainly never
    left.

    Args:
        channel: The hub.
        timeout: Default for calls other than pushes and pulls; None for no limit.
    """

    def bucket(self, ctx: AuthContext, key: str) -> BucketHandle:
        """A bucket to work in, with the context and the key remembered. Nothing is sent."""
        check(ctx, key)
        return BucketHandle(self, ctx, key)

    async def get_or_create(
        self,
        ctx: AuthContext,
        name: str,
        *,
        private: bool = False,
        cid: Cid | str | None = None,
        timeout: float | None = None,
    ) -> BucketHandle:
        """The thread's bucket of that name, made if there is none; of several, the oldest.

        Callers that do this at the same time end with the same bucket: each that made one looks again, keeps
        the oldest of that name (by ``created_at``, then by key), and removes its own if it is another one and
        still as it was made. This rests on the hub dating buckets in the order in which they can be seen. At
        a hub that dates them earlier, a caller may be given a bucket that the others pass by; further calls
        agree on the oldest. ``private`` and ``cid`` count only if a bucket is made.

        Args:
            ctx: Who calls, in which thread.
            name: The name, exactly.
            private: As for :meth:`create`.
            cid: As for :meth:`create`.
            timeout: See the class; covers each call.

        Raises:
            InvalidSource: As :meth:`create`.
            NotADirectory: As :meth:`create`.
            QuotaExceeded: As :meth:`create`.
        """
        check_thread(ctx)
        text(name, "the name")
        found = await self._oldest(ctx, name, timeout)
        if found is None:
            made = await self.create(ctx, name, private=private, cid=cid, timeout=timeout)
            found = await self._oldest(ctx, name, timeout) or made.root
            if found.key != made.key:
                await self._withdraw(ctx, made, timeout)
        return BucketHandle(self, ctx, found.key)

    async def _oldest(self, ctx: AuthContext, name: str, timeout: float | None) -> Root | None:
        named = [root for root in await self.list(ctx, timeout=timeout) if root.name == name]
        return min(named, key=lambda root: (root.created_at_ns, root.key), default=None)

    async def _withdraw(self, ctx: AuthContext, made: Bucket, timeout: float | None) -> None:
        """Remove a bucket that nobody has changed since it was made."""
        try:
            if (await self.root(ctx, made.key, timeout=timeout)).path == made.root.path:
                await self.remove(ctx, made.key, timeout=timeout)
        except BucketNotFound:
            return
