"""Thread ids and thread keys."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recorded import cases, label
from textile_aio.errors import InvalidKey, InvalidThreadID
from textile_aio.ids import SymmetricKey, ThreadID, ThreadKey, Variant

RANDOM = st.binary(min_size=16, max_size=64)
VARIANTS = st.sampled_from(Variant)


@pytest.mark.parametrize("case", cases("thread-id", "id") + cases("thread-id", "random"), ids=label)
def test_recorded_ids_have_their_recorded_forms(case: dict[str, Any]) -> None:
    thread = ThreadID.from_bytes(bytes.fromhex(case["bytes_hex"]))
    assert str(thread) == case["string"]
    assert thread.variant == case["variant_code"]
    assert thread.version == case["version"]
    assert ThreadID.parse(case["string"]) == thread
    for base, text in case.get("other_encodings", {}).items():
        assert thread.to_string(base) == text
        assert ThreadID.parse(text) == thread


@pytest.mark.parametrize("case", cases("thread-id", "from_bytes"), ids=label)
def test_odd_bytes_are_read_or_refused_as_recorded(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["bytes_hex"])
    if case["accepted"]:
        assert str(ThreadID.from_bytes(data)) == case["string"]
        assert bytes(ThreadID.from_bytes(data)) == data
    else:
        with pytest.raises(InvalidThreadID):
            ThreadID.from_bytes(data)


@pytest.mark.parametrize("case", cases("thread-id", "from_string"), ids=label)
def test_odd_texts_are_read_or_refused_as_recorded(case: dict[str, Any]) -> None:
    if case["accepted"]:
        assert ThreadID.parse(case["string"]).bytes.hex() == case["bytes_hex"]
        assert str(ThreadID.parse(case["string"])) == case["canonical_string"]
    else:
        with pytest.raises(InvalidThreadID):
            ThreadID.parse(case["string"])


@pytest.mark.parametrize("case", cases("thread-id", "equals"))
def test_ids_are_equal_as_recorded(case: dict[str, Any]) -> None:
    left, right = ThreadID.parse(case["left"]), ThreadID.parse(case["right"])
    assert (left == right) is case["equal"]
    assert (len({left, right}) == 1) is case["equal"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "id too short"),
        ("b", "id too short"),
        ("!abc", "selected encoding not supported"),
        ("ba1", "illegal base32 data at input byte 1"),
        ("f00", "expected 1 as the id version number, got: 0"),
        ("f01", "reading varint: buffer too small"),
        ("f81", "reading varint: buffer too small"),
        ("f" + "ff" * 11, "reading varint: varint bigger than 64bits and not supported"),
        ("f02", "expected 1 as the id version number, got: 2"),
        ("f0112", "expected Raw or AccessControlled as the id variant, got: 18"),
        ("f0155", "expected random id bytes but there are none"),
    ],
)
def test_what_is_no_id_is_refused_in_the_words_of_go(text: str, message: str) -> None:
    with pytest.raises(InvalidThreadID) as caught:
        ThreadID.parse(text)
    assert str(caught.value) == message


def test_empty_bytes_are_refused_in_the_words_of_go() -> None:
    with pytest.raises(InvalidThreadID, match=r"^reading varint: buffer too small$"):
        ThreadID.from_bytes(b"")


@given(VARIANTS, RANDOM)
def test_ids_come_back_from_text_and_bytes(variant: Variant, data: bytes) -> None:
    thread = ThreadID(bytes((1, variant)) + data)
    assert ThreadID.parse(str(thread)) == ThreadID.from_bytes(bytes(thread)) == thread
    assert pickle.loads(pickle.dumps(thread)) == thread
    assert thread.variant is variant


@pytest.mark.parametrize(("variant", "start"), [(Variant.RAW, "bafk"), (Variant.ACCESS_CONTROLLED, "bafy")])
def test_random_ids_differ_and_have_the_usual_form(variant: Variant, start: str) -> None:
    one, two = ThreadID.random(variant), ThreadID.random(variant)
    assert one != two
    assert len(one.bytes) == 34
    assert len(str(one)) == 56
    assert str(one).startswith(start)
    assert len(ThreadID.random(variant, size=16).bytes) == 18


def test_no_id_is_made_that_javascript_could_not_read() -> None:
    with pytest.raises(InvalidThreadID, match="too small"):
        ThreadID.random(size=15)


def test_the_worked_ids_have_the_worked_text() -> None:
    random = bytes(range(0x20, 0x40))
    assert str(ThreadID(b"\x01\x55" + random)) == "bafksaijcemsckjrhfausukzmfuxc6mbrgiztinjwg44dsor3hq6t4py"
    assert str(ThreadID(b"\x01\x70" + random)) == "bafycaijcemsckjrhfausukzmfuxc6mbrgiztinjwg44dsor3hq6t4py"


@pytest.mark.parametrize("case", cases("thread-key", "key") + cases("thread-key", "random"), ids=label)
def test_recorded_keys_have_their_recorded_forms(case: dict[str, Any]) -> None:
    key = ThreadKey.from_bytes(bytes.fromhex(case["bytes_hex"]))
    assert key.to_string() == case["string"]
    assert key.service.bytes.hex() == case["service_hex"]
    assert (key.read.bytes.hex() if key.read else None) == (case["read_hex"] or None)
    assert key.can_read is case["can_read"]
    assert ThreadKey.from_string(case["string"]) == key
    assert key.bytes.hex() == case["bytes_hex"]


@pytest.mark.parametrize("case", cases("thread-key", "from_bytes"), ids=label)
def test_key_bytes_of_odd_lengths_are_read_or_refused_as_recorded(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["bytes_hex"])
    if case["accepted"]:
        assert ThreadKey.from_bytes(data).to_string() == case["string"]
        assert ThreadKey.from_bytes(data).can_read is case["can_read"]
    else:
        with pytest.raises(InvalidKey, match=r"^invalid key$"):
            ThreadKey.from_bytes(data)


@pytest.mark.parametrize("case", cases("thread-key", "from_string"), ids=label)
def test_odd_key_texts_are_read_or_refused_as_recorded(case: dict[str, Any]) -> None:
    if case["accepted"]:
        assert ThreadKey.from_string(case["string"]).bytes.hex() == case["bytes_hex"]
        assert ThreadKey.from_string(case["string"]).to_string() == case["canonical_string"]
    else:
        with pytest.raises(InvalidKey):
            ThreadKey.from_string(case["string"])


@given(st.booleans())
def test_random_keys_come_back_from_text_and_bytes(full: bool) -> None:
    key = ThreadKey.random() if full else ThreadKey.random_service()
    assert ThreadKey.from_string(key.to_string()) == ThreadKey.from_bytes(bytes(key)) == key
    assert pickle.loads(pickle.dumps(key)) == key
    assert key.can_read is full
    assert key != ThreadKey.random()


def test_the_read_part_can_be_left_out() -> None:
    key = ThreadKey(SymmetricKey(b"\x11" * 32), SymmetricKey(b"\x22" * 32))
    assert key.service_only.to_string() == "bceirceirceirceirceirceirceirceirceirceirceirceirceiq"
    assert key.to_string() == (
        "bceirceirceirceirceirceirceirceirceirceirceirceirceiseirceirceirceirceirceirceirceirceirceirceirceirceiq"
    )
