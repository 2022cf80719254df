"""Runs the Python blocks of a page in order, with ``await`` allowed outside functions.

Owns how a block is run and what is compared. What blocks may take for granted is in ``given``.
"""

from __future__ import annotations
import __future__

import ast
import asyncio
import builtins
import contextlib
import io
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from tests.docs.given import ADDRESS, Given, public_names
from tests.docs.markdown import ROOT, Block, Page

_FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | __future__.annotations.compiler_flag
_COROUTINE = 0x80


def run(page: Page, folder: Path) -> int:
    """Run a page's blocks; returns how many there were.

    A block is run inside the event loop if it awaits, else outside of it, so that it may call
    ``asyncio.run``. The blocks of a page share a namespace, those of the reference have one each. Pages but
    the README are given what they name.
    """
    kind = Path(page.name).parent.as_posix()
    module = sys.modules["docs"] = ModuleType("docs")  # where the classes of a page find their annotations
    namespace: dict[str, Any] = vars(module)
    count = 0
    printed = ""
    with asyncio.Runner() as runner:
        exits = AsyncExitStack()
        given = Given(exits, folder)
        try:
            for block in page.blocks():
                if block.language == "python" and not block.mark:
                    if kind == "docs/reference":
                        namespace.clear()
                        namespace.update(public_names(), __name__="docs")
                    if kind != ".":
                        runner.run(_give(block, given, namespace))
                    printed = _run_block(page, block, namespace, runner, given)
                    count += 1
                elif block.mark == "output":
                    assert printed == block.text, f"{page.name}:{block.line}"
        finally:
            runner.run(exits.aclose())
            del sys.modules["docs"]
    return count


def is_part_of(block: Block) -> bool:
    """Whether the file that the block's mark names has these very lines, at whatever indentation."""
    whole = (ROOT / block.mark.removeprefix("part of ")).read_text("utf-8").splitlines()
    lines = block.text.splitlines()
    for start in range(len(whole) - len(lines) + 1):
        part = whole[start : start + len(lines)]
        indent = len(part[0]) - len(part[0].lstrip())
        if [line[indent:] if line[:indent].isspace() or not indent else line for line in part] == lines:
            return True
    return False


async def _give(block: Block, given: Given, namespace: dict[str, Any]) -> None:
    tree = ast.parse(block.text)
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for name in sorted(named & given.names - namespace.keys() - set(dir(builtins))):
        if not _assigns(tree, name):
            namespace[name] = await given.get(name)


def _assigns(tree: ast.Module, name: str) -> bool:
    """Whether the first that the block does with a name is to give it a value."""
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
    first = min(uses, key=lambda node: (node.lineno, -node.col_offset))
    return isinstance(first.ctx, ast.Store)


def _run_block(
    page: Page, block: Block, namespace: dict[str, Any], runner: asyncio.Runner, given: Given
) -> str:
    text = block.text
    if ADDRESS in text:
        open_hub = runner.run(_address(given))
        text = text.replace(ADDRESS, open_hub)
    code = _compile(text, page, block)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        if code.co_flags & _COROUTINE:
            runner.run(_awaited(code, namespace))
        else:
            exec(code, namespace)
    return out.getvalue()


def _compile(text: str, page: Page, block: Block) -> CodeType:
    # Line numbers of the page, so that a traceback leads there.
    padded = "\n" * (block.line - 1) + text
    code: CodeType = compile(padded, str(page.path), "exec", flags=_FLAGS, dont_inherit=True)
    return code


async def _awaited(code: CodeType, namespace: dict[str, Any]) -> None:
    await eval(code, namespace)


async def _address(given: Given) -> str:
    hub = await given.get("open_hub")
    return str(hub.target)
