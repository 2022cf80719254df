"""Signing up, in and out, and who one then is."""

from __future__ import annotations

from typing import Final

from textile_aio._arguments import text
from textile_aio._proto.api.hubd import pb
from textile_aio._rpc.calls import ServiceCalls
from textile_aio.accounts import _convert, _methods
from textile_aio.accounts.values import Session, SessionInfo
from textile_aio.auth import AuthContext
from textile_aio.identity import Identity

CONFIRMATION: Final = 3600.0
"""Seconds for a person to answer a mail, as at Textile's command line (spec: hub-accounts §8)."""


class SessionCalls(ServiceCalls):
    """The part of :class:`AccountsClient <textile_aio.AccountsClient>` about one developer."""

    async def sign_up(
        self, ctx: AuthContext, username: str, email: str, *, timeout: float | None = None
    ) -> Session:
        """Make a developer's account, and sign in. It takes until the link in a mail was followed.

        The hub sends that mail to the address and waits for half an hour; whether name and address are free
        it looks at only then. Not repeated. A call that ends early, by a timeout or because the connection
        broke, may have made the account all the same: sign in to find out.

        Args:
            ctx: Who calls; ``AuthContext()`` will do.
            username: ASCII letters and digits, with at most one hyphen in between. Names that differ in case
                only are the same name.
            email: Where the mail goes. It is kept exactly as given.
            timeout: Seconds. An hour by default, whatever the client's default is.

        Raises:
            InvalidInput: The name breaks the rule, or the address is none.
            AlreadyExists: Name or address are taken.
            EmailNotConfirmed: The link was not followed in time.
            Unimplemented: The hub takes no new accounts.
            ResourceExhausted: Too many tried to sign up lately.
        """
        request = pb.SignupRequest(
            username=text(username, "the username"), email=text(email, "the e-mail address")
        )
        reply = await self._call(
            _methods.SIGN_UP,
            request,
            ctx,
            timeout=CONFIRMATION if timeout is None else timeout,
            about=username,
        )
        return _convert.session(reply)

    async def sign_in(
        self, ctx: AuthContext, username_or_email: str, *, timeout: float | None = None
    ) -> Session:
        """Open one more session. It takes until the link in a mail was followed, as :meth:`sign_up` does.

        Sessions opened before stay valid. Not repeated.

        Args:
            ctx: Who calls; ``AuthContext()`` will do.
            username_or_email: Either, exactly as given at sign-up.
            timeout: Seconds. An hour by default, whatever the client's default is.

        Raises:
            NotFound: There is no such account.
            EmailNotConfirmed: The link was not followed in time.
            ResourceExhausted: Too many tried to sign in lately.
        """
        reply = await self._call(
            _methods.SIGN_IN,
            pb.SigninRequest(username_or_email=text(username_or_email, "the username")),
            ctx,
            timeout=CONFIRMATION if timeout is None else timeout,
            about=username_or_email,
        )
        return _convert.session(reply)

    async def sign_out(self, ctx: AuthContext, *, timeout: float | None = None) -> None:
        """End the context's session; the account's others stay. Not repeated.

        Raises:
            InvalidSession: It had ended already, or the context has an API key instead.
        """
        await self._call(_methods.SIGN_OUT, pb.SignoutRequest(), ctx, timeout=timeout)

    async def session_info(self, ctx: AuthContext, *, timeout: float | None = None) -> SessionInfo:
        """Which developer calls, also in an organisation's context. Safe to repeat.

        Raises:
            PermissionDenied: It is no developer: an organisation's key, or an application's user.
        """
        reply = await self._call(_methods.SESSION_INFO, pb.GetSessionInfoRequest(), ctx, timeout=timeout)
        return _convert.session_info(reply)

    async def identity(self, ctx: AuthContext, *, timeout: float | None = None) -> Identity:
        """The key pair of the account: of the organisation where the context names one. Safe to repeat.

        The hub has made it and keeps it, and acts with it for the account. The result holds the private key.

        Raises:
            PermissionDenied: The caller is an application's user; they keep their identities themselves.
        """
        reply = await self._call(_methods.IDENTITY, pb.GetIdentityRequest(), ctx, timeout=timeout)
        return _convert.identity(reply)

    async def destroy_account(self, ctx: AuthContext, *, timeout: float | None = None) -> None:
        """Remove the developer's account and all it owns: threads, buckets, keys, sessions. Not repeated.

        Threads that users made with the account's keys are the account's too. The developer is meant, also in
        an organisation's context. It cannot be undone.

        Raises:
            FailedPrecondition: The developer still owns an organisation: remove it first.
            PermissionDenied: The caller is no developer.
        """
        await self._call(_methods.DESTROY_ACCOUNT, pb.DestroyAccountRequest(), ctx, timeout=timeout)
