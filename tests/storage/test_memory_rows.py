"""Ordered rows against a sorted dictionary, with chunks so small that they split and vanish all the time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textile_aio.storage.memory import rows as rows_module
from textile_aio.storage.memory.rows import Journal, Ordered

parts = st.integers(0, 5)
keys = st.tuples(parts, parts, parts)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), keys),
        st.tuples(st.just("put"), keys),
        st.tuples(st.just("remove"), keys),
        st.tuples(st.just("remove_under"), st.tuples(parts)),
        st.tuples(st.just("remove_under"), st.tuples(parts, parts)),
        st.tuples(st.sampled_from(["keep", "undo", "fork"]), st.none()),
    ),
    max_size=60,
)

Model = dict[tuple[int, ...], int]


@pytest.fixture(autouse=True, scope="module")
def _small_chunks() -> Any:
    patch = pytest.MonkeyPatch()
    patch.setattr(rows_module, "_CHUNK", 4)
    yield
    patch.undo()


def same(table: Ordered[int], model: Model) -> None:
    ordered = sorted(model.items())
    assert list(table.under()) == [row for _, row in ordered]
    for a in range(6):
        ours = [(key, row) for key, row in ordered if key[0] == a]
        assert list(table.under(a)) == [row for _, row in ours]
        assert list(table.under(a, since=3)) == [row for key, row in ours if key[1] >= 3]
        for low, high in ((0, None), (2, 4), (4, 2), (1, 6)):
            inside = [each for each in ours if low <= each[0][1] and (high is None or each[0][1] < high)]
            assert list(table.between(a, low=low, high=high)) == inside
            assert list(table.between(a, low=low, high=high, reverse=True)) == inside[::-1]
    for key in ((a, b, c) for a in range(6) for b in range(6) for c in range(6)):
        assert table.get(key) == model.get(key)
        assert (key in table) == (key in model)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_ordered_rows_are_those_of_a_sorted_dictionary(steps: list[tuple[str, Any]]) -> None:
    journal = Journal()
    table: Ordered[int] = Ordered(journal)
    model: Model = {}
    kept: Model = {}
    frozen: list[tuple[Ordered[int], Model]] = []
    for number, (step, key) in enumerate(steps):
        match step:
            case "put":
                table.put(key, number)
                model[key] = number
            case "remove":
                assert table.remove(key) == model.pop(key, None)
            case "remove_under":
                table.remove_under(*key)
                model = {each: row for each, row in model.items() if each[: len(key)] != key}
            case "keep":
                journal.forget()
                kept = dict(model)
            case "undo":
                journal.undo()
                model = dict(kept)
            case _:
                frozen.append((table, dict(model)))
                journal = Journal()
                table = table.fork(journal)
                kept = dict(model)
    same(table, model)
    for other, then in frozen:
        same(other, then)
