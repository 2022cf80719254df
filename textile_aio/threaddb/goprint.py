"""How Go's ``fmt`` prints values (``%v``), for texts that quote one."""

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
    return real(float(value))


def real(value: float) -> str:
    """A real number: its shortest digits, with an exponent below 0.0001 and from a million on.

    >>> real(1_234_567.5), real(1_000_000), real(0.5)
    ('1.2345675e+06', '1e+06', '0.5')
    """
    number = Decimal(repr(value)).normalize()
    scale = number.adjusted()
    if -4 <= scale < 6:
        return f"{number:f}"
    digits = "".join(map(str, number.as_tuple().digits))
    return f"{'-' * (value < 0)}{digits[0]}{'.' * (len(digits) > 1)}{digits[1:]}e{scale:+03d}"
