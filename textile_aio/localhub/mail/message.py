"""A message as a box keeps it, and as it is told to clients (spec: users-and-mail §3.1).

What a box holds may have been written by anybody who had its thread, so reading asks for everything that a
client will take for granted.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from textile_aio.errors import InvalidInput
from textile_aio.threaddb.documents import load

_LAST_MOMENT = 2**63


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message in one box.

    Attributes:
        id: The same in the sender's box and in the recipient's.
        sender: Public key text.
        to: Public key text of the recipient.
        body: Sealed for the owner of the box.
        signature: The sender's, over ``body``.
        created_at: UTC nanoseconds.
        read_at: UTC nanoseconds; 0 for unread, and in a sentbox.
    """

    id: str
    sender: str
    to: str
    body: bytes
    signature: bytes
    created_at: int
    read_at: int = 0

    @property
    def size(self) -> int:
        """Bytes it takes in an answer, or a few more."""
        return len(self.id) + len(self.sender) + len(self.to) + len(self.body) + len(self.signature) + 64


def encode(message: StoredMessage, *, with_read_at: bool) -> bytes:
    """The document of a message. Only those of an inbox tell when they were read."""
    fields: dict[str, str | int] = {
        "_id": message.id,
        "from": message.sender,
        "to": message.to,
        "body": base64.b64encode(message.body).decode("ascii"),
        "signature": base64.b64encode(message.signature).decode("ascii"),
        "created_at": message.created_at,
    }
    if with_read_at:
        fields["read_at"] = message.read_at
    return json.dumps(fields, separators=(",", ":")).encode("ascii")


def decode(body: bytes, *, with_read_at: bool) -> StoredMessage | None:
    """The message of a document; None if it is none."""
    try:
        fields = load(body)
        texts = [_text(fields[name]) for name in ("_id", "from", "to")]
        sealed, signature = (
            base64.b64decode(_text(fields[name]), validate=True) for name in ("body", "signature")
        )
        created_at = _moment(fields["created_at"])
        read_at = _moment(fields["read_at"]) if with_read_at else 0
    except (InvalidInput, KeyError, TypeError, binascii.Error, ValueError):
        return None
    return StoredMessage(texts[0], texts[1], texts[2], sealed, signature, created_at, read_at)


def _text(value: object) -> str:
    if type(value) is not str:
        raise TypeError
    return value


def _moment(value: object) -> int:
    """A time of the wire. A whole number may have been written as a float, by peers who know no others."""
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int or not -_LAST_MOMENT <= value < _LAST_MOMENT:
        raise TypeError
    return value
