"""How Go prints a value with ``%v``, for refusals that quote what a validator returned."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

_EXACT_INTEGERS = 2**53


def printed(value: Any) -> str:
    """A value read from JSON, as Go prints the same value of a script.

    >>> printed({"b": [1, None, 2.5e10], "a": "x"})
    'map[a:x b:[1 <nil> 2.5e+10]]'
    """
    match value:
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case list():
            return f"[{' '.join(map(printed, value))}]"
        case dict():
            return f"map[{' '.join(f'{key}:{printed(value[key])}' for key in sorted(value))}]"
    if value == int(value) and abs(value) < _EXACT_INTEGERS:
        return str(int(value))
    return _real(float(value))


def _real(value: float) -> str:
    """Shortest digits; an exponent below 1e-4 and from 1e21 on, which for whole numbers means from 2^53 on."""
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    scale = len(digits) - 1 + exponent
    if -4 <= scale < 21 and exponent < 0:
        return f"{Decimal(repr(value)).normalize():f}"
    first, rest = str(digits[0]), "".join(map(str, digits[1:]))
    return f"{'-' * sign}{first}{'.' * bool(rest)}{rest}e{scale:+03d}"
