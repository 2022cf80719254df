"""Collections, instances, queries, transactions and listeners of Textile's unmodified Go client."""

from __future__ import annotations

from typing import Any

import pytest

from tests.interop.conftest import KINDS, Pair
from tests.interop.gopeer import OK, outcome

pytestmark = pytest.mark.timeout(900)

FOUND = {
    "all": {"a", "b", "c", "d"},
    "equal": {"b"},
    "not equal": {"a", "c", "d"},
    "greater": {"c", "d"},
    "less": {"a"},
    "not less": {"b", "c", "d"},
    "not greater": {"a", "b"},
    "bool": {"a", "c"},
    "and": {"c"},
    "or": {"a", "d"},
    "with index": {"c"},
    "nothing at all": set(),
}
IN_ORDER = {
    "ordered": ["a", "b", "c", "d"],
    "descending": ["d", "c", "b", "a"],
    "limited": ["a", "b"],
    "skipped": ["b", "c"],
}


@pytest.mark.parametrize("pair", KINDS, indirect=True)
async def test_the_go_client_does_everything_it_can(pair: Pair) -> None:
    told: dict[str, Any] = await pair.go.run("collections")
    said = {name: outcome(each) for name, each in told["outcomes"].items()}
    refused = {name: answer for name, answer in said.items() if answer != OK}
    assert set(said) - set(refused) == {
        "a verification",
        "a commit",
        "reading in a transaction",
        "the end of reading",
    }
    assert refused.pop("an id that is taken, in a transaction")[1].endswith(
        "can't create already existing instance"
    )
    assert refused.pop("reading what is not there")[1].endswith("instance not found")
    assert refused == {
        "the same collection again": ("UNKNOWN", "collection already registered"),
        "no such collection": ("NOT_FOUND", "collection not found"),
        "an id that is taken": ("UNKNOWN", "can't create already existing instance"),
        "a name that is taken": refused["a name that is taken"],
        "not of the schema": refused["not of the schema"],
        "an instance that is gone": ("UNKNOWN", "instance not found"),
        "the end of what was discarded": ("UNKNOWN", "can't commit discarded/committed txn"),
    }
    assert "unique constraint violation" in refused["a name that is taken"][1]
    assert "instance doesn't correspond to schema" in refused["not of the schema"][1]
    assert sorted(told["indexes"]) == ["age", "name"]

    found = told["found"]
    assert {name: set(found[name]) for name in FOUND} == FOUND
    assert {name: found[name] for name in IN_ORDER} == IN_ORDER
    ids = sorted(zip(told["created"], "abcd", strict=True))
    names = [name for _, name in ids]
    assert (found["by id"], found["by id down"]) == (names, names[::-1])
    assert found["after an id"] == [name for id_, name in ids if id_ >= "2"]

    assert [(each["collection"], each["type"], each["id"]) for each in told["heard"]] == [
        *(("dogs", 1, id_) for id_ in told["created"]),
        ("dogs", 2, "1"),
        ("dogs", 3, "2"),
    ]
    assert told["heard"][-1]["instance"] is None
    ours = await pair.ours.threads.find(pair.ctx, None, "dogs")
    assert sorted(dog["name"] for dog in told["dogs"]) == ["a", "c", "d", "five"]
    assert {dog["_id"]: (dog["name"], dog["age"]) for dog in told["dogs"]} == {
        dog["_id"]: (dog["name"], dog["age"]) for dog in ours
    }
    assert {dog["name"]: dog["age"] for dog in told["dogs"]} == {"a": 10, "c": 30, "d": 4, "five": 5}
