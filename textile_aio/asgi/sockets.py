"""A sign-in over a websocket: how its messages come and go, and how it ends.

Who gets what at the end, this module does not know.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from textile_aio.asgi import messages
from textile_aio.asgi.challenges import TokenSource
from textile_aio.asgi.refusals import text_of
from textile_aio.errors import AuthExpired, InvalidInput, TextileError
from textile_aio.identity import PublicKey

POLICY_VIOLATION: Final = 1008
INTERNAL_ERROR: Final = 1011
"""RFC 6455 §7.4.1."""


async def sign_in(socket: WebSocket, tokens: TokenSource, seconds: float) -> tuple[PublicKey, str]:
    """Have the browser prove a key: which one, and its token.

    Args:
        socket: Accepted.
        tokens: Gets the token.
        seconds: Within which the browser has to begin.

    Raises:
        AuthExpired: It did not begin, or did not answer in time.
        InvalidInput: It said something else.
        WebSocketDisconnect: It has gone.
        TextileError: As for :meth:`TokenSource.get`.
    """

    async def ask(challenge: bytes) -> bytes:
        await socket.send_json(messages.challenge(challenge))
        said = messages.parse(await _receive(socket))
        if not isinstance(said, messages.Answer):
            raise InvalidInput("the answer to a challenge has the type 'challenge'")
        return said.signature

    try:
        async with asyncio.timeout(seconds):
            said = messages.parse(await _receive(socket))
    except TimeoutError:
        raise AuthExpired("nobody said who is signing in") from None
    if not isinstance(said, messages.TokenRequest):
        raise InvalidInput("the first message has the type 'token'")
    return said.public, await tokens.get(said.public, ask)


@asynccontextmanager
async def answered(socket: WebSocket) -> AsyncIterator[None]:
    """Tell the browser of an error that ends the block, and close. That it has gone is none.

    Raises:
        Exception: Whatever is not of this package, for the server to log.
    """
    try:
        yield
    except WebSocketDisconnect:
        return
    except Exception as error:
        known = isinstance(error, TextileError)
        with suppress(WebSocketDisconnect, RuntimeError):  # it has gone already
            await socket.send_json(messages.error(text_of(error)))
            await socket.close(POLICY_VIOLATION if known else INTERNAL_ERROR)
        if not known:
            raise


async def _receive(socket: WebSocket) -> bytes | str:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    text: str | None = message.get("text")
    said: bytes = message.get("bytes") or b""
    return said if text is None else text
