"""One record of a thread's log: how it is sealed, signed, opened and verified.

A record is four blocks (spec: thread-net-and-records §3). The body holds the application's bytes, sealed with
a key of its own; the header holds that key, sealed with the thread's read key; the event links the two; the
record node, sealed with the service key, links the event and the record before it and carries the signature
of the log. A block's CID is over the block as it is sent. This module knows bytes and keys: no log, no order
of records, no I/O, and nothing of what a body says.

Peers written in Go leave most of these links unchecked; here a record whose blocks do not belong together is
not opened.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from textile_aio import _sealing
from textile_aio._codec.cid import DAG_CBOR, Cid
from textile_aio.errors import BadSignature, IntegrityError, InvalidEncoding
from textile_aio.identity import Identity, PublicKey
from textile_aio.records import dagcbor

_BODY_KEY_SIZE: Final = 32
_SIGNATURE_SIZE: Final = 64
_NONCE_SIZE: Final = 12
_LINK_PREFIX: Final = b"\x01\x71\x12\x20"
_LINK_SIZE: Final = 36

# An event and a header have one layout each, byte for byte: maps of fixed keys with values of fixed size.
_EVENT_BODY: Final = b"\xa2\x64body\xd8\x2a\x58\x25\x00"
_EVENT_HEADER: Final = b"\x66header\xd8\x2a\x58\x25\x00"
_HEADER_KEY: Final = b"\xa1\x63key\x58\x20"


@dataclass(frozen=True, slots=True)
class Nodes:
    """The four blocks of one record, as they are sent and stored.

    Attributes:
        record: A byte string: the record map sealed with the service key.
        event: The map of the links to body and header; not sealed.
        header: A byte string: the body's key sealed with the read key.
        body: A byte string: the body sealed with its own key.
    """

    record: bytes
    event: bytes
    header: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """One record whose blocks belong together; whether its log signed it, :func:`verify` says.

    Attributes:
        cid: Names the record; the next record of the log links to it.
        prev: The record before it in the same log; None for the first.
        event: CID of the event block.
        header: CID of the header block.
        body: CID of the body block.
        author: Public key of the identity that wrote it, in its protobuf form. A claim: only the first record
            of a log signs it.
        signature: Made with the log's private key, 64 bytes.
        nodes: The blocks.
    """

    cid: Cid
    prev: Cid | None
    event: Cid
    header: Cid
    body: Cid
    author: bytes
    signature: bytes
    nodes: Nodes


def seal(
    body: bytes,
    *,
    author: PublicKey,
    log: Identity,
    service_key: bytes,
    read_key: bytes,
    prev: Cid | None,
    random: Callable[[int], bytes] = os.urandom,
) -> Record:
    """Make the next record of a log. Never make two with the same ``prev``: that forks the log.

    Args:
        body: The application's DAG-CBOR, of a database :func:`textile_aio.records.events.encode_events`.
            It is not looked into.
        author: Who writes.
        log: The key pair of the log.
        service_key: The thread's service key, 32 bytes.
        read_key: The thread's read key, 32 bytes.
        prev: CID of the log's newest record; None for its first.
        random: Gives so many random bytes. Called for the body's key and then the nonces of body, header and
            record. Anything but the system's source is for recorded cases: a nonce used twice breaks the
            cipher.

    Raises:
        InvalidEncoding: ``prev`` is not the CID of a record.
    """
    if prev is not None:
        _require_link(prev)
    body_key = random(_BODY_KEY_SIZE)
    body_node = _seal_node(body, body_key, random)
    body_cid = _cid_of(body_node)
    header_node = _seal_node(_HEADER_KEY + body_key, read_key, random)
    header_cid = _cid_of(header_node)
    event_node = _encode_event(body_cid, header_cid)
    event_cid = _cid_of(event_node)

    claimed = author.bytes
    signature = log.sign(_signed_bytes(event_cid, prev, claimed))
    fields = {"sig": signature, "block": event_cid, "pubKey": claimed}
    if prev is not None:
        fields["prev"] = prev
    record_node = _seal_node(dagcbor.encode(fields), service_key, random)
    return Record(
        cid=_cid_of(record_node),
        prev=prev,
        event=event_cid,
        header=header_cid,
        body=body_cid,
        author=claimed,
        signature=signature,
        nodes=Nodes(record=record_node, event=event_node, header=header_node, body=body_node),
    )


def open_record(nodes: Nodes, service_key: bytes) -> Record:
    """Read a record and check that its blocks are the ones it links to, each in its one form.

    Neither the signature is checked (see :func:`verify`) nor the body opened (see :func:`open_body`), since
    hosts that only replicate have no read key.

    Raises:
        DecryptionFailed: The service key is another, or the record node was altered.
        IntegrityError: The event, header or body given is not the one linked to.
        InvalidEncoding: A block is not DAG-CBOR in its one form, or not of the shape it should have.
    """
    prev, linked_event, author, signature = _decode_record(_open_node(nodes.record, service_key))
    event_cid = _require_cid("event", linked_event, nodes.event)
    linked_body, linked_header = _decode_event(nodes.event)
    header_cid = _require_cid("header", linked_header, nodes.header)
    body_cid = _require_cid("body", linked_body, nodes.body)
    for node in (nodes.header, nodes.body):
        _sealed_bytes(node)
    return Record(
        cid=_cid_of(nodes.record),
        prev=prev,
        event=event_cid,
        header=header_cid,
        body=body_cid,
        author=author,
        signature=signature,
        nodes=nodes,
    )


def verify(record: Record, log: PublicKey) -> None:
    """Check that the log with this public key signed the record.

    Raises:
        BadSignature: It did not.
    """
    if not log.verify(_signed_bytes(record.event, record.prev, record.author), record.signature):
        raise BadSignature("bad signature", about=str(record.cid))


def open_body(record: Record, read_key: bytes) -> bytes:
    """The application's bytes, as they were given to :func:`seal`.

    Raises:
        DecryptionFailed: The read key is another, or a block was altered before the record was made.
        InvalidEncoding: The header does not hold one symmetric key.
    """
    header = _open_node(record.nodes.header, read_key)
    if len(header) != len(_HEADER_KEY) + _BODY_KEY_SIZE or not header.startswith(_HEADER_KEY):
        raise InvalidEncoding(f"a record's header is a map of one key of {_BODY_KEY_SIZE} bytes")
    return _open_node(record.nodes.body, header[len(_HEADER_KEY) :])


def _signed_bytes(event: Cid, prev: Cid | None, author: bytes) -> bytes:
    """What a log signs; the first record's signature does not cover its event (spec §3.2)."""
    return author if prev is None else event.bytes + prev.bytes


def _cid_of(node: bytes) -> Cid:
    return Cid.sha256(DAG_CBOR, hashlib.sha256(node).digest())


def _require_cid(name: str, linked: Cid, node: bytes) -> Cid:
    cid = _cid_of(node)
    if cid != linked:
        raise IntegrityError(f"the {name} block is not the one its record links to", about=str(linked))
    return cid


def _require_link(value: Any) -> Cid:
    if (
        not isinstance(value, Cid)
        or not value.bytes.startswith(_LINK_PREFIX)
        or len(value.bytes) != _LINK_SIZE
    ):
        raise InvalidEncoding("a record links to DAG-CBOR blocks by their sha2-256 hashes")
    return value


def _seal_node(plaintext: bytes, key: bytes, random: Callable[[int], bytes]) -> bytes:
    return dagcbor.encode(_sealing.seal_symmetric(key, plaintext, nonce=random(_NONCE_SIZE)))


def _open_node(node: bytes, key: bytes) -> bytes:
    return _sealing.open_symmetric(key, _sealed_bytes(node))


def _sealed_bytes(node: bytes) -> bytes:
    sealed = dagcbor.decode(node)
    if not isinstance(sealed, bytes):
        raise InvalidEncoding(f"a sealed block is a byte string, got {type(sealed).__name__}")
    return sealed


def _encode_event(body: Cid, header: Cid) -> bytes:
    return b"".join((_EVENT_BODY, body.bytes, _EVENT_HEADER, header.bytes))


def _decode_event(node: bytes) -> tuple[Cid, Cid]:
    """The links to body and header."""
    body_at = len(_EVENT_BODY)
    header_at = body_at + _LINK_SIZE + len(_EVENT_HEADER)
    if (
        len(node) != header_at + _LINK_SIZE
        or not node.startswith(_EVENT_BODY)
        or not node.startswith(_EVENT_HEADER, body_at + _LINK_SIZE)
    ):
        raise InvalidEncoding("an event block is a map of two links, body and header")
    return Cid.from_bytes(node[body_at : body_at + _LINK_SIZE]), Cid.from_bytes(node[header_at:])


def _decode_record(plaintext: bytes) -> tuple[Cid | None, Cid, bytes, bytes]:
    """Previous record, event, author and signature; as at Go peers, no other keys are allowed."""
    fields = dagcbor.decode(plaintext)
    if not isinstance(fields, dict) or fields.keys() - {"prev"} != {"sig", "block", "pubKey"}:
        raise InvalidEncoding("a record is a map of sig, block, pubKey and, but for the first, prev")
    author, signature = fields["pubKey"], fields["sig"]
    if not isinstance(author, bytes) or not isinstance(signature, bytes):
        raise InvalidEncoding("a record's sig and pubKey are byte strings")
    if len(signature) != _SIGNATURE_SIZE:
        raise InvalidEncoding(f"a record's signature has {_SIGNATURE_SIZE} bytes, got {len(signature)}")
    prev = _require_link(fields["prev"]) if "prev" in fields else None
    return prev, _require_link(fields["block"]), author, signature
