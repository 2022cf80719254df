"""The two doors: a hub that knows its callers, and a daemon that serves whoever reaches it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from typing import Any

from textile_aio.errors import TextileError
from textile_aio.localhub.access import guards, methods
from textile_aio.localhub.access.authentication import Authentication, read_common
from textile_aio.localhub.access.caller import Caller
from textile_aio.localhub.access.ownership import Ownership
from textile_aio.localhub.access.throttle import RefusalThrottle
from textile_aio.localhub.live import LiveCalls
from textile_aio.localhub.tokens import Tokens
from textile_aio.storage.values import TrackedThread


class HubGatekeeper:
    """Everything that spec: identity-and-auth §10 says, in its order."""

    def __init__(
        self, authentication: Authentication, ownership: Ownership, live: LiveCalls, throttle: RefusalThrottle
    ) -> None:
        self._authentication = authentication
        self._ownership = ownership
        self._live = live
        self._throttle = throttle

    async def recognise(self, method: str, headers: Mapping[str, str], address: str) -> Caller:
        """See :meth:`Authentication.recognise`. Many refusals to one address take their time."""
        moment = self._live.moment
        try:
            caller = await self._authentication.recognise(method, headers)
        except TextileError:
            await self._throttle.hold_back(address)
            raise
        return replace(caller, moment=moment)

    def during(self, caller: Caller) -> AbstractAsyncContextManager[None]:
        """The call ends when what it came with does: see :class:`LiveCalls`."""
        return self._live.during(caller)

    async def check(self, method: str, caller: Caller, request: Any | None) -> TrackedThread | None:
        """As :meth:`Ownership.check`, and then :func:`guards.check`."""
        claim = await self._ownership.check(method, caller, request)
        guards.check(method, caller)
        return claim


class OpenGatekeeper:
    """A bucket daemon's: the token says who writes, and nobody is turned away (spec: buckets-api §1)."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def recognise(self, method: str, headers: Mapping[str, str], address: str) -> Caller:
        """Read the thread and the token. A token that is not this host's is refused where it matters."""
        sent = read_common(headers)
        # A stale token must not stop its own renewal.
        if not sent.sent_token or method in methods.TOKEN_OPTIONAL | methods.NO_AUTH:
            return sent
        return replace(sent, token=sent.sent_token, identity=self._tokens.verify(sent.sent_token))

    def during(self, caller: Caller) -> AbstractAsyncContextManager[None]:
        """Nothing ends a call early."""
        return nullcontext()

    async def check(self, method: str, caller: Caller, request: Any | None) -> TrackedThread | None:
        """Let everything pass."""
        return None
