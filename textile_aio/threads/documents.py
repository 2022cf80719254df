"""Documents on their way out: values of the caller's own kind as JSON text.

Owns which Python values are JSON documents. The libraries whose values are taken (pydantic, msgspec) are
never imported for it: a value of theirs means that somebody has imported them.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Mapping
from enum import Enum
from operator import is_
from typing import Any, TypeAlias

from textile_aio.errors import InvalidInput

Document: TypeAlias = Any
"""A dictionary, a dataclass, a pydantic model, a msgspec struct, or the bytes of a document's JSON text."""

_DEEPEST = 128
_LARGEST, _SMALLEST = (1 << 64) - 1, -(1 << 63)
# What it is given has been looked at already, so that it need not look for loops and NaN again.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
_SCALARS = frozenset({str, bool, int, float, type(None)})


def encode(document: Document) -> bytes:
    """The JSON text of a document, as it is sent. Bytes are taken for such a text and stay as they are.

    Dataclasses give their fields by name, pydantic models their aliases, msgspec structs their encoded names.

    Raises:
        InvalidInput: It is no document, or holds what JSON cannot say exactly: NaN and infinities, integers
            beyond 64 bits, keys that are not text, times, bytes, and so on. The text names the path.
    """
    if isinstance(document, bytes | bytearray | memoryview):
        return bytes(document)
    value = to_plain(document)
    if not isinstance(value, dict):
        raise InvalidInput(
            "a document is a dictionary, a dataclass, a pydantic model, a msgspec struct, or JSON text in "
            f"bytes, not {type(document).__name__}"
        )
    return _ENCODER.encode(value).encode()


def encode_all(documents: Iterable[Document]) -> list[bytes]:
    """The JSON texts of several documents.

    Raises:
        InvalidInput: As :func:`encode`; or a single document was given.
    """
    single = isinstance(documents, str | bytes | bytearray | memoryview | Mapping)
    if single or not isinstance(documents, Iterable):
        raise InvalidInput(
            f"documents are given as a list, not as {type(documents).__name__}; put a single one into a list"
        )
    return [encode(document) for document in documents]


def to_plain(value: object) -> Any:
    """A value in terms of dictionaries, lists, text, numbers, bools and None, ready to be written as JSON.

    What consists of these already is not copied.

    Raises:
        InvalidInput: It cannot be said; the text names the path.
    """
    try:
        return _plain(value, 0)
    except _Unfit as unfit:
        path = "".join(reversed(unfit.path)).lstrip(".")
        where = f"at {path!r:.200}: " if path else ""
        raise InvalidInput(f"the document cannot be sent; {where}{unfit}", about=path[:200]) from None


class _Unfit(Exception):
    """What cannot be said, and the path to it, innermost first."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.path: list[str] = []


def _plain(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind in _SCALARS:
        return _scalar(value)
    if depth > _DEEPEST:
        raise _Unfit(f"it is nested deeper than {_DEEPEST} levels, or contains itself")
    if kind is dict:
        return _members(value, depth)
    if kind is list:
        return _elements(value, depth)
    if isinstance(value, Enum):
        return _plain(value.value, depth + 1)
    if isinstance(value, str):  # of a subclass, as the next two
        return _scalar(str.__str__(value))
    if isinstance(value, int | float):
        return _scalar(int(value) if isinstance(value, int) else float(value))
    if isinstance(value, Mapping):
        return _members(dict(value), depth)
    if isinstance(value, tuple):
        return _elements(list(value), depth)
    return _plain(_foreign(value), depth + 1)


def _foreign(value: Any) -> Any:
    """The next simpler form of an object that is a document or a part of one."""
    if isinstance(value, type):
        raise _Unfit(f"{value.__name__} is a class; give an instance of it")
    if isinstance(value, model_type()):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, struct_type()):
        return sys.modules["msgspec"].to_builtins(value, str_keys=True)
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise _Unfit(f"JSON has no {type(value).__name__}{_instead(value)}")


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        if value.isascii():
            return value
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _Unfit("the text is not valid Unicode") from None
    elif isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise _Unfit(f"JSON has no {value}; leave the member out or use null")
    elif isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        raise _Unfit("the number has more than 64 bits; use text")
    return value


def _members(value: dict[Any, Any], depth: int) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for key, member in value.items():
        if not isinstance(key, str):
            raise _Unfit(f"the key {key!r:.40} is not text")
        try:
            _scalar(key)
            plain = _plain(member, depth + 1)
        except _Unfit as unfit:
            unfit.path.append(f".{key}")
            raise
        if plain is not member:
            changed[key] = plain
    return {**value, **changed} if changed else value


def _elements(value: list[Any], depth: int) -> list[Any]:
    plain: list[Any] = []
    try:
        plain.extend(_plain(element, depth + 1) for element in value)
    except _Unfit as unfit:
        unfit.path.append(f"[{len(plain)}]")
        raise
    return value if all(map(is_, plain, value)) else plain


def _instead(value: object) -> str:
    if hasattr(value, "isoformat"):
        return "; write times as text with isoformat(), or as numbers"
    if isinstance(value, bytes | bytearray | memoryview):
        return "; write bytes as base64 text"
    if isinstance(value, set | frozenset):
        return "; use a list"
    return "; turn it into text, a number, a list or a dictionary"


def model_type() -> type[Any]:
    """The class of pydantic's models, or one that nothing is of."""
    # Not of "pydantic" itself, which would load all of itself now where it was merely named by somebody.
    return getattr(sys.modules.get("pydantic.main"), "BaseModel", _Nothing)


def struct_type() -> type[Any]:
    """The class of msgspec's structs, or one that nothing is of."""
    return getattr(sys.modules.get("msgspec"), "Struct", _Nothing)


class _Nothing:
    """Stands for a library's class where nobody has imported the library."""
