"""Key texts and bytes, signatures, and what cannot be a key.

JavaScript takes some malformed keys that Go and this package refuse:

=========================================  ===================================================================
accepted by JavaScript                     why it is refused here
=========================================  ===================================================================
private key, seed alone (32 bytes)         cannot be told from a public key's text, which would become a seed
private key, a public key's text           the same bytes: a key that everybody knows
private or public key of type 0 or 2       names another algorithm; Go reads it as that and fails
public key of 31 bytes                     no Ed25519 key
public key of 64 bytes                     the rest would be dropped silently
public key, a private key's text           the secret seed would become the public key, and be sent around
=========================================  ===================================================================

As in JavaScript, a public half that is not its seed's is put right, and fields may come in any order.
"""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recorded import cases, label
from textile_aio._codec import multibase, protowire
from textile_aio.errors import InvalidKey
from textile_aio.identity import Identity, PublicKey, sign_with

SEEDS = st.binary(min_size=32, max_size=32)
READERS = {
    "PrivateKey.fromString": lambda text: Identity.from_string(text).to_string(),
    "PublicKey.fromString": lambda text: str(PublicKey.from_string(text)),
}
SIZES = {"PrivateKey.fromString": (64, 96), "PublicKey.fromString": (32,)}


def is_stricter_here(case: dict[str, Any]) -> bool:
    fields = dict(protowire.fields(multibase.decode(case["input"])))
    kind, data = fields[1], fields[2]
    assert isinstance(data, bytes)
    return kind != 1 or len(data) not in SIZES[case["operation"]]


@pytest.mark.parametrize("case", cases("keys", "key"), ids=label)
def test_recorded_keys_have_their_recorded_forms(case: dict[str, Any]) -> None:
    identity = Identity.from_seed(bytes.fromhex(case["seed_hex"]))
    assert identity.bytes.hex() == case["private_marshalled_hex"]
    assert identity.to_string() == case["private_string"]
    assert identity.seed.hex() + identity.public.raw.hex() == case["private_raw_hex"]
    assert identity.public.bytes.hex() == bytes(identity.public).hex() == case["public_marshalled_hex"]
    assert str(identity.public) == case["public_string"]
    assert Identity.from_string(case["private_string"]) == Identity.from_bytes(identity.bytes) == identity
    assert PublicKey.from_string(case["public_string"]) == PublicKey.from_bytes(identity.public.bytes)


@pytest.mark.parametrize("case", cases("keys", "key"), ids=label)
def test_recorded_signatures_are_made_and_verified(case: dict[str, Any]) -> None:
    identity = Identity.from_string(case["private_string"])
    public = PublicKey.from_string(case["public_string"])
    for signed in case["signatures"]:
        message, signature = bytes.fromhex(signed["message_hex"]), bytes.fromhex(signed["signature_hex"])
        tampered = bytes.fromhex(signed["tampered_signature_hex"])
        assert identity.sign(message) == signature
        assert public.verify(message, signature)
        assert not public.verify(message + b"x", signature)
        assert public.verify(message, tampered) is signed["tampered_verifies"]


@pytest.mark.parametrize("case", cases("keys", "from_string"), ids=lambda case: case["encoding"])
def test_keys_are_read_in_every_base(case: dict[str, Any]) -> None:
    assert READERS[case["operation"]](case["input"]) == case["result_string"]


@pytest.mark.parametrize("case", cases("keys", "from_string_odd"), ids=label)
def test_odd_texts_are_read_as_recorded_or_refused(case: dict[str, Any]) -> None:
    if not case["accepted"] or is_stricter_here(case):
        with pytest.raises(InvalidKey):
            READERS[case["operation"]](case["input"])
        return
    assert READERS[case["operation"]](case["input"]) == case["result_string"]


@pytest.mark.parametrize("case", cases("keys", "seed_length"), ids=lambda case: case["seed_hex"][:8])
def test_seeds_of_another_length_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(InvalidKey, match="32 bytes"):
        Identity.from_seed(bytes.fromhex(case["seed_hex"]))


@pytest.mark.parametrize("case", cases("keys", "verify_odd_signature_length"))
def test_a_signature_of_another_length_does_not_verify(case: dict[str, Any]) -> None:
    public = PublicKey.from_string(case["public_string"])
    assert not public.verify(bytes.fromhex(case["message_hex"]), bytes.fromhex(case["signature_hex"]))


def test_the_worked_key_has_the_worked_forms() -> None:
    identity = Identity.from_seed(bytes(range(32)))
    assert str(identity.public) == "bbaareiadued3746occ7b24g5ddtuxqezm7snmme3uugv6ho4qzsbevjrxa"
    assert identity.to_string() == (
        "bbaareqaaaebagbafaydqqcikbmga2dqpcaireeyuculbogazdinryhi6d4b2cb576phbbpq5odorrz2lycmwpzgwgcn2kdk7dxoim"
        "zaskuy3q"
    )
    assert str(identity.public.peer_id) == "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"
    assert identity.sign(bytes(range(0x80, 0xA0))).hex() == (
        "8e227b39aa61b810187b20cd96842aa8ede266f251a5d91c91928cad4d260530"
        "1f2728e6228e92d976682610c73523f6a7a8560ace7797a8a3656075c30cd403"
    )


@given(SEEDS, st.binary(max_size=100))
def test_forms_come_back_and_signatures_belong_to_one_key(seed: bytes, message: bytes) -> None:
    identity = Identity.from_seed(seed)
    assert Identity.from_string(identity.to_string()) == identity
    assert PublicKey.from_string(str(identity.public)) == identity.public
    assert identity.public.verify(message, identity.sign(message))
    assert not Identity.generate().public.verify(message, identity.sign(message))


@given(st.binary(max_size=120))
def test_any_bytes_are_a_key_or_refused(data: bytes) -> None:
    for read in (Identity.from_bytes, PublicKey.from_bytes):
        with pytest.raises(InvalidKey):
            read(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (protowire.varint_field(1, 0) + protowire.bytes_field(2, bytes(32)), "type RSA are not supported"),
        (protowire.varint_field(1, 3) + protowire.bytes_field(2, bytes(32)), "type ECDSA are not supported"),
        (
            protowire.varint_field(1, 9) + protowire.bytes_field(2, bytes(32)),
            "invalid or unsupported key type",
        ),
        (protowire.varint_field(1, 1) + protowire.bytes_field(2, bytes(31)), "size to be 32, got 31"),
        (protowire.bytes_field(2, bytes(32)), "needs a type and data"),
        (protowire.bytes_field(1, b"\x01") + protowire.bytes_field(2, bytes(32)), "needs a type and data"),
        (protowire.varint_field(1, 1), "needs a type and data"),
        (b"\x08", "malformed key message"),
    ],
)
def test_a_refused_public_key_says_why(data: bytes, message: str) -> None:
    with pytest.raises(InvalidKey, match=message):
        PublicKey.from_bytes(data)


def test_two_public_copies_in_the_older_form_must_agree() -> None:
    seed, public = bytes(range(32)), Identity.from_seed(bytes(range(32))).public.raw
    older = protowire.varint_field(1, 1) + protowire.bytes_field(2, seed + public + public)
    assert Identity.from_bytes(older).seed == seed
    broken = protowire.varint_field(1, 1) + protowire.bytes_field(2, seed + public + bytes(32))
    with pytest.raises(InvalidKey, match="to be redundant"):
        Identity.from_bytes(broken)


def test_keys_are_equal_and_hash_by_what_they_are() -> None:
    one, same, other = Identity(bytes(32)), Identity(bytes(32)), Identity.generate()
    assert one == same
    assert one != other
    assert one != one.public
    assert {one, same, one.public, same.public} == {one, one.public}


def test_identities_and_public_keys_pickle_and_copy() -> None:
    identity = Identity.generate()
    str(identity.public)
    for other in (pickle.loads(pickle.dumps(identity)), copy.deepcopy(identity)):
        assert other == identity
        assert other.public == identity.public
        assert other.sign(b"x") == identity.sign(b"x")
    assert pickle.loads(pickle.dumps(identity.public)) == identity.public


async def test_a_signer_elsewhere_serves_as_an_identity_does() -> None:
    identity = Identity.generate()

    class Wallet:
        public = identity.public

        async def sign(self, message: bytes) -> bytes:
            return identity.sign(message)

    for signer in (identity, Wallet()):
        assert signer.public.verify(b"challenge", await sign_with(signer, b"challenge"))
