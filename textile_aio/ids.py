"""What names things: thread ids and keys, and the ids of content and hosts (spec: identity-and-auth §3-5)."""

from __future__ import annotations

import builtins
import os
from dataclasses import dataclass, field
from enum import IntEnum

from textile_aio._codec import multibase, thread_id, varint
from textile_aio._codec.cid import Cid
from textile_aio._codec.multiaddr import Multiaddr
from textile_aio._codec.peer import PeerID
from textile_aio._symmetric import SIZE, SymmetricKey
from textile_aio.errors import InvalidEncoding, InvalidKey, InvalidThreadID

__all__ = ["Cid", "Multiaddr", "PeerID", "SymmetricKey", "ThreadID", "ThreadKey", "Variant"]


class Variant(IntEnum):
    """The kinds of thread ids. Peers treat threads of both alike."""

    RAW = thread_id.RAW
    ACCESS_CONTROLLED = thread_id.ACCESS_CONTROLLED


@dataclass(frozen=True, slots=True)
class ThreadID:
    """The id of a thread and of the database in it. Hashable; equal when the bytes are; ordered nowhere.

    ``str`` is base32: ``bafk…`` for raw ids, ``bafy…`` for access-controlled ones, 56 characters in the usual
    size.

    Attributes:
        bytes: Version, variant and random part, as calls carry it.
    """

    bytes: builtins.bytes
    _text: str = field(default="", init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        thread_id.check(self.bytes)

    @classmethod
    def random(cls, variant: Variant = Variant.RAW, *, size: int = 32) -> ThreadID:
        """A new id with ``size`` bytes from the system's random source.

        Raises:
            InvalidThreadID: Fewer than 16 bytes are asked for; JavaScript peers could not read the id.
        """
        return cls(varint.encode(thread_id.VERSION) + varint.encode(variant) + os.urandom(size))

    @classmethod
    def parse(cls, text: str) -> ThreadID:
        """From text in any multibase.

        Raises:
            InvalidThreadID: The text is no thread id; the message is the one Go peers give.
        """
        if len(text) < 2:
            raise InvalidThreadID("id too short")
        try:
            data = multibase.decode(text)
        except InvalidEncoding as error:
            raise InvalidThreadID(error.message) from None
        return cls(data)

    @classmethod
    def from_bytes(cls, data: builtins.bytes) -> ThreadID:
        """From the binary form.

        Raises:
            InvalidThreadID: The bytes are no thread id; the message is the one Go peers give.
        """
        return cls(builtins.bytes(data))

    @classmethod
    def from_addr(cls, addr: Multiaddr) -> ThreadID:
        """The thread that an address leads to.

        Raises:
            InvalidEncoding: The address has no ``/thread/…`` part.
        """
        return cls.parse(addr.value("thread"))

    @property
    def version(self) -> int:
        """The version number; 1 is the only one."""
        return thread_id.VERSION

    @property
    def variant(self) -> Variant:
        """The kind of id."""
        return Variant(thread_id.check(self.bytes))

    def to_string(self, base: str = "base32") -> str:
        """The id in another base of the multibase table; ``str`` gives the usual one."""
        return multibase.encode(self.bytes, base)

    def to_addr(self) -> Multiaddr:
        """The address part ``/thread/<id>``, to be put behind a host's address."""
        return Multiaddr((("thread", str(self)),))

    def __bytes__(self) -> builtins.bytes:
        return self.bytes

    def __str__(self) -> str:
        if not self._text:
            object.__setattr__(self, "_text", multibase.encode(self.bytes))
        return self._text


@dataclass(frozen=True, slots=True, repr=False)
class ThreadKey:
    """The keys of a thread: with the service key a host follows its logs, with the read key one reads them.

    ``str`` and ``repr`` show no key bytes; :meth:`to_string` and ``bytes`` give the key away on purpose.

    Attributes:
        service: Opens the records' envelopes.
        read: Opens their content; None in a key for hosts that only replicate. A read key alone cannot exist.
    """

    service: SymmetricKey
    read: SymmetricKey | None = None

    @classmethod
    def random(cls) -> ThreadKey:
        """New service and read keys."""
        return cls(SymmetricKey.random(), SymmetricKey.random())

    @classmethod
    def random_service(cls) -> ThreadKey:
        """A new service key alone."""
        return cls(SymmetricKey.random())

    @classmethod
    def from_bytes(cls, data: builtins.bytes) -> ThreadKey:
        """From 64 bytes (service, then read) or 32 (service alone).

        Raises:
            InvalidKey: The length is another.
        """
        if len(data) not in (SIZE, 2 * SIZE):
            raise InvalidKey("invalid key")
        return cls(SymmetricKey(data[:SIZE]), SymmetricKey(data[SIZE:]) if len(data) > SIZE else None)

    @classmethod
    def from_string(cls, text: str) -> ThreadKey:
        """From text in any multibase.

        Raises:
            InvalidKey: The text is no multibase, or stands for another number of bytes. It is not repeated.
        """
        try:
            data = multibase.decode(text)
        except InvalidEncoding as error:
            raise InvalidKey(error.message) from None
        return cls.from_bytes(data)

    @property
    def can_read(self) -> bool:
        """Whether the read key is there."""
        return self.read is not None

    @property
    def service_only(self) -> ThreadKey:
        """The same key without its read part, for a host that shall not read."""
        return ThreadKey(self.service)

    @property
    def bytes(self) -> builtins.bytes:
        """Service key, then read key if there is one."""
        return self.service.bytes + (self.read.bytes if self.read else b"")

    def to_string(self) -> str:
        """The key as base32 text: 104 characters, or 53 for a service key alone."""
        return multibase.encode(self.bytes)

    def __bytes__(self) -> builtins.bytes:
        return self.bytes

    def __repr__(self) -> str:
        return f"<ThreadKey {'service and read' if self.can_read else 'service only'}>"
