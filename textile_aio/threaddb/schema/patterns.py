"""Regular expressions in the syntax of Go, and in linear time: they are strangers', or meet their texts."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]

_KEPT = 256
"""A pattern of ten letters may take a MiB, so a process keeps so many, however many schemas there are."""

_SHORT = 1 << 12
"""Characters up to which the call is what a search costs."""

_CALL_STEPS = 16
_MACHINE_STEPS = 512
"""States of an automaton, each at one character, that are looked at in the time of a step."""

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 19
_OPTIONS.never_capture = True  # Nobody asks what a group holds, and thousands of them cost seconds.


class Pattern:
    """An expression that is searched for.

    Raises:
        ValueError: It is none, or too large.
    """

    __slots__ = ("size", "text")

    def __init__(self, text: str) -> None:
        self.text: str = text
        self.size: int = _machines(text)[1].programsize

    def steps(self, text: str) -> int:
        """What a search in a text may cost, in steps of a check's budget: time is a product of both sizes."""
        return _CALL_STEPS + len(text) * self.size // _MACHINE_STEPS

    def found_in(self, text: str) -> bool:
        """Whether some part of a text matches."""
        quick, exact = _machines(self.text)
        # The set answers several times faster; but where its automaton outgrows its memory, it says no.
        return (len(text) <= _SHORT and bool(quick.Match(text))) or exact.search(text) is not None


def matcher(expression: str) -> Callable[[str], bool]:
    """Whether a text as a whole is what an expression of our own describes."""
    compiled = re2.compile(expression)
    return lambda text: compiled.fullmatch(text) is not None


@lru_cache(_KEPT)
def _machines(text: str) -> tuple[Any, Any]:
    try:
        exact = re2.compile(text, _OPTIONS)
        quick = re2.Set.SearchSet(_OPTIONS)
        quick.Add(text)
    except re2.error as error:
        raise ValueError(str(error)) from None
    quick.Compile()
    return quick, exact
