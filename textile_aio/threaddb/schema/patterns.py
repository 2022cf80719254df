"""Regular expressions of schemas, in the syntax of Go and in linear time: they come from strangers."""

from __future__ import annotations

from functools import lru_cache

import re2  # type: ignore[import-untyped]

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 20


class Pattern:
    """A compiled expression.

    Raises:
        ValueError: It is none, or takes more than a MiB.
    """

    __slots__ = ("_expression", "_quick", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._expression = re2.compile(text, _OPTIONS)
            self._quick = re2.Set.SearchSet(_OPTIONS)
            self._quick.Add(text)
        except re2.error as error:
            raise ValueError(str(error)) from None
        self._quick.Compile()

    def found_in(self, text: str) -> bool:
        """Whether some part of a text matches.

        The set answers several times faster; but where its automaton outgrows its memory, it says no.
        """
        return bool(self._quick.Match(text)) or self._expression.search(text) is not None


@lru_cache(1024)
def compiled(text: str) -> Pattern:
    """A pattern, kept for the next schema that has it.

    Raises:
        ValueError: See :class:`Pattern`.
    """
    return Pattern(text)
