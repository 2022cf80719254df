"""Texts of JSON documents, among them those that one writes by hand or in anger."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import strategies as st

NUMBERS = [
    *("0", "1", "-1", "42", "1.0", "1.5", "2.50", "-0.0", "1e5", "1E+2", "100000", "0.1", "1e-7", "9.99e-7"),
    *("0.000001", "1e20", "1e21", "5e-324", "1e-400", "1.7976931348623157e308", "9007199254740993"),
    *("1632900000123456789", "9223372036854775808", "18446744073709551616", "-9223372036854775809"),
    *("999999999999999999999", "9" * 308, "0." + "3" * 400),
]
STRINGS = [
    *(
        '""',
        '"x"',
        '"a b"',
        '"é"',
        r'"\u00e9"',
        r'"\/"',
        r'"\n"',
        r'"\u000a"',
        r'"\\"',
        r'"\\u0041"',
        r'"\u0041"',
    ),
    *(
        '"<b>&"',
        r'"\u003cb\u003e\u0026"',
        '"\u2028"',
        r'"\u2028"',
        '"😀"',
        r'"\ud83d\ude00"',
        r'"\ud83d"',
        r'"\ude00x"',
    ),
    *(
        r'"\ud83d\ud83d\ude00"',
        r'"\\ud83d"',
        '"\x7f"',
        r'"\b\f\t\u0001\u001F"',
        r'"\"q\""',
        '"  "',
        '"null"',
        '"{[,:]}"',
    ),
]
NAMES = ["a", "b", "c", "z", "_id", "_mod", "<k>", r"\u0061", r"q\"\\", "é", "", " ", r"\ud800", "\u2029"]

_SPACE = st.sampled_from(["", "", "", " ", "\r\n\t"])


def _array(elements: list[tuple[str, str]]) -> str:
    return "[" + ",".join(f"{space}{element}{space}" for element, space in elements) + "]"


def _object(members: list[tuple[str, str, str]]) -> str:
    return "{" + ",".join(f'{space}"{name}"{space}:{space}{value}' for name, value, space in members) + "}"


def _values(scalars: st.SearchStrategy[str], names: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.recursive(
        scalars,
        lambda inner: st.one_of(
            st.lists(st.tuples(inner, _SPACE), max_size=4).map(_array),
            st.lists(st.tuples(names, inner, _SPACE), max_size=4).map(_object),
        ),
        max_leaves=12,
    )


def documents(*, nulls: bool = True, plain: bool = False) -> st.SearchStrategy[bytes]:
    """Objects.

    Args:
        nulls: Whether null occurs.
        plain: Only texts that orjson would write, but for white space and repeated names.
    """
    words = ["true", "false", *(["null"] if nulls else [])]
    scalars = [*words, *(["1", "1.5", '"x"', '"a b"', '"<é>"'] if plain else NUMBERS + STRINGS)]
    names = st.sampled_from(["a", "b", "_id", "_mod", "é"] if plain else NAMES)
    values = _values(st.sampled_from(scalars), names)
    return st.lists(st.tuples(names, values, _SPACE), max_size=6).map(_object).map(str.encode)


def compact(text: str) -> str:
    """The text without the white space outside its strings; written apart from the code under test."""
    kept, inside, skip = [], False, False
    for character in text:
        if skip:
            skip = False
        elif inside and character == "\\":
            skip = True
        elif character == '"':
            inside = not inside
        elif not inside and character in " \t\r\n":
            continue
        kept.append(character)
    return "".join(kept)


def members(text: str) -> list[tuple[str, str]]:
    """The names and values of a compact object, as texts."""
    cuts, depth, inside, skip = [0], 0, False, False
    for at, character in enumerate(text):
        if skip:
            skip = False
        elif character == "\\":
            skip = True
        elif character == '"':
            inside = not inside
        elif not inside:
            depth += (character in "[{") - (character in "]}")
            if depth == 1 and character == ",":
                cuts.append(at)
    parts = [text[start + 1 : end] for start, end in pairwise([*cuts, len(text) - 1])]
    return [divided for part in parts if part and (divided := _divided(part))]


def _divided(member: str) -> tuple[str, str]:
    found = re.match(r'("(?:[^"\\]|\\.)*"):(.*)', member, re.DOTALL)
    assert found
    return found[1], found[2]
