from __future__ import annotations

import contextlib

import multiformats.multibase
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.recorded import cases, label
from textile_aio._codec import multibase
from textile_aio.errors import InvalidEncoding

BASES = [*multibase._BASES, "identity"]
# That package pads base8, which the multibase table does not; the identity base has no text of its own.
REFERENCE = {base.name for base in multiformats.multibase.table()} & set(BASES) - {"base8", "identity"}
ASCII = st.text(st.characters(min_codepoint=0, max_codepoint=0x7F), max_size=30)


@given(st.sampled_from(BASES), st.binary(max_size=80))
@example("base58btc", b"\x00\x00\x01")
@example("base36", b"\x00")
@example("base2", b"")
def test_bytes_come_back_from_every_base(base: str, data: bytes) -> None:
    assert multibase.decode(multibase.encode(data, base)) == data


@given(st.sampled_from(sorted(REFERENCE)), st.binary(max_size=60))
def test_text_is_what_the_multiformats_package_writes(base: str, data: bytes) -> None:
    assert multibase.encode(data, base) == multiformats.multibase.encode(data, base)


@given(st.sampled_from(sorted(base.prefix for base in multibase._BASES.values())), ASCII)
def test_whatever_is_read_is_what_would_be_written_letter_case_aside(prefix: str, body: str) -> None:
    try:
        data = multibase.decode(prefix + body)
    except InvalidEncoding:
        return
    name, base = multibase._BY_PREFIX[prefix]
    again = multibase.encode(data, name)[1:]
    assert again.lower() == body.lower()
    assert base.folds or again == body


@given(st.text(max_size=20))
def test_no_text_breaks_the_decoder(text: str) -> None:
    with contextlib.suppress(InvalidEncoding):
        multibase.decode(text)


@pytest.mark.parametrize("base", sorted(name for name, base in multibase._BASES.items() if base.folds))
def test_letter_case_means_nothing_where_a_base_has_one_case(base: str) -> None:
    text = multibase.encode(bytes(range(40)), base)
    assert multibase.decode(text[0] + text[1:].swapcase()) == bytes(range(40))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot decode multibase for zero length string"),
        ("!abc", "selected encoding not supported"),
        ("bab1cd", "illegal base32 data at input byte 2"),
        ("ba", "illegal base32 data at input byte 1"),
        ("bab", "illegal base32 data at input byte 2"),
        ("bae ", "illegal base32 data at input byte 2"),
        ("bae\n", "illegal base32 data at input byte 2"),
        ("bae=", "illegal base32 data at input byte 2"),
        ("cae", "illegal base32 data at input byte 2"),
        ("cae=======", "illegal base32 data at input byte 2"),
        ("b\u017f\u017f", "illegal base32 data at input byte 0"),
        ("k\u212a", "illegal base36 data at input byte 0"),
        ("f123", "illegal base16 data at input byte 3"),
        ("fg0", "illegal base16 data at input byte 0"),
        ("z0", "illegal base58btc data at input byte 0"),
        ("mAB==", "illegal base64 data at input byte 2"),
        ("mA_", "illegal base64 data at input byte 1"),
        ("k1_0", "illegal base36 data at input byte 1"),
        ("9 1", "illegal base10 data at input byte 0"),
    ],
)
def test_malformed_text_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(InvalidEncoding) as caught:
        multibase.decode(text)
    assert str(caught.value) == message


def test_a_positional_base_is_not_read_beyond_any_real_length() -> None:
    with pytest.raises(InvalidEncoding, match="longer than"):
        multibase.decode("z" + "2" * 5000)


def test_a_base_of_another_name_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no base named"):
        multibase.encode(b"", "base17")


OTHER_BASES = [
    pytest.param(case["bytes_hex"], base, text, id=f"{base} {label(case)}")
    for case in cases("thread-id", "id")
    for base, text in {case["encoding_name"]: case["string"], **case["other_encodings"]}.items()
]


@pytest.mark.parametrize(("raw", "base", "text"), OTHER_BASES)
def test_recorded_texts_in_every_base_are_written_and_read(raw: str, base: str, text: str) -> None:
    assert multibase.encode(bytes.fromhex(raw), base) == text
    assert multibase.decode(text) == bytes.fromhex(raw)
