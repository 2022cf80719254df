"""Queries that nobody would write are refused with a typed error, or answered as the naive evaluator does."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.threaddb.fuzzing import ANYTHING, met, mutated, standing
from textile_aio.threaddb.collections import CollectionConfig, Index
from textile_aio.threaddb.query import Query, decode, matches

CONFIG = CollectionConfig("Person", ANYTHING, (Index("email", unique=True), Index("age")))


def query(**parts: Any) -> bytes:
    return json.dumps(parts).encode()


def where(value: Any, path: Any = "age", operation: Any = 0) -> dict[str, Any]:
    return {"fieldPath": path, "operation": operation, "value": value}


QUERIES: dict[str, bytes] = {
    "deep alternatives": b'{"ors":[{"ands":[' * 5000 + b"{}" + b"]}]}" * 5000,
    "alternatives, not so deep": b'{"ors":[' * 60 + b'{"ands":[]}' + b"]}" * 60,
    "9,000 alternatives": query(
        ors=[{"ands": [where({"string": str(each)}, "email")]} for each in range(9000)]
    ),
    "50,000 criteria": query(ands=[where({"float": each}, operation=1) for each in range(50_000)]),
    "a huge float": b'{"ands":[{"fieldPath":"age","operation":0,"value":{"float":1e999}}]}',
    "a huge integer": b'{"ands":[{"fieldPath":"age","operation":0,"value":{"float":' + b"9" * 400 + b"}}]}",
    "300 digits": b'{"ands":[{"fieldPath":"age","operation":2,"value":{"float":' + b"9" * 300 + b"}}]}",
    "operations that are none": query(ands=[where({"float": 1}, operation=each) for each in (-1, 99)]),
    "a huge operation": query(ands=[where({"float": 1}, operation=10**30)]),
    "an operation of text": query(ands=[where({"float": 1}, operation="eq")]),
    "no value": query(ands=[{"fieldPath": "age", "operation": 0}]),
    "null": query(ands=[where(None)]),
    "an empty value": query(ands=[where({})]),
    "two values": query(ands=[where({"float": 1, "string": "x", "bool": True})]),
    "a list": query(ands=[where([1])]),
    "no path": query(ands=[where({"float": 1}, "")]),
    "a path of dots": query(ands=[where({"float": 1}, "." * 1_000_000)]),
    "a deep path": query(ands=[where({"float": 1}, "a." * 1_000_000)]),
    "half a pair": b'{"ands":[{"fieldPath":"email","operation":0,"value":{"string":"\\ud800"}}]}',
    "half a pair as id": b'{"ands":[{"fieldPath":"_id","operation":0,"value":{"string":"\\ud800"}}]}',
    "half a pair as path": b'{"ands":[{"fieldPath":"\\ud800","operation":0,"value":{"string":"x"}}]}',
    "a negative limit": query(limit=-1),
    "a huge limit": query(limit=10**30),
    "the largest limit": query(limit=2**63 - 1, skip=2**63 - 1, sort={"fieldPath": "age"}),
    "a negative skip": query(skip=-1),
    "half a result": query(limit=1.5),
    "an empty sort": query(sort={}),
    "a sort by what some have": query(sort={"fieldPath": "nope"}),
    "a sort by arrays": query(sort={"fieldPath": "tags"}),
    "a seek beyond ids": query(seek="x" * 5000),
    "a seek of NUL": b'{"seek":"\\u0000"}',
    "4 MiB of seek": b'{"seek":"' + b"x" * (4 << 20) + b'"}',
    "an index that is none": query(index="nope"),
    "nothing": b"",
    "an array": b"[]",
    "no UTF-8": b"\xff\xfe",
    "two queries": b"{}{}",
    "one part thrice": b'{"limit":1,"limit":2,"LIMIT":3}',
    "criteria of null": b'{"ands":[null],"ors":[null]}',
    "an id as a number": query(ands=[where({"float": 1}, "_id")]),
    "an id beyond ids": query(ands=[where({"string": "x" * 4000}, "_id", 2)]),
}


@pytest.mark.parametrize("name", QUERIES)
async def test_a_hostile_query_is_answered_or_refused_alike_everywhere(tmp_path: Path, name: str) -> None:
    async with standing(tmp_path / "hub", CONFIG) as bench:
        await bench.create(
            *({"name": "N", "age": each % 7, "email": f"{each}", "tags": [each]} for each in range(100))
        )
        text = QUERIES[name]
        found, error = await met(bench.engine.find(bench.db, "Person", text, who=""))
        count, _ = await met(bench.engine.count(bench.db, "Person", text, who=""))
        explained, _ = await met(bench.engine.explain(bench.db, "Person", text, who=""))
        assert (count is None) == (explained is None) == (error is not None)
        if found is not None:
            assert len(found) == count == explained["matched"]
        async with bench.engine.read_transaction(bench.db, "Person", who="") as transaction:
            again, _ = await met(transaction.find(text))
            assert again == found
            assert len(await transaction.find(b"null")) == 100


@pytest.mark.parametrize("seed", range(4))
async def test_queries_with_faults_are_refused_or_find_what_the_naive_evaluator_finds(
    tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    base = query(
        ands=[where({"float": 1}, operation=2)],
        ors=[{"ands": [where({"string": "5"}, "email", 2)]}, {"ands": [where({"bool": True}, "tags.0")]}],
    )
    async with standing(tmp_path / "hub", CONFIG) as bench:
        await bench.create(*({"name": "N", "age": each % 7, "email": f"{each}"} for each in range(40)))
        everybody = await bench.find()
        for _ in range(400):
            text = mutated(base, rng)
            found, _ = await met(bench.engine.find(bench.db, "Person", text, who=""))
            if found is None:
                continue
            asked = decode(text)
            if asked == Query(asked.ands, asked.ors):
                expected = [each for each in everybody if matches(asked, each)]
                assert [json.loads(each) for each in found] == expected, text
