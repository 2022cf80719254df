"""Regular expressions in the syntax of Go, and in linear time: they are strangers', or meet their texts."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]

_KEPT = 256
"""A pattern of ten letters may take a MiB, so a process keeps so many, however many schemas there are."""

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 19
_OPTIONS.never_capture = True  # Nobody asks what a group holds, and thousands of them cost seconds.


class Pattern:
    """An expression that is searched for.

    Raises:
        ValueError: It is none, or too large.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text
        _machines(text)

    def found_in(self, text: str) -> bool:
        """Whether some part of a text matches."""
        quick, exact = _machines(self.text)
        # The set answers several times faster; but where its automaton outgrows its memory, it says no.
        return bool(quick.Match(text)) or exact.search(text) is not None


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
