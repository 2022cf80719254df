"""How the session's hub ends, whatever the tests did."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Suite

HANGS = """
    import asyncio
    import threading

    import pytest
    import textile_aio

    @pytest.fixture(scope="session", autouse=True)
    def threads():
        started = []
        yield started
        # Set up before the hub, so torn down after it: by now the hub has let go of its callers.
        for thread in started:
            thread.join(10)
            assert not thread.is_alive()
"""


def test_a_call_left_hanging_disturbs_neither_the_next_test_nor_the_end(suite: Suite) -> None:
    suite.file(
        "test_it",
        HANGS
        + """
    def test_leaves_a_push_behind(threads, textile_target, textile_auth, textile_thread, textile_bucket):
        under_way = threading.Event()

        async def endless():
            yield b"first"
            under_way.set()
            await asyncio.Event().wait()

        async def push():
            ctx = textile_auth.with_thread(textile_thread)
            async with textile_aio.connect(textile_target) as hub:
                with pytest.raises(textile_aio.TextileError):
                    await hub.buckets.push_path(ctx, textile_bucket.key, "a", endless())

        threads.append(threading.Thread(target=asyncio.run, args=[push()]))
        threads[-1].start()
        assert under_way.wait(10)

    async def test_goes_on(textile_target, textile_auth, textile_thread, textile_bucket):
        ctx = textile_auth.with_thread(textile_thread)
        async with textile_aio.connect(textile_target) as hub:
            assert [root.key for root in await hub.buckets.list(ctx)] == [textile_bucket.key]
    """,
    )
    suite.passes("-o", "asyncio_mode=auto", passed=2)
    (left,) = suite.left()
    assert left["last_teardown"] < 5


def test_work_on_the_hub_that_never_ends_is_cancelled_at_the_end(suite: Suite) -> None:
    suite.file(
        "test_it",
        HANGS
        + """
    def test_waits_for_ever(threads, textile_hub):
        under_way = threading.Event()

        async def hang(hub):
            under_way.set()
            await asyncio.Event().wait()

        def wait():
            with pytest.raises(textile_aio.ClosedError):
                textile_hub.call(hang)

        threads.append(threading.Thread(target=wait))
        threads[-1].start()
        assert under_way.wait(10)
    """,
    )
    suite.passes("-o", "asyncio_mode=auto", passed=1)


@pytest.mark.parametrize(
    "arguments",
    [["-p", "no:anyio", "-o", "asyncio_mode=auto"], ["-o", "asyncio_mode=strict"]],
    ids=["pytest-asyncio", "anyio"],
)
def test_an_interrupted_session_stops_its_hub(suite: Suite, arguments: list[str]) -> None:
    suite.file(
        "test_it",
        """
        import asyncio
        import signal

        import pytest
        import textile_aio

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        async def test_is_interrupted(textile_target, textile_auth, textile_thread, textile_bucket):
            async def endless():
                yield b"first"
                signal.raise_signal(signal.SIGINT)
                await asyncio.Event().wait()

            ctx = textile_auth.with_thread(textile_thread)
            async with textile_aio.connect(textile_target) as hub:
                await hub.buckets.push_path(ctx, textile_bucket.key, "a", endless())

        def test_is_not_reached(textile_bucket):
            pass
        """,
    )
    if "no:anyio" in arguments:
        suite.pytester.makeini(
            "[pytest]\nasyncio_default_fixture_loop_scope = function\nmarkers =\n    anyio: not used\n"
        )
    result = suite.run(*arguments)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes()
    suite.left_nothing(result)
    (left,) = suite.left()
    assert left["last_teardown"] < 5


def test_a_suite_that_asks_for_no_hub_starts_none(suite: Suite) -> None:
    suite.file(
        "test_it",
        """
        import sys

        def test_nothing_of_the_hub_is_there():
            assert "textile_aio.pytest_plugin" in sys.modules
            assert not [name for name in sys.modules if name.startswith("textile_aio.localhub")]
            assert not [name for name in sys.modules if name.startswith("textile_aio._proto")]
        """,
    )
    suite.passes(passed=1)
