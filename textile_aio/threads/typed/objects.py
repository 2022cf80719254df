"""How objects of classes become JSON and come back: dataclasses here, models and structs by their libraries.

Owns the walk over a class and all that its annotations name. The result speaks of JSON Schema as newer drafts
have it; what hubs keep of that is in ``draft4``.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from textile_aio.errors import InvalidInput
from textile_aio.threads.documents import to_plain
from textile_aio.threads.typed import foreign, scalars, shapes
from textile_aio.threads.typed.members import (
    Hint,
    Member,
    bare,
    is_model,
    is_struct,
    is_structured,
    members,
    parts,
)
from textile_aio.threads.typed.shapes import Convert, Misfit, Shape

_OBJECT = frozenset({"object"})
_ANYTHING = frozenset({"text", "number", "bool", "array", "object"})


class Shapes:
    """The shapes of a class and of what it is made of.

    Attributes:
        definitions: The schemas that ``$ref`` refers to, by name.
    """

    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}
        self._objects: dict[type, Shape] = {}

    def of_class(self, kind: type) -> Shape:
        """The shape of a structured class.

        Raises:
            InvalidInput: A type in it cannot be kept in a hub; the text says where, and what to do.
        """
        if kind not in self._objects:
            if is_model(kind):
                self._objects[kind] = self._foreign(kind, *foreign.model(kind))
            elif is_struct(kind):
                self._objects[kind] = self._foreign(kind, *foreign.struct(kind))
            else:
                self._dataclass(kind)
        return self._objects[kind]

    def _dataclass(self, kind: type) -> None:
        schema: dict[str, Any] = {"title": kind.__name__, "type": "object"}
        name = self._define(kind.__name__, schema)
        fields: list[tuple[Member, Shape]] = []
        self._objects[kind] = Shape(
            {"$ref": f"#/$defs/{name}"},
            _OBJECT,
            lambda v: type(v) is kind,
            lambda v: _dump(kind, fields, v),
            lambda v: _load(kind, fields, v),
        )
        fields += [(each, self._of(each.hint, f"{kind.__name__}.{each.name}")) for each in members(kind)]
        schema["properties"] = {member.stored: shape.schema for member, shape in fields}
        schema["required"] = [m.stored for m, _ in fields if m.required and not m.nullable]

    def _foreign(self, kind: type, schema: dict[str, Any], dump: Convert, load: Convert) -> Shape:
        for part in _reachable(kind):
            members(part)  # for the rules that it keeps
        for name, definition in schema.pop("$defs", {}).items():
            if self.definitions.setdefault(name, definition) != definition:
                raise InvalidInput(f"two classes in {kind.__name__} are called {name}; rename one of them")
        if "$ref" not in schema:
            schema = {"$ref": f"#/$defs/{self._define(kind.__name__, schema)}"}
        return Shape(schema, _OBJECT, lambda v: type(v) is kind, dump, load)

    def _define(self, name: str, schema: dict[str, Any]) -> str:
        """Keep a definition under its name, or one that is free; returns the name."""
        free, number = name, 1
        while free in self.definitions:
            number += 1
            free = f"{name}{number}"
        self.definitions[free] = schema
        return free

    def _of(self, hint: Hint, where: str) -> Shape:
        try:
            shape = self._solid(hint.type, where)
        except Misfit as misfit:
            raise InvalidInput(f"{where} cannot be kept in a hub: {misfit}") from None
        return shapes.optional(shape) if hint.optional else shape

    def _solid(self, kind: Any, where: str) -> Shape:
        if found := scalars.scalar(kind):
            return found
        if kind in (Any, object):
            return Shape({}, _ANYTHING, lambda _: True, _plain, lambda v: v)
        if is_structured(kind):
            return self.of_class(kind)
        origin, arguments = get_origin(kind) or kind, get_args(kind)
        inner = [bare(each) for each in arguments if each is not Ellipsis] or [bare(Any)]
        if origin is tuple and arguments[1:] != (...,) and arguments:
            return shapes.fixed([self._of(each, where) for each in inner])
        if origin in shapes.SEQUENCES or origin is tuple:
            return shapes.sequence(shapes.SEQUENCES.get(origin, tuple), self._of(inner[0], where))
        if origin in shapes.MAPPINGS:
            if arguments and inner[0].type is not str:
                raise Misfit("the keys of objects are text in JSON; use dict[str, …]")
            return shapes.mapping(self._of(inner[-1], where))
        if origin in (Union, UnionType):
            return self._union(inner, where)
        raise Misfit(f"{_name(kind)} has no JSON form here; {_instead(kind)}")

    def _union(self, hints: list[Hint], where: str) -> Shape:
        kinds = [each.type for each in hints]
        classes = [each for each in kinds if is_structured(each)]
        others = [self._of(each, where) for each in hints if each.type not in classes]
        if int in kinds and float in kinds:
            numbers = (scalars.scalar(int), scalars.scalar(float))
            others = [scalars.EITHER_NUMBER, *(each for each in others if each not in numbers)]
        if len(classes) > 1:
            others.append(self._tagged(classes))
        else:
            others += [self.of_class(each) for each in classes]
        return others[0] if len(others) == 1 else shapes.alternatives(others)

    def _tagged(self, classes: list[type]) -> Shape:
        """The shape of one of several classes, told apart by a field that says which it is."""
        tags = [{m.stored: get_args(m.hint.type) for m in members(each) if _is_tag(m)} for each in classes]
        common = [
            name
            for name in tags[0]
            if all(name in each for each in tags)
            and all(not set(one[name]) & set(other[name]) for one, other in combinations(tags, 2))
        ]
        if not common:
            names = " and ".join(each.__name__ for each in classes)
            raise Misfit(
                f"in JSON, {names} look alike; give each a field such as kind: Literal['…'] of its own"
            )
        name = common[0]
        found = [self.of_class(each) for each in classes]
        by_tag = {value: shape for each, shape in zip(tags, found, strict=True) for value in each[name]}

        def dump(value: Any) -> Any:
            for shape in found:
                if shape.fits(value):
                    return shape.dump(value)
            raise Misfit(f"{type(value).__name__} is none of its types")

        def load(value: Any) -> Any:
            tag = value.get(name) if isinstance(value, dict) else None
            if not isinstance(tag, str | int) or tag not in by_tag:
                raise Misfit(f"its {name!r} is none of {', '.join(map(repr, by_tag))}")
            return by_tag[tag].load(value)

        schema = {"anyOf": [each.schema for each in found]}
        return Shape(schema, _OBJECT, lambda v: any(each.fits(v) for each in found), dump, load)


def _plain(value: Any) -> Any:
    try:
        return to_plain(value)
    except InvalidInput as error:
        raise Misfit(error.message) from error


def _reachable(kind: type) -> list[type]:
    """A class and all structured classes that its fields lead to."""
    found, waiting = [], [kind]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.append(each)
            waiting += [part for member in members(each) for part in parts(member.hint.type)]
    return found


def _dump(kind: type, fields: list[tuple[Member, Shape]], value: Any) -> dict[str, Any]:
    if type(value) is not kind:
        raise Misfit(f"{kind.__name__} is needed, not {type(value).__name__}")
    out = {}
    for member, shape in fields:
        try:
            out[member.stored] = shape.dump(getattr(value, member.name))
        except Misfit as misfit:
            misfit.path.append(f".{member.name}")
            raise
    return out


def _load(kind: Callable[..., Any], fields: list[tuple[Member, Shape]], value: Any) -> Any:
    if not isinstance(value, dict):
        raise Misfit(f"an object is needed, not {type(value).__name__}")
    given: dict[str, Any] = {}
    later: dict[str, Any] = {}
    for member, shape in fields:
        if member.stored in value:
            try:
                (given if member.init else later)[member.name] = shape.load(value[member.stored])
            except Misfit as misfit:
                misfit.path.append(f".{member.stored}")
                raise
        elif member.nullable and member.init:
            given[member.name] = None
        elif member.required:
            raise Misfit(f"{member.stored!r} is missing")
    try:
        made = kind(**given)
    except (ValueError, TypeError) as error:  # of its __post_init__
        raise Misfit(str(error)) from error
    for name, part in later.items():
        object.__setattr__(made, name, part)
    return made


def _is_tag(member: Member) -> bool:
    return get_origin(member.hint.type) is Literal and not member.hint.optional


def _name(kind: Any) -> str:
    return getattr(kind, "__name__", None) or repr(kind)[:60]


def _instead(kind: Any) -> str:
    name = _name(kind)
    if name == "timedelta":
        return "keep seconds as a number"
    if name == "complex":
        return "keep two numbers"
    if name in ("IPv4Address", "IPv6Address") or name.endswith("Path"):
        return "keep it as text"
    if isinstance(kind, type) and hasattr(kind, "__annotations__"):
        return "make it a dataclass"
    return "use text, numbers, bools, lists, dict[str, …] or a dataclass"
