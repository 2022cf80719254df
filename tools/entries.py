"""One public name as a piece of Markdown: its signature, and what its docstring says.

Owns what an entry looks like, for each kind of name. Which page it is on, and what else is there, is decided
in ``reference``.
"""

from __future__ import annotations

import ast
import enum
import importlib
import re
from collections.abc import Iterable, Iterator

from tools.definitions import Definition, Function
from tools.docstrings import Docstring, Section, bullet, inline, link, paragraphs, wrap

WIDTH = 100


class Resolver:
    """Finds the address of a name as a docstring writes it, seen from a page and a class on it."""

    def __init__(self, documented: dict[str, str], page: str, owner: str) -> None:
        self._documented = documented
        self._page = page
        self._owner = owner

    def __call__(self, name: str) -> str | None:
        name = name.removeprefix("textile_aio.localhub.").removeprefix("textile_aio.")
        first = name.partition(".")[0]
        for candidate in (f"{self._owner}.{name}", name, first):
            address = self._documented.get(candidate)
            if address is not None and candidate != self._owner:
                return address.removeprefix(self._page)
        return None


def anchor(heading: str) -> str:
    """The fragment that code hosts give to a heading."""
    kept = (letter for letter in heading.lower() if letter.isalnum() or letter in " -_")
    return "".join(kept).replace(" ", "-")


def entry(definition: Definition, resolve: Resolver) -> Iterator[str]:
    """The blocks of a name's entry, its heading first."""
    doc = Docstring.parse(definition.doc)
    # Without code type, a name between double underscores would be shown in bold type.
    yield f"## `{definition.name}`" if definition.name.startswith("__") else f"## {definition.name}"
    node = definition.node
    if isinstance(node, Function):
        is_fixture = "fixture" in definition.decorators
        yield _fixture(definition, resolve) if is_fixture else _signature(definition)
        yield from _sections(doc, resolve)
    elif not hasattr(node, "body"):
        yield f"```pyi\n{_alias(definition)}\n```"
        if definition.doc:
            yield paragraphs(definition.doc, resolve)
    elif any("Enum" in base for base in definition.bases):
        yield _class_line(definition)
        yield from _sections(doc, resolve)
        yield _enum_members(definition)
        yield from _methods(definition, documented_members(definition), resolve)
    else:
        yield from _class(definition, doc, resolve)


def _class(definition: Definition, doc: Docstring, resolve: Resolver) -> Iterator[str]:
    members = list(documented_members(definition))
    constructor = next((member for member in definition.members() if member.name == "__init__"), None)
    is_value = "dataclass" in definition.decorators
    if is_value:
        yield _fence(definition.name, _field_parameters(definition), "", keyword="class")
    elif constructor and constructor.doc:
        yield _fence(definition.name, constructor.parameters(), "", keyword="class")
    else:
        yield _class_line(definition)
        doc.sections.pop("Args", None)  # those of a constructor that users do not call
    attributes = doc.sections.pop("Attributes", Section()).items
    types = {name: kind for name, kind, _ in definition.fields()} if is_value else {}
    yield from _sections(doc, resolve)
    if constructor and constructor.doc:
        yield from _sections(Docstring.parse(constructor.doc), resolve)
    lines = [_attribute(name, types.get(name, ""), text, resolve) for name, text in attributes]
    lines += [_property(member, resolve) for member in members if is_property(member)]
    if lines:
        yield "Attributes:"
        yield "\n".join(lines)
    yield from _methods(definition, members, resolve)


def _methods(definition: Definition, members: Iterable[Definition], resolve: Resolver) -> Iterator[str]:
    for member in members:
        if not is_property(member):
            yield f"### {definition.name}.{member.name}"
            yield _signature(member)
            yield from _sections(Docstring.parse(member.doc), resolve)


def error_entry(definition: Definition, resolve: Resolver) -> Iterator[str]:
    """The same for what the module of errors defines."""
    yield f"## {definition.name}"
    if any("Enum" in base for base in definition.bases):
        yield from _sections(Docstring.parse(definition.doc), resolve)
        yield _enum_members(definition)
        return
    bases = ", ".join(link(base, resolve(base)) for base in definition.bases)
    yield wrap(f"Kind of {bases}.")
    yield from _sections(Docstring.parse(definition.doc), resolve)
    if hint := definition.constant("hint"):
        yield wrap(f"What to do: {hint}.")
    if definition.constant("retryable") is True:
        yield wrap("Repeating the very same call may succeed: `retryable` is true.")


def documented_members(definition: Definition) -> Iterator[Definition]:
    """The public members of a class that is no enumeration; operators where they explain themselves."""
    if not hasattr(definition.node, "body") or isinstance(definition.node, Function):
        return
    for member in definition.members():
        if not isinstance(member.node, Function) or member.name == "__init__":
            continue
        if not member.name.startswith("_") or (member.name.startswith("__") and member.doc):
            yield member


def is_property(member: Definition) -> bool:
    """Whether a member is listed with its class instead of under a heading of its own."""
    return "property" in member.decorators


def _property(member: Definition, resolve: Resolver) -> str:
    assert isinstance(member.node, Function)
    assert member.node.returns is not None
    doc = Docstring.parse(member.doc)
    text = " ".join(doc.body.split())
    for name, meaning in doc.sections.get("Raises", Section()).items:
        text += f" Raises :class:`{name}`: {meaning}"
    return _attribute(member.name, member.text(member.node.returns), text, resolve)


def _attribute(name: str, kind: str, text: str, resolve: Resolver) -> str:
    shown = f":class:`{kind}`" if kind.isidentifier() else f"``{kind}``"
    return bullet(f"``{name}`` ({shown}): {text}" if kind else f"``{name}``: {text}", resolve)


def _sections(doc: Docstring, resolve: Resolver) -> Iterator[str]:
    if doc.body:
        yield paragraphs(doc.body, resolve)
    for name, section in doc.sections.items():
        if name in ("Args", "Attributes"):
            yield "\n".join(_attribute(item, "", meaning, resolve) for item, meaning in section.items)
        elif name in ("Raises", "Entering it raises"):
            lines = []
            for item, meaning in section.items:
                errors = ", ".join(f":class:`{each}`" for each in item.split(", "))
                lines.append(bullet(f"{errors}: {meaning}", resolve))
            yield f"{name}:\n\n" + "\n".join(lines)
        elif not re.match(r"(Format of )?spec:", section.text):  # a source that only developers have
            yield wrap(f"{name}: {inline(section.text, resolve)}")


def _fixture(definition: Definition, resolve: Resolver) -> str:
    node = definition.node
    assert isinstance(node, Function)
    assert node.returns is not None
    gives = definition.text(node.returns).removeprefix("Iterator[").removesuffix("]")
    lasts = "the session" if "session" in definition.text(node.decorator_list[0]) else "one test"
    return wrap(inline(f"Fixture for {lasts}: :class:`{gives}`.", resolve))


def _signature(definition: Definition) -> str:
    node = definition.node
    assert isinstance(node, Function)
    returns = f" -> {definition.text(node.returns)}" if node.returns else ""
    keyword = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    above = "".join(f"@{name}\n" for name in definition.decorators if name in ("classmethod", "staticmethod"))
    return _fence(definition.name, definition.parameters(), returns, keyword=keyword, above=above)


def _fence(name: str, parameters: list[str], returns: str, *, keyword: str, above: str = "") -> str:
    line = f"{keyword} {name}({', '.join(parameters)}){returns}"
    if len(line) > WIDTH:
        inner = "".join(f"    {parameter},\n" for parameter in parameters).replace("*,,", "*,")
        line = f"{keyword} {name}(\n{inner}){returns}"
    return f"```pyi\n{above}{line}\n```"


def _class_line(definition: Definition) -> str:
    bases = [base for base in definition.bases if base != "Protocol"]
    derived = f"({', '.join(bases)})" if bases else ""
    return f"```pyi\nclass {definition.name}{derived}\n```"


def _field_parameters(definition: Definition) -> list[str]:
    parameters = []
    for name, kind, default in definition.fields():
        parameters.append("*" if name == "*" else f"{name}: {kind}" + (f" = {default}" if default else ""))
    return parameters


def _alias(definition: Definition) -> str:
    node = definition.node
    text = definition.text(node)
    return text.replace(": TypeAlias = ", " = ")


def _enum_members(definition: Definition) -> str:
    kind = getattr(importlib.import_module(definition.module.name), definition.name)
    assert issubclass(kind, enum.Enum)
    return "\n".join(f"- `{member.name}` = {member.value}" for member in kind)
