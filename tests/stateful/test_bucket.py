"""A bucket against a model of it, under random sequences of calls: in memory, and on disk with restarts."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import textile_aio
from tests.stateful.bucket_model import BucketModel, Directory, NoDirectory, Nothing
from tests.trees import SEED, pull, whole
from textile_aio import AuthContext, HubClient, errors
from textile_aio.localhub import HubSettings, LocalHub

T = TypeVar("T")

# Few names, so that paths meet: a file where a directory was, a file in the way, the same file again.
names = st.sampled_from(["a", "b", "ä ö", "c.txt"])
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
sizes = st.sampled_from([0, 1, 7, 16_384, 16_385, 262_144, 262_145, 600_000])
contents = st.builds(lambda size, salt: bytes([salt]) * size, sizes, st.integers(0, 3))
pushes = st.dictionaries(paths, contents, min_size=1, max_size=5)


class BucketMachine(RuleBasedStateMachine):
    """One bucket and one client, on a loop of the machine's own."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.exits = AsyncExitStack()
        self.model = BucketModel()
        self.ctx = AuthContext()
        self.client: HubClient
        self.key = ""
        self.root = ""
        self.old_roots: list[str] = []
        self.do(self.start())
        self.ctx = self.ctx.with_thread(self.do(self.client.threads.new_db(self.ctx)))

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def start(self) -> None:
        await self.serve(LocalHub.in_memory(HubSettings(mode="buckd")))

    async def serve(self, hub: LocalHub) -> None:
        served = await self.exits.enter_async_context(hub)
        self.client = await self.exits.enter_async_context(textile_aio.connect(served.target))

    def teardown(self) -> None:
        self.do(self.exits.aclose())
        self.runner.close()

    @initialize()
    def create(self) -> None:
        bucket = self.do(self.client.buckets.create(self.ctx, "b"))
        self.key, self.root, self.old_roots = bucket.key, bucket.root.path, []
        self.model = BucketModel()

    def moved(self, root: str) -> None:
        """The hub says that this is the root now."""
        if root != self.root:
            self.old_roots.append(self.root)
        self.root = root

    @rule(path=paths, content=contents, stated=st.booleans())
    def push_path(self, path: str, content: bytes, stated: bool) -> None:
        root = self.root if stated else None
        call = self.client.buckets.push_path(self.ctx, self.key, path, content, root=root)
        try:
            self.model.push({path: content})
        except NoDirectory:
            with pytest.raises(errors.NotADirectory):
                self.do(call)
        else:
            pushed = self.do(call)
            assert pushed.path == path
            self.moved(pushed.root.path)

    @rule(files=pushes, stated=st.booleans())
    def push_paths(self, files: dict[str, bytes], stated: bool) -> None:
        root = self.root if stated else None
        call = self.client.buckets.push_files(self.ctx, self.key, files, root=root)
        try:
            self.model.push(files)
        except NoDirectory:
            with pytest.raises(errors.NotADirectory):
                self.do(call)
        else:
            self.moved(self.do(call).path)

    @rule(path=paths, stated=st.booleans())
    def remove_path(self, path: str, stated: bool) -> None:
        root = self.root if stated else None
        call = self.client.buckets.remove_path(self.ctx, self.key, path, root=root)
        try:
            self.model.remove(path)
        except Nothing:
            with pytest.raises(errors.TextileError) as caught:
                self.do(call)
            assert isinstance(caught.value, errors.PathNotFound | errors.NotADirectory)
        else:
            self.moved(self.do(call).path)

    @rule(path=paths)
    def pull_path(self, path: str) -> None:
        call = pull(self.client, self.ctx, self.key, path)
        try:
            content = self.model.read(path)
        except Nothing:
            with pytest.raises(errors.PathNotFound):
                self.do(call)
        except Directory:
            with pytest.raises(errors.IsADirectory):
                self.do(call)
        else:
            assert self.do(call) == content

    @rule(path=st.just("") | paths)
    def list_path(self, path: str) -> None:
        call = self.client.buckets.list_path(self.ctx, self.key, path)
        try:
            children = self.model.children(path)
        except Nothing:
            with pytest.raises(errors.PathNotFound):
                self.do(call)
        else:
            listing = self.do(call)
            assert listing.item.is_dir == (path not in self.model.files)
            found = {item.name for item in listing.item.items}
            assert found == (children if path else children | {SEED})

    @precondition(lambda self: any(root != self.root for root in self.old_roots))
    @rule(data=st.data(), path=paths)
    def change_on_a_stale_root(self, data: st.DataObject, path: str) -> None:
        stale = data.draw(st.sampled_from([root for root in self.old_roots if root != self.root]))
        buckets = self.client.buckets
        for call in (
            buckets.push_path(self.ctx, self.key, path, b"stale", root=stale),
            buckets.push_files(self.ctx, self.key, {path: b"stale"}, root=stale),
            buckets.remove_path(self.ctx, self.key, path, root=stale),
        ):
            with pytest.raises(errors.NonFastForward) as caught:
                self.do(call)
            assert (caught.value.expected, caught.value.actual) == (stale, self.root)

    @rule()
    def remove_and_create(self) -> None:
        gone = self.key
        self.do(self.client.buckets.remove(self.ctx, gone))
        with pytest.raises(errors.BucketNotFound):
            self.do(self.client.buckets.root(self.ctx, gone))
        self.create()
        assert [root.key for root in self.do(self.client.buckets.list(self.ctx))] == [self.key]

    @precondition(lambda self: self.key)
    @invariant()
    def agrees(self) -> None:
        tree = self.do(whole(self.client, self.ctx, self.key))
        assert tree.root.path == self.root
        assert tree.files == self.model.files
        assert tree.directories == self.model.directories


class DiskBucketMachine(BucketMachine):
    """The same on a disk, with a hub that ends and starts again in between."""

    async def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="textile-bucket-model-"))
        await self.open()

    async def open(self) -> None:
        await self.serve(LocalHub.open(self.folder, HubSettings(mode="buckd", fsync=False)))

    def teardown(self) -> None:
        super().teardown()
        shutil.rmtree(self.folder)

    @rule()
    def restart(self) -> None:
        async def again() -> None:
            await self.exits.aclose()
            await self.open()

        self.do(again())


bounded = settings(deadline=None, suppress_health_check=list(HealthCheck))

TestBucketInMemory = BucketMachine.TestCase
TestBucketInMemory.settings = settings(bounded, max_examples=40, stateful_step_count=25)
TestBucketOnDisk = DiskBucketMachine.TestCase
TestBucketOnDisk.settings = settings(bounded, max_examples=20, stateful_step_count=25)
