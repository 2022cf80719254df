"""Collections: their configuration, its stored form, and the rules for changing it (spec: threads-api §4).

Owns what a configuration may be and what it is compiled to. Refuses to know where documents are kept.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from textile_aio.errors import CollectionNotFound, InvalidInput, StatusCode, TextileError
from textile_aio.storage.values import Entry
from textile_aio.threaddb.databases import NAME, NAME_RULE
from textile_aio.threaddb.query.keys import claim, field, order_key
from textile_aio.threaddb.query.planner import IndexInfo
from textile_aio.threaddb.schema import Schema
from textile_aio.threaddb.scripts import Scripts


@dataclass(frozen=True, slots=True)
class Index:
    """An index of a collection: the dotted path of its field, and whether a value may be there only once."""

    path: str
    unique: bool = False


@dataclass(frozen=True, slots=True)
class CollectionConfig:
    """What a collection is made with.

    Attributes:
        name: Letters, digits and single hyphens between them.
        schema: JSON schema, as text.
        indexes: Of one path the last one counts.
        write_validator: Body of a JavaScript function of ``writer``, ``event`` and ``instance``; or empty.
        read_filter: Body of a JavaScript function of ``reader`` and ``instance``; or empty.
    """

    name: str
    schema: bytes
    indexes: tuple[Index, ...] = ()
    write_validator: str = ""
    read_filter: str = ""


def encode(config: CollectionConfig) -> bytes:
    """The stored form of a configuration."""
    return json.dumps(
        {
            "name": config.name,
            "schema": config.schema.decode("utf-8"),
            "indexes": [{"path": index.path, "unique": index.unique} for index in config.indexes],
            "writeValidator": config.write_validator,
            "readFilter": config.read_filter,
        },
        separators=(",", ":"),
        ensure_ascii=False,
    ).encode("utf-8", "surrogatepass")


def decode(data: bytes) -> CollectionConfig:
    """The configuration of a stored form."""
    raw = json.loads(data.decode("utf-8", "surrogatepass"))
    schema = raw["schema"]
    if not isinstance(schema, str):  # as hubs of format 1 wrote it
        schema = json.dumps(schema, separators=(",", ":"), ensure_ascii=False)
    return CollectionConfig(
        raw["name"],
        schema.encode("utf-8"),
        tuple(Index(each["path"], each["unique"]) for each in raw["indexes"]),
        raw.get("writeValidator", ""),
        raw.get("readFilter", ""),
    )


class Collection:
    """A collection ready for use: its configuration compiled."""

    def __init__(self, config: CollectionConfig) -> None:
        self.config: CollectionConfig = config
        self.name: str = config.name

    @cached_property
    def schema(self) -> Schema:
        """The compiled schema."""
        return Schema.parse(self.config.schema)

    @cached_property
    def indexes(self) -> tuple[IndexInfo, ...]:
        """The indexes, as the planner wants them."""
        return tuple(IndexInfo(index.path, index.unique) for index in self.config.indexes)

    def entries(self, document: dict[str, Any]) -> tuple[Entry, ...]:
        """What the indexes hold of a document. A value that cannot be ordered may still be claimed."""
        found = []
        for index in self.config.indexes:
            value = field(document, index.path)
            key = order_key(value)
            claimed = claim(value) if index.unique else None
            if key is not None or claimed is not None:
                found.append(Entry(index.path, key or b"", claimed or b""))
        return tuple(found)


def prepare(config: CollectionConfig, scripts: Scripts) -> CollectionConfig:
    """Check a configuration and bring it into the form that is kept.

    The schema is kept as it is understood: keywords that are not are dropped (spec: threads-api §4.2).

    Raises:
        InvalidInput: Name, schema, functions or indexes break a rule, checked in this order.
    """
    try:
        schema = Schema.parse(config.schema)
        check_name(config.name)
        schema.require_id()
        if config.write_validator:
            scripts.check_validator(config.write_validator)
        if config.read_filter:
            scripts.check_filter(config.read_filter)
        indexes = {index.path: index for index in config.indexes}
        for path in indexes:
            if path == "_id":
                raise InvalidInput("cannot create custom index on _id")
            schema.require_indexable(path)
    except TextileError as error:
        raise _unknown(error) from error.__cause__
    return CollectionConfig(
        config.name, schema.text, tuple(indexes.values()), config.write_validator, config.read_filter
    )


def check_schema(config: CollectionConfig, code: StatusCode) -> None:
    """Refuse a schema that cannot be read, before anything else is looked at."""
    try:
        Schema.parse(config.schema)
    except InvalidInput as error:
        raise InvalidInput(error.message, code=code, about=config.name) from error.__cause__


def check_name(name: str) -> None:
    """Refuse what is no name of a collection; upstream lets the empty one pass."""
    if not NAME.fullmatch(name):
        raise InvalidInput(NAME_RULE, code=StatusCode.UNKNOWN, about=name)


def missing(name: str, code: StatusCode = StatusCode.NOT_FOUND) -> CollectionNotFound:
    """The error for a collection that is not there; calls that change one answer UNKNOWN."""
    return CollectionNotFound("collection not found", code=code, about=name)


def _unknown(error: TextileError) -> TextileError:
    """The same error with the code that clients get for a plain Go error."""
    return type(error)(error.message, code=error.code or StatusCode.UNKNOWN, about=error.about)
