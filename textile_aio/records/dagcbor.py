"""DAG-CBOR: one form for every value, and nothing else is read.

The bytes are hashed and signed, so two spellings of one value would be two records: what does not encode back
to exactly the same bytes is refused. The work on bytes is cbor2's; this module says which values there are
and how large and deep they may be. It knows nothing of records (source: IPLD's DAG-CBOR specification; spec:
thread-net-and-records §3).

Values: None, bool, int of 64 bits and a sign, finite float, str, bytes, list, dict with str keys, and ``Cid``
for a link. A tuple is written as a list.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import cbor2

from textile_aio._codec.cid import Cid
from textile_aio.errors import InvalidEncoding, InvalidInput

MAX_DEPTH: Final = 128
"""Lists and maps inside each other; far more than any record has, far less than Python's stack."""

MAX_SIZE: Final = 1 << 26
"""Bytes of one block, 64 MiB; transports limit messages more tightly."""

MAX_ITEMS: Final = 1 << 20
"""Values and keys of one block, of which a list, a map or a link counts as four: some 50,000 changes.

A few bytes of small values take a hundred times the memory, and seconds to go through.
"""

_LINK_TAG = 42
_LINK_PREFIX = b"\x00"
_LEAST_INT, _MOST_INT = -(1 << 64), (1 << 64) - 1
_STRINGS = (2, 3)
_CONTAINERS_AND_TAGS = (4, 5, 6)
_CONTAINER = 4
_FIRST_LONG_HEAD = 24
_PLAIN_TYPES = frozenset((str, bytes, bool, type(None)))
_CONTAINERS = frozenset((dict, list, tuple))


def encode(value: Any) -> bytes:
    """The one DAG-CBOR form of a value.

    Raises:
        InvalidInput: DAG-CBOR has no form for it or a part of it, or it is too deep or too large.
    """
    try:
        arranged = _arranged(value, MAX_DEPTH)
    except UnicodeEncodeError:
        raise _no_text() from None
    return encode_arranged(arranged)


def encode_arranged(value: Any, *, items: int | None = None) -> bytes:
    """As :func:`encode`, of a value that is so arranged already: maps in order, links tagged, floats finite.

    Args:
        value: What to write.
        items: What it counts as (see :data:`MAX_ITEMS`), if that is known; it is counted otherwise.

    Raises:
        InvalidInput: A text holds lone surrogates, or the value is too large.
    """
    try:
        data = cbor2.dumps(value)
    except UnicodeEncodeError:
        raise _no_text() from None
    _bound(data, items)
    return data


def decode(data: bytes) -> Any:
    """The value whose form is exactly ``data``.

    Raises:
        InvalidEncoding: The bytes are no CBOR, not in DAG-CBOR's one form, followed by others, or too deep or
            too large.
    """
    value, form = _read(data)
    if form != data:
        raise InvalidEncoding("malformed DAG-CBOR: not in its canonical form")
    return value


def canonical(data: bytes) -> bytes:
    """The one form of a value that is written in another: long heads, short floats, keys in any order.

    Raises:
        InvalidEncoding: See :func:`decode`; or DAG-CBOR has no form for the value.
    """
    return _read(data)[1]


def _read(data: bytes) -> tuple[Any, bytes]:
    """The value, and its one form."""
    try:
        _bound(data)
        stream = io.BytesIO(data)
        value = cbor2.CBORDecoder(
            stream,
            semantic_decoders=_TAGS,
            max_depth=MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        ).decode()
        if stream.tell() < len(data):
            raise InvalidInput("not in its canonical form: bytes follow the value")
        return value, encode(value)
    except (cbor2.CBORDecodeError, InvalidInput, RecursionError) as error:
        raise InvalidEncoding(f"malformed DAG-CBOR: {_reason(error)}") from None


def _too_many() -> InvalidInput:
    return InvalidInput(f"a block has at most {MAX_ITEMS} values and keys")


def _no_text() -> InvalidInput:
    return InvalidInput("DAG-CBOR holds text of Unicode characters, not of lone surrogates")


def _reason(error: BaseException) -> str:
    """What lies at the bottom; cbor2 wraps each level's error into another."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error) or type(error).__name__


def _bound(data: bytes, known: int | None = None) -> None:
    """Refuse what is too large to be read, before anything of it is.

    Heads follow one another without regard to nesting, so they are counted without a stack. Where one is
    malformed the count goes wrong and the decoder will stop.
    """
    if len(data) > MAX_SIZE:
        raise InvalidInput(f"a block has at most {MAX_SIZE} bytes, this one {len(data)}")
    if len(data) * _CONTAINER <= MAX_ITEMS:
        return
    if known is not None:
        if known > MAX_ITEMS:
            raise _too_many()
        return
    at = items = 0
    while at < len(data):
        major, size = data[at] >> 5, data[at] & 0x1F
        at += 1
        if size >= _FIRST_LONG_HEAD:
            width = 1 << (size - _FIRST_LONG_HEAD & 3)
            size = int.from_bytes(data[at : at + width], "big")
            at += width
        items += _CONTAINER if major in _CONTAINERS_AND_TAGS else 1
        if items > MAX_ITEMS:
            raise _too_many()
        if major in _STRINGS:
            at += size


def _arranged(value: Any, levels: int) -> Any:
    """The value with its maps in order and its links tagged, so that plain encoding gives the one form.

    cbor2's own canonical mode would shorten floats, and takes five times as long. Types are compared exactly:
    what is merely like a number or a text has no form.
    """
    kind = type(value)
    if kind in _PLAIN_TYPES:
        return value
    if kind is int:
        if not _LEAST_INT <= value <= _MOST_INT:
            raise InvalidInput("DAG-CBOR holds integers from -2**64 to 2**64 - 1")
        return value
    if kind is Cid:
        return cbor2.CBORTag(_LINK_TAG, _LINK_PREFIX + value.bytes)
    if kind is float:
        if not math.isfinite(value):
            raise InvalidInput("DAG-CBOR holds finite numbers only")
        return value
    if kind not in _CONTAINERS:
        raise InvalidInput(f"DAG-CBOR has no form for a {kind.__name__}")
    if not levels:
        raise InvalidInput(f"more than {MAX_DEPTH} lists and maps inside each other")
    if kind is dict:
        return {key: _arranged(value[key], levels - 1) for key in sorted(value, key=_order)}
    return [_arranged(item, levels - 1) for item in value]


def _order(key: Any) -> tuple[int, bytes]:
    """Shorter keys first, those of one length by their bytes."""
    if type(key) is not str:
        raise InvalidInput(f"the keys of a DAG-CBOR map are text, got {type(key).__name__}")
    data = key.encode()
    return len(data), data


def _read_link(data: object, *_: object) -> Cid:
    if type(data) is not bytes or not data.startswith(_LINK_PREFIX):
        raise InvalidEncoding("a link is a byte string that begins with a zero")
    return Cid.from_bytes(data[1:])


def _refuse_tag(*_: object) -> Any:
    raise InvalidEncoding("a tag other than a link's")


class _OnlyLinks(Mapping[int, Callable[..., Any]]):
    """The decoder of every tag, so that none of cbor2's own runs.

    With shared values, big numbers or decimals a few bytes would become gigabytes.
    """

    def __getitem__(self, tag: int) -> Callable[..., Any]:
        return _read_link if tag == _LINK_TAG else _refuse_tag

    def __iter__(self) -> Iterator[int]:
        return iter((_LINK_TAG,))

    def __len__(self) -> int:
        return 1


_TAGS = _OnlyLinks()
