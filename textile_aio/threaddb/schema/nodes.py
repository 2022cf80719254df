"""Checking a document against a compiled schema, in the words of upstream's validator.

A node is one schema object; it knows its sub-schemas, and nothing of the text they came from. Which of
several alternatives was meant is told by a score, counted as upstream counts it: its texts then name the same
faults.

Schemas come from strangers, so a check has a budget of steps: each look at a value costs one, large keywords
cost more. It ends with an answer or with :class:`Exhausted`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from types import NoneType
from typing import Any

from textile_aio.threaddb import gojson
from textile_aio.threaddb.goprint import real
from textile_aio.threaddb.schema.patterns import Pattern

Place = tuple[Any, str] | None
"""Where a value is: its name, and the place of what it is in; None for the document."""

_KINDS = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    NoneType: "null",
    list: "array",
    dict: "object",
}
_SCORES = {str: 4, int: 4, float: 4, bool: 3, NoneType: 3, list: 4, dict: 4}
_MOST_FAULTS = 100


class Exhausted(Exception):
    """The budget is used up: the schema is too costly for this document."""


class Findings:
    """What one look at a value found. Looks at the same document share a budget."""

    __slots__ = ("budget", "faults", "score")

    def __init__(self, budget: list[int]) -> None:
        self.budget = budget
        self.faults: list[str] = []
        self.score = 0

    def spend(self, steps: int) -> None:
        """Take steps from the budget.

        Raises:
            Exhausted: There are not as many left.
        """
        self.budget[0] -= steps
        if self.budget[0] < 0:
            raise Exhausted

    def add(self, place: Place, text: str) -> None:
        """Note a fault; beyond a hundred only that there are more."""
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(f"{named(place)}: {text}")
        self.score -= 2

    def merge(self, other: Findings) -> None:
        """Take over what another look at the same value found."""
        self.faults += other.faults[: _MOST_FAULTS - len(self.faults)]
        self.score += other.score


def named(place: Place) -> str:
    """A place as texts name it: names from the outside in, with dots; ``(root)`` for the document."""
    if place is None:
        return "(root)"
    names = []
    while place is not None:
        place, name = place
        names.append(name)
    return ".".join(reversed(names))


class Node:
    """One schema. Keywords that are absent have the values given here."""

    __slots__ = (
        "_closed",
        "_combined",
        "_common",
        "additional_items",
        "additional_properties",
        "all_of",
        "any_of",
        "condition",
        "constant",
        "contains",
        "dependencies",
        "enum",
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
        self.any_of: list[Node] = []
        self.one_of: list[Node] = []
        self.all_of: list[Node] = []
        self.not_: Node | None = None
        self.dependencies: dict[str, Node | list[str]] = {}
        self.condition: Node | None = None
        self.then: Node | None = None
        self.otherwise: Node | None = None
        self.constant: str | None = None
        self.enum: tuple[str, ...] = ()
        self.properties: dict[str, Node] = {}
        self.pattern_properties: list[tuple[Pattern, Node]] = []
        self.additional_properties: Node | bool = True
        self.property_names: Node | None = None
        self.min_properties: int | None = None
        self.max_properties: int | None = None
        self.required: tuple[str, ...] = ()
        self.items: Node | list[Node] | None = None
        self.additional_items: Node | bool = True
        self.min_items: int | None = None
        self.max_items: int | None = None
        self.unique_items = False
        self.contains: Node | None = None
        self.multiple_of: Fraction | None = None
        self.minimum: float | None = None
        self.maximum: float | None = None
        self.exclusive_minimum: float | None = None
        self.exclusive_maximum: float | None = None
        self.min_length: int | None = None
        self.max_length: int | None = None
        self.pattern: Pattern | None = None
        self.format_name = ""
        self.format: Callable[[str], bool] | None = None
        self.plain: dict[type, int] = {}
        self.weight = 1
        self._combined = False
        self._common = False
        self._closed = False

    def settle(self, *, only_types: bool) -> None:
        """Called once all keywords are there.

        Args:
            only_types: Nothing but the type of a value matters. Then ``plain`` has the score for each type that
                passes, so that whoever holds such a node need not ask it.
        """
        self._combined = bool(
            self.any_of or self.one_of or self.all_of or self.not_ or self.dependencies or self.condition
        )
        self._common = self.constant is not None or bool(self.enum)
        self._closed = self.additional_properties is False and not self.pattern_properties
        self.weight = 1 + (len(self.required) + len(self.properties)) // 8 + len(self.enum) // 64
        if only_types:
            self.plain = {
                kind: score
                for kind, score in _SCORES.items()
                if not self.types or self._is_allowed(_KINDS[kind])
            }

    def check(self, value: Any, place: Place, found: Findings) -> None:
        """Look at a value. Faults and score go to ``found``.

        Raises:
            Exhausted: The budget is used up.
        """
        found.spend(self.weight)
        if self.target is not None:
            return self.target.check(value, place, found)
        if self.passes is not None:
            if not self.passes:
                found.add(place, "False always fails validation")
            return None
        if self.types:
            given = _KINDS[type(value)]
            if given == "number" and value.is_integer():
                given = "integer"
            if not self._is_allowed(given):
                return found.add(place, f"Invalid type. Expected: {self._expected()}, given: {given}")
        if self._combined:
            self._check_combinations(value, place, found)
        match value:
            case str():
                self._check_common(value, place, found)
                self._check_string(value, place, found)
            case dict():
                self._check_object(value, place, found)
                self._check_common(value, place, found)
                self._check_properties(value, place, found)
            case list():
                self._check_array(value, place, found)
                self._check_common(value, place, found)
            case bool() | None:
                self._check_common(value, place, found)
            case _:
                self._check_number(value, place, found)
                self._check_common(value, place, found)
        found.score += _SCORES[type(value)]
        return None

    def _is_allowed(self, given: str) -> bool:
        return given in self.types or (given == "integer" and "number" in self.types)

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

    def _check_common(self, value: Any, place: Place, found: Findings) -> None:
        if not self._common:
            return
        text = _canonical(value, found)
        if self.constant is not None and text != self.constant:
            found.add(place, f"{named(place)} does not match: {self.constant}")
        if self.enum and text not in self.enum:
            found.add(place, f"{named(place)} must be one of the following: {', '.join(self.enum)}")

    def _check_array(self, value: list[Any], place: Place, found: Findings) -> None:
        items = self.items
        if isinstance(items, Node):
            for index, item in enumerate(value):
                gain = items.plain.get(type(item))
                if gain is None:
                    items.check(item, (place, str(index)), found)
                else:
                    found.score += gain
            found.spend(len(value))
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
            text = _canonical(item, found)
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
            if name in value:
                found.score += 1
            else:
                found.add(place, f"{name} is required")
        if self._closed:
            if not value.keys() <= self.properties.keys():
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
        found.spend(len(value) * len(self.pattern_properties))
        for name, member in value.items():
            matched = False
            for pattern, node in self.pattern_properties:
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
            found.spend(1 + len(value) // 64)
            if not self.pattern.found_in(value):
                found.add(place, f"Does not match pattern '{self.pattern.text}'")
        if self.format is not None:
            found.spend(1 + len(value) // 64)
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


def _canonical(value: Any, found: Findings) -> str:
    """A value's JSON as Go writes it, by which upstream compares values."""
    text = gojson.dumps(value).decode()
    found.spend(1 + len(text) // 64)
    return text


def _exact(value: float) -> Fraction:
    """The number that was written, not the nearest one that a float can be."""
    return Fraction(repr(value))
