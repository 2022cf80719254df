"""Fixtures for other people's suites: a hub, and a fresh caller, thread and bucket for each test.

Owns the hub that a test session shares, and what a test is handed of it. Refuses to know the tests' event
loops and the plugins that run them: every fixture is synchronous, the hub lives in a thread with a loop of
its own, and what is handed out are plain values. So they serve plain tests, pytest-asyncio and anyio alike::

    async def test_upload(textile_target, textile_auth, textile_thread, textile_bucket):
        ctx = textile_auth.with_thread(textile_thread)
        async with textile_aio.connect(textile_target) as hub:
            await hub.buckets.push_path(ctx, textile_bucket.key, "a.txt", b"text")

Isolation is by account, not by hub. Threads belong to accounts, and each test has an account that no other
test knows, so that its threads and buckets are nobody else's. A hub of its own for each test would cost about
the same, but its address would change under whatever was set up for a class or a session, such as an
application under test. What remains shared: user names, thread ids and bytes. A test that fixes an id, or
wants a hub with nothing in it, opens ``textile_aio.connect("memory:")`` on its own loop, within milliseconds.
What tests have stored stays in memory until the session ends.

With pytest-xdist each worker has its own hub. No port and no path is fixed; nothing is written to disk.

The hub is imported by the fixtures, not with this module, so that a suite which never asks for one does not
pay for it, and coverage that starts after plugins are loaded still sees it.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pytest

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

    from textile_aio import AuthContext, Bucket, HubClient, Identity, ThreadID
    from textile_aio.localhub import HubSettings, LocalHub

T = TypeVar("T")


class HubThread:
    """An in-memory hub in a thread of its own, for callers that have no event loop or another one.

    Its methods block until the hub has answered, about a millisecond each, and may be called from any thread
    and from a running event loop.
    """

    def __init__(self, portal: BlockingPortal, hub: LocalHub, client: HubClient) -> None:
        self._portal = portal
        self._hub = hub
        self._client = client
        self._serves = True

    @classmethod
    @contextmanager
    def running(cls, settings: HubSettings | None = None) -> Iterator[Self]:
        """A hub that serves while the block lasts.

        Override ``textile_hub`` with it where the suite needs a hub that is set up differently::

            @pytest.fixture(scope="session")
            def textile_hub():
                with HubThread.running(HubSettings(mode="buckd", grace=0)) as hub:
                    yield hub

        When the block ends, calls in flight get ``settings.grace`` seconds, by default none: whoever made
        them has gone.

        Raises:
            HubError: The port is taken.
        """
        from anyio.from_thread import start_blocking_portal

        from textile_aio import connect
        from textile_aio.localhub import HubSettings, LocalHub

        with ExitStack() as stack:
            portal = stack.enter_context(start_blocking_portal())
            # Leaving the portal waits for what `call` started, and a thread that never gets its answer would
            # keep the session from ending.
            stack.callback(portal.call, portal.stop, True)
            hub = LocalHub.in_memory(settings or HubSettings(grace=0))
            stack.enter_context(portal.wrap_async_context_manager(hub))
            client = stack.enter_context(portal.wrap_async_context_manager(connect(hub.target)))
            served = cls(portal, hub, client)
            try:
                yield served
            finally:
                served._serves = False

    @property
    def target(self) -> str:
        """Where it serves, as ``HOST:PORT``, for ``textile_aio.connect`` and every other client."""
        return self._hub.target

    def call(self, work: Callable[[LocalHub], Awaitable[T]]) -> T:
        """Do with the hub itself what no client can, on its event loop.

        ::

            account = textile_hub.call(lambda hub: hub.create_account("alice"))

        Args:
            work: Gets the hub. If this call is interrupted, it is cancelled.

        Raises:
            ClosedError: The hub has stopped, or did so before the work was done.
            RuntimeError: This is the hub's own thread, which cannot wait for itself.
            Exception: Whatever ``work`` raised.
        """
        from textile_aio import ClosedError

        if not self._serves:
            raise ClosedError("the hub has stopped; its block or its session is over")
        running: list[asyncio.Task[Any] | None] = []
        interrupted = threading.Event()

        async def within() -> T:
            running.append(asyncio.current_task())
            if interrupted.is_set():
                raise CancelledError
            return await work(self._hub)

        future: Future[T] | None = None
        try:
            future = self._portal.start_task_soon(within)
            return future.result()
        except CancelledError:
            raise ClosedError("the hub stopped before the work on it was done") from None
        except BaseException:
            # It may have come while the work was being started, before there was a future to cancel.
            if future is None or not future.done():
                interrupted.set()
                for task in filter(None, running):
                    self._portal.start_task_soon(task.cancel)
            raise

    def new_auth(self, identity: Identity | None = None) -> AuthContext:
        """A caller that nobody else is: an account, a signing user-group key, and an identity's token.

        For fixtures that live longer than a test, for tests with several accounts, and where the identity has
        to be known. A hub in ``buckd`` mode has no accounts; there it is the token alone.

        Args:
            identity: Whom the token is issued to; a random one by default.
        """
        from textile_aio import AuthContext, Identity

        async def make(hub: LocalHub) -> AuthContext:
            auth = AuthContext()
            if hub.settings.mode == "hub":
                account = await hub.create_account(f"test{secrets.token_hex(8)}")
                key = await hub.create_key(account)
                auth = auth.with_api_key(key.key, key.secret)
            return await self._client.threads.authorize(auth, identity or Identity.generate())

        return self.call(make)

    def new_thread(self, auth: AuthContext, name: str = "") -> ThreadID:
        """A new thread of the caller, with an empty database."""
        return self.call(lambda _: self._client.threads.new_db(auth, name=name))

    def new_bucket(self, auth: AuthContext, name: str = "") -> Bucket:
        """A new public bucket in the context's thread.

        Raises:
            ThreadRequired: The context has no thread.
        """
        return self.call(lambda _: self._client.buckets.create(auth, name))


@pytest.fixture(scope="session")
def textile_hub() -> Iterator[HubThread]:
    """An in-memory Textile hub in a thread of its own, one for the session (or for each xdist worker).

    A textile_aio.pytest_plugin.HubThread: `target` is its address; `new_auth()`, `new_thread(auth)` and
    `new_bucket(auth)` make what the other fixtures hand out, for fixtures of wider scope; `call(work)`
    reaches the hub itself, for instance `textile_hub.call(lambda hub: hub.create_account("alice"))`.
    """
    with HubThread.running() as hub:
        yield hub


@pytest.fixture(scope="session")
def textile_target(textile_hub: HubThread) -> str:
    """HOST:PORT of the session's Textile hub, for `textile_aio.connect(textile_target)`.

    Connect inside the test: a client belongs to one event loop. For code that calls `textile_aio.connect()`,
    set the environment variable TEXTILE_TARGET to it.
    """
    return textile_hub.target


@pytest.fixture
def textile_auth(textile_hub: HubThread) -> AuthContext:
    """A textile_aio.AuthContext of this test's own: fresh account, signing key, identity and token.

    It owns nothing yet and names no thread: `textile_auth.with_thread(textile_thread)` does. A second user of
    the same key is `await hub.threads.authorize(textile_auth, Identity.generate())`.
    """
    return textile_hub.new_auth()


@pytest.fixture
def textile_thread(textile_hub: HubThread, textile_auth: AuthContext) -> ThreadID:
    """The textile_aio.ThreadID of a new thread with an empty database, which belongs to textile_auth."""
    return textile_hub.new_thread(textile_auth)


@pytest.fixture
def textile_bucket(textile_hub: HubThread, textile_auth: AuthContext, textile_thread: ThreadID) -> Bucket:
    """A new public bucket in textile_thread, as the textile_aio.Bucket that creating it gave.

    `textile_bucket.key` is what calls take, `textile_bucket.root` its state at birth: only the seed file is
    in it. Call with `textile_auth.with_thread(textile_thread)`.
    """
    return textile_hub.new_bucket(textile_auth.with_thread(textile_thread))
