"""Between the messages of ``threads.pb`` and the engine's values."""

from __future__ import annotations

from collections.abc import Sequence

from textile_aio._proto.threads import pb
from textile_aio.errors import InvalidInput, InvalidKey, StatusCode
from textile_aio.ids import ThreadID, ThreadKey
from textile_aio.threaddb.collections import CollectionConfig, Index
from textile_aio.threaddb.notices import Action, Filter, Notice

_ACTIONS = {0: None, 1: Action.CREATE, 2: Action.SAVE, 3: Action.DELETE}


def thread_id(data: bytes) -> ThreadID:
    """The thread that a request names. Raises :class:`InvalidInput` as INVALID_ARGUMENT."""
    try:
        return ThreadID.from_bytes(data)
    except InvalidInput as error:
        raise InvalidInput(error.message, code=StatusCode.INVALID_ARGUMENT) from None


def thread_key(data: bytes) -> ThreadKey | None:
    """The keys in a request, None if it has none. Raises :class:`InvalidKey` as INVALID_ARGUMENT."""
    try:
        return ThreadKey.from_bytes(data) if data else None
    except InvalidInput:
        raise InvalidKey("invalid key", code=StatusCode.INVALID_ARGUMENT) from None


def config(message: pb.CollectionConfig | None) -> CollectionConfig:
    """The configuration in a request. Raises :class:`InvalidInput` if there is none."""
    if message is None:
        raise InvalidInput("config is required", code=StatusCode.INVALID_ARGUMENT)
    return CollectionConfig(
        message.name,
        message.schema,
        tuple(Index(index.path, index.unique) for index in message.indexes),
        message.write_validator,
        message.read_filter,
    )


def indexes(found: CollectionConfig) -> list[pb.Index]:
    """A collection's indexes."""
    return [pb.Index(path=index.path, unique=index.unique) for index in found.indexes]


def collection_info(found: CollectionConfig) -> pb.GetCollectionInfoReply:
    """All of a collection's configuration."""
    return pb.GetCollectionInfoReply(
        name=found.name,
        schema=found.schema,
        indexes=indexes(found),
        write_validator=found.write_validator,
        read_filter=found.read_filter,
    )


def filters(messages: Sequence[pb.ListenRequestFilter]) -> list[Filter]:
    """What a listener asks for. Raises :class:`InvalidInput` for an action that there is not."""
    found = []
    for message in messages:
        number = int(message.action)
        if number not in _ACTIONS:
            raise InvalidInput(f"invalid filter action {number}", code=StatusCode.INVALID_ARGUMENT)
        found.append(Filter(message.collection_name, message.instance_id, _ACTIONS[number]))
    return found


def notice(told: Notice) -> pb.ListenReply:
    """What a listener is told."""
    return pb.ListenReply(
        collection_name=told.collection,
        instance_id=told.id,
        action=pb.ListenReplyAction(int(told.action)),
        instance=told.instance,
        position=str(told.position),
    )
