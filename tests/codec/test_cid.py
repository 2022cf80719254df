from __future__ import annotations

import contextlib
import copy
import pickle

import multiformats
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio._codec.cid import DAG_CBOR, DAG_PB, LIBP2P_KEY, RAW, Cid
from textile_aio.errors import InvalidEncoding

DIGESTS = st.binary(min_size=32, max_size=32)
CODECS = st.sampled_from([RAW, DAG_PB, DAG_CBOR, LIBP2P_KEY])
SEED = Cid.parse("bafkreidgnb5k36dcxv3wzd6brohj7drabclrjblo4iz3hebkleoq2xzjeu")  # 32 zero bytes
FOLDER = Cid.parse("QmVJ1xg67UckH6KcJ4K6zEy8mofTdCxFeqCt2L7Jc5QWST")


@given(CODECS, DIGESTS)
def test_version_1_is_what_the_multiformats_package_makes(codec: int, digest: bytes) -> None:
    ours = Cid.sha256(codec, digest)
    theirs = multiformats.CID("base32", 1, codec, ("sha2-256", digest))
    assert ours.bytes == bytes(theirs)
    assert str(ours) == str(theirs)
    assert Cid.parse(str(theirs)) == Cid.from_bytes(bytes(theirs)) == ours
    assert ours.digest == digest


@given(DIGESTS)
def test_version_0_is_what_the_multiformats_package_makes(digest: bytes) -> None:
    ours = Cid.sha256(DAG_PB, digest, version=0)
    theirs = multiformats.CID("base58btc", 0, DAG_PB, ("sha2-256", digest))
    assert (ours.bytes, str(ours)) == (bytes(theirs), str(theirs))
    assert Cid.parse(str(ours)) == Cid.from_bytes(ours.bytes) == ours


@given(CODECS, st.binary(max_size=70))
def test_identity_hashes_of_any_length_come_back(codec: int, content: bytes) -> None:
    cid = Cid(1, codec, bytes((0, len(content))) + content)
    assert Cid.parse(str(cid)) == Cid.from_bytes(cid.bytes) == cid
    assert cid.digest == content


@given(CODECS, DIGESTS, st.binary(min_size=1, max_size=4))
def test_bytes_before_and_after_are_refused(codec: int, digest: bytes, more: bytes) -> None:
    data = Cid.sha256(codec, digest).bytes
    with pytest.raises(InvalidEncoding):
        Cid.from_bytes(data + more)
    for end in range(len(data)):
        with pytest.raises(InvalidEncoding):
            Cid.from_bytes(data[:end])


@given(st.binary(max_size=60))
def test_any_bytes_are_read_as_what_would_be_written_or_refused(data: bytes) -> None:
    try:
        cid = Cid.from_bytes(data)
    except InvalidEncoding:
        return
    assert cid.bytes == data


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidEncoding):
        Cid.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "b",
        "Qm",
        "QmVJ1xg67UckH6KcJ4K6zEy8mofTdCxFeqCt2L7Jc5QWS0",
        "z" + str(FOLDER),
        "bafk",
        f"{SEED} ",
        f"{SEED}a",
    ],
)
def test_malformed_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidEncoding):
        Cid.parse(text)


@pytest.mark.parametrize(
    ("codec", "digest", "version"), [(RAW, bytes(32), 0), (RAW, bytes(31), 1), (RAW, bytes(32), 2)]
)
def test_no_cid_is_made_that_could_not_be_read(codec: int, digest: bytes, version: int) -> None:
    with pytest.raises(InvalidEncoding):
        Cid.sha256(codec, digest, version)


def test_a_version_1_text_in_another_base_is_the_same_cid() -> None:
    upper = "B" + str(SEED)[1:].upper()
    assert Cid.parse(upper) == SEED
    assert str(Cid.parse(upper)) == str(SEED)


def test_version_0_and_1_of_one_hash_are_different_cids() -> None:
    assert Cid(1, DAG_PB, FOLDER.multihash) != FOLDER
    assert len({FOLDER, Cid(1, DAG_PB, FOLDER.multihash), Cid.parse(str(FOLDER))}) == 2


def test_a_cid_pickles_copies_and_keeps_its_text() -> None:
    str(SEED)
    for other in (pickle.loads(pickle.dumps(SEED)), copy.deepcopy(SEED)):
        assert other == SEED
        assert str(other) == str(SEED)
        assert hash(other) == hash(SEED)
