"""What a mailbox consists of: a database with two collections (spec: users-and-mail §3).

Schemas and indexes are those that Textile's hub gives them; whoever looks at a mailbox through the threads
service finds just these.
"""

from __future__ import annotations

import json

from textile_aio.threaddb.collections import CollectionConfig, Index

NAME = "hubmail"
"""The name of a mailbox's database, and under which it is tracked for its owner."""

INBOX = "inbox"
SENTBOX = "sentbox"

_FIELDS = {
    "_id": "string",
    "from": "string",
    "to": "string",
    "body": "string",
    "signature": "string",
    "created_at": "integer",
}
_READ_AT = {"read_at": "integer"}


def _config(name: str, fields: dict[str, str], *indexes: str) -> CollectionConfig:
    schema = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "required": list(fields),
        "properties": {field: {"type": fields[field]} for field in sorted(fields)},
        "additionalProperties": False,
        "type": "object",
    }
    text = json.dumps(schema, separators=(",", ":")).encode("ascii")
    return CollectionConfig(name, text, tuple(Index(each) for each in indexes))


BOXES = {
    INBOX: _config(INBOX, {**_FIELDS, **_READ_AT}, "from", "to", "created_at", "read_at"),
    SENTBOX: _config(SENTBOX, _FIELDS, "from", "to", "created_at"),
}
"""The configurations of both collections, by name."""
