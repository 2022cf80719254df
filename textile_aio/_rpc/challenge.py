"""How an identity gets its token: the hub's challenge, signed (spec: identity-and-auth §7).

Two services have this call, with messages of the same fields. Whose it is, the method says.
"""

from __future__ import annotations

import asyncio
from typing import Any

from textile_aio._arguments import one_of
from textile_aio._rpc.call import Context
from textile_aio._rpc.channel import Channel
from textile_aio._rpc.method import Method
from textile_aio.errors import DeadlineExceeded, ProtocolError
from textile_aio.identity import Identity, PublicKey, Signer, sign_with


async def obtain(
    channel: Channel,
    method: Method[Any, Any],
    ctx: Context,
    identity: Identity | Signer,
    *,
    timeout: float | None,
) -> str:
    """The token that the hub gives to whoever has the identity's private key.

    The key goes out at once: hubs send no headers before they have it. The sending side is ended after the
    token has come, as some clients do before and some after; a hub may end the call as soon as it has sent
    the token.

    Args:
        channel: The hub.
        method: A service's GetToken.
        ctx: Who asks.
        identity: The identity, or what signs for it.
        timeout: Seconds for all of it, the signer's time included.

    Raises:
        InvalidInput: What is given is no identity.
        DeadlineExceeded: The time was up, at the hub or at the signer.
        ProtocolError: The hub leaves out the challenge or the token.
        TextileError: The hub refuses, or the signer fails in its own way.
    """
    until = None if timeout is None else asyncio.get_running_loop().time() + timeout
    about = str(one_of(PublicKey, getattr(identity, "public", None), "the public key of the identity"))
    async with channel.stream(method, ctx, timeout=timeout, about=about) as stream:
        await stream.send(method.request(key=about))
        reply = await stream.recv()
        if reply is None or not reply.challenge:
            raise ProtocolError("the hub sent no challenge", method=method.path, about=about)
        try:
            async with asyncio.timeout_at(until) as limit:
                signature = await sign_with(identity, reply.challenge)
        except TimeoutError:
            if not limit.expired():
                raise  # the signer's own
            raise DeadlineExceeded(
                "the identity did not sign the challenge in time", method=method.path, about=about
            ) from None
        await stream.send(method.request(signature=signature))
        reply = await stream.recv()
        if reply is None or not reply.token:
            raise ProtocolError("the hub sent no token", method=method.path, about=about)
        await stream.end()
        if await stream.recv() is not None:
            raise ProtocolError("the hub went on after the token", method=method.path, about=about)
        return str(reply.token)
