"""As whom our client's processes call: credentials on the command line, as ``sides.Hub`` has them."""

from __future__ import annotations

from textile_aio import AuthContext, ThreadID


def context(key: str, secret: str, token: str, thread: str) -> AuthContext:
    """A user's context in a thread. Without a key: of a hub that has no accounts."""
    ctx = AuthContext().with_token(token).with_thread(ThreadID.parse(thread))
    return ctx.with_api_key(key, secret) if key else ctx
