"""How an identity gets its token: the hub's challenge, signed (spec: identity-and-auth §7)."""

from __future__ import annotations

from textile_aio._arguments import context, one_of
from textile_aio._proto.threads import pb
from textile_aio._rpc.call import Context
from textile_aio._rpc.channel import Channel
from textile_aio.errors import ProtocolError
from textile_aio.identity import Identity, PublicKey, Signer, sign_with
from textile_aio.threads._methods import GET_TOKEN


async def obtain(
    channel: Channel, ctx: Context, identity: Identity | Signer, *, timeout: float | None
) -> str:
    """The token that the hub gives to whoever has the identity's private key.

    The key goes out at once: hubs send no headers before they have it. The sending side is ended after the
    token has come, as some clients do before and some after; a hub may end the call as soon as it has sent
    the token.

    Raises:
        InvalidInput: What is given is no identity.
        ProtocolError: The hub leaves out the challenge or the token.
        TextileError: The hub refuses, or the signer fails in its own way.
    """
    about = str(one_of(PublicKey, getattr(identity, "public", None), "the public key of the identity"))
    async with channel.stream(GET_TOKEN, context(ctx), timeout=timeout, about=about) as stream:
        await stream.send(pb.GetTokenRequest(key=about))
        reply = await stream.recv()
        if reply is None or not reply.challenge:
            raise ProtocolError("the hub sent no challenge", method=GET_TOKEN.path, about=about)
        signature = await sign_with(identity, reply.challenge)
        await stream.send(pb.GetTokenRequest(signature=signature))
        reply = await stream.recv()
        if reply is None or not reply.token:
            raise ProtocolError("the hub sent no token", method=GET_TOKEN.path, about=about)
        await stream.end()
        if await stream.recv() is not None:
            raise ProtocolError("the hub went on after the token", method=GET_TOKEN.path, about=about)
        return reply.token
