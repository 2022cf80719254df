"""Invites to what is at a path of a bucket, sent as mail (spec: users-and-mail §6.2, bucket-folders).

An invite says where the bucket is. It gives no right: that is done by a role, or the bucket is public.
"""

from __future__ import annotations

import json
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from textile_aio._arguments import one_of, text
from textile_aio.auth import AuthContext
from textile_aio.errors import InvalidInput, ThreadRequired
from textile_aio.identity import Identity, PublicKey, Signer
from textile_aio.ids import ThreadID
from textile_aio.users.mailbox import MailboxCalls
from textile_aio.users.messages import Message

if TYPE_CHECKING:
    from textile_aio.buckets.handle import BucketHandle
    from textile_aio.buckets.paths import BucketPath


@dataclass(frozen=True, slots=True)
class BucketInvite:
    """An invite to what is at a path of a bucket.

    Attributes:
        thread: Where the bucket lives.
        key: The bucket's key.
        path: What the invite is about, relative to the bucket's root, ``/``-separated; empty for the root.
    """

    thread: ThreadID
    _: KW_ONLY
    key: str
    path: str = ""

    def to_json(self) -> bytes:
        """The body of the message that carries it, as Go clients send it."""
        fields = {"thread": str(self.thread), "key": self.key, "path": self.path}
        return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, body: bytes) -> BucketInvite:
        """The invite in the body of a message.

        Raises:
            InvalidInput: There is none.
        """
        try:
            fields = json.loads(body)
            thread, key, path = (fields[name] for name in ("thread", "key", "path"))
            if not key or not all(type(each) is str for each in (thread, key, path)):
                raise InvalidInput("a member is missing")
            return cls(ThreadID.parse(thread), key=text(key, "the key"), path=text(path, "the path"))
        except (KeyError, TypeError, ValueError, RecursionError):
            raise InvalidInput("the message is no invite to a bucket") from None


@dataclass(frozen=True, slots=True)
class AcceptedInvite:
    """What an invite leads to.

    Attributes:
        bucket: The bucket, to work in.
        path: What the invite is about, relative to the bucket's root; empty for the root.
        from_: Who sent it.
    """

    bucket: BucketHandle
    _: KW_ONLY
    path: str
    from_: PublicKey


class InviteCalls(MailboxCalls):
    """The group of calls about invites."""

    async def send_invite(
        self,
        ctx: AuthContext,
        sender: Identity | Signer,
        to: PublicKey | str,
        key: str,
        path: BucketPath = "",
        *,
        timeout: float | None = None,
    ) -> Message:
        """Invite somebody to what is at a path of a bucket in the context's thread.

        Give them a role there as well, unless the bucket is public:
        :meth:`BucketsClient.push_path_access_roles <textile_aio.BucketsClient.push_path_access_roles>`.
        Otherwise as :meth:`send_message`.

        Raises:
            ThreadRequired: The context names no thread.
            InvalidPath: The path is not allowed.
        """
        from textile_aio.buckets._checks import check
        from textile_aio.buckets.paths import for_reading

        check(ctx, key)
        if ctx.thread is None:
            raise ThreadRequired(f"the context names no thread; {ThreadRequired.hint}")
        invite = BucketInvite(ctx.thread, key=key, path=for_reading(path))
        return await self.send_message(ctx, sender, to, invite.to_json(), timeout=timeout)

    async def accept_invite(
        self, ctx: AuthContext, message: Message, identity: Identity, *, timeout: float | None = None
    ) -> AcceptedInvite:
        """Open an invite, see that what it is about can be reached, and mark it as read.

        Args:
            ctx: Who was invited.
            message: What carries the invite, from the inbox.
            identity: Opens it.
            timeout: See the class; covers each call.

        Raises:
            IntegrityError: Who the message says has sent it has not.
            DecryptionFailed: It was sealed for somebody else.
            InvalidInput: It is no invite.
            BucketNotFound: The bucket is gone.
            PathNotFound: There is nothing at the path that the caller may see.
        """
        from textile_aio.buckets.client import BucketsClient

        invite = BucketInvite.from_json(one_of(Message, message, "the message").open(identity))
        buckets = BucketsClient(self._channel, timeout=self._timeout)
        bucket = buckets.bucket(ctx.with_thread(invite.thread), invite.key)
        await bucket.stat(invite.path, timeout=timeout)
        await self.read_message(ctx, message.id, timeout=timeout)
        return AcceptedInvite(bucket, path=invite.path, from_=message.from_)
