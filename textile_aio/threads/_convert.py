"""Between the messages of ``threads.pb`` and values of ours.

What a hub sends and cannot be such a value is its fault: ProtocolError.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from textile_aio._arguments import one_of, text
from textile_aio._proto.threads import pb
from textile_aio.errors import InvalidInput, ProtocolError
from textile_aio.ids import Multiaddr, ThreadID, ThreadKey
from textile_aio.threads import schemas
from textile_aio.threads.values import CollectionConfig, CollectionInfo, DatabaseInfo, Explanation, Index


def database(thread: ThreadID, message: pb.GetDbInfoReply) -> DatabaseInfo:
    """The value of GetDBInfo's answer for a thread.

    Raises:
        ProtocolError: An address or the key is malformed.
    """
    try:
        return DatabaseInfo(
            thread,
            name=message.name,
            addrs=tuple(map(Multiaddr.from_bytes, message.addrs)),
            key=ThreadKey.from_bytes(message.key) if message.key else None,
        )
    except InvalidInput as error:
        raise ProtocolError(
            f"the hub sent malformed information on a database: {error.message}", about=str(thread)
        ) from error


def listed(message: pb.ListDBsReplyDb) -> DatabaseInfo:
    """The value of one entry of ListDBs' answer."""
    try:
        thread = ThreadID.from_bytes(message.db_id)
    except InvalidInput as error:
        raise ProtocolError(f"the hub listed a malformed thread id: {error.message}") from error
    return database(thread, message.info or pb.GetDbInfoReply())


def collection_config(config: CollectionConfig) -> pb.CollectionConfig:
    """The message of a collection's definition.

    Raises:
        InvalidInput: Something in it is of another type, or cannot be sent.
    """
    one_of(CollectionConfig, config, "the collection")
    return pb.CollectionConfig(
        name=text(config.name, "the name"),
        schema=schemas.to_text(config.schema),
        indexes=[
            pb.Index(path=text(each.path, "the path of an index"), unique=one_of(bool, each.unique, "unique"))
            for each in (one_of(Index, each, "an index") for each in config.indexes)
        ],
        write_validator=text(config.write_validator, "the write validator"),
        read_filter=text(config.read_filter, "the read filter"),
    )


def collection_info(message: pb.GetCollectionInfoReply) -> CollectionInfo:
    """The value of a collection's description.

    Raises:
        ProtocolError: The schema is malformed.
    """
    return CollectionInfo(
        message.name,
        schema=schemas.from_text(message.schema, message.name),
        indexes=indexes(message.indexes),
        write_validator=message.write_validator,
        read_filter=message.read_filter,
    )


def indexes(messages: Iterable[pb.Index]) -> tuple[Index, ...]:
    """The values of indexes, ordered by path: hubs list them in any order."""
    found = (Index(message.path, unique=message.unique) for message in messages)
    return tuple(sorted(found, key=lambda index: index.path))


def explanation(data: bytes, about: str) -> Explanation:
    """The value of an explanation.

    Raises:
        ProtocolError: It is malformed.
    """
    try:
        members = json.loads(data)
        return Explanation(
            members["index"] or None,
            kind=str(members["kind"]),
            read=int(members["read"]),
            matched=int(members["matched"]),
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ProtocolError(f"the hub sent a malformed explanation: {error!r}", about=about) from error
