"""Queries out of the JSON that clients send, read as Go's ``encoding/json`` does (spec: threads-api §6.1).

Go clients write every member in Pascal case, JavaScript clients the members in use in camel case. So names
match whatever their case, unknown ones are ignored, of several members for one field the last counts, and
null leaves a field as it is, or empties a list or a pointer. Members of the very same spelling are one: of
those only the last is seen, null or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

from textile_aio.errors import InvalidQuery, StatusCode
from textile_aio.threaddb.gojson import GoJSONError, loads
from textile_aio.threaddb.query.model import Criterion, Operation, Query, Sort

MAX_TERMS = 10_000
"""Criteria and alternatives in one query, together."""

_UNSORTED = Sort()
_OPERATIONS = {int(operation): operation for operation in Operation}
_INT64 = range(-(2**63), 2**63)
_KINDS = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}

_NAMES = {
    spelling: name.lower()
    for name in (
        *("Ands", "Ors", "Sort", "Seek", "Limit", "Skip", "Index"),
        *("FieldPath", "Desc", "Operation", "Value", "String", "Bool", "Float"),
    )
    for spelling in (name, name[0].lower() + name[1:])
}
"""The spellings that clients use, to their folded form."""


def decode(query_json: bytes) -> Query:
    """Read a query.

    Raises:
        InvalidQuery: With UNKNOWN and Go's text where Go refuses it. With INVALID_ARGUMENT for what upstream
            crashes at (an unknown operation, a null among criteria or alternatives), and for more than
            :data:`MAX_TERMS`.
    """
    try:
        raw = loads(query_json)
    except GoJSONError as error:
        raise InvalidQuery(str(error), code=StatusCode.UNKNOWN) from None
    if raw is None:
        return Query()
    reading = _Reading()
    query = reading.query(raw, "Query", "")
    reading.finish()
    return query


class _Reading:
    """One query being read. Where Go goes by types, it stops at once; what only means nothing is noted.

    ``where`` are Go's names of the fields that lead to a value, each with a dot before it, and ``owner`` is
    the struct that has the last of them: Go's texts name both.
    """

    __slots__ = ("_problem", "_terms", "_valueless")

    def __init__(self) -> None:
        self._terms = 0
        self._valueless = False
        self._problem = ""

    def finish(self) -> None:
        """Raise what was noted, in the order in which upstream would have come upon it."""
        if self._valueless:
            text = "invalid query: value type should describe exactly one type"
            raise InvalidQuery(text, code=StatusCode.UNKNOWN)
        if self._terms > MAX_TERMS:
            self._problem = f"more than {MAX_TERMS} criteria and alternatives"
        if self._problem:
            raise InvalidQuery(f"invalid query: {self._problem}", code=StatusCode.INVALID_ARGUMENT)

    def query(self, raw: Any, owner: str, where: str) -> Query:
        ands: tuple[Criterion, ...] = ()
        ors: tuple[Query, ...] = ()
        path, descending, seek, limit, skip, index = "", False, "", 0, 0, ""
        for name, value in _members(raw, "db.Query", owner, where):
            if name == "ands":
                elements = self._elements(value, "db.Criterion", f"{where}.Ands")
                ands = tuple([self._criterion(each, f"{where}.Ands") for each in elements])
            elif name == "ors":
                elements = self._elements(value, "db.Query", f"{where}.Ors")
                ors = tuple([self.query(each, "Query", f"{where}.Ors") for each in elements])
            elif value is None:
                continue
            elif name == "sort":
                path, descending = _sort(value, f"{where}.Sort", path, descending=descending)
            elif name == "seek":
                seek = _text(value, "db.InstanceID", "Query", f"{where}.Seek")
            elif name == "limit":
                limit = _integer(value, "int", "Query", f"{where}.Limit")
            elif name == "skip":
                skip = _integer(value, "int", "Query", f"{where}.Skip")
            elif name == "index":
                index = _text(value, "string", "Query", f"{where}.Index")
        sort = Sort(path, descending) if path or descending else _UNSORTED
        return Query(ands, ors, sort, seek, limit, skip, index)

    def _elements(self, raw: Any, type_name: str, where: str) -> list[Any]:
        """The elements of a list of pointers; those that are null, noted, are left out."""
        if raw is None:
            return []
        if type(raw) is not list:
            _mismatch(raw, f"[]*{type_name}", "Query", where)
        self._terms += len(raw)
        if self._terms > MAX_TERMS:
            self.finish()
        if None in raw:
            self._problem = f"null in {where.rpartition('.')[2]}"
            return [each for each in raw if each is not None]
        return raw

    def _criterion(self, raw: Any, where: str) -> Criterion:
        path, operation = "", 0
        values: dict[str, str | bool | float | None] = {}
        for name, value in _members(raw, "db.Criterion", "Query", where):
            if value is None:
                continue
            if name == "fieldpath":
                path = _text(value, "string", "Criterion", f"{where}.FieldPath")
            elif name == "operation":
                operation = _integer(value, "db.Operation", "Criterion", f"{where}.Operation")
            elif name == "value":
                _value(value, f"{where}.Value", values)
        given = [value for value in values.values() if value is not None]
        known = _OPERATIONS.get(operation)
        if len(given) != 1:
            self._valueless = True
            given = [""]
        elif known is None:
            self._problem = f"unknown operation {operation}"
        return Criterion(path, known or Operation.EQ, given[0])


def _value(raw: Any, where: str, values: dict[str, str | bool | float | None]) -> None:
    """Read a value into ``values``, beside what came before."""
    for name, value in _members(raw, "db.Value", "Criterion", where):
        if name not in {"string", "bool", "float"}:
            continue
        if value is None:
            values[name] = None
        elif name == "string":
            values[name] = _text(value, "string", "Value", f"{where}.String")
        elif name == "bool":
            values[name] = _boolean(value, "Value", f"{where}.Bool")
        elif type(value) is float or type(value) is int:
            values[name] = float(value)
        else:
            _mismatch(value, "float64", "Value", f"{where}.Float")


def _sort(raw: Any, where: str, path: str, *, descending: bool) -> tuple[str, bool]:
    """Read a sort over what came before."""
    for name, value in _members(raw, "db.Sort", "Query", where):
        if value is None:
            continue
        if name == "fieldpath":
            path = _text(value, "string", "Sort", f"{where}.FieldPath")
        elif name == "desc":
            descending = _boolean(value, "Sort", f"{where}.Desc")
    return path, descending


def _members(raw: Any, type_name: str, owner: str, where: str) -> Iterator[tuple[str, Any]]:
    """The members of an object, under their folded names."""
    if type(raw) is not dict:
        _mismatch(raw, type_name, owner, where)
    for name, value in raw.items():
        yield _NAMES.get(name) or _folded(name), value


def _folded(name: str) -> str:
    """A name as Go folds it: beyond ASCII, only the long s and the Kelvin sign become letters of it."""
    return name.lower().replace("ſ", "s")


def _text(raw: Any, type_name: str, owner: str, where: str) -> str:
    return raw if type(raw) is str else _mismatch(raw, type_name, owner, where)


def _boolean(raw: Any, owner: str, where: str) -> bool:
    return raw if type(raw) is bool else _mismatch(raw, "bool", owner, where)


def _integer(raw: Any, type_name: str, owner: str, where: str) -> int:
    if type(raw) is int and raw in _INT64:
        return raw
    return _mismatch(raw, type_name, owner, where, digits=True)


def _mismatch(raw: Any, type_name: str, owner: str, where: str, *, digits: bool = False) -> NoReturn:
    """Refuse a value of the wrong type. Go quotes a number where another number was expected."""
    kind = _KINDS[type(raw)]
    shown = f"{kind} {raw!r}" if digits and kind == "number" else kind
    target = f"Go struct field {owner}{where}" if where else "Go value"
    text = f"json: cannot unmarshal {shown} into {target} of type {type_name}"
    raise InvalidQuery(text, code=StatusCode.UNKNOWN)
