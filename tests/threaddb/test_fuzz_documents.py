"""Documents that nobody would write: refused with a typed error, or stored and given back as they were."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from tests.threaddb.engine_fixtures import Bench
from tests.threaddb.fuzzing import ANYTHING, met, mutated, standing
from textile_aio.threaddb.collections import CollectionConfig, Index

MIB = 1024 * 1024
CONFIG = CollectionConfig("Person", ANYTHING, (Index("email", unique=True), Index("age")))

REFUSED: dict[str, bytes] = {
    "deep arrays": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep and open": b'{"a":' + b"[" * 1_000_000,
    "too deep by one": b'{"a":' + b"[" * 200 + b"]" * 200 + b"}",
    "a huge integer": b'{"age":' + b"9" * 3_000_000 + b"}",
    "a huge float": b'{"age":1e999}',
    "a huge exponent": b'{"age":1e' + b"9" * 100_000 + b"}",
    "half a pair, raw": b'{"name":"\xed\xa0\x80"}',
    "no UTF-8": b'{"name":"\xff"}',
    "no UTF-8 in a name": b'{"\xff":1}',
    "an id of a number": b'{"_id":1}',
    "a long id": b'{"_id":"' + b"x" * 1025 + b'"}',
    "a type that the index's schema refuses": b'{"email":{"a":1}}',
    "NaN": b'{"age":NaN}',
    "Infinity": b'{"age":-Infinity}',
    "two values": b"{}{}",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "nothing": b"",
    "null": b"null",
    "an array": b"[]",
    "a string": b'"{}"',
    "no white space": b"{\x0b}",
    "a control character": b'{"name":"\x01"}',
    "a comma": b'{"a":1,}',
    "single quotes": b"{'a':1}",
}

KEPT: dict[str, bytes] = {
    "as deep as it goes": b'{"a":' + b"[" * 199 + b"]" * 199 + b"}",
    "objects as deep as it goes": b'{"a":' * 200 + b"1" + b"}" * 200,
    "beyond 64 bits": b'{"age":18446744073709551616,"a":-9223372036854775809}',
    "300 digits": b'{"age":' + b"9" * 300 + b"}",
    "a tiny number": b'{"age":1e-300}',
    "the largest number": b'{"age":1.7976931348623157e308}',
    "a long fraction": b'{"age":0.' + b"1" * 100_000 + b"}",
    "minus zero": b'{"age":-0.0}',
    "NUL": b'{"_id":"a\\u0000b","email":"\\u0000","name":"\\u0000","\\u0000":1}',
    "names of objects": b'{"__proto__":{"a":1},"constructor":1,"":2,"email.a":3}',
    "markup": b'{"name":"</script>&\\u2028"}',
    "an id as long as it goes": b'{"_id":"' + b"x" * 1024 + b'"}',
    "an id like a path": b'{"_id":"../../etc/passwd"}',
    "4 MiB of text": b'{"name":"' + b"x" * (4 * MIB - 100) + b'"}',
    "4 MiB of a unique value": b'{"email":"' + b"y" * (4 * MIB - 100) + b'"}',
    "4 MiB of markup": b'{"name":"' + b"<" * MIB + b'"}',
    "many members": b"{" + b",".join(b'"%d":1' % number for number in range(100_000)) + b"}",
    "many elements": b'{"a":[' + b",".join([b"{}"] * 300_000) + b"]}",
}

OTHERWISE: dict[str, tuple[bytes, dict[str, Any]]] = {
    "half a pair": (b'{"name":"\\ud800","\\udfff":"\\udc00\\ud800"}', {"name": "�", "�": "��"}),
    "half a pair of a unique value": (b'{"email":"\\ud800"}', {"email": "�"}),
    "a name twice": (
        b'{"email":"1","email":"2","x":{"a":1,"a":{"b":1}}}',
        {"email": "2", "x": {"a": {"b": 1}}},
    ),
    "a time of one's own": (b'{"_mod":{"a":1}}', {}),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_document_is_refused_everywhere(name: str) -> None:
    async with standing(None, CONFIG) as bench:
        await bench.create({"_id": "S", "name": "kept"})
        for verb in ("create", "save", "verify"):
            call = getattr(bench.engine, verb)(bench.db, "Person", [REFUSED[name]], who="")
            _, error = await met(call)
            assert error is not None, verb
            assert error.code is not None
        async with bench.engine.write_transaction(bench.db, "Person", who="") as transaction:
            for operation in (transaction.create, transaction.save, transaction.verify):
                _, error = await met(operation([REFUSED[name]]))
                assert error is not None
            await transaction.commit()
        assert [each["name"] for each in await bench.find()] == ["kept"]


@pytest.mark.parametrize("name", [*KEPT, *OTHERWISE])
async def test_what_is_stored_is_given_back(tmp_path: Path, name: str) -> None:
    raw, expected = OTHERWISE[name] if name in OTHERWISE else (KEPT[name], json.loads(KEPT[name]))
    async with standing(tmp_path / "hub", CONFIG) as bench:
        (id_,) = await bench.engine.create(bench.db, "Person", [raw], who="")
        await same(bench, id_, {**expected, "_id": id_})
        # Over something else, and over itself; what was there before does not shine through.
        named = json.dumps({**expected, "_id": id_}).encode()
        for other in (b'{"_id":%s,"a":1,"x":{"a":{"c":2}},"name":{"y":1}}', b'{"_id":%s}'):
            quoted = json.dumps(id_).encode()
            await bench.engine.save(bench.db, "Person", [other % quoted], who="")
            for _ in range(2):
                await bench.engine.save(bench.db, "Person", [named], who="")
            await same(bench, id_, {**expected, "_id": id_})
        await bench.engine.delete(bench.db, "Person", [id_], who="")
        assert not await bench.find()


async def same(bench: Bench, id_: str, expected: dict[str, Any]) -> None:
    found = json.loads(await bench.engine.find_by_id(bench.db, "Person", id_, who=""))
    assert found.pop("_mod") > 0
    assert found == expected


@pytest.mark.parametrize("seed", range(4))
async def test_texts_with_faults_are_refused_or_stored(tmp_path: Path, seed: int) -> None:
    """Whatever is stored is what Python reads as well."""
    rng = random.Random(seed)
    base = b'{"_id":"a","name":"\\u00e4\\ud83d\\ude00","age":-1.5e3,"email":null,"x":{"y":[{"z":true}]}}'
    async with standing(tmp_path / "hub", CONFIG) as bench:
        for _ in range(300):
            raw = mutated(base, rng)
            ids, _ = await met(bench.engine.create(bench.db, "Person", [raw], who=""))
            if ids is None:
                continue
            found = await bench.get(ids[0])
            expected = json.loads(raw.decode())
            expected = json.loads(
                re.sub("[\ud800-\udfff]", "\ufffd", json.dumps(expected, ensure_ascii=False))
            )
            expected["_id"], expected["_mod"] = ids[0], found["_mod"]
            assert found == expected
            await bench.engine.delete(bench.db, "Person", ids, who="")


async def test_names_that_are_no_text_are_nobodys(tmp_path: Path) -> None:
    async with standing(tmp_path / "hub", CONFIG) as bench:
        await bench.create({"_id": "a", "name": "A"})
        engine, db = bench.engine, bench.db
        for text in ("\ud800", "a\0b", "", "/", "..", "\U0010ffff"):
            _, error = await met(engine.find_by_id(db, "Person", text, who=""))
            assert error is not None
            assert await engine.has(db, "Person", [text], who="") is False
            await engine.delete(db, "Person", [text], who="")
            for call in (
                engine.find(db, text, b"null", who=""),
                engine.create(db, text, [b"{}"], who=""),
                engine.collection(db, text),
                engine.delete_collection(db, text),
                engine.new_collection(db, CollectionConfig(text, ANYTHING)),
                engine.update_collection(db, CollectionConfig(text, ANYTHING)),
                engine.update_collection(db, CollectionConfig("Person", ANYTHING, (Index(text),))),
            ):
                _, error = await met(call)
                assert error is not None, text
        for text in ("\ud800", "\0"):
            for config in (
                CollectionConfig("Person", ANYTHING, (), f"return '{text}'"),
                CollectionConfig("Person", ANYTHING, (), "", f"return '{text}'"),
            ):
                _, error = await met(engine.update_collection(db, config))
                assert error is not None
        assert [each["_id"] for each in await bench.find()] == ["a"]
