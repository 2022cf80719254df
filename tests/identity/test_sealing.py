"""Sealing to a public key and with a shared key.

To two recorded recipients JavaScript seals and this package does not: y = 0 and y = 1 are of small order, and
what is sealed to them can be opened by everybody.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl import bindings

from tests.recorded import cases, label
from textile_aio import _sealing
from textile_aio.errors import DecryptionFailed, InvalidKey
from textile_aio.identity import Identity, PublicKey
from textile_aio.ids import SymmetricKey

SMALL_ORDER = {bytes(32).hex(), (1).to_bytes(32, "little").hex()}


@pytest.mark.parametrize("case", cases("asymmetric", "decrypts"), ids=label)
def test_recorded_texts_are_sealed_and_opened_as_recorded(case: dict[str, Any]) -> None:
    identity = Identity.from_string(case["private_string"])
    plaintext, sealed = bytes.fromhex(case["plaintext_hex"]), bytes.fromhex(case["ciphertext_hex"])
    assert identity.decrypt(sealed) == plaintext
    again = _sealing.seal_to_public(
        PublicKey.from_string(case["public_string"]).raw,
        plaintext,
        ephemeral=bytes.fromhex(case["ephemeral_secret_hex"]),
        nonce=bytes.fromhex(case["nonce_hex"]),
    )
    assert again == sealed


@pytest.mark.parametrize("case", cases("asymmetric", "tampered"), ids=label)
def test_altered_texts_are_refused_as_recorded(case: dict[str, Any]) -> None:
    identity = Identity.from_string(case["private_string"])
    sealed = bytes.fromhex(case["ciphertext_hex"])
    if case["accepted"]:
        assert identity.decrypt(sealed).hex() == case["plaintext_hex"]
    else:
        with pytest.raises(DecryptionFailed, match=r"malformed cipher text|failed to decrypt curve25519"):
            identity.decrypt(sealed)


@pytest.mark.parametrize("case", cases("asymmetric", "odd_recipient"), ids=label)
def test_odd_recipients_are_refused_as_recorded_and_where_sealing_would_hide_nothing(
    case: dict[str, Any],
) -> None:
    raw = bytes.fromhex(case["public_raw_hex"])
    if case["accepted"] and raw.hex() not in SMALL_ORDER:
        assert len(PublicKey(raw).encrypt(b"x")) == 73
    else:
        with pytest.raises(InvalidKey):
            PublicKey(raw).encrypt(b"x")


@pytest.mark.parametrize("case", cases("message-signature"), ids=label)
def test_recorded_messages_open_for_both_sides_and_their_signatures_verify(case: dict[str, Any]) -> None:
    sender = Identity.from_string(case["from_private_string"])
    recipient = Identity.from_string(case["to_private_string"])
    assert str(sender.public) == case["from_public_string"]
    assert str(recipient.public) == case["to_public_string"]
    for side, reader in (("to", recipient), ("from", sender)):
        body = bytes.fromhex(case[f"{side}_body_hex"])
        signature = bytes.fromhex(case[f"{side}_signature_hex"])
        assert reader.decrypt(body).hex() == case["body_hex"]
        assert sender.public.verify(body, signature)
        assert sender.sign(body) == signature


@pytest.mark.parametrize("case", cases("message-signature"), ids=label)
def test_recorded_messages_are_sealed_as_recorded(case: dict[str, Any]) -> None:
    drawn = [bytes.fromhex(text) for text in case["random_drawn_in_order_hex"]]
    for side, (ephemeral, nonce) in zip(("from", "to"), (drawn[:2], drawn[2:]), strict=True):
        public = PublicKey.from_string(case[f"{side}_public_string"])
        sealed = _sealing.seal_to_public(
            public.raw, bytes.fromhex(case["body_hex"]), ephemeral=ephemeral, nonce=nonce
        )
        assert sealed.hex() == case[f"{side}_body_hex"]


def test_the_worked_text_is_sealed_as_worked() -> None:
    sealed = _sealing.seal_to_public(
        Identity.from_seed(bytes(range(32))).public.raw, b"hello", ephemeral=b"\x09" * 32, nonce=b"\x03" * 24
    )
    assert sealed.hex() == (
        "03" * 24
        + "57db4b359f23ae5e146e4e2512056704722506348c150c14753d0c933d04d421"
        + "fd918d061e122394212dd9343de4d93d0285b03d8c"
    )
    assert Identity.from_seed(bytes(range(32))).decrypt(sealed) == b"hello"


@settings(max_examples=50)
@given(st.binary(min_size=32, max_size=32))
def test_keys_are_converted_as_libsodium_converts_them(seed: bytes) -> None:
    public = Identity.from_seed(seed).public.raw
    assert _sealing._to_x25519(public) == bindings.crypto_sign_ed25519_pk_to_curve25519(public)


@settings(max_examples=50)
@given(st.binary(max_size=300), st.data())
def test_sealed_texts_open_unaltered_only(plaintext: bytes, data: st.DataObject) -> None:
    identity = Identity.generate()
    sealed = bytearray(identity.public.encrypt(plaintext))
    assert identity.decrypt(bytes(sealed)) == plaintext
    at = data.draw(st.integers(0, len(sealed) - 1))
    bit = data.draw(st.integers(0, 6 if at == 55 else 7))  # the ephemeral key's top bit means nothing
    sealed[at] ^= 1 << bit
    with pytest.raises(DecryptionFailed):
        identity.decrypt(bytes(sealed))


def test_sealing_twice_never_gives_the_same_text() -> None:
    identity, key = Identity.generate(), SymmetricKey.random()
    assert identity.public.encrypt(b"x") != identity.public.encrypt(b"x")
    assert key.seal(b"x") != key.seal(b"x")


@pytest.mark.parametrize("case", cases("symmetric", "aes_gcm"), ids=label)
def test_recorded_texts_under_a_shared_key_are_sealed_and_opened_as_recorded(case: dict[str, Any]) -> None:
    key, sealed = bytes.fromhex(case["key_hex"]), bytes.fromhex(case["ciphertext_hex"])
    plaintext = bytes.fromhex(case["plaintext_hex"])
    assert SymmetricKey(key).open(sealed) == plaintext
    assert _sealing.seal_symmetric(key, plaintext, nonce=sealed[:12]) == sealed


@pytest.mark.parametrize("case", cases("symmetric", "aes_gcm_tampered"), ids=label)
def test_altered_texts_under_a_shared_key_are_refused_as_recorded(case: dict[str, Any]) -> None:
    key, sealed = SymmetricKey(bytes.fromhex(case["key_hex"])), bytes.fromhex(case["ciphertext_hex"])
    if case["accepted"]:
        assert key.open(sealed).hex() == case["plaintext_hex"]
    else:
        with pytest.raises(DecryptionFailed):
            key.open(sealed)


@pytest.mark.parametrize("size", range(12))
def test_a_text_without_room_for_the_nonce_is_called_malformed(size: int) -> None:
    with pytest.raises(DecryptionFailed, match="malformed cipher text"):
        SymmetricKey.random().open(bytes(size))


@pytest.mark.parametrize(
    "case", cases("symmetric", "aes_gcm_key_length"), ids=lambda case: case["key_hex"][:8]
)
def test_shared_keys_of_another_length_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(InvalidKey, match="32 bytes"):
        SymmetricKey(bytes.fromhex(case["key_hex"]))


@pytest.mark.parametrize("case", cases("symmetric", "encrypted_block"), ids=label)
def test_recorded_blocks_hold_their_recorded_content(case: dict[str, Any]) -> None:
    block = bytes.fromhex(case["block_hex"])
    head = 2 if block[0] == 0x58 else 3  # a CBOR byte string with one or two bytes of length
    assert SymmetricKey(bytes.fromhex(case["key_hex"])).open(block[head:]).hex() == case["plain_cbor_hex"]


@given(st.binary(max_size=200), st.data())
def test_a_shared_key_opens_what_is_unaltered_only(plaintext: bytes, data: st.DataObject) -> None:
    key = SymmetricKey.random()
    sealed = bytearray(key.seal(plaintext))
    assert key.open(bytes(sealed)) == plaintext
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(DecryptionFailed):
        key.open(bytes(sealed))
