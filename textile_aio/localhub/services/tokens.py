"""Tokens: key, challenge, signature, token; the same for two services (spec: identity-and-auth §7)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from textile_aio.errors import (
    BadSignature,
    CancelledByPeer,
    DeadlineExceeded,
    InvalidInput,
    InvalidKey,
    StatusCode,
)
from textile_aio.identity import PublicKey
from textile_aio.localhub.call import Call, Exchange
from textile_aio.localhub.host import Host


def get_token(host: Host, reply: Callable[..., Any]) -> Callable[[Call, Exchange], Awaitable[None]]:
    """The handler for a service whose replies are made by ``reply``."""

    async def handler(_call: Call, exchange: Exchange) -> None:
        request = await exchange.recv()
        if request is None:
            raise CancelledByPeer("EOF", code=StatusCode.UNKNOWN)
        if not request.key:
            raise InvalidInput("Key is required", code=StatusCode.INVALID_ARGUMENT)
        try:
            key = PublicKey.from_string(request.key)
        except InvalidInput as error:
            raise InvalidKey(error.message, code=StatusCode.UNKNOWN) from None
        challenge = secrets.token_bytes(32)
        await exchange.send(reply(challenge=challenge))
        try:
            async with asyncio.timeout(host.challenge_timeout):
                answer = await exchange.recv()
        except TimeoutError:
            raise DeadlineExceeded("Challenge deadline exceeded", code=StatusCode.DEADLINE_EXCEEDED) from None
        if answer is None:
            raise CancelledByPeer("EOF", code=StatusCode.UNKNOWN)
        if answer.signature is None:
            raise InvalidInput("Signature is required", code=StatusCode.INVALID_ARGUMENT)
        if not key.verify(challenge, answer.signature):
            raise BadSignature("bad signature", code=StatusCode.UNKNOWN)
        await exchange.send(reply(token=host.tokens.issue(key)))

    return handler
