"""What may be stored as a document, and with which bytes (spec: threads-api §5)."""

from __future__ import annotations

from typing import Any

import pytest

from textile_aio.errors import InvalidInput, StatusCode
from textile_aio.threaddb.documents import LONGEST_ID, check_id, load, new_id, read_instance, stored_form
from textile_aio.threaddb.gojson import MAX_DEPTH

NOW = 1_617_981_234_567_890_123


def stored(text: str, identity: str = "x") -> str:
    return stored_form(read_instance(text.encode()), id=identity, mod=NOW).decode()


def with_id_and_mod(members: str) -> str:
    return f'{{"_id":"x","_mod":{NOW},{members}}}'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "unexpected end of JSON input"),
        ('{"a":1', "unexpected end of JSON input"),
        ("{'a':1}", "invalid character '\\'' looking for beginning of object key string"),
        ('{"a":1}x', "invalid character 'x' after top-level value"),
        ('{"a":NaN}', "invalid character 'N' looking for beginning of value"),
        ('{"a":1e999}', "json: cannot unmarshal number 1e999 into Go value of type float64"),
        ("[]", r'json: cannot unmarshal array into Go value of type struct { ID *string "json:\"_id\"" }'),
        ('"x"', r'json: cannot unmarshal string into Go value of type struct { ID *string "json:\"_id\"" }'),
        ("1", r'json: cannot unmarshal number into Go value of type struct { ID *string "json:\"_id\"" }'),
        ("true", r'json: cannot unmarshal bool into Go value of type struct { ID *string "json:\"_id\"" }'),
        ("null", "null is not an object"),
        ('{"_id":1}', "json: cannot unmarshal number into Go struct field ._id of type string"),
        ('{"_id":1.5}', "json: cannot unmarshal number into Go struct field ._id of type string"),
        ('{"_id":true}', "json: cannot unmarshal bool into Go struct field ._id of type string"),
        ('{"_id":[]}', "json: cannot unmarshal array into Go struct field ._id of type string"),
        ('{"_id":{}}', "json: cannot unmarshal object into Go struct field ._id of type string"),
    ],
)
def test_what_is_no_instance_is_refused_in_the_words_of_go(text: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_instance(text.encode())
    assert refused.value.message == f"unmarshaling json instance: {problem}"
    assert refused.value.code is StatusCode.UNKNOWN


def test_an_instance_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(InvalidInput, match="unmarshaling json instance: invalid UTF-8"):
        read_instance(b'{"a":"\xff"}')


def test_an_instance_that_is_too_deep_is_refused() -> None:
    with pytest.raises(InvalidInput, match="unmarshaling json instance: .* exceeded max depth"):
        read_instance(b'{"a":' * 100_000 + b"1" + b"}" * 100_000)


def test_the_deepest_instance_is_stored() -> None:
    deepest = '{"a":' * (MAX_DEPTH - 1) + "1.00" + "}" * (MAX_DEPTH - 1)
    assert stored(f'{{"a":{deepest}}}') == with_id_and_mod(f'"a":{deepest}')


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("{}", ""),
        ('{"_id":null}', ""),
        ('{"_id":""}', ""),
        ('{"_id":"a"}', "a"),
        ('{"_id":"A/b:../é"}', "A/b:../é"),
        ('{"_id":"a","_id":"b"}', "b"),
        ('{"_id":1,"_id":"b"}', "b"),
        (r'{"\u005fid":"b"}', "b"),
        ('{"_ID":"a"}', ""),
    ],
)
def test_the_id_is_taken_as_it_is_and_empty_when_there_is_none(text: str, id_: str) -> None:
    assert read_instance(text.encode()).id == id_


def test_an_incoming_instance_knows_its_text_and_its_value() -> None:
    raw = b' {"a": [1, 2.5, null, true], "b": {"c": "x"}} '
    incoming = read_instance(raw)
    assert incoming.raw == raw
    assert incoming.value == {"a": [1, 2.5, None, True], "b": {"c": "x"}} == load(raw)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a":18446744073709551617}', {"a": 18446744073709551617}),
        ('{"a":1.0}', {"a": 1.0}),
        ('{"a":1,"a":2}', {"a": 2}),
        (r'{"a":"\ud800"}', {"a": "\ufffd"}),
    ],
)
def test_values_are_exact(text: str, value: dict[str, Any]) -> None:
    assert load(text.encode()) == value


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ('{"b":1,"a":2}', '"a":2,"b":1'),
        ('{"a":{"z":1,"b":2}}', '"a":{"z":1,"b":2}'),
        (' {\n"a" : [ 1 , { "b" : "x y" } ] }\t', '"a":[1,{"b":"x y"}]'),
        ('{"n":null,"l":[null,{"m":null}]}', '"l":[null,{"m":null}],"n":null'),
        ('{"a":1.0,"b":1e5,"c":1E+2,"d":-0.0,"e":0.10}', '"a":1.0,"b":1e5,"c":1E+2,"d":-0.0,"e":0.10'),
        (
            '{"a":18446744073709551617,"b":-9223372036854775809}',
            '"a":18446744073709551617,"b":-9223372036854775809',
        ),
        (f'{{"a":{"7" * 300}}}', f'"a":{"7" * 300}'),
        (r'{"a":"\/\u0041\u00e9\n"}', r'"a":"\/\u0041\u00e9\n"'),
        (r'{"a":{"\u0062":1}}', r'"a":{"\u0062":1}'),
        ('{"a":{"b":1,"b":2}}', '"a":{"b":1,"b":2}'),
        ('{"a":1,"b":2,"a":3}', '"a":3,"b":2'),
        (r'{"a":1,"\u0061":3.0}', '"a":3.0'),
        (r'{"q\"\\":1}', r'"q\"\\":1'),
        ('{"a":"<b>&\u2028\u2029"}', r'"a":"\u003cb\u003e\u0026\u2028\u2029"'),
        ('{"k>":{"&":1.0}}', r'"k\u003e":{"\u0026":1.0}'),
        (r'{"a":"\u003c","b":"\\u003c"}', r'"a":"\u003c","b":"\\u003c"'),
        ('{"é":"😀","z":"\x7f"}', '"z":"\x7f","é":"😀"'),
        ('{"\U00010000":1,"\uffff":2}', '"\uffff":2,"\U00010000":1'),
        (r'{"a":"x\ud800y","b":["\udc00\ud800"]}', r'"a":"x\ufffdy","b":["\ufffd\ufffd"]'),
        (r'{"a":"\ud83d\ude00"}', r'"a":"\ud83d\ude00"'),
        ('{"_mode":1,"_n":2}', '"_mode":1,"_n":2'),
        ('{"a":"[1, 2] : \\"{} ,\\""}', '"a":"[1, 2] : \\"{} ,\\""'),
    ],
)
def test_the_stored_form_keeps_what_was_sent(sent: str, kept: str) -> None:
    assert stored(sent) == with_id_and_mod(kept)


def test_an_empty_instance_is_stored_with_id_and_mod() -> None:
    assert stored("{}") == f'{{"_id":"x","_mod":{NOW}}}'


def test_id_and_mod_of_the_caller_are_replaced() -> None:
    assert stored('{"_mod":1,"_id":"","a":1,"_mod":"no"}') == with_id_and_mod('"a":1')


def test_an_id_is_escaped_where_it_has_to_be() -> None:
    assert stored('{"a":1.50}', 'q"\\<\n') == f'{{"_id":"q\\"\\\\\\u003c\\n","_mod":{NOW},"a":1.50}}'
    assert stored('{"a":1.5}', 'q"\\<\n') == f'{{"_id":"q\\"\\\\\\u003c\\n","_mod":{NOW},"a":1.5}}'


def test_names_are_sorted_by_their_bytes() -> None:
    assert stored('{"a":1,"A":1,"_i":2,"é":3,"<":4}') == (
        f'{{"\\u003c":4,"A":1,"_i":2,"_id":"x","_mod":{NOW},"a":1,"é":3}}'
    )


def test_a_document_of_4_mib_is_stored() -> None:
    items = ",".join(['{"n":1.00,"s":"<\\u0041>"}'] * 150_000)
    escaped = items.replace("<", "\\u003c").replace(">", "\\u003e")
    assert stored(f'{{"items":[{items}]}}') == with_id_and_mod(f'"items":[{escaped}]')


def test_a_new_id_is_a_lower_case_ulid() -> None:
    example = 1_469_918_176_385 * 1_000_000  # 01ARYZ6S41 in the ULID specification
    assert new_id(example, random=bytes) == "01aryz6s410000000000000000"
    assert new_id(example + 999_999, random=lambda count: b"\xff" * count) == "01aryz6s41zzzzzzzzzzzzzzzz"
    assert new_id(0, random=lambda count: bytes(range(count))) == "0000000000000g40r40m30e209"


def test_new_ids_sort_by_time_and_differ() -> None:
    ids = [new_id(NOW + n * 1_000_000) for n in range(100)]
    assert ids == sorted(ids)
    assert len({new_id(NOW) for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize("id_", ["a", "01f2vmp3w70000000000000000", "a/b:c", "../..", "é" * 512, "\x00", " "])
def test_odd_ids_are_taken(id_: str) -> None:
    check_id(id_)


@pytest.mark.parametrize(
    ("id_", "problem"),
    [
        ("", "invalid instance: missing _id attribute"),
        ("é" * 513, f"invalid instance: _id is 1026 bytes long; at most {LONGEST_ID} are allowed"),
        ("\ud800", "invalid instance: _id is not Unicode text"),
    ],
)
def test_ids_that_cannot_be_stored_are_refused(id_: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_id(id_)
    assert refused.value.message == problem
    assert refused.value.code is StatusCode.UNKNOWN
