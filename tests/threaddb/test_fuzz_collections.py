"""Schemas, validators and filters that nobody would write: refused, or in force, and nothing hangs."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.threaddb.fuzzing import ANYTHING, met, mutated, standing
from textile_aio.errors import FailedPrecondition, SchemaViolation, WriteDenied
from textile_aio.threaddb.collections import CollectionConfig, Index

ID = '"_id":{"type":"string"}'


def a(schema: str) -> bytes:
    """A schema whose member ``a`` has this one."""
    return f'{{"properties":{{{ID},"a":{schema}}}}}'.encode()


def root(members: str) -> bytes:
    """A schema with these members."""
    return f'{{"properties":{{{ID}}},{members}}}'.encode()


def doubling(word: str) -> bytes:
    """Thirty definitions, each of which names the one before it twice."""
    names = ",".join(
        f'"d{each}":{{"{word}":[' + ",".join([f'{{"$ref":"#/definitions/d{each - 1}"}}'] * 2) + "]}"
        for each in range(1, 31)
    )
    last = '"a":{"$ref":"#/definitions/d30"}'
    return f'{{"properties":{{{ID},{last}}},"definitions":{{"d0":{{"type":"string"}},{names}}}}}'.encode()


SCHEMAS: dict[str, bytes] = {
    "a pattern that backtracks": a('{"type":"string","pattern":"^(a+)+$"}'),
    "a pattern of alternatives": a('{"pattern":"(a|a)*b"}'),
    "a pattern that looks behind": a('{"pattern":"(?<=a)b"}'),
    "a pattern that refers back": a('{"pattern":"(a)\\\\1"}'),
    "no pattern": a('{"pattern":"("}'),
    "a pattern of many repetitions": a('{"pattern":"(((a{1000}){1000}){1000})"}'),
    "a long pattern": a('{"pattern":"' + "(a|b)*" * 50_000 + '"}'),
    "a deep pattern": a('{"pattern":"' + "(" * 20_000 + "a" + ")" * 20_000 + '"}'),
    "patterns of names": root('"patternProperties":{"(a+)+$":{"type":"string"}}'),
    "itself": a('{"$ref":"#"}'),
    "itself at once": b'{"$ref":"#"}',
    "a circle": f'{{"properties":{{{ID},"a":{{"$ref":"#/definitions/x"}}}},"definitions":'
    '{"x":{"$ref":"#/definitions/y"},"y":{"$ref":"#/definitions/x"}}}'.encode(),
    "all of itself": root('"allOf":[{"$ref":"#"}]'),
    "any of itself": root('"anyOf":[{"$ref":"#"},{"$ref":"#"}]'),
    "not itself": root('"not":{"$ref":"#"}'),
    "elements, in two ways": root(
        '"definitions":{"n":{"anyOf":[{"items":{"$ref":"#/definitions/n"}},{"items":{"$ref":"#/definitions/n"}}]}},'
        '"allOf":[{"properties":{"a":{"$ref":"#/definitions/n"}}}]'
    ),
    "another host's": a('{"$ref":"http://127.0.0.1:1/x.json"}'),
    "a file": a('{"$ref":"file:///etc/passwd"}'),
    "nobody's": a('{"$ref":"#/definitions/nope"}'),
    "all of, doubled": doubling("allOf"),
    "any of, doubled": doubling("anyOf"),
    "one of, doubled": doubling("oneOf"),
    "deep": a('{"properties":{"a":' * 95 + "{}" + "}}" * 95),
    "too deep": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "not, and not": a('{"not":' * 190 + "{}" + "}" * 190),
    "unique elements": a('{"uniqueItems":true}'),
    "many values": a('{"enum":' + json.dumps([{"x": each} for each in range(20_000)]) + "}"),
    "a huge maximum": a('{"maximum":1e999}'),
    "a huge length": a('{"maxLength":' + "9" * 100 + "}"),
    "a negative length": a('{"maxLength":-1}'),
    "multiples of nothing": a('{"multipleOf":0}'),
    "multiples of next to nothing": a('{"multipleOf":1e-300}'),
    "no type": a('{"type":"banana"}'),
    "a number for a type": a('{"type":1}'),
    "names that are none": root('"required":[1]'),
    "an array for properties": b'{"properties":[]}',
    "half a pair": a('{"enum":["\\ud800"],"pattern":"\\ud800"}'),
    "another draft": root('"$schema":"http://json-schema.org/draft-99/schema#"'),
    "null": b"null",
    "nothing": b"",
    "no UTF-8": b"\xff",
    "many members": (
        f'{{"properties":{{{ID},' + ",".join(f'"p{each}":{{}}' for each in range(50_000)) + "}}"
    ).encode(),
}

DOCUMENTS: list[dict[str, Any]] = [
    {},
    {"a": "a" * 30 + "!"},
    {"a": "a" * 200_000},
    {"a": [1] * 2000},
    {"a": [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]},
    {"a": {"a": {"a": 1}}},
    {"a": 1e308},
    {"a": 10**200},
    {"a": [{"x": each} for each in range(2000)]},
    {"a": "\0"},
]


@pytest.mark.parametrize("name", SCHEMAS)
async def test_a_hostile_schema_is_refused_or_checks(name: str) -> None:
    async with standing(None, CollectionConfig("Person", ANYTHING)) as bench:
        await bench.create({"_id": "kept", "a": 1})
        config = CollectionConfig("Person", SCHEMAS[name])
        _, refused = await met(bench.engine.update_collection(bench.db, config))
        assert [each["_id"] for each in await bench.find()] == ["kept"]
        if refused is not None:
            config = CollectionConfig("Person", ANYTHING)
            assert refused.code is not None
        for document in DOCUMENTS:
            await met(bench.create(document))
        await met(
            bench.engine.update_collection(bench.db, CollectionConfig("Person", SCHEMAS[name], (Index("a"),)))
        )
        await bench.engine.update_collection(bench.db, CollectionConfig("Person", ANYTHING))
        await bench.create({"_id": "free", "a": 1})
        assert await bench.engine.has(bench.db, "Person", ["kept", "free"], who="")


@pytest.mark.parametrize("seed", range(3))
async def test_schemas_with_faults_are_refused_or_check(seed: int) -> None:
    rng = random.Random(seed)
    base = (
        b'{"properties":{"_id":{"type":"string"},"a":{"anyOf":[{"type":"string","pattern":"^a+$","minLength":1},{"items":'
        b'[{"type":"number","minimum":1}],"maxItems":3}]},"b":{"$ref":"#/definitions/x"}},"required":["a"],'
        b'"definitions":{"x":{"enum":[1,"a",null]}},"additionalProperties":false}'
    )
    async with standing(None, CollectionConfig("Person", ANYTHING)) as bench:
        for _ in range(200):
            schema = mutated(base, rng)
            _, refused = await met(
                bench.engine.update_collection(bench.db, CollectionConfig("Person", schema))
            )
            if refused is None:
                for document in DOCUMENTS[:7]:
                    _, error = await met(bench.create(document))
                    assert error is None or isinstance(error, SchemaViolation) or error.code is not None


async def test_a_pattern_that_would_take_minutes_is_given_up() -> None:
    """Its time is linear in the text, and in the pattern as well, which has thousands of states."""
    rng = random.Random(0)
    text = "".join(rng.choices("ab", k=2_000_000))
    async with standing(None, CollectionConfig("Person", ANYTHING)) as bench:
        for pattern in ("[ab]*a[ab]{800}c", "(?:[ab]?){1000}c"):
            config = CollectionConfig("Person", a(json.dumps({"pattern": pattern})))
            await bench.engine.update_collection(bench.db, config)
            _, error = await met(bench.create({"a": text}))
            assert error is not None
            assert "Does not match" not in error.message
            with pytest.raises(SchemaViolation, match="Does not match pattern"):
                await bench.create({"a": "ab"})


BODIES: dict[str, str] = {
    "a loop without end": "while (true) {}",
    "recursion without end": "function f() { return f() + 1 } return f()",
    "a text that doubles": "var s = 'x'; while (true) s += s",
    "an array that grows": "var a = []; while (true) a.push(new Array(1000).fill(0))",
    "a huge buffer": "return new Uint8Array(1e9).length",
    "a sort that never ends": "return new Array(1e6).fill(0).sort((x, y) => { while (1); })",
    "a pattern that backtracks": "return /^(a+)+$/.test('a'.repeat(40) + '!')",
    "a proxy that never ends": "return new Proxy({}, { get() { while (true) {} } })",
    "a getter that never ends": "return { get a() { while (true) {} } }",
    "a getter that throws": "return { get a() { throw new Error('x'.repeat(100000)) } }",
    "JSON that never ends": "return { toJSON() { while (true) {} } }",
    "a circle": "var o = {}; o.o = o; return o",
    "a value that is deep": "var o = 1; for (var i = 0; i < 1e5; i++) o = [o]; return o",
    "a value that is long": "return 'x'.repeat(8e6)",
    "a promise": "return (async () => { while (true) await 1 })()",
    "a generator": "return (function* () { while (true) yield 1 })()",
    "a big integer": "return 2n ** 2n ** 40n",
    "a symbol": "return Symbol('x')",
    "half a pair": "return '\\ud800'",
    "an error that is none": "throw undefined",
    "an error that throws": "throw { toString() { throw 1 } }",
    "the outside": "return std || os || require('fs') || process.exit()",
    "the world, changed": "Object.prototype.toJSON = () => 1; Array.prototype.push = null; return true",
    "its own end": "} while (true) {} {",
    "evaluation": "return eval('while (true) {}')",
    "another world": "return Function('return this')().constructor.constructor('while (1) {}')()",
    "a function with many arguments": "return String.fromCharCode.apply(null, new Array(1e6))",
    "a join": "return new Array(1e8).join('x').length",
    "no program": "return (((",
    "a deep program": "return " + "(" * 50_000 + "1" + ")" * 50_000,
    "a long program": "var x = 1;" + "x = x + 1;" * 100_000 + "return x",
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_hostile_script_ends_its_own_call_and_nothing_else(tmp_path: Path, name: str) -> None:
    async with standing(tmp_path / "hub", CollectionConfig("Person", ANYTHING)) as bench:
        await bench.create({"_id": "kept", "name": "K"})
        validating = CollectionConfig("Person", ANYTHING, (), BODIES[name])
        _, refused = await met(bench.engine.update_collection(bench.db, validating))
        if refused is None:
            _, error = await met(bench.create({"_id": "new", "name": "N"}))
            assert error is None or isinstance(error, WriteDenied), error
            async with bench.engine.write_transaction(bench.db, "Person", who="") as transaction:
                await transaction.delete(["kept"])
                _, failed = await met(transaction.commit())
            assert (failed is None) == (error is None)
        filtering = CollectionConfig("Person", ANYTHING, (), "", BODIES[name])
        _, refused = await met(bench.engine.update_collection(bench.db, filtering))
        if refused is None:
            engine = bench.engine
            for call in (
                engine.find(bench.db, "Person", b"null", who=""),
                engine.find_by_id(bench.db, "Person", "kept", who=""),
                engine.save(bench.db, "Person", [b'{"_id":"kept","name":"L"}'], who=""),
            ):
                _, error = await met(call)
                assert error is None or isinstance(error, FailedPrecondition) or error.code is not None
        await bench.engine.update_collection(bench.db, CollectionConfig("Person", ANYTHING))
        assert await bench.find() is not None
