"""JSON is read, refused and written as Go's encoding/json does."""

from __future__ import annotations

import contextlib
import json
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.threaddb.oddjson import documents
from textile_aio.threaddb import gojson
from textile_aio.threaddb.gojson import GoJSONError

RECORDED = json.loads((Path(__file__).parent / "go_json_texts.json").read_text())["cases"]
DEEPEST = b"[" * gojson.MAX_DEPTH + b"]" * gojson.MAX_DEPTH


@pytest.mark.parametrize(
    "case", [case for case in RECORDED if "error" in case], ids=lambda case: case["text"][:40]
)
def test_a_broken_text_is_refused_in_the_words_of_go(case: dict[str, str]) -> None:
    with pytest.raises(GoJSONError) as refused:
        gojson.loads(case["text"].encode("latin-1"))
    assert str(refused.value) == case["error"]


@pytest.mark.parametrize(
    "case", [case for case in RECORDED if "error" not in case], ids=lambda case: case["text"][:40]
)
def test_a_sound_text_is_written_again_as_go_writes_it_integers_apart(case: dict[str, str]) -> None:
    value = gojson.loads(case["text"].encode("latin-1"))
    assert gojson.dumps(as_float64(value)).decode() == case["marshalled"]


def as_float64(value: Any) -> Any:
    """A value as Go holds it, which has no exact integers."""
    if isinstance(value, dict):
        return {key: as_float64(member) for key, member in value.items()}
    if isinstance(value, list):
        return [as_float64(element) for element in value]
    return float(value) if type(value) is int else value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"1.0", 1.0),
        (b"18446744073709551617", 2**64 + 1),
        (b"-9223372036854775809", -(2**63) - 1),
        (b"9" * 300, 10**300 - 1),
        (b"1e-400", 0.0),
        (b'{"a":1,"a":2}', {"a": 2}),
        (rb'"\ud83d\ude00"', "😀"),
        (rb'"\ud83d"', "\ufffd"),
        (rb'"\uDFFF"', "\ufffd"),
        (rb'["\ud83d\ud83d\ude00\ude00","\\ud83d"]', ["\ufffd😀\ufffd", r"\ud83d"]),
        (rb'{"\udc00":1}', {"\ufffd": 1}),
    ],
)
def test_values_are_exact(text: bytes, value: Any) -> None:
    read = gojson.loads(text)
    assert read == value
    assert type(read) is type(value)


@given(documents())
def test_the_exact_reader_and_the_fast_one_agree(text: bytes) -> None:
    fast = gojson.loads(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gojson, "_LONG_INTEGER", b"")
        exact = gojson.loads(text)
    assert repr(fast) == repr(exact)


@given(documents().flatmap(lambda text: st.integers(0, len(text) - 1).map(lambda end: text[:end])))
def test_a_text_that_was_cut_is_refused(data: bytes) -> None:
    with pytest.raises(GoJSONError, match="unexpected end of JSON input|invalid character ' '|invalid UTF-8"):
        gojson.loads(data)


@given(st.binary())
def test_any_bytes_give_a_value_or_the_one_error(data: bytes) -> None:
    with contextlib.suppress(GoJSONError):
        value = gojson.loads(data)
        assert gojson.loads(gojson.dumps(value)) == _as_floats(value)


@pytest.mark.parametrize("text", [b"NaN", b"Infinity", b"-Infinity", b"[1,NaN]"])
def test_numbers_that_json_has_not_got_are_refused(text: bytes) -> None:
    with pytest.raises(GoJSONError, match="invalid character '[NI]'"):
        gojson.loads(text)


@pytest.mark.parametrize("text", [b"1e400", b"-1e400", b"9" * 400, b"[1e999999999999]", b"1" * 100_000])
def test_a_number_beyond_float64_is_refused(text: bytes) -> None:
    with pytest.raises(
        GoJSONError, match=r"json: cannot unmarshal number .* into Go value of type float64"
    ) as refused:
        gojson.loads(text)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("text", [b'"\xff"', b'{"a":"\xc3"}', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"'])
def test_text_that_is_not_utf8_is_refused(text: bytes) -> None:
    with pytest.raises(GoJSONError, match="invalid UTF-8 in string literal at byte"):
        gojson.loads(text)


def test_a_byte_order_mark_is_refused() -> None:
    with pytest.raises(GoJSONError, match="invalid character 'ï' looking for beginning of value"):
        gojson.loads(b"\xef\xbb\xbf{}")


def test_the_deepest_text_is_read_and_written() -> None:
    assert gojson.dumps(gojson.loads(DEEPEST)) == DEEPEST


def test_brackets_in_strings_do_not_count_as_depth() -> None:
    text = b'["' + b"[{" * 1_000 + rb"\"[[" + b'"]'
    assert gojson.dumps(gojson.loads(text)) == text


@given(st.text(alphabet='[]{}":,a\\ ', max_size=60))
def test_a_text_is_called_clearly_shallow_only_if_no_string_hides_a_bracket(text: str) -> None:
    data = text.encode()
    if gojson._clearly_shallow(data):
        without = gojson._STRING.sub(b"", data).translate(None, gojson._NO_BRACKETS)
        assert max(accumulate(map(gojson._STEPS.__getitem__, without)), default=0) <= 16


def test_many_brackets_side_by_side_are_not_deep() -> None:
    text = b"[" + b",".join([b'[{"a":[]}]'] * 1_000) + b"]"
    assert gojson.dumps(gojson.loads(text)) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"[" + DEEPEST + b"]", "invalid character '[' exceeded max depth (200)"),
        (b'{"a":' * 201 + b"1" + b"}" * 201, "invalid character '{' exceeded max depth (200)"),
        (b"[" * 2_000_000, "invalid character '[' exceeded max depth (200)"),
        (b'{"a":[' * 100_000, "invalid character '{' exceeded max depth (200)"),
        (b'"' + b"[" * 2_000_000, "unexpected end of JSON input"),
        (b"[1,x" + b"[" * 1_000, "invalid character 'x' looking for beginning of value"),
    ],
    ids=["one more", "objects", "millions", "mixed", "in a string", "behind a fault"],
)
def test_deeper_texts_are_refused_whatever_their_size(text: bytes, message: str) -> None:
    with pytest.raises(GoJSONError) as refused:
        gojson.loads(text)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (100000.0, "100000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-10, "1.5e-10"),
        (5e-324, "5e-324"),
        (1617981234567890123.0, "1617981234567890200"),
        (1617981234567890123, "1617981234567890123"),
        (2**53 + 1, "9007199254740993"),
        (-(2**63), "-9223372036854775808"),
        (10**21, "1000000000000000000000"),
    ],
)
def test_fractions_are_written_as_float64_and_integers_as_they_are(value: float, text: str) -> None:
    assert gojson.dumps(value).decode() == text


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**308), 10**308))
def test_a_written_number_is_read_as_the_same_float64(value: float) -> None:
    assert float(gojson.loads(gojson.dumps(value))) == float(value)


def test_strings_and_names_are_escaped_as_go_escapes_them() -> None:
    value = {"<z>": '\x00\x1f\b\f\n\r\t"\\\x7f/<>&\u2028\u2029é😀', "a": None}
    escaped = r"\u0000\u001f\b\f\n\r\t\"\\", "\x7f/", r"\u003c\u003e\u0026\u2028\u2029", "é😀"
    expected = r'{"\u003cz\u003e":"' + "".join(escaped) + '","a":null}'
    assert gojson.dumps(value).decode() == expected


def _as_floats(value: Any) -> Any:
    if type(value) is int:
        return float(value)
    if isinstance(value, list):
        return [_as_floats(element) for element in value]
    if isinstance(value, dict):
        return {name: _as_floats(member) for name, member in value.items()}
    return value
