"""The recorded records, as keys and values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.recorded import load
from textile_aio.identity import Identity
from textile_aio.ids import Cid
from textile_aio.records import events, record

FILE = load("thread-record")
SERVICE_KEY = bytes.fromhex(FILE["keys"]["service_key"])
READ_KEY = bytes.fromhex(FILE["keys"]["read_key"])
LOG = Identity.from_seed(bytes.fromhex(FILE["keys"]["log_seed"]))
AUTHOR = Identity.from_seed(bytes.fromhex(FILE["keys"]["identity_seed"])).public
CASES: list[dict[str, Any]] = FILE["records"]


def nodes(case: dict[str, Any]) -> record.Nodes:
    out = case["outputs"]
    return record.Nodes(
        *(bytes.fromhex(out[f"{name}_node"]) for name in ("record", "event", "header", "body"))
    )


def changes(case: dict[str, Any]) -> tuple[events.Event, ...]:
    return tuple(
        events.Event(
            timestamp=each["timestamp"],
            collection=each["collectionName"],
            id=each["iD"],
            kind=events.EventKind(each["patch"]["type"]),
            patch=None if (text := each["patch"]["jSONPatch_utf8"]) is None else text.encode(),
        )
        for each in case["inputs"]["body"]["patches"]
    )


def prev(case: dict[str, Any]) -> Cid | None:
    text = case["inputs"]["prev_cid"]
    return None if text is None else Cid.from_bytes(bytes.fromhex(text))


def drawing(*pieces: bytes) -> Callable[[int], bytes]:
    """A random source that gives these, each of the size it is asked for."""
    left = iter(pieces)

    def draw(size: int) -> bytes:
        piece = next(left)
        assert len(piece) == size
        return piece

    return draw


def seal(case: dict[str, Any]) -> record.Record:
    inputs = case["inputs"]
    return record.seal(
        events.encode_events(changes(case)),
        author=AUTHOR,
        log=LOG,
        service_key=SERVICE_KEY,
        read_key=READ_KEY,
        prev=prev(case),
        random=drawing(
            *(
                bytes.fromhex(inputs[name])
                for name in ("body_key", "nonce_body", "nonce_header", "nonce_record")
            )
        ),
    )
