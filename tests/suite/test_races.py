"""Several writers at one bucket."""

from __future__ import annotations

import asyncio
import os

import pytest

from tests.trees import whole
from textile_aio import AuthContext, HubClient, StatusCode, errors
from textile_aio.buckets.values import PushedPath

pytestmark = pytest.mark.needs("buckets")


@pytest.fixture
async def key(client: HubClient, thread_ctx: AuthContext) -> str:
    return (await client.buckets.create(thread_ctx, "things")).key


async def test_pushes_of_different_paths_without_a_root_all_land(
    client: HubClient, thread_ctx: AuthContext, key: str
) -> None:
    files = {f"d{number % 4}/f{number}": os.urandom(1 + 40_000 * number) for number in range(20)}
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(client.buckets.push_path(thread_ctx, key, path, content))
            for path, content in files.items()
        ]
    tree = await whole(client, thread_ctx, key)
    assert tree.files == files
    roots = {task.result().root.path for task in tasks}
    assert len(roots) == 20  # each saw its own state of the bucket
    assert tree.root.path in roots


async def test_pushes_that_wait_do_not_starve_the_one_they_wait_for(
    client: HubClient, thread_ctx: AuthContext, key: str
) -> None:
    """They share a connection, and a bucket takes one after the other."""
    content = os.urandom(6 * 1024 * 1024)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(client.buckets.push_path(thread_ctx, key, f"f{number}", content))
    assert len((await whole(client, thread_ctx, key)).files) == 8


async def test_pulls_that_are_not_read_do_not_starve_the_one_that_is(
    client: HubClient, thread_ctx: AuthContext, key: str
) -> None:
    content = os.urandom(9 * 1024 * 1024)
    await client.buckets.push_path(thread_ctx, key, "f", content)
    pulls = [client.buckets.pull_path(thread_ctx, key, "f") for _ in range(8)]
    async with asyncio.timeout(60):
        firsts = [bytes(await anext(aiter(pull))) for pull in pulls]
        for first, pull in zip(firsts, pulls, strict=True):
            assert first + b"".join([bytes(chunk) async for chunk in pull]) == content


async def test_pushes_and_removals_at_once_are_as_if_one_after_the_other(
    client: HubClient, thread_ctx: AuthContext, key: str
) -> None:
    old = {f"old/{number}": b"old" for number in range(10)}
    await client.buckets.push_files(thread_ctx, key, old)
    many = {f"many/{number}": b"many" for number in range(10)}
    async with asyncio.TaskGroup() as group:
        for path in old:
            group.create_task(client.buckets.remove_path(thread_ctx, key, path))
        group.create_task(client.buckets.push_files(thread_ctx, key, many))
        for number in range(10):
            group.create_task(client.buckets.push_path(thread_ctx, key, f"one/{number}", b"one"))
    tree = await whole(client, thread_ctx, key)
    assert tree.files == many | {f"one/{number}": b"one" for number in range(10)}
    assert tree.directories == {"old", "many", "one"}


@pytest.mark.parametrize("count", [2, 8])
async def test_of_racers_from_one_root_exactly_one_wins(
    client: HubClient, thread_ctx: AuthContext, key: str, count: int
) -> None:
    start = await client.buckets.root(thread_ctx, key)
    outcomes = await asyncio.gather(
        *(
            client.buckets.push_path(thread_ctx, key, f"{number}", os.urandom(300_000), root=start)
            for number in range(count)
        ),
        return_exceptions=True,
    )
    won = [outcome for outcome in outcomes if isinstance(outcome, PushedPath)]
    lost = [outcome for outcome in outcomes if isinstance(outcome, errors.NonFastForward)]
    assert (len(won), len(lost)) == (1, count - 1)
    tree = await whole(client, thread_ctx, key)
    assert tree.root.path == won[0].root.path
    assert tree.files.keys() == {won[0].path}
    for refusal in lost:
        assert refusal.code is StatusCode.FAILED_PRECONDITION
        assert (refusal.expected, refusal.actual) == (start.path, won[0].root.path)
    # On top of what the refusal names, the loser gets through.
    await client.buckets.push_path(thread_ctx, key, "again", b"x", root=lost[0].actual)


async def test_a_removal_and_a_push_from_one_root_do_not_both_win(
    client: HubClient, thread_ctx: AuthContext, key: str
) -> None:
    start = (await client.buckets.push_path(thread_ctx, key, "a", b"x")).root
    outcomes = await asyncio.gather(
        client.buckets.remove_path(thread_ctx, key, "a", root=start),
        client.buckets.push_files(thread_ctx, key, {"b": b"y"}, root=start),
        return_exceptions=True,
    )
    (refusal,) = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert isinstance(refusal, errors.NonFastForward)
    now = await client.buckets.root(thread_ctx, key)
    assert (refusal.expected, refusal.actual) == (start.path, now.path)


async def test_buckets_made_at_once_are_all_there(client: HubClient, thread_ctx: AuthContext) -> None:
    made = await asyncio.gather(*(client.buckets.create(thread_ctx, "same") for _ in range(20)))
    assert {root.key for root in await client.buckets.list(thread_ctx)} == {bucket.key for bucket in made}
    assert len({bucket.key for bucket in made}) == 20


async def test_pushes_into_many_buckets_of_one_thread_all_land(
    client: HubClient, thread_ctx: AuthContext
) -> None:
    keys = [(await client.buckets.create(thread_ctx, "b")).key for _ in range(40)]
    contents = [os.urandom(20_000) for _ in keys]
    await asyncio.gather(
        *(
            client.buckets.push_path(thread_ctx, key, "f", content)
            for key, content in zip(keys, contents, strict=True)
        )
    )
    for key, content in zip(keys, contents, strict=True):
        assert (await whole(client, thread_ctx, key)).files == {"f": content}
