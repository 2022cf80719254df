"""Write validators and read filters: functions in JavaScript (spec: threads-api §9).

A script is the body of a function, from anyone who may make a collection. It runs in a process apart
(:mod:`~textile_aio.threaddb.scripts.worker`), in an engine of its own and a world that no call can change
for the next one (``realm.js``). Whatever it does ends that call and nothing else.

Documents, identities and outcomes are bytes and text here; which documents a caller is checked for is known
to whoever calls.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import orjson

from textile_aio.errors import FailedPrecondition, InvalidInput, StatusCode, TextileError, WriteDenied
from textile_aio.threaddb import gojson
from textile_aio.threaddb.goprint import printed
from textile_aio.threaddb.scripts import worker
from textile_aio.threaddb.scripts.workers import Died, ScriptLimits, Workers

__all__ = ["ScriptLimits", "Scripts"]

_DENIED = "app denied net record body"
_LONGEST_TEXT = 2_000
"""Of what a script said. It travels in a trailer, and those are short."""

_PATIENCE = 10.0
"""Seconds on the clock beside a call's CPU time, for a machine that has more to do."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

_SIGNATURES = {
    worker.VALIDATOR: "_validate(writer,event,instance)",
    worker.FILTER: "_filter(reader,instance)",
}
_NAMES = {worker.VALIDATOR: ("write validator", "validator"), worker.FILTER: ("read filter", "filter")}

Change = tuple[bytes, bytes | None]
"""The JSON of an event, and of the stored document before it; None if there is none."""


class Scripts:
    """Runs validators and filters within limits.

    Thread-safe; calls of several threads run at the same time. Processes start with the first call and end
    with :meth:`close`, or when the object is collected. A call costs 30 microseconds, in a batch 10.

    Args:
        limits: What one call may use.
        processes: How many calls run at once. None: as many as there are processors, but from 2 to 4.
    """

    def __init__(self, limits: ScriptLimits | None = None, *, processes: int | None = None) -> None:
        self._limits = limits or ScriptLimits()
        self._workers = Workers(self._limits, count=processes or max(2, min(4, os.cpu_count() or 2)))

    def close(self) -> None:
        """End the processes. Calls that are running still get their answer, later ones a ``ClosedError``."""
        self._workers.close()

    def check_validator(self, body: str) -> None:
        """Refuse a validator that does not compile.

        Raises:
            InvalidInput: ``compiling js func: …``.
        """
        self._check(worker.VALIDATOR, body)

    def check_filter(self, body: str) -> None:
        """Refuse a filter that does not compile.

        Raises:
            InvalidInput: ``compiling js func: …``.
        """
        self._check(worker.FILTER, body)

    def validate(self, body: str, *, writer: str | None, event: bytes, instance: bytes | None) -> None:
        """Have one change approved by a validator. See :meth:`validate_all`."""
        self.validate_all(body, [(event, instance)], writer=writer)

    def validate_all(self, body: str, changes: Sequence[Change], *, writer: str | None) -> None:
        """Have changes approved by a validator, one call each, in order, up to the first that is not.

        Args:
            body: Body of ``function _validate(writer, event, instance)``.
            changes: Events and the documents they change.
            writer: Who writes, as public key text; None shows the validator ``undefined``.

        Raises:
            WriteDenied: The validator returned anything but ``true`` (``app denied net record body`` and what
                it returned, unless that was false, null or undefined), or failed
                (``running write validator func: …``).
        """
        who = None if writer is None else writer.encode()
        calls = [value for event, instance in changes for value in (who, event, instance)]
        for outcome in self._run(worker.VALIDATOR, body, calls):
            word, _, value = outcome.partition(b" ")
            if word == b"denied":
                raise WriteDenied(_DENIED, code=StatusCode.UNKNOWN)
            if word == b"refused":
                told = printed(gojson.loads(value))
                raise WriteDenied(_shortened(f"{_DENIED}: {told}"), code=StatusCode.UNKNOWN)

    def filter(self, body: str, *, reader: str | None, instance: bytes) -> bytes | None:
        """What a reader is shown of one document. See :meth:`filter_all`."""
        return self.filter_all(body, [instance], reader=reader)[0]

    def filter_all(self, body: str, instances: Sequence[bytes], *, reader: str | None) -> list[bytes | None]:
        """What a reader is shown of documents, one call each.

        Args:
            body: Body of ``function _filter(reader, instance)``.
            instances: Stored documents.
            reader: Who reads, as public key text; None shows the filter ``undefined``.

        Returns:
            For each document JSON with sorted keys; None where the filter returned null or undefined, which
            hides the document.

        Raises:
            FailedPrecondition: The filter failed (``running read filter func: …``) or returned what JSON
                cannot say.
        """
        who = None if reader is None else reader.encode()
        calls = [value for instance in instances for value in (who, instance, None)]
        shown: list[bytes | None] = []
        for outcome in self._run(worker.FILTER, body, calls):
            word, _, value = outcome.partition(b" ")
            shown.append(_as_go_writes(value) if word == b"shown" else None)
        return shown

    def _run(self, kind: bytes, body: str, values: list[bytes | None]) -> list[bytes]:
        """The outcomes of calls, none of which is a failure."""
        if not values:
            return []
        name, source = _prepared(kind, body)
        size = sum(len(value) for value in values if value is not None)
        patience = _PATIENCE + len(values) * self._limits.seconds + size * worker.SECONDS_PER_BYTE
        try:
            reply = self._workers.ask(
                name, worker.CALL + worker.pack(values), source=source, patience=patience
            )
        except Died as death:
            text = f"{_NAMES[kind][1]} timed out" if death.overran else "its engine ended"
            raise _failure(kind, text) from None
        outcomes = [outcome for outcome in worker.unpack(reply) if outcome is not None]
        word, _, value = outcomes[-1].partition(b" ")
        if word == b"overran":
            raise _failure(kind, f"{_NAMES[kind][1]} timed out")
        if word in (b"broken", b"thrown"):
            raise _failure(kind, gojson.loads(value))
        return outcomes

    def _check(self, kind: bytes, body: str) -> None:
        """Compile a body as strict code, as upstream does, and as a method.

        A text can end its function early and go on. What may follow a declaration may not follow a method, so
        what passes both is one function. Neither program gets beyond its first statement.
        """
        declared = _function(kind, body)
        forms = [f'"use strict";throw "";function {declared}', f'throw "";({{{declared}}})']
        if "\0" in declared or _LONE_SURROGATE.search(declared):
            raise _not_compiled("SyntaxError: unexpected character")
        name, source = _prepared(kind, body)
        message = worker.COMPILE + worker.pack(form.encode() for form in forms)
        try:
            complaint = self._workers.ask(name, message, source=source, patience=_PATIENCE)
        except Died:
            raise _not_compiled("the function takes too long to compile") from None
        if complaint:
            raise _not_compiled(complaint.decode())


def _as_go_writes(value: bytes) -> bytes:
    """JSON as the engine wrote it, with sorted keys. Most of it is so already, and that is soon told."""
    try:
        if orjson.dumps(orjson.loads(value), option=orjson.OPT_SORT_KEYS) == value:
            return gojson.escape_markup(value)
    except orjson.JSONDecodeError:
        pass  # half a surrogate pair
    return gojson.dumps(gojson.loads(value))


def _function(kind: bytes, body: str) -> str:
    """The function without its keyword. Upstream removes all tabs, those of string literals too."""
    return f"{_SIGNATURES[kind]} {{{body}}}".replace("\t", "")


@lru_cache(512)
def _prepared(kind: bytes, body: str) -> tuple[bytes, bytes]:
    """A body's name among processes, and what they get to know of it."""
    source = kind + f"(function {_function(kind, body)})".encode()
    return blake2b(source, digest_size=worker.NAME_SIZE).digest(), source


def _failure(kind: bytes, text: str) -> TextileError:
    message = _shortened(f"running {_NAMES[kind][0]} func: {text}")
    failed = WriteDenied if kind == worker.VALIDATOR else FailedPrecondition
    return failed(message, code=StatusCode.UNKNOWN)


def _not_compiled(text: str) -> InvalidInput:
    return InvalidInput(_shortened(f"compiling js func: {text}"), code=StatusCode.UNKNOWN)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"
