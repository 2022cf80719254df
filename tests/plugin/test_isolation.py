"""What one test may see of another: nothing; and what a class or a session may share."""

from __future__ import annotations

from tests.plugin.conftest import Suite


def test_tests_do_not_see_each_other(suite: Suite) -> None:
    suite.file(
        "test_it",
        """
        import pytest
        import textile_aio

        seen = []

        @pytest.fixture
        async def hub(textile_target):
            async with textile_aio.connect(textile_target) as hub:
                yield hub

        @pytest.mark.parametrize("number", range(3))
        async def test_alone(number, hub, textile_auth, textile_thread, textile_bucket):
            ctx = textile_auth.with_thread(textile_thread)
            assert [each.id for each in await hub.users.list_threads(textile_auth)] == [textile_thread]
            assert [root.key for root in await hub.buckets.list(ctx)] == [textile_bucket.key]
            await hub.threads.new_db(textile_auth, name="same-name")
            for other, thread, bucket in seen:
                assert other.api_key != textile_auth.api_key
                assert other.token != textile_auth.token
                with pytest.raises(textile_aio.NotThreadOwner):
                    await hub.threads.get_db_info(textile_auth, thread)
                with pytest.raises(textile_aio.NotThreadOwner):
                    await hub.buckets.list(textile_auth.with_thread(thread))
            seen.append((textile_auth, textile_thread, textile_bucket))
        """,
    )
    suite.passes("-o", "asyncio_mode=auto", passed=3)


def test_an_auth_that_made_no_thread_owns_none(suite: Suite) -> None:
    suite.file(
        "test_it",
        """
        import textile_aio

        async def test_nothing(textile_target, textile_auth):
            assert textile_auth.thread is None
            async with textile_aio.connect(textile_target) as hub:
                assert await hub.users.list_threads(textile_auth) == []
        """,
    )
    suite.passes("-o", "asyncio_mode=auto", passed=1)


def test_a_class_can_share_what_it_made(suite: Suite) -> None:
    suite.file(
        "test_it",
        """
        import pytest
        import textile_aio

        @pytest.fixture(scope="class")
        def shared(textile_hub):
            auth = textile_hub.new_auth()
            ctx = auth.with_thread(textile_hub.new_thread(auth, "shared"))
            return ctx, textile_hub.new_bucket(ctx, "images").key

        class TestShared:
            async def test_writing(self, shared, textile_target):
                ctx, key = shared
                async with textile_aio.connect(textile_target) as hub:
                    await hub.buckets.push_path(ctx, key, "a.txt", b"text")

            async def test_reading_on_another_loop(self, shared, textile_target, textile_auth):
                ctx, key = shared
                async with textile_aio.connect(textile_target) as hub:
                    assert (await hub.buckets.list_path(ctx, key, "a.txt")).item.name == "a.txt"
                    assert (await hub.users.get_thread(ctx, "shared")).id == ctx.thread
                    assert await hub.users.list_threads(textile_auth) == []
        """,
    )
    suite.passes("-o", "asyncio_mode=auto", passed=2)
