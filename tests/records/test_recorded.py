"""Records agree byte for byte with the recorded ones."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from tests.recorded import label
from tests.records import recorded
from tests.records.recorded import AUTHOR, CASES, FILE, LOG, READ_KEY, SERVICE_KEY
from textile_aio.errors import BadSignature, DecryptionFailed, IntegrityError
from textile_aio.identity import Identity, PublicKey
from textile_aio.ids import Multiaddr, ThreadID, ThreadKey
from textile_aio.records import counters, dagcbor, events, record

each_case = pytest.mark.parametrize("case", CASES, ids=label)


@each_case
def test_sealing_gives_the_recorded_blocks_and_names(case: dict[str, Any]) -> None:
    made, out = recorded.seal(case), case["outputs"]
    assert dataclasses.asdict(made.nodes) == dataclasses.asdict(recorded.nodes(case))
    assert made.signature.hex() == out["sig"]
    for name, cid in (
        ("record", made.cid),
        ("event", made.event),
        ("header", made.header),
        ("body", made.body),
    ):
        assert cid.bytes.hex() == out[f"{name}_cid"]
        assert str(cid) == out[f"{name}_cid_str"]


@each_case
def test_opening_gives_what_was_sealed(case: dict[str, Any]) -> None:
    opened = record.open_record(recorded.nodes(case), SERVICE_KEY)
    assert opened == recorded.seal(case)
    assert opened.prev == recorded.prev(case)
    assert opened.author.hex() == FILE["keys"]["identity_public_pb"]


@each_case
def test_the_log_s_public_key_verifies_it(case: dict[str, Any]) -> None:
    opened = record.open_record(recorded.nodes(case), SERVICE_KEY)
    record.verify(opened, PublicKey(bytes.fromhex(FILE["keys"]["log_public_raw"])))


@each_case
def test_the_body_opens_to_the_recorded_changes(case: dict[str, Any]) -> None:
    opened = record.open_record(recorded.nodes(case), SERVICE_KEY)
    body = record.open_body(opened, READ_KEY)
    assert body.hex() == case["outputs"]["body_plain"]
    assert events.decode_events(body) == recorded.changes(case)
    assert events.encode_events(recorded.changes(case)) == body


@each_case
@pytest.mark.parametrize(
    "block",
    ["body_plain", "header_plain", "record_plain", "event_node", "record_node", "header_node", "body_node"],
)
def test_every_recorded_block_is_in_the_one_form(case: dict[str, Any], block: str) -> None:
    data = bytes.fromhex(case["outputs"][block])
    assert dagcbor.encode(dagcbor.decode(data)) == data


@pytest.mark.parametrize(("number", "form"), FILE["log_info_counter_bytes"].items())
def test_counters_have_the_recorded_form(number: str, form: str) -> None:
    assert counters.encode(int(number)).hex() == form
    assert counters.decode(bytes.fromhex(form)) == int(number)


def test_the_recorded_keys_and_names_are_one_another_s() -> None:
    keys, thread = FILE["keys"], FILE["thread"]
    assert ThreadKey.from_string(keys["thread_key_str"]).bytes == SERVICE_KEY + READ_KEY
    assert ThreadKey.from_string(keys["thread_key_service_only_str"]).bytes == SERVICE_KEY
    assert LOG.bytes.hex() == keys["log_private_pb"]
    assert LOG.public.bytes.hex() == keys["log_public_pb"]
    assert (LOG.public.peer_id.bytes.hex(), str(LOG.public.peer_id)) == (keys["log_id"], keys["log_id_str"])
    assert str(AUTHOR) == keys["identity_public_str"]
    assert str(ThreadID.from_bytes(bytes.fromhex(thread["id"]))) == thread["id_str"]
    for name in ("addr", "addr_hostonly"):
        addr = Multiaddr.from_bytes(bytes.fromhex(thread[name]))
        assert addr == Multiaddr.parse(thread[f"{name}_str"])
        assert str(ThreadID.from_addr(addr)) == thread["id_str"]
        assert addr.value("p2p") == thread["host_id_str"]


def refused(text: str) -> None:
    """Do what the text of a recorded refusal says, and see it refused."""
    match text.split():
        case ["open", "record", number, "with", "a", "different", "log", "public", "key", *_]:
            opened = record.open_record(recorded.nodes(CASES[int(number) - 1]), SERVICE_KEY)
            with pytest.raises(BadSignature, match="bad signature"):
                record.verify(opened, Identity.generate().public)
        case ["swap", block, "of", "record", one, "with", "that", "of", "record", other, *_]:
            name = block.removesuffix("_node")
            given = recorded.nodes(CASES[int(one) - 1])
            foreign = getattr(recorded.nodes(CASES[int(other) - 1]), name)
            with pytest.raises(IntegrityError, match=f"the {name} block is not the one"):
                record.open_record(dataclasses.replace(given, **{name: foreign}), SERVICE_KEY)
        case ["open", "record", "node", "with", "the", "read", "key", *_]:
            for case in CASES:
                with pytest.raises(DecryptionFailed):
                    record.open_record(recorded.nodes(case), READ_KEY)
        case _:
            pytest.fail(f"no test knows how to {re.sub(' *->.*', '', text)}")


@pytest.mark.parametrize("text", FILE["negative"])
def test_what_is_recorded_as_refused_is_refused(text: str) -> None:
    refused(text)
