"""Documents on their way in: JSON text from the hub as values of the kind that the caller wants.

Owns how a type is filled from a document. As ``documents`` does, it takes the libraries of types from where
the types come from.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import sys
import types
import typing
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar, Union, get_args, get_origin

from textile_aio.errors import InvalidInput, ProtocolError, SchemaViolation
from textile_aio.threads.documents import model_type, struct_type

T = TypeVar("T")


def decode(data: bytes) -> Any:
    """What a JSON text from the hub says; a dictionary, unless a read filter made something else of it.

    Raises:
        ProtocolError: It is no JSON.
    """
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"the hub sent an instance that is no JSON: {error}") from error


def decode_as(data: bytes, kind: type[T]) -> T:
    """A document as a value of a type; members that the type does not know are left out.

    Args:
        data: Its JSON text.
        kind: ``dict``, ``bytes`` for the text itself, a ``TypedDict`` (not checked), a dataclass, a pydantic
            model or a msgspec struct.

    Raises:
        SchemaViolation: The document does not fit the type.
        InvalidInput: There is no way to make such a type of a document.
    """
    if kind is bytes:
        return typing.cast("T", bytes(data))
    value = decode(data)
    if kind is dict or typing.is_typeddict(kind):
        return typing.cast("T", value)
    try:
        return typing.cast("T", _made(kind, value))
    except InvalidInput:
        raise
    except (ValueError, TypeError) as error:  # pydantic's, msgspec's and our own complaints are such
        about = str(value.get("_id", "")) if isinstance(value, dict) else ""
        raise SchemaViolation(f"the document is no {kind.__name__}: {error}", about=about) from error


def reader(kind: type[Any] | None) -> Callable[[bytes], Any]:
    """What turns JSON texts into documents of a type, or as they are with None.

    Raises:
        InvalidInput: There is no way to make such a type of a document.
    """
    if kind is None:
        return decode
    if not (kind in (dict, bytes) or typing.is_typeddict(kind) or _is_structured(kind)):
        raise _unsupported(kind)
    return lambda data: decode_as(data, kind)


def _made(kind: Any, value: Any) -> Any:
    if isinstance(kind, type):
        if issubclass(kind, model_type()):
            validate: Callable[[Any], Any] = kind.model_validate  # type: ignore[attr-defined]  # pydantic's
            return validate(value)
        if issubclass(kind, struct_type()):
            return sys.modules["msgspec"].convert(value, kind, str_keys=True)
        if dataclasses.is_dataclass(kind):
            return _dataclass(kind, value)
    raise _unsupported(kind)


def _dataclass(kind: Any, value: Any) -> Any:
    if not isinstance(value, dict):
        raise TypeError(f"an object is needed, not {type(value).__name__}")
    given: dict[str, Any] = {}
    later: dict[str, Any] = {}
    for name, hint, init in _fields(kind):
        if name in value:
            (given if init else later)[name] = _part(hint, value[name])
    made = kind(**given)
    for name, part in later.items():
        object.__setattr__(made, name, part)
    return made


@functools.lru_cache(maxsize=256)
def _fields(kind: Any) -> list[tuple[str, Any, bool]]:
    """Name, annotation, and whether the constructor takes it, of each field."""
    hints = typing.get_type_hints(kind)
    return [(field.name, hints[field.name], field.init) for field in dataclasses.fields(kind)]


def _part(hint: Any, value: Any) -> Any:
    """A member as its annotation wants it, where the annotation leads to dataclasses, models or enums."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is typing.Annotated:
        return _part(arguments[0], value)
    if origin in (Union, types.UnionType):
        return _choice(arguments, value)
    if origin is list and isinstance(value, list):
        return [_part(arguments[0], each) for each in value]
    if origin is tuple and isinstance(value, list):
        each_as = [arguments[0]] * len(value) if arguments[1:] == (...,) else arguments
        return tuple(_part(a, each) for a, each in zip(each_as, value, strict=True))
    if origin is dict and isinstance(value, dict):
        return {key: _part(arguments[1], each) for key, each in value.items()}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if _is_structured(hint):
        return _made(hint, value)
    if hint is float and type(value) is int:
        return float(value)
    return value


def _choice(choices: tuple[Any, ...], value: Any) -> Any:
    if value is None and type(None) in choices:
        return None
    failure: Exception | None = None
    for choice in choices:
        if choice is type(None):
            continue
        try:
            return _part(choice, value)
        except (ValueError, TypeError) as error:
            failure = error
    raise failure or ValueError("null is not allowed")


def _unsupported(kind: object) -> InvalidInput:
    return InvalidInput(
        "documents are given as dict, bytes, a dataclass, a pydantic model or a msgspec struct, "
        f"not as {kind!r:.100}"
    )


def _is_structured(hint: Any) -> bool:
    return isinstance(hint, type) and (
        dataclasses.is_dataclass(hint) or issubclass(hint, (model_type(), struct_type()))
    )
