"""The fixtures under everything that runs tests."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Suite

THERE_AND_BACK = """
import pytest
import textile_aio
from textile_aio import AuthContext, Bucket, ThreadID

{preamble}

{mark}
async def test_a_file_goes_there_and_back(textile_target, textile_auth, textile_thread, textile_bucket):
    assert isinstance(textile_auth, AuthContext)
    assert isinstance(textile_thread, ThreadID)
    assert isinstance(textile_bucket, Bucket)
    assert textile_bucket.root.thread == textile_thread
    ctx = textile_auth.with_thread(textile_thread)
    async with textile_aio.connect(textile_target) as hub:
        await hub.buckets.push_path(ctx, textile_bucket.key, "a.txt", b"text")
        pull = hub.buckets.pull_path(ctx, textile_bucket.key, "a.txt")
        assert b"".join([chunk async for chunk in pull]) == b"text"


{mark}
async def test_the_hub_answers_while_the_loop_of_the_test_runs(textile_hub, request):
    auth = request.getfixturevalue("textile_auth")
    assert textile_hub.new_thread(auth) != textile_hub.new_thread(auth)


{mark}
async def test_an_async_fixture_can_hold_a_client(client, textile_auth, textile_thread):
    assert [each.id for each in await client.users.list_threads(textile_auth)] == [textile_thread]
"""

CLIENT = """
@{module}.fixture
async def client({arguments}textile_target):
    async with textile_aio.connect(textile_target) as hub:
        yield hub
"""

RUNNERS = {
    "pytest-asyncio, auto": (
        ["-p", "no:anyio", "-o", "asyncio_mode=auto"],
        "",
        CLIENT.format(module="pytest", arguments=""),
    ),
    "pytest-asyncio, strict": (
        ["-p", "no:anyio", "-o", "asyncio_mode=strict"],
        "@pytest.mark.asyncio",
        "import pytest_asyncio\n" + CLIENT.format(module="pytest_asyncio", arguments=""),
    ),
    "anyio": (
        ["-p", "no:asyncio"],
        "@pytest.mark.anyio",
        "@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n"
        + CLIENT.format(module="pytest", arguments=""),
    ),
    "anyio beside pytest-asyncio": (
        ["-o", "asyncio_mode=strict"],
        "@pytest.mark.anyio",
        "@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n"
        + CLIENT.format(module="pytest", arguments="anyio_backend, "),
    ),
}


@pytest.mark.parametrize(("arguments", "mark", "preamble"), RUNNERS.values(), ids=RUNNERS)
def test_async_tests_use_the_fixtures(suite: Suite, arguments: list[str], mark: str, preamble: str) -> None:
    if "no:asyncio" in arguments:
        suite.pytester.makeini("[pytest]\n")
    suite.file("test_it", THERE_AND_BACK.format(mark=mark, preamble=preamble))
    suite.passes(*arguments, passed=3)


def test_plain_tests_use_the_fixtures(suite: Suite) -> None:
    suite.pytester.makeini("[pytest]\n")
    suite.file(
        "test_it",
        """
        import asyncio
        import unittest

        import pytest
        import textile_aio

        async def buckets(target, ctx):
            async with textile_aio.connect(target) as hub:
                return [root.key for root in await hub.buckets.list(ctx)]

        def test_a_function(textile_target, textile_auth, textile_thread, textile_bucket):
            ctx = textile_auth.with_thread(textile_thread)
            assert asyncio.run(buckets(textile_target, ctx)) == [textile_bucket.key]

        class TestClass:
            def test_a_method(self, textile_target, textile_auth, textile_thread):
                assert asyncio.run(buckets(textile_target, textile_auth.with_thread(textile_thread))) == []

        class TestCase(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def keep(self, textile_target):
                self.target = textile_target

            def test_a_test_case(self):
                assert self.target.startswith("127.0.0.1:")
        """,
    )
    suite.passes("-p", "no:asyncio", "-p", "no:anyio", passed=3)


def test_each_xdist_worker_has_its_own_hub(suite: Suite) -> None:
    pytest.importorskip("xdist")
    suite.file(
        "test_it",
        """
        import pathlib
        import pytest

        @pytest.mark.parametrize("number", range(4))
        def test_a_hub(number, worker_id, textile_target, textile_bucket):
            pathlib.Path(f"target-{worker_id}").write_text(textile_target)
        """,
    )
    suite.passes("-n", "2", "--dist", "each", passed=8)
    targets = {path.read_text() for path in suite.pytester.path.glob("target-gw*")}
    assert len(targets) == 2
