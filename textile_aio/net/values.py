"""What the thread network gives back, as values of ours."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from textile_aio.errors import InvalidKey
from textile_aio.identity import Identity, PublicKey
from textile_aio.ids import Cid, Multiaddr, PeerID, ThreadID, ThreadKey
from textile_aio.records import dagcbor, events
from textile_aio.records.record import Record, open_body


@dataclass(frozen=True, slots=True)
class LogInfo:
    """One log of a thread: the records of one writer, as a host knows it.

    Attributes:
        id: Derived from the log's public key.
        public_key: Verifies the log's records.
        private_key: Signs them; None unless the host holds it.
        addrs: The hosts that have the log: ``/p2p/<peer id>``.
        head: The newest record; None for an empty log.
        counter: How many records the host believes the log has; 0 when it does not know.
    """

    id: PeerID
    _: KW_ONLY
    public_key: PublicKey
    private_key: Identity | None
    addrs: tuple[Multiaddr, ...]
    head: Cid | None
    counter: int


@dataclass(frozen=True, slots=True)
class ThreadDetails:
    """A thread as a host has it.

    Attributes:
        id: The thread.
        key: What the host holds of the thread's keys; None if nothing.
        logs: One for each writer, in no particular order.
        addrs: Where other hosts reach the thread: ``<host>/p2p/<peer id>/thread/<thread id>``.
    """

    id: ThreadID
    _: KW_ONLY
    key: ThreadKey | None
    logs: tuple[LogInfo, ...]
    addrs: tuple[Multiaddr, ...]

    def log(self, id: PeerID) -> LogInfo | None:  # noqa: A002 - the log's own word for it
        """The log with that id, if the thread has it."""
        return next((log for log in self.logs if log.id == id), None)


@dataclass(frozen=True, slots=True)
class ThreadRecord:
    """A record from a hub whose links and signature were checked.

    Its content is opened when it is asked for, so that a record whose writer made a mistake does not keep
    anybody from the next one.

    Attributes:
        thread: The thread it is in.
        log: The log that signed it.
        record: The record itself, as :meth:`NetClient.add_record <textile_aio.NetClient.add_record>` takes
            one.
    """

    thread: ThreadID
    _: KW_ONLY
    log: PeerID
    record: Record
    _key: ThreadKey = field(repr=False, compare=False)

    @property
    def cid(self) -> Cid:
        """The record's name."""
        return self.record.cid

    @property
    def prev(self) -> Cid | None:
        """The record before it in its log; None for the first."""
        return self.record.prev

    @property
    def author(self) -> PublicKey:
        """The identity that the record says wrote it; nothing but the thread's keys protects that claim.

        Raises:
            InvalidKey: It is not the key of such an identity.
        """
        return PublicKey.from_bytes(self.record.author)

    @property
    def body(self) -> bytes:
        """The content, as the application's DAG-CBOR. Opened anew each time.

        Raises:
            InvalidKey: The thread's read key is not known.
            DecryptionFailed: The writer sealed it with another key.
            InvalidEncoding: What opens it is not of the right form.
        """
        if self._key.read is None:
            raise InvalidKey("the content opens with the thread's read key only; give the whole key")
        return open_body(self.record, self._key.read.bytes)

    def value(self) -> Any:
        """The content as a Python value; links are :class:`~textile_aio.Cid`.

        Raises:
            InvalidEncoding: The content is not DAG-CBOR in its one form, besides what :attr:`body` raises.
        """
        return dagcbor.decode(self.body)

    def events(self) -> tuple[events.Event, ...]:
        """The content of a database's record: the changes of one transaction, in their order.

        Raises:
            InvalidEncoding: The content is something else, besides what :attr:`body` raises.
        """
        return events.decode_events(self.body)
