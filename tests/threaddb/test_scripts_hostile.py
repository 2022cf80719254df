"""Scripts made to take what they should not: each ends its own call, soon, and nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest

from textile_aio.errors import FailedPrecondition, InvalidInput, WriteDenied
from textile_aio.threaddb.scripts import ScriptLimits, Scripts

SOON = 3.0
"""Seconds. Each of these takes less than a tenth of one on a machine that has nothing else to do."""

TIMED_OUT = "running write validator func: validator timed out"

ENDLESS = [
    "for (;;);",
    "for (;;) { try { for (;;); } catch (e) {} finally { continue } }",
    "while (true) { try { throw 1 } catch (e) {} }",
    "var a = []; for (;;) a.push(a.length), a.length > 10 && (a = [])",
    "var f = function () { return f }; for (;;) f()",
    "new Proxy({}, { get: function () { for (;;); } }).x",
    "return { get a() { for (;;); } }",
    "return { toJSON: function () { for (;;); } }",
    "throw { toString: function () { for (;;); } }",
    "throw new Proxy(new Error(), { get: function () { for (;;); } })",
    "Object.prototype[Symbol.toPrimitive] = function () { for (;;); }; for (;;);",
    "InternalError.prototype.toString = function () { for (;;); }; for (;;);",
    "var g = (function* () { for (;;) yield 1 })(); for (var x of g);",
    "return [...(function* () { while (true) yield; })()].length",
    "Promise.resolve().then(function again() { return Promise.resolve().then(again) }); for (;;);",
    "[1, 2].sort(function () { for (;;); })",
    "'x'.replace(/x/, function () { for (;;); })",
    "/(a+)+$/.test('a'.repeat(50) + 'b')",
    "/^(([a-z])+.)+[A-Z]([a-z])+$/.test('a'.repeat(60))",
    "/(?:a?){40}a{40}/.test('a'.repeat(39))",
    "/(x+x+)+y/.test('x'.repeat(50))",
    "/(?=(a+)+b)/.test('a'.repeat(50))",
    "[].indexOf.call({ length: 2 ** 53 - 1 }, 1)",
    "var a = []; a.length = 2 ** 32 - 1; a.sort()",
    "var a = []; a.length = 2 ** 32 - 1; a.forEach(function () {})",
    "var a = []; a.length = 2 ** 32 - 1; a.reverse()",
    # Between two looks at the clock the engine can be kept busy for minutes.
    "var a = new Array(100000).fill(1); for (;;) a.sort()",
    "var a = new Array(100000).fill(1); for (;;) JSON.stringify(a)",
    "var a = new Array(100000).fill(1); for (;;) [...a]",
    "var s = 'x'.repeat(2e6); for (;;) s.toUpperCase()",
    "var s = 'x'.repeat(2e6); for (;;) s.indexOf('xy')",
    "var t = '[' + '1,'.repeat(100000) + '1]'; for (;;) JSON.parse(t)",
    "var o = {}; for (var i = 0; i < 10000; i++) o['k' + i] = i; for (;;) ({ ...o })",
    "var b = (1n << 500000n) - 1n; for (;;) b * b",
    "for (;;) String(3n ** 30000n)",
    "var a = new Uint8Array(4e6); for (;;) a.sort()",
    "for (;;) new RegExp('(?:a|b)'.repeat(20000))",
    f"var s = 'x'.repeat(2e6), t = s.slice(1) + 'y'; t = t.slice(); for (;;) {{ {'s < t;' * 1000} }}",
    "for (;;) {" + "x = 1;" * 100_000 + "}",
]

GREEDY = [
    "return 'a'.repeat(1e9)",
    "var s = 'x'; for (;;) s += s",
    "var a = []; for (;;) a.push(new Array(100000).fill(0))",
    "return new Array(1e9).fill(0)",
    "return new ArrayBuffer(1e9)",
    "return new Uint8Array(2 ** 31)",
    "return 'x'.padEnd(1e9)",
    "var s = 'x'.repeat(1e6); return s.split('').map(function () { return s.split('') })",
    "var m = new Map(); for (var i = 0;; i++) m.set(i, new Array(1000).fill(i))",
    "return 2n ** 100000000n",
    "return JSON.stringify(new Array(1e8))",
    "return Array.from({ length: 1e9 })",
    "var f = function () { return [f, new Array(10000).fill(1)].concat(f()) }; return f()",
]

DEEP = [
    "function f() { f() } f()",
    "function f() { return [f()] } return f()",
    "return JSON.parse('['.repeat(1e6))",
    "var a = []; for (var i = 0; i < 5000; i++) a = [a]; return JSON.stringify(a).length > a",
    "return new RegExp('('.repeat(1e5) + ')'.repeat(1e5))",
    "var o = {}; o.valueOf = function () { return +o }; return +o",
    "var p = {}; for (var i = 0; i < 1e4; i++) p = new Proxy(p, {}); return p.x",
    "var a = []; a.push(a); return a",
    "var f = function () {}; for (var i = 0; i < 1e4; i++) f = f.bind(); return f()",
]


@pytest.fixture(scope="module")
def scripts() -> Iterator[Scripts]:
    scripts = Scripts(processes=1)
    yield scripts
    scripts.close()


def outcome(scripts: Scripts, body: str) -> str:
    started = time.perf_counter()
    try:
        scripts.validate(body, writer="w", event=b'{"a":1}', instance=None)
        told = ""
    except WriteDenied as refusal:
        told = refusal.message
    assert time.perf_counter() - started < SOON
    assert scripts.filter("return instance", reader=None, instance=b'{"next":"works"}') == b'{"next":"works"}'
    return told


@pytest.mark.parametrize("body", ENDLESS, ids=lambda body: body[:60])
def test_a_script_without_end_is_ended(scripts: Scripts, body: str) -> None:
    assert outcome(scripts, body) in (TIMED_OUT, "running write validator func: InternalError: out of memory")


@pytest.mark.parametrize("body", GREEDY, ids=lambda body: body[:60])
def test_a_script_that_takes_too_much_memory_is_ended(scripts: Scripts, body: str) -> None:
    told = outcome(scripts, body)
    assert told.startswith("running write validator func: ")
    assert any(
        why in told
        for why in (
            "out of memory",
            "timed out",
            "too long",
            "nvalid",
            "too large",
            "call stack",
            "no memory",
        )
    )


@pytest.mark.parametrize("body", DEEP, ids=lambda body: body[:60])
def test_a_script_that_goes_too_deep_is_ended(scripts: Scripts, body: str) -> None:
    told = outcome(scripts, body)
    assert told.startswith("running write validator func: ") or told == "app denied net record body"


@pytest.mark.parametrize(
    "body",
    [
        "(async function () { for (;;) await 1 })(); return true",
        "Promise.resolve().then(function () { for (;;); }); return true",
        "var p = Promise.resolve(); for (var i = 0; i < 999; i++) p.then(p => { for (;;); }); return true",
        "(async function* () { for (;;) yield 1 })().next(); return true",
        "new Promise(function (resolve) { setTimeout(resolve) }); return true",
        "import('x'); return true",
    ],
)
def test_what_a_script_leaves_for_later_never_runs_on(scripts: Scripts, body: str) -> None:
    assert outcome(scripts, body) in ("", TIMED_OUT)
    for _ in range(3):
        scripts.validate("return true", writer="w", event=b"{}", instance=None)


def test_waiting_is_refused(scripts: Scripts) -> None:
    assert "not defined" in outcome(
        scripts, "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1e6)"
    )


@pytest.mark.parametrize(
    "body", ["(" * 1_000_000, "[" * 500_000 + "]" * 500_000, "{" * 200_000, "a+" * 1_000_000]
)
def test_functions_that_are_too_much_for_the_compiler_are_refused(scripts: Scripts, body: str) -> None:
    started = time.perf_counter()
    with pytest.raises(InvalidInput, match="^compiling js func: "):
        scripts.check_validator(body)
    assert time.perf_counter() - started < SOON


@contextmanager
def one_process() -> Iterator[tuple[Scripts, Callable[[], psutil.Process]]]:
    """A runner with one process, and how to find that."""
    others = psutil.Process().children()
    scripts = Scripts(processes=1)

    def found() -> psutil.Process:
        (process,) = [child for child in psutil.Process().children() if child not in others]
        return process

    scripts.validate("return true", writer=None, event=b"{}", instance=None)
    yield scripts, found
    scripts.close()


def test_memory_does_not_stay() -> None:
    with one_process() as (scripts, process):
        before = process().memory_info().rss
        for number in range(25):
            endless = f"var a = [{number}]; for (;;) a.push(new Array(1000).fill(a.length))"
            with pytest.raises(WriteDenied):
                scripts.validate(endless, writer=None, event=b"{}", instance=None)
            large = f"var a = new Array(500000).fill({number}); return true"
            scripts.validate(large, writer=None, event=b"{}", instance=None)
        assert process().memory_info().rss - before < 48 << 20


def test_a_process_that_is_killed_while_idle_costs_nothing() -> None:
    with one_process() as (scripts, process):
        for _ in range(3):
            victim = process()
            victim.kill()
            victim.wait(10)
            scripts.validate("return true", writer=None, event=b"{}", instance=None)


def test_a_call_whose_process_is_killed_is_run_again() -> None:
    with one_process() as (scripts, process):
        victim = process()
        victim.suspend()
        threading.Timer(0.1, victim.kill).start()
        scripts.validate("return true", writer=None, event=b"{}", instance=None)
        assert process().pid != victim.pid


def test_villains_do_not_disturb_the_calls_of_others() -> None:
    scripts = Scripts(ScriptLimits(seconds=0.05), processes=2)
    wrong: list[BaseException] = []

    def honest() -> None:
        try:
            for number in range(100):
                document = b'{"n":%d}' % number
                if scripts.filter("return instance", reader=None, instance=document) != document:
                    raise AssertionError(document)
        except BaseException as error:  # noqa: BLE001 - told to the test
            wrong.append(error)

    def villain(body: str) -> None:
        for _ in range(5):
            with pytest.raises(WriteDenied):
                scripts.validate(body, writer=None, event=b"{}", instance=None)

    bodies = ["for (;;);", "var a = new Array(100000).fill(1); for (;;) a.sort()", "return 'a'.repeat(1e9)"]
    threads = [threading.Thread(target=villain, args=(body,)) for body in bodies]
    threads += [threading.Thread(target=honest) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    scripts.close()
    assert wrong == []


def test_the_limits_are_settable() -> None:
    slow = "var n = 0; for (var i = 0; i < 3e6; i++) n += i; return true"
    large = "var a = new Array(1500000).fill(1); return a.length === 1500000"
    for limits, works in ((ScriptLimits(), False), (ScriptLimits(seconds=20, memory=64 << 20), True)):
        scripts = Scripts(limits, processes=1)
        try:
            for body in (slow, large):
                assert (outcome(scripts, body) == "") is works
        finally:
            scripts.close()


def test_a_filter_says_that_it_was_the_filter(scripts: Scripts) -> None:
    with pytest.raises(FailedPrecondition, match="^running read filter func: filter timed out"):
        scripts.filter("for (;;);", reader=None, instance=b"{}")


def test_no_process_is_left_behind() -> None:
    with one_process() as (scripts, process):
        left = process()
        del scripts
    assert not left.is_running()
    others = psutil.Process().children()
    forgotten = Scripts(processes=1)
    forgotten.validate("return true", writer=None, event=b"{}", instance=None)
    del forgotten
    assert psutil.Process().children() == others
