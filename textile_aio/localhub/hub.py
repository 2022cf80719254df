"""An embedded hub: one process, one directory.

Owns the life of everything: what is opened on start is closed on the way out, in reverse order,
whatever happens in between. The parts know nothing of each other beyond what is handed to them here.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from textile_aio._rpc.server import GrpcServer
from textile_aio.errors import (
    ClosedError,
    DirectoryInvalid,
    FailedPrecondition,
    HubError,
    InvalidInput,
    NotFound,
    TextileError,
)
from textile_aio.identity import Identity
from textile_aio.localhub.access.authentication import Authentication
from textile_aio.localhub.access.gatekeepers import HubGatekeeper, OpenGatekeeper
from textile_aio.localhub.access.ownership import Ownership
from textile_aio.localhub.access.throttle import RefusalThrottle
from textile_aio.localhub.accounts import AccountCredentials, Accounts, ApiKeyCredentials
from textile_aio.localhub.accounts.addresses import mailbox
from textile_aio.localhub.accounts.entrance import EntranceRules
from textile_aio.localhub.accounts.registry import Registry
from textile_aio.localhub.accounts.vault import Vault
from textile_aio.localhub.buckets.engine import BucketEngine
from textile_aio.localhub.collecting import PeriodicCollection, bucket_roots
from textile_aio.localhub.directory import Address, DataDirectory
from textile_aio.localhub.doors import Doors
from textile_aio.localhub.gateway import gateway_door
from textile_aio.localhub.host import Host
from textile_aio.localhub.live import LiveCalls
from textile_aio.localhub.mail.mailboxes import Mailboxes
from textile_aio.localhub.routes import Gatekeeper, Routes, Service
from textile_aio.localhub.services import powergate
from textile_aio.localhub.services.accounts import AccountsService
from textile_aio.localhub.services.bucket_extensions import ExtensionsService
from textile_aio.localhub.services.buckets import BucketsService
from textile_aio.localhub.services.health import Health
from textile_aio.localhub.services.net import NetService
from textile_aio.localhub.services.threads import threads_service
from textile_aio.localhub.services.users import UsersService
from textile_aio.localhub.settings import DEFAULT_GATEWAY_URL, HubSettings
from textile_aio.localhub.tokens import Tokens
from textile_aio.localhub.web import web_door
from textile_aio.localhub.workers import Workers
from textile_aio.storage.blocks import Blocks
from textile_aio.storage.bulk import Bulk
from textile_aio.storage.collector import Collected, Collector, StorageUsage
from textile_aio.storage.memory import MemoryBulk, MemoryStore
from textile_aio.storage.packs import PackBulk
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.sqlite import SqliteStore
from textile_aio.storage.store import Store, StoreError
from textile_aio.storage.values import KeyKind
from textile_aio.threaddb.engine import EngineSettings, ThreadDatabases
from textile_aio.threaddb.network import ThreadNetwork
from textile_aio.threaddb.scripts import ScriptLimits

T = TypeVar("T")


class LocalHub:
    """A hub in this process, serving until it is closed; on loopback unless its settings say otherwise.

    Use it as an async context manager::

        async with LocalHub.open(path) as hub:
            async with textile_aio.connect(hub.target) as client: ...

    What it acknowledges is on disk. Only one hub can have a directory at a time.
    """

    def __init__(self, path: Path | None, settings: HubSettings) -> None:
        self._path = path
        self._settings = settings
        self._stack: AsyncExitStack | None = None
        self._accounts: Accounts | None = None
        self._blocks: Blocks | None = None
        self._collector: Collector | None = None
        self._doors: Doors | None = None
        self._port = 0
        self._target = ""
        self._web_target: str | None = None
        self._gateway_target: str | None = None
        self._gateway_url = ""

    @classmethod
    def open(cls, path: str | os.PathLike[str], settings: HubSettings | None = None) -> LocalHub:
        """A hub on a data directory, which is created if need be.

        Entering it raises:
            DirectoryInUse: Another hub has the directory.
            UnsupportedFormat: A newer version of this package wrote it.
            DirectoryInvalid: It is not a hub's directory, or cannot be used.
            CertificateInvalid: The certificate of the settings cannot be used.
            HubError: The port is taken.
        """
        return cls(Path(path), settings or HubSettings())

    @classmethod
    def in_memory(cls, settings: HubSettings | None = None) -> LocalHub:
        """A hub that keeps nothing beyond its life. Entering it takes milliseconds."""
        return cls(None, settings or HubSettings())

    @property
    def target(self) -> str:
        """Where it serves, as ``HOST:PORT``, or ``https://HOST:PORT`` with a certificate.

        Raises :class:`ClosedError` unless it does.
        """
        if self._stack is None:
            raise ClosedError("the hub is not running; enter it with 'async with'")
        return self._target

    @property
    def web_target(self) -> str | None:
        """Where its gRPC-web door is, as ``HOST:PORT``; None without one.

        Raises :class:`ClosedError` unless it serves.
        """
        if self._stack is None:
            raise ClosedError("the hub is not running; enter it with 'async with'")
        return self._web_target

    @property
    def gateway_target(self) -> str | None:
        """Where its HTTP gateway is, as ``HOST:PORT``; None without one.

        Raises :class:`ClosedError` unless it serves.
        """
        if self._stack is None:
            raise ClosedError("the hub is not running; enter it with 'async with'")
        return self._gateway_target

    @property
    def settings(self) -> HubSettings:
        """What it was opened with."""
        return self._settings

    async def create_account(self, username: str, email: str = "") -> AccountCredentials:
        """Make a developer account and a session for it. Durable on return.

        Args:
            username: Letters and digits, with at most one hyphen inside.
            email: Optional; unique if given.

        Raises:
            InvalidInput: The name or the address breaks its rule.
            AlreadyExists: Name or e-mail address are taken.
            FailedPrecondition: The hub is in ``buckd`` mode.
        """
        accounts = self._require_accounts()
        if email:
            mailbox(email)
        return await accounts.developers.create(username, email)

    async def create_key(
        self, account: AccountCredentials | bytes, *, secure: bool = True, user_group: bool = True
    ) -> ApiKeyCredentials:
        """Make an API key for an account. Durable on return.

        Args:
            account: What :meth:`create_account` returned, or an account's public key.
            secure: Whether calls with the key must be signed with its secret.
            user_group: True for a key that stands for an application's users, each with a token of
                their own; False for one that stands for the account itself.

        Raises:
            NotFound: There is no such account.
            FailedPrecondition: The hub is in ``buckd`` mode.
        """
        accounts = self._require_accounts()
        owner = account if isinstance(account, bytes) else account.public_key
        if await accounts.registry.account(owner) is None:
            raise NotFound("there is no account with that public key on this hub")
        kind = KeyKind.USER_GROUP if user_group else KeyKind.ACCOUNT
        key = await accounts.keys.create(owner, kind, secure=secure)
        return ApiKeyCredentials(key.key, key.secret, secure=key.secure, user_group=user_group)

    async def invalidate_key(self, key: str) -> None:
        """Make every further call with an API key fail, for good, and end those in progress.

        Unknown keys are no error.
        """
        with suppress(NotFound):
            await self._require_accounts().keys.invalidate(key)

    async def collect(self) -> Collected:
        """Give back the blocks that no bucket needs any more, as the hub does by itself now and then.

        Pushes and pulls go on meanwhile, and nothing that they need is given back. Memory grows by some
        hundred bytes for each block in use.

        Raises:
            ClosedError: The hub is not running.
            HubError: The disk failed.
        """
        return await self._collecting(Collector.collect)

    async def usage(self) -> StorageUsage:
        """How many bytes all blocks take, and how many of them :meth:`collect` would give back.

        Looks at the index of all blocks, so it takes as long as a collection.

        Raises:
            ClosedError: The hub is not running.
            HubError: The disk failed.
        """
        return await self._collecting(Collector.usage)

    async def reload_tls(self) -> None:
        """Read the certificate and its key again.

        Connections that are made from now on get the new one; those there are go on with theirs.

        Raises:
            CertificateInvalid: They cannot be used. What was in use stays so.
            FailedPrecondition: The hub has none.
            ClosedError: The hub is not running.
        """
        if self._stack is None or self._doors is None:
            raise ClosedError("the hub is not running; enter it with 'async with'")
        await self._doors.reload_tls()

    async def _collecting(self, work: Callable[[Collector], Awaitable[T]]) -> T:
        if self._stack is None or self._collector is None:
            raise ClosedError("the hub is not running; enter it with 'async with'")
        try:
            return await work(self._collector)
        except StoreError as error:
            raise HubError(f"cannot look through the hub's blocks: {error}") from error

    async def __aenter__(self) -> Self:
        if self._stack is not None:
            raise HubError("the hub is running already")
        stack = AsyncExitStack()
        try:
            await self._start(stack)
        except BaseException as error:
            await stack.aclose()
            if isinstance(error, StoreError | OSError) and not isinstance(error, TextileError):
                raise DirectoryInvalid(
                    f"cannot use {self._path} as a hub's data directory: {error}", about=str(self._path)
                ) from error
            raise
        self._stack = stack
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        stack, self._stack = self._stack, None
        if stack is not None:
            self._accounts = None
            await stack.aclose()

    async def _start(self, stack: AsyncExitStack) -> None:
        settings = self._settings
        directory: DataDirectory | None = None
        store: Store
        bulk: Bulk
        doors = self._doors = await Doors.prepare(settings)
        vault = Vault.from_string(settings.secrets_key) if settings.secrets_key else None
        if self._path is None:
            store, bulk, identity = MemoryStore(), MemoryBulk(), Identity.generate()
            vault = vault or Vault.generate()
        else:
            directory = await asyncio.to_thread(DataDirectory.acquire, self._path)
            stack.callback(directory.release)
            identity = await asyncio.to_thread(directory.host_identity)
            if vault is None:
                vault = await asyncio.to_thread(_vault_of, directory)
            store = await asyncio.to_thread(
                SqliteStore.open, directory.database, fsync=settings.fsync, sealing=vault
            )
            stack.callback(store.close)
            bulk = await asyncio.to_thread(PackBulk.open, directory.packs, fsync=settings.fsync)
        stack.push_async_callback(bulk.close)
        runner = await stack.enter_async_context(StoreRunner(store))
        try:
            await vault.check(runner)
        except DirectoryInvalid:
            if directory is not None:
                directory.withdraw_secrets_key()
            raise
        workers = Workers()
        stack.callback(workers.close)
        blocks = self._blocks = Blocks(runner, bulk, keep_seconds=settings.keep_seconds)
        await blocks.sweep()
        collector = self._collector = Collector(runner, bulk, blocks, bucket_roots)
        if settings.collect_every is not None:
            await stack.enter_async_context(PeriodicCollection(collector, settings.collect_every))

        engine = await stack.enter_async_context(self._engine(runner, identity))

        network = ThreadNetwork(runner, engine, host=identity, clock=settings.clock)
        tokens = Tokens(identity, settings.clock)
        buckets = BucketEngine(runner, engine, blocks, workers, settings.clock)
        stack.push_async_callback(doors.shut)
        stack.callback(engine.end_listeners)
        stack.callback(network.end_subscriptions)
        live = LiveCalls()
        ownership: Ownership | None = None
        if settings.mode == "hub":
            ownership = Ownership(runner, settings.clock, settings.max_threads)
            self._accounts = Accounts(
                Registry(runner, vault, tokens, settings.clock),
                live,
                _entrance_rules(settings),
                url=lambda: self._gateway_url,
                closed=ownership.forget_all,
            )
        # Before the services, whose links name its port.
        self._gateway_url = await self._open_gateway(doors, buckets, tokens, ownership)
        host = Host(
            identity=identity,
            tokens=tokens,
            clock=settings.clock,
            address=lambda: doors.multiaddress(self._port),
            challenge_timeout=settings.challenge_timeout,
            transaction_idle=settings.transaction_idle,
            transaction_total=settings.transaction_total,
        )
        services = self._services(runner, engine, network, host, buckets, ownership)
        health = Health(services)
        stack.push_async_callback(health.close)
        routes = Routes([*services, health.service()], self._gatekeeper(tokens, ownership, live))
        limits = settings.limits
        grpc = GrpcServer([routes], limits=limits.of_transport(), connections=limits.connections)
        self._port = await doors.open(grpc, settings.port)
        self._target = doors.target(self._port)
        self._web_target = None
        if settings.web_port is not None:
            web = web_door(routes, origins=settings.web_origins, limits=limits)
            self._web_target = doors.authority(await doors.open(web, settings.web_port))
        if directory is not None:
            where = await doors.open_locally(grpc, self._port)
            await asyncio.to_thread(directory.publish, Address(where, os.getpid(), settings.mode))

    def _engine(self, runner: StoreRunner, identity: Identity) -> ThreadDatabases:
        settings = self._settings
        return ThreadDatabases(
            runner,
            host=identity,
            clock=settings.clock,
            settings=EngineSettings(
                scripts=ScriptLimits(seconds=settings.script_seconds, memory=settings.script_bytes),
                history=settings.history,
            ),
        )

    def _gatekeeper(self, tokens: Tokens, ownership: Ownership | None, live: LiveCalls) -> Gatekeeper:
        if self._accounts is None or ownership is None:
            return OpenGatekeeper(tokens)
        settings = self._settings
        authentication = Authentication(self._accounts, tokens, settings.clock)
        return HubGatekeeper(authentication, ownership, live, RefusalThrottle(settings.refusals_each))

    def _services(
        self,
        runner: StoreRunner,
        engine: ThreadDatabases,
        network: ThreadNetwork,
        host: Host,
        buckets: BucketEngine,
        ownership: Ownership | None,
    ) -> list[Service]:
        settings = self._settings
        services: list[Service] = []
        if self._accounts is not None and ownership is not None:
            services += [
                AccountsService(self._accounts, lambda: self._gateway_url).service(),
                UsersService(runner, Mailboxes(runner, engine, ownership, settings.clock)).service(),
                powergate.service(),
            ]
        services += [
            threads_service(runner, engine, host, ownership),
            NetService(network, host, ownership).service(),
            BucketsService(buckets, replace(settings, gateway_url=self._gateway_url)).service(),
            ExtensionsService(buckets).service(),
        ]
        return services

    async def _open_gateway(
        self, doors: Doors, buckets: BucketEngine, tokens: Tokens, ownership: Ownership | None
    ) -> str:
        """Open the gateway, if there is to be one, and return what links begin with."""
        settings = self._settings
        self._gateway_target = None
        if settings.gateway_port is None:
            return settings.gateway_url or DEFAULT_GATEWAY_URL
        gateway = gateway_door(buckets, tokens, settings, self._accounts, ownership)
        self._gateway_target = doors.authority(await doors.open(gateway, settings.gateway_port))
        return gateway.url

    def _require_accounts(self) -> Accounts:
        if self._stack is None:
            raise ClosedError("the hub is not running; enter it with 'async with'")
        if self._accounts is None:
            raise FailedPrecondition("a hub in 'buckd' mode has no accounts; open it in 'hub' mode")
        return self._accounts


def _vault_of(directory: DataDirectory) -> Vault:
    """With the key in a directory's file."""
    try:
        return Vault.from_string(directory.secrets_key())
    except InvalidInput as error:
        raise DirectoryInvalid(
            f"{error.message}; restore {directory.path / 'secrets.key'} from a backup",
            about=str(directory.path),
        ) from None


def _entrance_rules(settings: HubSettings) -> EntranceRules:
    return EntranceRules(
        mailer=settings.mailer,
        unasked=not settings.is_public,
        secret=settings.confirmation_secret,
        seconds=settings.confirmation_seconds,
        each_minute=settings.signs_each,
        altogether=settings.signs_together,
    )
