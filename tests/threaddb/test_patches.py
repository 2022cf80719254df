"""Merge patches: what they say, what they do, what is refused (spec: thread-net-and-records §5.2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from tests.threaddb.oddjson import documents
from textile_aio.errors import InvalidInput, StatusCode
from textile_aio.threaddb import rawjson
from textile_aio.threaddb.documents import load
from textile_aio.threaddb.gojson import MAX_DEPTH, dumps
from textile_aio.threaddb.patches import diff, merge


def difference(old: str, new: str) -> str:
    return diff(old.encode(), new.encode()).decode()


def merged(document: str, patch: str) -> str:
    return merge(document.encode(), patch.encode()).decode()


def as_float64(document: bytes) -> Any:
    return json.loads(dumps(load(document)), parse_int=float)


def nested(depth: int, inner: str) -> str:
    return '{"a":' * depth + inner + "}" * depth


@pytest.mark.parametrize(
    ("old", "new", "patch"),
    [
        ('{"a":1}', '{"a":1}', "{}"),
        ('{"a":1}', '{"a":2,"b":3}', '{"a":2,"b":3}'),
        ('{"a":1,"b":2}', '{"b":2}', '{"a":null}'),
        ('{"a":{"b":1,"c":2}}', '{"a":{"b":1,"c":3}}', '{"a":{"c":3}}'),
        ('{"a":{"b":1}}', '{"a":{}}', '{"a":{"b":null}}'),
        ('{"a":{"b":1}}', '{"a":{"b":1}}', "{}"),
        ('{"a":[1,2]}', '{"a":[1,3]}', '{"a":[1,3]}'),
        ('{"a":[1,2]}', '{"a":[1,2.0]}', "{}"),
        ('{"a":[{"b":1}]}', '{"a":[{"b":1,"c":2}]}', '{"a":[{"b":1,"c":2}]}'),
        ('{"a":[{"b":1,"c":2}]}', '{"a":[{"b":1}]}', '{"a":[{"b":1}]}'),
        ('{"a":[]}', '{"a":{}}', '{"a":{}}'),
        ('{"a":{"b":1}}', '{"a":[]}', '{"a":[]}'),
        ('{"a":1}', '{"a":true}', '{"a":true}'),
        ('{"a":[1]}', '{"a":[true]}', '{"a":[true]}'),
        ('{"a":0}', '{"a":false}', '{"a":false}'),
        ('{"a":"1"}', '{"a":1}', '{"a":1}'),
        ('{"a":1}', '{"a":null}', '{"a":null}'),
        ('{"a":null}', '{"a":1}', '{"a":1}'),
        ('{"a":null}', '{"a":null}', "{}"),
        ("{}", '{"a":null}', '{"a":null}'),
        ('{"z":1,"b":1}', '{"a":{"z":1,"b":2}}', '{"a":{"b":2,"z":1},"b":null,"z":null}'),
        ('{"a":1.0}', '{"a":1}', "{}"),
        ("{}", '{"a":1.0,"b":1e5,"c":1e-7}', '{"a":1,"b":100000,"c":1e-7}'),
        ("{}", '{"a":18446744073709551617}', '{"a":18446744073709551617}'),
        ("{}", '{"a":"<\\/\\u0041>"}', '{"a":"\\u003c/A\\u003e"}'),
    ],
)
def test_a_difference_says_what_changed(old: str, new: str, patch: str) -> None:
    assert difference(old, new) == patch


def test_an_integer_is_saved_with_all_its_digits() -> None:
    assert difference('{"_mod":1}', '{"_mod":1617981234567890123}') == '{"_mod":1617981234567890123}'
    assert (
        difference('{"_mod":1617981234567890200}', '{"_mod":1617981234567890123}')
        == '{"_mod":1617981234567890123}'
    )


@pytest.mark.parametrize("same", ['[{"b":null}]', "[{}]", '[{"c":null}]'])
def test_inside_arrays_a_null_member_is_as_none(same: str) -> None:
    assert difference('{"a":[{"b":null}]}', f'{{"a":{same}}}') == "{}"


@pytest.mark.parametrize(
    ("document", "patch", "result"),
    [
        ('{"a":1}', "{}", '{"a":1}'),
        ('{"b":1,"a":1.0}', '{"c":1e5}', '{"a":1.0,"b":1,"c":1e5}'),
        ('{"a":1,"b":2}', '{"a":null}', '{"b":2}'),
        ('{"a":1}', '{"b":null}', '{"a":1}'),
        ('{"a":{"b":1,"c":2}}', '{"a":{"b":null,"d":3}}', '{"a":{"c":2,"d":3}}'),
        ('{"a":1}', '{"a":{"b":null,"c":1}}', '{"a":{"c":1}}'),
        ('{"a":null}', '{"a":{"b":null}}', '{"a":{}}'),
        ("{}", '{"a":[1,null,2]}', '{"a":[1,2]}'),
        ('{"a":[0]}', '{"a":[1,null,{"b":null}]}', '{"a":[1,{}]}'),
        ('{"a":{"b":1}}', '{"a":[1,null,{"b":null}]}', '{"a":[1,null,{"b":null}]}'),
        ("{}", '{"a":[[null,[null]],{"b":{"c":null}}]}', '{"a":[[[]],{"b":{}}]}'),
        ('{"a":{"z":1,"b":2}}', "{}", '{"a":{"z":1,"b":2}}'),
        ('{"a":{"z":1,"b":2}}', '{"a":{"c":3}}', '{"a":{"b":2,"c":3,"z":1}}'),
        ("{}", '{"a":{"z":1,"b":2}}', '{"a":{"b":2,"z":1}}'),
        ('{"a":{"b":1,"b":2}}', '{"c":1}', '{"a":{"b":1,"b":2},"c":1}'),
        ('{"a":{"b":1,"b":2}}', '{"a":{"c":1}}', '{"a":{"b":2,"c":1}}'),
        ('{"a":"&","b":"\\/"}', '{"c":"<"}', '{"a":"\\u0026","b":"\\/","c":"\\u003c"}'),
        ('{"a":18446744073709551617}', '{"b":1.50}', '{"a":18446744073709551617,"b":1.50}'),
        (' { "a" : [ 1 , 2 ] } ', ' { "b" : 1 } ', '{"a":[1,2],"b":1}'),
        ('{"\\u0061":1}', '{"a":2.0}', '{"a":2.0}'),
        ('{"a":"\\ud800"}', '{"b":"\\udc00"}', '{"a":"\\ufffd","b":"\\ufffd"}'),
    ],
)
def test_a_merge_changes_what_the_patch_names_and_keeps_the_rest(
    document: str, patch: str, result: str
) -> None:
    assert merged(document, patch) == result


def test_creating_and_saving_go_as_in_the_worked_example() -> None:
    stored = '{"_id":"a","_mod":1617981234567890123,"name":"Al","note":null,"tags":["x"]}'
    saved = '{"_id":"a","_mod":1617981299000000000,"name":"Al","age":3}'
    patch = difference(stored, saved)
    assert patch == '{"_mod":1617981299000000000,"age":3,"note":null,"tags":null}'
    assert merged(stored, patch) == '{"_id":"a","_mod":1617981299000000000,"age":3,"name":"Al"}'


NO_DOCUMENTS = [
    "",
    "null",
    "[]",
    "1",
    '"x"',
    '{"a":1',
    '{"a":1e999}',
    nested(MAX_DEPTH + 1, "1"),
    "[" * 100_000,
]


WAYS_IN: dict[str, Callable[[str], str]] = {
    "old": lambda text: difference(text, "{}"),
    "new": lambda text: difference("{}", text),
    "merged into": lambda text: merged(text, "{}"),
    "both": lambda text: merged(text, text),
}


@pytest.mark.parametrize("way", WAYS_IN)
@pytest.mark.parametrize("text", NO_DOCUMENTS, ids=lambda text: text[:20])
def test_what_is_no_object_is_refused(text: str, way: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        WAYS_IN[way](text)
    is_one_array = way in ("old", "new") and text.startswith("[")
    assert refused.value.message == ("Mismatched JSON Documents" if is_one_array else "Invalid JSON Document")
    assert refused.value.code is StatusCode.UNKNOWN


@pytest.mark.parametrize("text", NO_DOCUMENTS, ids=lambda text: text[:20])
def test_a_patch_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        merged('{"a":1}', text)
    assert refused.value.message == "Invalid JSON Patch"
    assert refused.value.code is StatusCode.UNKNOWN


@pytest.mark.parametrize("leaf", ["1", "1.00"])
def test_the_deepest_documents_differ_and_merge(leaf: str) -> None:
    old, new = nested(MAX_DEPTH, leaf), nested(MAX_DEPTH, "2")
    assert difference(old, new) == new
    assert merged(old, new) == new
    assert merged('{"b":1}', old) == old[:-1] + ',"b":1}'
    arrays = '{"a":' + "[" * (MAX_DEPTH - 1) + f"{leaf},null" + "]" * (MAX_DEPTH - 1) + "}"
    assert difference(arrays, arrays) == "{}"
    assert merged("{}", arrays) == arrays.replace(",null", "")


def test_documents_of_4_mib_differ_and_merge() -> None:
    items = ",".join(['{"n":1.00,"s":"\\u0041"}'] * 150_000)
    old, new = f'{{"a":1,"items":[{items}]}}', f'{{"a":2,"items":[{items}]}}'
    assert difference(old, new) == '{"a":2}'
    assert merged(old, '{"a":2}') == new


@given(documents(nulls=False), documents(nulls=False))
def test_the_difference_leads_from_one_document_to_the_other(old: bytes, new: bytes) -> None:
    assert as_float64(merge(old, diff(old, new))) == as_float64(new)


@given(documents(), documents())
def test_what_a_difference_leads_to_differs_in_nulls_at_most(old: bytes, new: bytes) -> None:
    left = load(diff(merge(old, diff(old, new)), new))
    assert all(b"null" in dumps({name: value}) for name, value in left.items())


@given(documents())
def test_a_document_does_not_differ_from_itself(text: bytes) -> None:
    assert diff(text, text) == b"{}"


@given(documents(), documents(nulls=False))
def test_merging_a_patch_without_nulls_twice_is_merging_it_once(document: bytes, patch: bytes) -> None:
    once = merge(document, patch)
    assert load(merge(once, patch)) == load(once)


@given(documents(), documents())
def test_what_a_merge_does_not_touch_keeps_its_text(document: bytes, patch: bytes) -> None:
    before, after = rawjson.parse(document), rawjson.parse(merge(document, patch))
    for name in before.keys() - load(patch).keys():
        kept = rawjson.render(before[name])
        for character in "<>&\u2028\u2029":
            kept = kept.replace(character.encode(), f"\\u{ord(character):04x}".encode())
        assert rawjson.render(after[name]) == kept


@pytest.mark.parametrize("plain", [False, True])
def test_the_fast_way_and_the_exact_way_agree(plain: bool) -> None:
    ways: set[bool] = set()

    @given(documents(plain=plain), documents(plain=plain))
    def agree(document: bytes, patch: bytes) -> None:
        ways.add(rawjson.is_plain(load(document), document) and rawjson.is_plain(load(patch), patch))
        quick = merge(document, patch)
        with pytest.MonkeyPatch.context() as context:
            context.setattr(rawjson, "is_plain", lambda _value, _data: False)
            assert merge(document, patch) == quick

    agree()
    assert True in ways
