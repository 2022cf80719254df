"""Checking a document against a compiled schema, in the words of upstream's validator.

A node is one schema object; it knows its sub-schemas, and nothing of the text they came from. Which of
several alternatives was meant is told by a score, counted as upstream counts it: its texts then name the same
faults.

Each look at a value costs a step of the budget, large keywords cost more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType, NoneType
from typing import Any

from textile_aio.threaddb import gojson
from textile_aio.threaddb.goprint import real
from textile_aio.threaddb.schema.findings import Exhausted, Findings, Place, named
from textile_aio.threaddb.schema.patterns import Pattern

_KINDS = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    NoneType: "null",
    list: "array",
    dict: "object",
}
_ALL_KINDS = frozenset(_KINDS)
_NOTHING: Mapping[Any, Any] = MappingProxyType({})
"""What a keyword that is absent holds: most are, and nodes are many."""

_SCORES = {str: 4, int: 4, float: 4, bool: 3, NoneType: 3, list: 4, dict: 4}
_EXACT_INTEGERS = 2**53
_PATTERN_STEPS = 16


class Node:
    """One schema. Keywords that are absent have the values given here."""

    __slots__ = (
        "_closed",
        "_combined",
        "_compared",
        "_kinds",
        "_measured",
        "additional_items",
        "additional_properties",
        "all_of",
        "any_of",
        "condition",
        "constant",
        "contains",
        "dependencies",
        "enum",
        "enum_text",
        "exclusive_maximum",
        "exclusive_minimum",
        "format",
        "format_name",
        "items",
        "max_items",
        "max_length",
        "max_properties",
        "maximum",
        "min_items",
        "min_length",
        "min_properties",
        "minimum",
        "multiple_of",
        "not_",
        "one_of",
        "otherwise",
        "passes",
        "pattern",
        "pattern_properties",
        "plain",
        "properties",
        "property_names",
        "required",
        "target",
        "then",
        "types",
        "unique_items",
        "weight",
    )

    def __init__(self) -> None:
        self.passes: bool | None = None
        self.target: Node | None = None
        self.types: tuple[str, ...] = ()
        self.any_of: Sequence[Node] = ()
        self.one_of: Sequence[Node] = ()
        self.all_of: Sequence[Node] = ()
        self.not_: Node | None = None
        self.dependencies: Mapping[str, Node | list[str]] = _NOTHING
        self.condition: Node | None = None
        self.then: Node | None = None
        self.otherwise: Node | None = None
        self.constant: str | None = None
        self.enum: frozenset[str] | None = None
        self.enum_text: str = ""
        self.properties: Mapping[str, Node] = _NOTHING
        self.pattern_properties: tuple[tuple[Pattern, Node], ...] = ()
        self.additional_properties: Node | bool = True
        self.property_names: Node | None = None
        self.min_properties: int | None = None
        self.max_properties: int | None = None
        self.required: tuple[str, ...] = ()
        self.items: Node | list[Node] | None = None
        self.additional_items: Node | bool = True
        self.min_items: int | None = None
        self.max_items: int | None = None
        self.unique_items: bool = False
        self.contains: Node | None = None
        self.multiple_of: Fraction | None = None
        self.minimum: float | None = None
        self.maximum: float | None = None
        self.exclusive_minimum: float | None = None
        self.exclusive_maximum: float | None = None
        self.min_length: int | None = None
        self.max_length: int | None = None
        self.pattern: Pattern | None = None
        self.format_name: str = ""
        self.format: Callable[[str], bool] | None = None
        self.plain: Mapping[type, int] = _NOTHING
        self.weight: int = 1
        self._kinds = _ALL_KINDS
        self._closed = self._combined = self._compared = self._measured = False

    def settle(self, *, only_types: bool) -> None:
        """Called once all keywords are there.

        Args:
            only_types: Nothing but the type of a value matters. Then ``plain`` has the score for each type
                that passes, so that whoever holds such a node need not ask it.
        """
        if self.types:
            allowed = {*self.types, "integer"} if "number" in self.types else set(self.types)
            self._kinds = frozenset(kind for kind, name in _KINDS.items() if name in allowed)
        self._combined = bool(
            self.any_of or self.one_of or self.all_of or self.not_ or self.dependencies or self.condition
        )
        self._compared = self.constant is not None or self.enum is not None
        self._measured = any(
            limit is not None
            for limit in (
                self.multiple_of,
                self.minimum,
                self.maximum,
                self.exclusive_minimum,
                self.exclusive_maximum,
                self.min_length,
                self.max_length,
                self.pattern,
                self.format,
            )
        )
        self._closed = self.additional_properties is False and not self.pattern_properties
        self.weight = 1 + (len(self.required) + len(self.properties)) // 8
        if only_types:
            self.plain = {kind: _SCORES[kind] for kind in self._kinds}

    def check(self, value: Any, place: Place, found: Findings) -> None:
        """Look at a value. Faults and score go to ``found``.

        Raises:
            Exhausted: The budget is used up.
        """
        budget = found.budget
        budget[0] -= self.weight
        if budget[0] < 0:
            raise Exhausted
        if self.target is not None:
            return self.target.check(value, place, found)
        if self.passes is not None:
            if not self.passes:
                found.add(place, "False always fails validation")
            return None
        kind = type(value)
        if kind not in self._kinds:
            given = "integer" if kind is float and value.is_integer() else _KINDS[kind]
            if given not in self.types:
                return found.add(place, f"Invalid type. Expected: {self._expected()}, given: {given}")
        if self._combined:
            self._check_combinations(value, place, found)
        if kind is dict:
            self._check_object(value, place, found)
            if self._compared:
                self._check_value(value, place, found)
            if self.properties:
                self._check_properties(value, place, found)
        elif kind is list:
            self._check_array(value, place, found)
            if self._compared:
                self._check_value(value, place, found)
        else:
            if self._measured and (kind is int or kind is float):
                self._check_number(value, place, found)
            if self._compared:
                self._check_value(value, place, found)
            if self._measured and kind is str:
                self._check_string(value, place, found)
        found.score += _SCORES[kind]
        return None

    def _expected(self) -> str:
        return self.types[0] if len(self.types) == 1 else f"[{','.join(self.types)}]"

    def _look(self, value: Any, place: Place, found: Findings) -> Findings:
        """Findings of their own, which may or may not count in the end."""
        apart = Findings(found.budget)
        self.check(value, place, apart)
        return apart

    def _check_combinations(self, value: Any, place: Place, found: Findings) -> None:
        if self.any_of:
            best: Findings | None = None
            for node in self.any_of:
                apart = node._look(value, place, found)
                if not apart.faults:
                    break
                if best is None or apart.score > best.score:
                    best = apart
            else:
                found.add(place, "Must validate at least one schema (anyOf)")
                if best is not None:
                    found.merge(best)
        if self.one_of:
            self._check_one_of(value, place, found)
        if self.all_of:
            failed = False
            for node in self.all_of:
                apart = node._look(value, place, found)
                failed = failed or bool(apart.faults)
                found.merge(apart)
            if failed:
                found.add(place, "Must validate all the schemas (allOf)")
        if self.not_ is not None and not self.not_._look(value, place, found).faults:
            found.add(place, "Must not validate the schema (not)")
        if self.dependencies and type(value) is dict:
            self._check_dependencies(value, place, found)
        if self.condition is not None:
            self._check_condition(self.condition, value, place, found)

    def _check_one_of(self, value: Any, place: Place, found: Findings) -> None:
        valid = 0
        best: Findings | None = None
        for node in self.one_of:
            apart = node._look(value, place, found)
            if not apart.faults:
                valid += 1
            elif valid == 0 and (best is None or apart.score > best.score):
                best = apart
        if valid != 1:
            found.add(place, "Must validate one and only one schema (oneOf)")
            if valid == 0 and best is not None:
                found.merge(best)

    def _check_dependencies(self, value: dict[str, Any], place: Place, found: Findings) -> None:
        for name in value.keys() & self.dependencies.keys():
            needed = self.dependencies[name]
            if isinstance(needed, Node):
                needed.check(value, place, found)
                continue
            for other in needed:
                if other not in value:
                    found.add(place, f"Has a dependency on {other}")

    def _check_condition(self, condition: Node, value: Any, place: Place, found: Findings) -> None:
        holds = not condition._look(value, place, found).faults
        branch = self.then if holds else self.otherwise
        if branch is None:
            return
        apart = branch._look(value, place, found)
        if apart.faults:
            text = '"then" as "if" was valid' if holds else '"else" as "if" was not valid'
            found.add(place, f"Must validate {text}")
            found.merge(apart)

    def _check_value(self, value: Any, place: Place, found: Findings) -> None:
        text = canonical(value)
        found.spend(2 + len(text) // 64)
        if self.constant is not None and text != self.constant:
            found.add(place, f"{named(place)} does not match: {self.constant}")
        if self.enum is not None and text not in self.enum:
            found.add(place, f"{named(place)} must be one of the following: {self.enum_text}")

    def _check_array(self, value: list[Any], place: Place, found: Findings) -> None:
        items = self.items
        if isinstance(items, Node):
            kinds = list(map(type, value))
            if items.plain.keys() >= set(kinds):
                found.score += sum(map(items.plain.__getitem__, kinds))
            else:
                for index, item in enumerate(value):
                    items.check(item, (place, str(index)), found)
        elif items:
            for index, (node, item) in enumerate(zip(items, value, strict=False)):
                node.check(item, (place, str(index)), found)
            if len(value) > len(items):
                if self.additional_items is False:
                    found.add(place, "No additional items allowed on array")
                elif isinstance(self.additional_items, Node):
                    for index in range(len(items), len(value)):
                        self.additional_items.check(value[index], (place, str(index)), found)
        if self.min_items is not None and len(value) < self.min_items:
            found.add(place, f"Array must have at least {self.min_items} items")
        if self.max_items is not None and len(value) > self.max_items:
            found.add(place, f"Array must have at most {self.max_items} items")
        if self.unique_items:
            self._check_unique(value, place, found)
        if self.contains is not None:
            self._check_contains(self.contains, value, place, found)

    def _check_unique(self, value: list[Any], place: Place, found: Findings) -> None:
        seen: dict[str, int] = {}
        for index, item in enumerate(value):
            text = canonical(item)
            found.spend(2 + len(text) // 64)
            if text in seen:
                found.add(place, f"array items[{seen[text]},{index}] must be unique")
            seen[text] = index

    def _check_contains(self, node: Node, value: list[Any], place: Place, found: Findings) -> None:
        best: Findings | None = None
        for index, item in enumerate(value):
            apart = node._look(item, (place, str(index)), found)
            if not apart.faults:
                return
            if best is None or apart.score > best.score:
                best = apart
        found.add(place, "At least one of the items must match")
        if best is not None:
            found.merge(best)

    def _check_object(self, value: dict[str, Any], place: Place, found: Findings) -> None:
        if self.min_properties is not None and len(value) < self.min_properties:
            found.add(place, f"Must have at least {self.min_properties} properties")
        if self.max_properties is not None and len(value) > self.max_properties:
            found.add(place, f"Must have at most {self.max_properties} properties")
        for name in self.required:
            if name not in value:
                found.add(place, f"{name} is required")
                found.score -= 1
        found.score += len(self.required)
        if self._closed:
            for name in value:
                if name not in self.properties:
                    found.add(place, f"Additional property {name} is not allowed")
        elif self.pattern_properties or self.additional_properties is not True:
            self._check_other_properties(value, place, found)
        if self.property_names is not None:
            for name in value:
                apart = self.property_names._look(name, place, found)
                if apart.faults:
                    found.add(place, f'Property name of "{name}" does not match')
                    found.merge(apart)

    def _check_other_properties(self, value: dict[str, Any], place: Place, found: Findings) -> None:
        for name, member in value.items():
            matched = False
            for pattern, node in self.pattern_properties:
                found.spend(pattern.steps(name))
                if pattern.found_in(name):
                    matched = True
                    node.check(member, (place, name), found)
            if matched:
                found.score += 1
            elif name not in self.properties:
                if self.additional_properties is False:
                    found.add(place, f"Additional property {name} is not allowed")
                elif isinstance(self.additional_properties, Node):
                    self.additional_properties.check(member, (place, name), found)

    def _check_properties(self, value: dict[str, Any], place: Place, found: Findings) -> None:
        score = 0
        for name, node in self.properties.items():
            if name in value:
                member = value[name]
                gain = node.plain.get(type(member))
                if gain is None:
                    node.check(member, (place, name), found)
                else:
                    score += gain
        found.score += score

    def _check_string(self, value: str, place: Place, found: Findings) -> None:
        if self.min_length is not None and len(value) < self.min_length:
            found.add(place, f"String length must be greater than or equal to {self.min_length}")
        if self.max_length is not None and len(value) > self.max_length:
            found.add(place, f"String length must be less than or equal to {self.max_length}")
        if self.pattern is not None:
            found.spend(self.pattern.steps(value))
            if not self.pattern.found_in(value):
                found.add(place, f"Does not match pattern '{self.pattern.text}'")
        if self.format is not None:
            found.spend(_PATTERN_STEPS + len(value) // 64)
            if not self.format(value):
                found.add(place, f"Does not match format '{self.format_name}'")

    def _check_number(self, value: float, place: Place, found: Findings) -> None:
        if self.multiple_of is not None and _exact(value) % self.multiple_of:
            found.add(place, f"Must be a multiple of {real(float(self.multiple_of))}")
        if self.maximum is not None and value > self.maximum:
            found.add(place, f"Must be less than or equal to {real(self.maximum)}")
        if self.exclusive_maximum is not None and value >= self.exclusive_maximum:
            found.add(place, f"Must be less than {real(self.exclusive_maximum)}")
        if self.minimum is not None and value < self.minimum:
            found.add(place, f"Must be greater than or equal to {real(self.minimum)}")
        if self.exclusive_minimum is not None and value <= self.exclusive_minimum:
            found.add(place, f"Must be greater than {real(self.exclusive_minimum)}")
        if self.format is not None:  # formats are of strings, and the reference applies them to numbers too
            found.add(place, f"Does not match format '{self.format_name}'")


def canonical(value: Any) -> str:
    """The text by which values are compared: as Go writes them once all their numbers are float64."""
    return gojson.dumps(_rounded(value)).decode()


def _rounded(value: Any) -> Any:
    match value:
        case dict():
            return {name: _rounded(member) for name, member in value.items()}
        case list():
            return [_rounded(member) for member in value]
        case int() if abs(value) > _EXACT_INTEGERS:
            return float(value)
    return value


def _exact(value: float) -> Fraction:
    """The number that was written, not the nearest one that a float can be."""
    return Fraction(repr(value))
