"""Where public names are defined, read from the source without running it.

Owns the way from a name in a package's ``__all__`` to its definition, through any number of re-exports, and
what a definition says about itself: its signature as written, its members, its docstring. Knows nothing of
Markdown.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Definition:
    """A name and the piece of source that defines it.

    Attributes:
        name: As it is written at the definition.
        node: A class, a function or an assignment.
        doc: Its docstring with indentation removed; of an assignment the text that follows it.
        module: The source file.
    """

    name: str
    node: ast.ClassDef | Function | ast.AnnAssign | ast.Assign
    doc: str
    module: Module

    def text(self, node: ast.AST) -> str:
        """A piece of it as written, on one line; built-in types without the module that tells them apart."""
        return " ".join(self.module.segment(node).replace("builtins.", "").split())

    def members(self) -> Iterator[Definition]:
        """The functions and annotated assignments of a class, private ones included, in order.

        Those of a base that is not public come after its own: nobody would find them elsewhere.
        """
        assert isinstance(self.node, ast.ClassDef)
        seen = set()
        for node in self.node.body:
            if isinstance(node, Function) and "overload" not in self._decorators(node):
                seen.add(node.name)
                yield Definition(node.name, node, _docstring(node), self.module)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                seen.add(node.target.id)
                yield Definition(node.target.id, node, "", self.module)
        for base in self._hidden_bases():
            for member in base.members():
                if member.name not in seen:
                    seen.add(member.name)
                    yield member

    def _hidden_bases(self) -> Iterator[Definition]:
        """The classes it is derived from that are the package's own, and no public names."""
        for name in self.bases:
            name = name.partition("[")[0]
            if name in _public():
                continue
            try:
                base = self.module.find(name)
            except (LookupError, OSError):
                continue  # Python's, or a library's
            if isinstance(base.node, ast.ClassDef) and base.module.name.startswith("textile_aio."):
                yield base

    @property
    def decorators(self) -> list[str]:
        """What stands behind each @, without arguments."""
        assert isinstance(self.node, ast.ClassDef | Function)
        return self._decorators(self.node)

    @property
    def bases(self) -> list[str]:
        """The names a class is derived from."""
        assert isinstance(self.node, ast.ClassDef)
        return [self.text(base) for base in self.node.bases]

    def constant(self, name: str) -> object:
        """The literal value that a class gives to one of its attributes; None if it does not."""
        assert isinstance(self.node, ast.ClassDef)
        for node in self.node.body:
            if not isinstance(node, ast.AnnAssign | ast.Assign) or not isinstance(node.value, ast.Constant):
                continue
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            if isinstance(target, ast.Name) and target.id == name:
                return node.value.value
        return None

    def parameters(self) -> list[str]:
        """The parameters of a function as written, ``self`` and ``cls`` left out, ``*`` included."""
        assert isinstance(self.node, Function)
        given = self.node.args
        positional = [*given.posonlyargs, *given.args]
        defaults = [None] * (len(positional) - len(given.defaults)) + list(given.defaults)
        parameters = [self._parameter(*pair) for pair in zip(positional, defaults, strict=True)]
        if positional and positional[0].arg in ("self", "cls"):
            parameters = parameters[1:]
        if given.posonlyargs and len(parameters) >= 1:
            parameters.insert(len(given.posonlyargs) - (len(positional) - len(parameters)), "/")
        if given.vararg:
            parameters.append("*" + self._parameter(given.vararg, None))
        elif given.kwonlyargs:
            parameters.append("*")
        pairs = zip(given.kwonlyargs, given.kw_defaults, strict=True)
        return parameters + [self._parameter(*pair) for pair in pairs]

    def fields(self) -> list[tuple[str, str, str]]:
        """Name, type and default of a dataclass's public fields; the default is empty where there is none.

        A field ``_: KW_ONLY`` is given as ``*``.
        """
        keyword_only = any("kw_only=True" in self.text(each) for each in self.node.decorator_list)  # type: ignore[union-attr]
        found = [("*", "", "")] if keyword_only else []
        for member in self.members():
            node = member.node
            if not isinstance(node, ast.AnnAssign) or member.text(node.annotation).startswith("ClassVar"):
                continue
            if member.name == "_":
                found.append(("*", "", ""))
            elif not member.name.startswith("_"):
                found.append((member.name, member.text(node.annotation), member._default(node.value)))
        return found

    def _default(self, value: ast.expr | None) -> str:
        if isinstance(value, ast.Call) and self.text(value.func) == "field":
            options = {option.arg: self.text(option.value) for option in value.keywords}
            made = options.get("default_factory")
            return options.get("default", f"{made}()" if made else "")
        return self.text(value) if value else ""

    def _parameter(self, argument: ast.arg, default: ast.expr | None) -> str:
        text = argument.arg
        if argument.annotation:
            text += f": {self.text(argument.annotation)}"
        if default is None:
            return text
        return f"{text}{' = ' if argument.annotation else '='}{self.text(default)}"

    def _decorators(self, node: ast.ClassDef | Function) -> list[str]:
        return [
            self.text(each.func if isinstance(each, ast.Call) else each).rpartition(".")[2]
            for each in node.decorator_list
        ]


class Module:
    """One source file of the package."""

    def __init__(self, name: str) -> None:
        self.name = name
        path = ROOT.joinpath(*name.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        source = path.read_bytes()
        self.tree = ast.parse(source)
        self._lines = source.splitlines(keepends=True)

    def segment(self, node: ast.AST) -> str:
        """A piece as written. `ast.get_source_segment` gives the same, and reads the whole file for it."""
        assert isinstance(node, ast.expr | ast.stmt | ast.arg)
        assert node.end_lineno is not None
        lines = self._lines[node.lineno - 1 : node.end_lineno]
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][node.col_offset :]
        return b"".join(lines).decode()

    def find(self, name: str) -> Definition:
        """The definition of a name, here or where it is imported from.

        Raises:
            LookupError: There is none.
        """
        statements = list(_statements(self.tree))
        for node, following in zip(statements, [*statements[1:], None], strict=True):
            if isinstance(node, ast.ClassDef | Function) and node.name == name:
                return Definition(name, node, _docstring(node), self)
            if isinstance(node, ast.AnnAssign | ast.Assign):
                target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                if isinstance(target, ast.Name) and target.id == name:
                    return Definition(name, node, _text(following), self)
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        return module(node.module).find(alias.name)
        raise LookupError(f"{self.name} does not define {name}")

    def definitions(self) -> list[Definition]:
        """The classes and functions defined here, in order."""
        return [self.find(node.name) for node in self.tree.body if isinstance(node, ast.ClassDef | Function)]


@cache
def _public() -> frozenset[str]:
    return frozenset(importlib.import_module("textile_aio").__all__)


@cache
def module(name: str) -> Module:
    """A module of the package by its full name."""
    return Module(name)


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in tree.body:
        if isinstance(node, ast.If | ast.Try):  # if TYPE_CHECKING, or what needs an extra
            yield from node.body
        else:
            yield node


def _docstring(node: ast.ClassDef | Function) -> str:
    return ast.get_docstring(node) or ""


def _text(node: ast.stmt | None) -> str:
    if (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ):
        return inspect.cleandoc(node.value.value)
    return ""
