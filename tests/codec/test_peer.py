from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recorded import cases, label
from textile_aio.errors import InvalidEncoding
from textile_aio.identity import PublicKey
from textile_aio.ids import Cid, PeerID


@pytest.mark.parametrize("case", cases("keys", "key"), ids=label)
def test_recorded_keys_have_their_recorded_peer_ids(case: dict[str, Any]) -> None:
    peer = PublicKey(bytes.fromhex(case["public_raw_hex"])).peer_id
    assert str(peer) == case["peer_id_base58"]
    assert peer.bytes.hex() == case["peer_id_multihash_hex"]
    assert str(peer.cid) == case["peer_id_cid_v1"]
    assert PeerID.parse(case["peer_id_base58"]) == PeerID.parse(case["peer_id_cid_v1"]) == peer


@given(st.binary(max_size=200))
def test_both_texts_lead_back_to_the_same_id(key: bytes) -> None:
    peer = PeerID.from_public_key(key)
    assert PeerID.parse(str(peer)) == PeerID.parse(str(peer.cid)) == PeerID(bytes(peer)) == peer
    assert str(peer).startswith("Qm" if len(key) > 42 else "1")


def test_a_long_key_is_named_by_its_hash() -> None:
    assert str(PeerID.parse("QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG")).startswith("Qm")


@pytest.mark.parametrize(
    "text", ["", "1", "12D3", "12D3KooW0", "Qm", "x", "bafk", str(Cid.sha256(0x55, bytes(32)))]
)
def test_malformed_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidEncoding):
        PeerID.parse(text)


def test_another_hash_is_refused() -> None:
    with pytest.raises(InvalidEncoding, match="identity or sha2-256"):
        PeerID(b"\x13\x01\x00")
