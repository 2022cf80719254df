"""The encrypted container (spec: buckets-api §7)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio import dcrypto
from textile_aio.errors import DecryptionFailed, InvalidKey

KEY = bytes(range(64))
IV = bytes(range(16))
CONTAINER = bytes.fromhex(
    "00000000000102030405060708090a0b0c0d0e0f320b683b67db06f982423137"
    "abb59a00925d42fa11645fa59a833e26e047b12b1d039ca15057d10910e6c1b910dab22c2ccf4035665de2a7162c280f"
    "666d406ca9260dcc86d643972978d153"
)


def cut(data: bytes, at: list[int]) -> list[bytes]:
    points = sorted({0, len(data), *(each % (len(data) + 1) for each in at)})
    return [data[start:stop] for start, stop in pairwise(points)]


def test_the_recorded_container_is_made_and_opened() -> None:
    assert dcrypto.encrypt(KEY, b"hello world\n", IV) == CONTAINER
    assert dcrypto.decrypt(KEY, CONTAINER) == b"hello world\n"
    assert len(CONTAINER) == len(b"hello world\n") + dcrypto.OVERHEAD


@given(st.binary(max_size=300), st.lists(st.integers(0, 999), max_size=5))
def test_the_pieces_do_not_matter(content: bytes, at: list[int]) -> None:
    encrypter = dcrypto.Encrypter(KEY, IV)
    made = encrypter.begin() + b"".join(map(encrypter.update, cut(content, at))) + encrypter.finish()
    assert made == dcrypto.encrypt(KEY, content, IV)
    verifier = dcrypto.Verifier(KEY, len(made))
    for piece in cut(made, at):
        verifier.update(piece)
    verifier.finish()
    assert verifier.header == made[: dcrypto.HEADER_SIZE]


@given(st.binary(min_size=1, max_size=300), st.data())
def test_it_opens_from_any_byte_on(content: bytes, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(content)))
    made = dcrypto.encrypt(KEY, content)
    opener = dcrypto.Decrypter(KEY, made[: dcrypto.HEADER_SIZE], offset=offset)
    assert opener.update(made[dcrypto.HEADER_SIZE + offset : -dcrypto.TAG_SIZE]) == content[offset:]


def test_a_counter_that_overflows_goes_on_at_zero() -> None:
    made = dcrypto.encrypt(KEY, bytes(100), b"\xff" * 16)
    opener = dcrypto.Decrypter(KEY, made[: dcrypto.HEADER_SIZE], offset=40)
    assert opener.update(made[dcrypto.HEADER_SIZE + 40 : -dcrypto.TAG_SIZE]) == bytes(60)


@pytest.mark.parametrize("position", range(4, len(CONTAINER)))
def test_no_bit_behind_the_version_can_change(position: int) -> None:
    altered = bytearray(CONTAINER)
    altered[position] ^= 1
    with pytest.raises(DecryptionFailed, match="^message corrupt or incorrect password"):
        dcrypto.decrypt(KEY, altered)


@pytest.mark.parametrize("size", range(dcrypto.OVERHEAD))
def test_what_is_too_short_is_corrupt(size: int) -> None:
    with pytest.raises(DecryptionFailed):
        dcrypto.decrypt(KEY, CONTAINER[:size])


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(DecryptionFailed, match="message corrupt or incorrect password"):
        dcrypto.decrypt(bytes(64), CONTAINER)


def test_another_version_is_named() -> None:
    with pytest.raises(DecryptionFailed, match=r"unknown decrypter for version\(258\)"):
        dcrypto.decrypt(KEY, b"\x02\x01\0\0" + CONTAINER[4:])


def test_keys_have_one_length_and_one_text() -> None:
    with pytest.raises(InvalidKey, match="expected key with length 64, got 63"):
        dcrypto.Encrypter(bytes(63))
    key = dcrypto.generate_key()
    text = dcrypto.key_text(key)
    assert len(text) == 88
    assert dcrypto.parse_key(text) == key
    for wrong in ("", "?" * 88, text[:-4]):
        with pytest.raises(InvalidKey):
            dcrypto.parse_key(wrong)
