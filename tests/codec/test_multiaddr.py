"""Multiaddresses.

Two texts that JavaScript takes are refused here, as Go refuses them: a port that is no number (it becomes 0)
and the empty text.
"""

from __future__ import annotations

import contextlib
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recorded import cases
from textile_aio._codec.multiaddr import Multiaddr, is_local_host
from textile_aio.errors import InvalidEncoding
from textile_aio.ids import PeerID, ThreadID

PEER = PeerID.parse("12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB")
RAW = b"\x01\x55"
WORKED = f"/ip4/127.0.0.1/tcp/4006/p2p/{PEER}/thread/bafksaijcemsckjrhfausukzmfuxc6mbrgiztinjwg44dsor3hq6t4py"
PARTS = st.one_of(
    st.ip_addresses(v=4).map(lambda ip: f"/ip4/{ip}"),
    st.ip_addresses(v=6).map(lambda ip: f"/ip6/{ip}"),
    st.integers(0, 65535).flatmap(lambda port: st.sampled_from([f"/tcp/{port}", f"/udp/{port}"])),
    st.sampled_from(
        ["/quic", "/ws", "/wss", "/tls", "/p2p-circuit", "/dns4/hub.example", "/dnsaddr/b.example"]
    ),
    st.binary(max_size=36).map(lambda key: f"/p2p/{PeerID.from_public_key(key)}"),
    st.binary(min_size=16, max_size=40).map(lambda data: f"/thread/{ThreadID(RAW + data)}"),
)
RECORDED = [case for case in cases("multiaddr") if "text" in case]
STRICTER = {"", "/"}  # besides ports that are no numbers


def is_stricter_here(case: dict[str, Any]) -> bool:
    ports = [value for name, value in pairwise(case["text"].split("/")) if name in ("tcp", "udp")]
    return case["text"] in STRICTER or any(not port.isdigit() for port in ports)


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["text"] or "empty")
def test_recorded_addresses_are_read_and_written_as_recorded(case: dict[str, Any]) -> None:
    if not case["accepted"] or is_stricter_here(case):
        with pytest.raises(InvalidEncoding):
            Multiaddr.parse(case["text"])
        return
    addr = Multiaddr.parse(case["text"])
    assert addr.bytes.hex() == case["bytes_hex"]
    assert str(addr) == case["canonical_text"]
    assert Multiaddr.from_bytes(bytes.fromhex(case["bytes_hex"])) == addr
    for part, recorded in zip(addr.parts, case.get("tuples", ()), strict=False):
        assert list(part)[1:] == (recorded[1:] or [""])


@pytest.mark.parametrize(
    "case", cases("multiaddr", "treated_as_local"), ids=lambda case: case["host"] or "empty"
)
def test_hosts_count_as_local_as_recorded(case: dict[str, Any]) -> None:
    assert is_local_host(case["host"]) is case["local"]


@given(st.lists(PARTS, min_size=1, max_size=6))
def test_text_and_bytes_come_back(parts: list[str]) -> None:
    addr = Multiaddr.parse("".join(parts))
    assert Multiaddr.from_bytes(addr.bytes) == addr == Multiaddr.parse(str(addr))
    assert hash(Multiaddr.parse(str(addr))) == hash(addr)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_as_what_would_be_written_or_refused(data: bytes) -> None:
    try:
        addr = Multiaddr.from_bytes(data)
    except InvalidEncoding:
        return
    assert addr.bytes == data
    assert Multiaddr.parse(str(addr)) == addr


@given(st.text("/ipdnstcu46.0123abcx:", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidEncoding):
        Multiaddr.parse(text)


@given(st.lists(PARTS, min_size=1, max_size=3))
def test_cut_bytes_are_refused_or_are_a_shorter_address(parts: list[str]) -> None:
    addr = Multiaddr.parse("".join(parts))
    for end in range(len(addr.bytes)):
        try:
            shorter = Multiaddr.from_bytes(addr.bytes[:end])
        except InvalidEncoding:
            continue
        assert shorter.parts == addr.parts[: len(shorter.parts)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty multiaddr"),
        ("/", "empty multiaddr"),
        ("ip4/1.2.3.4", "must begin with /"),
        ("/nope/1", "unknown protocol nope"),
        ("//tcp/1", "unknown protocol "),
        ("/ip4/1.2.3.4/tcp", "tcp needs a value"),
        ("/tcp/65536", "invalid value for protocol tcp"),
        ("/tcp/-1", "invalid value for protocol tcp"),
        ("/tcp/１", "invalid value for protocol tcp"),
        ("/ip4/1.2.3", "invalid value for protocol ip4"),
        ("/ip4/01.2.3.4", "invalid value for protocol ip4"),
        ("/ip6/fe80::1%eth0", "invalid value for protocol ip6"),
        ("/dns4//tcp/1", "invalid value for protocol dns4"),
        ("/p2p/x", "invalid value for protocol p2p"),
        ("/thread/notathread", "invalid value for protocol thread"),
        ("/thread/bafk", "invalid value for protocol thread"),
    ],
)
def test_malformed_text_is_refused_with_the_part(text: str, message: str) -> None:
    with pytest.raises(InvalidEncoding, match=message):
        Multiaddr.parse(text)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "empty multiaddr"),
        ("ff7f", "no protocol with code"),
        ("047f", "ip4 needs 4 bytes"),
        ("3605ab", "dns4 needs 5 bytes"),
        ("3601ff", "invalid value for protocol dns4"),
        ("36012f", "invalid value for protocol dns4"),
        ("8400", "minimally"),
    ],
)
def test_malformed_bytes_are_refused_with_the_part(data: str, message: str) -> None:
    with pytest.raises(InvalidEncoding, match=message):
        Multiaddr.from_bytes(bytes.fromhex(data))


def test_the_worked_address_of_a_thread_has_the_worked_bytes() -> None:
    addr = Multiaddr.parse(WORKED)
    assert addr.bytes.hex() == (
        "047f000001060fa6a503260024"
        "0801122003a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
        "9603220155202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
    )
    assert ThreadID.from_addr(addr).bytes.hex().startswith("01552021")
    assert PeerID.parse(addr.value("p2p")) == PEER


def test_a_thread_is_put_behind_a_host_and_found_again() -> None:
    thread = ThreadID.random()
    addr = Multiaddr.parse(f"/ip4/127.0.0.1/tcp/4006/p2p/{PEER}") / thread.to_addr()
    assert ThreadID.from_addr(addr) == thread


def test_an_address_without_a_thread_says_so() -> None:
    with pytest.raises(InvalidEncoding, match="protocol not found in multiaddr"):
        ThreadID.from_addr(Multiaddr.parse("/ip4/127.0.0.1/tcp/1"))


def test_mapped_addresses_are_written_alike_by_every_python() -> None:
    assert str(Multiaddr.parse("/ip6/::ffff:102:304/tcp/1")) == "/ip6/::ffff:1.2.3.4/tcp/1"
