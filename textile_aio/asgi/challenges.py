"""Tokens for those who sign in: the hub's challenge, signed by a key that is somewhere else.

Owns the exchanges that are open: how many, how long, and that a challenge is answered once. How questions and
answers travel, it does not know.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from textile_aio.asgi.rates import Places
from textile_aio.auth import AuthContext
from textile_aio.client import HubClient
from textile_aio.errors import (
    AuthExpired,
    BadSignature,
    ClosedError,
    RemoteError,
    TextileError,
    Unauthenticated,
    Unavailable,
)
from textile_aio.identity import PublicKey

log: logging.Logger = logging.getLogger("textile_aio.asgi")

Ask = Callable[[bytes], Awaitable[bytes]]
"""Has somebody sign bytes, and gives the signature."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A signer (see :class:`~textile_aio.Signer`) whose private key is with whoever is asked."""

    public: PublicKey
    ask: Ask

    async def sign(self, message: bytes) -> bytes:
        """Ask for it."""
        return await self.ask(message)


class TokenSource:
    """Gets tokens from the hub.

    Args:
        hub: The hub, once it can be reached.
        ctx: With the backend's API key.
        seconds: How long the hub and whoever signs may take together.
    """

    def __init__(self, hub: Callable[[], HubClient], ctx: AuthContext, seconds: float) -> None:
        self._hub = hub
        self._ctx = ctx
        self._seconds = seconds

    async def get(self, public: PublicKey, ask: Ask) -> str:
        """The token of whoever has the private key.

        Raises:
            BadSignature: The signature is not that key's.
            AuthExpired: It did not come in time.
            Unavailable: The hub cannot be asked.
            RemoteError: It refuses for a reason that is not theirs who sign in. The log says which.
            Exception: Whatever ``ask`` raised.
        """
        asked = False
        refusal: Exception | None = None

        async def sign(message: bytes) -> bytes:
            nonlocal asked, refusal
            asked = True
            try:
                return await ask(message)
            except Exception as error:
                refusal = error
                raise

        signer = Elsewhere(public, sign)
        try:
            # The call's own deadline does not end the wait for a signer.
            async with asyncio.timeout(self._seconds):
                return await self._hub().threads.get_token(self._ctx, signer, timeout=self._seconds)
        except BadSignature:
            raise BadSignature(
                "the signature does not verify: it is another key's, or over other bytes"
            ) from None
        except TimeoutError as error:
            if error is refusal:
                raise
            if asked:
                raise AuthExpired("the challenge was not answered in time; ask for another one") from None
            log.warning("the hub gave no token within %s seconds", self._seconds)
            raise Unavailable("the hub cannot be reached") from error
        except TextileError as error:
            if error is refusal:
                raise
            log.warning("the hub gave no token: %s: %s", type(error).__name__, error)
            if isinstance(error, ClosedError) or error.retryable:
                raise Unavailable("the hub cannot be reached") from error
            raise RemoteError("the hub gave no token") from error


@dataclass(slots=True, eq=False)
class _Exchange:
    """Errors are results of these futures: an exception that nobody fetches would end up in the log."""

    public: PublicKey
    question: asyncio.Future[bytes | TextileError] = field(default_factory=asyncio.Future)
    answer: asyncio.Future[bytes] = field(default_factory=asyncio.Future)
    outcome: asyncio.Future[str | TextileError] = field(default_factory=asyncio.Future)

    async def ask(self, message: bytes) -> bytes:
        self.question.set_result(message)
        return await self.answer

    def fail(self, error: TextileError) -> None:
        if not self.question.done():
            self.question.set_result(error)
        if not self.outcome.done():
            self.outcome.set_result(error)


class Challenges:
    """Exchanges of two requests: the first gets the question, the second brings the answer.

    Between them a task holds the hub's call, in a group that lasts as long as this is entered.

    Args:
        tokens: Gets the tokens.
        places: How many may be open.
    """

    def __init__(self, tokens: TokenSource, places: Places) -> None:
        self._tokens = tokens
        self._places = places
        self._open: dict[str, _Exchange] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._group = await asyncio.TaskGroup().__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        group, self._group = self._group, None
        for task in self._tasks:
            task.cancel()
        if group is not None:
            await group.__aexit__(kind, error, traceback)

    async def ask(self, public: PublicKey, client: str) -> tuple[str, bytes]:
        """Begin an exchange: its id, which nobody can guess, and the bytes to be signed.

        Raises:
            ClosedError: There is nowhere to hold it: this is not entered.
            ResourceExhausted: The client has too many open.
            Unavailable: All together are too many, or the hub cannot be asked.
            RemoteError: As for :meth:`TokenSource.get`.
        """
        if self._group is None:
            raise ClosedError("enter the UserAuthApp in the lifespan of the application it is mounted in")
        id_ = secrets.token_urlsafe(16)
        with ExitStack() as until_it_ends:
            until_it_ends.enter_context(self._places.one(client))
            exchange = self._open[id_] = _Exchange(public)
            until_it_ends.callback(self._open.pop, id_, None)
            task = self._group.create_task(self._hold(exchange))
            self._tasks.add(task)
            until_it_ends.callback(self._tasks.discard, task)
            leave = until_it_ends.pop_all().close
            task.add_done_callback(lambda _: leave())
        question = await asyncio.shield(exchange.question)
        if isinstance(question, TextileError):
            raise question
        return id_, question

    async def answer(self, id: str, signature: bytes) -> tuple[PublicKey, str]:  # noqa: A002
        """End an exchange: who has proven to be whom, and their token. An exchange is answered once.

        Raises:
            Unauthenticated: There is no such exchange, any more.
            BadSignature: The signature is wrong.
            TextileError: As for :meth:`TokenSource.get`.
        """
        exchange = self._open.pop(id, None)
        if exchange is None or not exchange.question.done():
            raise Unauthenticated("no such challenge waits here: it was answered, or its time is over")
        if not exchange.answer.done():
            exchange.answer.set_result(signature)
        outcome = await asyncio.shield(exchange.outcome)
        if isinstance(outcome, TextileError):
            raise outcome
        return exchange.public, outcome

    async def _hold(self, exchange: _Exchange) -> None:
        try:
            exchange.outcome.set_result(await self._tokens.get(exchange.public, exchange.ask))
        except TextileError as error:
            exchange.fail(error)
        except Exception:
            log.exception("a sign-in failed")
            exchange.fail(RemoteError("the sign-in failed"))
        finally:
            exchange.fail(ClosedError("the server ends"))
