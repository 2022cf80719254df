"""Messages between identities: what is kept of one, and how one is sealed and signed.

Sans I/O, but for a signer elsewhere. Nothing here needs a hub: a message that was stored anywhere is verified
and opened with what it holds itself (spec: users-and-mail §3.1, §4.2; identity-and-auth §12).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Any

from textile_aio._arguments import one_of
from textile_aio.errors import IntegrityError, InvalidKey, ProtocolError
from textile_aio.identity import Identity, PublicKey, Signer, sign_with

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MessageStatus(Enum):
    """Which messages of an inbox are wanted: ALL, those that were READ, or the UNREAD ones."""

    ALL = "all"
    READ = "read"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Message:
    """A message in somebody's inbox or sentbox.

    Its body is sealed for the owner of the box: :meth:`open` gives the plaintext. What is known of it without
    opening it is who wrote it, which :meth:`verify` proves, to whom, and when the hub took it, which is the
    hub's word.

    Attributes:
        id: The same in both boxes; ids of messages are in the order of time, to the millisecond.
        from_: Who wrote it.
        to: Whom it is for.
        body: Sealed for the owner of the box, 72 bytes longer than the plaintext.
        signature: The writer's, over ``body``.
        created_at_ns: When the hub took it: nanoseconds since 1970, UTC.
        read_at_ns: When the recipient said that they had read it last, in the same form; 0 for not yet, and
            in a sentbox.
    """

    id: str
    _: KW_ONLY
    from_: PublicKey
    to: PublicKey
    body: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    created_at_ns: int
    read_at_ns: int = 0

    @classmethod
    def from_json(cls, document: bytes | str | Mapping[str, Any]) -> Message:
        """The message of a document, as mailboxes keep them: an instance of ``inbox`` or ``sentbox``.

        It is not verified.

        Args:
            document: JSON text, or the object it stands for.

        Raises:
            ProtocolError: It is none.
            IntegrityError: Its ``from`` or ``to`` is no public key.
        """
        try:
            fields = json.loads(document) if isinstance(document, bytes | str) else document
            sealed, signature = (_decoded(fields[name]) for name in ("body", "signature"))
            id_, created_at, read_at = fields["_id"], fields["created_at"], fields.get("read_at", 0)
            if type(id_) is not str:
                raise TypeError
            return cls(
                id_,
                from_=public_key(fields["from"], "from", id_),
                to=public_key(fields["to"], "to", id_),
                body=sealed,
                signature=signature,
                created_at_ns=_moment(created_at),
                read_at_ns=_moment(read_at),
            )
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            raise ProtocolError("what is in the mailbox is no message") from None

    @property
    def created_at(self) -> datetime:
        """:attr:`created_at_ns` as a time in UTC, cut to microseconds."""
        return _time(self.created_at_ns)

    @property
    def read_at(self) -> datetime | None:
        """:attr:`read_at_ns` as a time in UTC, cut to microseconds; None while unread."""
        return _time(self.read_at_ns) if self.is_read else None

    @property
    def is_read(self) -> bool:
        """Whether the recipient said that they had read it."""
        return self.read_at_ns > 0

    def verify(self) -> None:
        """Check that who it says has written it has.

        Raises:
            IntegrityError: The signature is not theirs over this body.
        """
        if not self.from_.verify(self.body, self.signature):
            raise IntegrityError("bad message signature", about=self.id)

    def open(self, identity: Identity) -> bytes:
        """Verify it, and give the plaintext to the owner of the box.

        Raises:
            IntegrityError: As :meth:`verify`.
            DecryptionFailed: It was sealed for somebody else.
        """
        self.verify()
        return one_of(Identity, identity, "the identity").decrypt(self.body)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A message on its way: sealed for each side, both signed by the sender."""

    sender: PublicKey
    to: PublicKey
    to_body: bytes
    to_signature: bytes
    from_body: bytes
    from_signature: bytes


async def seal_message(sender: Identity | Signer, to: PublicKey, body: bytes) -> Sealed:
    """Seal a plaintext for its sender and its recipient, and sign both.

    Raises:
        InvalidKey: Nothing can be sealed for one of the keys.
    """
    public = sender.public
    from_body = public.encrypt(body)
    from_signature = await sign_with(sender, from_body)
    to_body = to.encrypt(body)
    to_signature = await sign_with(sender, to_body)
    return Sealed(public, to, to_body, to_signature, from_body, from_signature)


def public_key(value: object, whose: str, message: str) -> PublicKey:
    """A key of a message.

    Raises:
        IntegrityError: It is none.
    """
    try:
        if isinstance(value, str):
            return _key(value)
    except InvalidKey:
        pass
    raise IntegrityError(f"{whose} public key is invalid", about=message)


@lru_cache(1024)
def _key(text: str) -> PublicKey:
    """The same few people write again and again, and a key is made ready to verify once."""
    return PublicKey.from_string(text)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError from None


def _moment(value: object) -> int:
    """A time. Peers who know no integers write whole numbers as floats."""
    if type(value) is float and value.is_integer():
        return int(value)
    if type(value) is not int:
        raise TypeError
    return value


def _time(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)
