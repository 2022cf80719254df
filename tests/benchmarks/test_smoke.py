"""The benchmarks run, and judge as they say. How fast anything is, is not looked at here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS
from benchmarks.figures import Figure, document, table
from benchmarks.rounds import Rounds, Scale

TINY = Scale(rounds=1, transfer=1024 * 1024, files=20, memory=1024 * 1024, calls=5, starts=1)


@pytest.mark.parametrize("name", ["unary", "files", "transfers"])
async def test_a_benchmark_measures_what_it_names(name: str, tmp_path: Path) -> None:
    figures = await BENCHMARKS[name](tmp_path, TINY)
    assert all(value > 0 for figure in figures for value in (*figure.values, *figure.limits))
    assert all(figure.reached is not None for figure in figures if figure.reach is not None)
    assert all(figure.name in table(figures) for figure in figures)
    assert json.loads(json.dumps(document(figures)))["figures"][0]["name"] == figures[0].name


def test_a_figure_is_judged_by_its_ratios_within_the_rounds() -> None:
    # The second round was slow for both; medians of absolute values would say 1.
    figure = Figure("push", "MB/s", [20, 2, 30], "stream", [10, 1, 20], reach=1.9)
    assert figure.ratios == [2, 2, 1.5]
    assert figure.reached
    assert not Figure("push", "MB/s", [20], "stream", [10], reach=2.1).reached


def test_without_a_limit_the_value_itself_is_judged() -> None:
    assert Figure("start", "ms", [50, 70, 60], reach=60, lower=True).reached
    assert not Figure("start", "ms", [61], reach=60, lower=True).reached
    assert Figure("start", "ms", [61]).reached is None


def test_the_first_of_several_rounds_warms_up() -> None:
    several, single = Rounds(amount=10), Rounds(amount=10)
    for number in several.of(2):
        several.add("x", number + 1)
    assert several["x"] == [5, 10 / 3]
    for _ in single.of(1):
        single.add("x", 2)
    assert single["x"] == [5]
