"""On whose behalf calls are made: an immutable context, and the request headers it stands for.

Every coroutine that talks to a hub takes an :class:`AuthContext` first. This module decides which headers go
out (spec: identity-and-auth §8-9); it sends nothing, and obtains tokens only through a ``refresh`` function
it was given.

Secrets: ``repr`` and ``str`` show which values are set, never the API key, its secret, a signature, a session
    or a
token. A pickle holds all of them, the API secret included, so that worker processes can call for the same
user: treat it as the secrets themselves.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from textile_aio._apisig import (
    ApiSig,
    Clock,
    KeySigner,
    UserAuth,
    create_api_sig,
    create_user_auth,
    header_value,
)
from textile_aio._userauth import Refresh, UserAuthSource
from textile_aio.errors import AuthExpired, InvalidCredential, InvalidInput, InvalidThreadID
from textile_aio.ids import ThreadID

__all__ = ["ApiSig", "AuthContext", "UserAuth", "create_api_sig", "create_user_auth"]

DEFAULT_HOST: Final = "https://webapi.hub.textile.io"
"""What JavaScript contexts name as their host unless told otherwise."""

_AUTHORIZATION: Final = "authorization"
_KEY: Final = "x-textile-api-key"
_MESSAGE: Final = "x-textile-api-sig-msg"
_SIGNATURE: Final = "x-textile-api-sig"
_SESSION: Final = "x-textile-session"
_ORG: Final = "x-textile-org"
_THREAD: Final = "x-textile-thread"
_THREAD_NAME: Final = "x-textile-thread-name"
_HOST: Final = "host"
_OWN: Final = frozenset(
    (_AUTHORIZATION, _KEY, _MESSAGE, _SIGNATURE, _SESSION, _ORG, _THREAD, _THREAD_NAME, _HOST)
)
_TRANSPORT: Final = re.compile(r"grpc-.*|x-grpc-web|content-type|te|user-agent|connection|.*-bin")
_HEADER_NAME: Final = re.compile(r"[a-z0-9_.-]+")

Part = Literal["api_key", "signature", "session", "org", "thread", "thread_name", "token"]


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class AuthContext:
    """Who calls, and which thread is meant: a value, shared freely between tasks, threads and event loops.

    ``AuthContext()`` is an anonymous caller. Each ``with_…`` method returns a new context and leaves this one
    as it is; a later value replaces an earlier one. Hashable; equal when all values are, the clock apart.

    Attributes:
        thread: The thread that calls on buckets, and on a hub those on collections, are about.
        clock: The present time in seconds since 1970, for expiry dates.
    """

    thread: ThreadID | None = None
    clock: Clock = field(default=time.time, compare=False)
    _key: str | None = None
    _proof: KeySigner | ApiSig | UserAuthSource | None = None
    _session: str | None = None
    _org: str | None = None
    _thread_name: str | None = None
    _token: str | None = None  # empty where the user auth's token was taken away
    _headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> AuthContext:
        """From ``TEXTILE_API_KEY``, ``…_API_SECRET``, ``…_SESSION``, ``…_ORG``, ``…_THREAD`` and ``…_TOKEN``.

        Raises:
            InvalidCredential: A value is malformed, or there is a secret without a key.
            InvalidThreadID: ``TEXTILE_THREAD`` is no thread id.
        """

        def given(name: str) -> str | None:
            return environ.get(f"TEXTILE_{name}") or None

        context = cls()
        if key := given("API_KEY"):
            context = context.with_api_key(key, given("API_SECRET"))
        elif given("API_SECRET"):
            raise InvalidCredential("TEXTILE_API_SECRET is set without TEXTILE_API_KEY")
        if session := given("SESSION"):
            context = context.with_session(session)
        if org := given("ORG"):
            context = context.with_org(org)
        if token := given("TOKEN"):
            context = context.with_token(token)
        if thread := given("THREAD"):
            try:
                context = context.with_thread(thread)
            except InvalidThreadID as error:
                raise InvalidThreadID(error.message, about="TEXTILE_THREAD") from None
        return context

    @classmethod
    def from_user_auth(cls, auth: UserAuth | None, *, refresh: Refresh | None = None) -> AuthContext:
        """From credentials that a trusted server made with :func:`create_user_auth`.

        Args:
            auth: The credentials at hand; None to get the first ones by ``refresh``.
            refresh: Gets new ones from that server. It is awaited by the first call that finds the present
                ones ended or within seconds of it; other calls wait for the same result, on whatever event
                loop they run. A failure is raised by all calls that waited. It must not use the context it
                refreshes.

        Raises:
            InvalidInput: Neither is given.
        """
        if refresh is not None:
            return cls(_proof=UserAuthSource(auth, refresh))
        if auth is None:
            raise InvalidInput("user auth is needed, or a function to get it with")
        return cls(_key=auth.key, _proof=auth.signature, _token=auth.token)

    @classmethod
    def from_json(cls, parts: Mapping[str, str]) -> AuthContext:
        """From what :meth:`to_json`, or a JavaScript context's ``toJSON``, gave; its host is left out.

        Raises:
            InvalidCredential: A value cannot be a header, or a signature is there without its message or the
                reverse.
            InvalidThreadID: The thread is no thread id.
        """
        values = {name.lower(): value for name, value in parts.items()}
        context = cls()
        if _KEY in values:
            context = context.with_api_key(values[_KEY])
        if (_SIGNATURE in values) != (_MESSAGE in values):
            raise InvalidCredential(f"{_SIGNATURE} and {_MESSAGE} go together")
        if _SIGNATURE in values:
            context = context.with_signature(ApiSig(values[_SIGNATURE], values[_MESSAGE]))
        if _AUTHORIZATION in values:
            scheme, _, token = values[_AUTHORIZATION].partition(" ")
            if scheme.lower() != "bearer":
                raise InvalidCredential(f"{_AUTHORIZATION} is not a bearer token")
            context = context.with_token(token)
        if _SESSION in values:
            context = context.with_session(values[_SESSION])
        if _ORG in values:
            context = context.with_org(values[_ORG])
        if _THREAD in values:
            context = context.with_thread(values[_THREAD])
        if _THREAD_NAME in values:
            context = context.with_thread_name(values[_THREAD_NAME])
        for name, value in values.items():
            if name not in _OWN:
                context = context.with_header(name, value)
        return context

    def with_api_key(self, key: str, secret: str | None = None) -> AuthContext:
        """Act with an API key.

        With its secret, each call carries a signature made when it is needed and kept for a quarter of an
        hour at least, so a context can be kept as long as its key is valid. The secret itself is never sent.
        Without one, a signature given by :meth:`with_signature` stays.

        Raises:
            InvalidCredential: The key cannot be a header, or the secret is malformed.
        """
        kept = self._proof if isinstance(self._proof, ApiSig) else None
        return replace(
            self,
            _key=header_value("API key", key),
            _token=self.token,
            _proof=kept if secret is None else KeySigner(secret),
        )

    def with_signature(self, signature: ApiSig) -> AuthContext:
        """Prove the API key by a signature made elsewhere; after its end, calls raise ``AuthExpired``."""
        return replace(self, _key=self.api_key, _token=self.token, _proof=signature)

    def with_session(self, session: str) -> AuthContext:
        """Act as a signed-in developer. A hub then ignores the API key."""
        return replace(self, _session=header_value("session", session))

    def with_org(self, org: str) -> AuthContext:
        """Act for an organisation, by its slug; hubs heed it together with a session only."""
        return replace(self, _org=header_value("organisation", org))

    def with_thread(self, thread: ThreadID | str) -> AuthContext:
        """Mean this thread.

        Raises:
            InvalidThreadID: The text is no thread id.
        """
        if isinstance(thread, ThreadID):
            return replace(self, thread=thread)
        if not isinstance(thread, str):
            raise InvalidThreadID(f"a thread is a ThreadID or its text, not {type(thread).__name__}")
        try:
            return replace(self, thread=ThreadID.parse(thread))
        except InvalidInput as error:
            raise InvalidThreadID(f"this is no thread id: {error.message}", about=thread) from None

    def with_thread_name(self, name: str) -> AuthContext:
        """The name under which a hub registers a thread that is made in this context."""
        return replace(self, _thread_name=header_value("thread name", name))

    def with_token(self, token: str) -> AuthContext:
        """Act as the identity the token was issued to; an empty text takes the token away."""
        return replace(self, _token=header_value("token", token)) if token else self.without("token")

    def with_header(self, name: str, value: str) -> AuthContext:
        """Send one more header, for a proxy in front of the hub; hubs ignore names they do not know.

        Raises:
            InvalidInput: The name is no header name, has a method of its own, or belongs to the transport.
            InvalidCredential: The value cannot be a header.
        """
        name = name.lower()
        if not _HEADER_NAME.fullmatch(name) or name in _OWN or _TRANSPORT.fullmatch(name):
            raise InvalidInput(f"{name!r} is not a header that can be added")
        headers = dict(self._headers) | {name: header_value(f"header {name}", value)}
        return replace(self, _headers=tuple(sorted(headers.items())))

    def without(self, *parts: Part) -> AuthContext:
        """Take values away. An API key takes its proof along; of a user auth, either takes both.

        Raises:
            InvalidInput: There is no such part.
        """
        context = self
        for part in parts:
            refreshed = isinstance(context._proof, UserAuthSource)
            match part:
                case "api_key":
                    context = replace(context, _key=None, _proof=None)
                case "signature":
                    context = replace(context, _proof=None)
                case "token":
                    context = replace(context, _token="" if refreshed else None)
                case "session":
                    context = replace(context, _session=None)
                case "org":
                    context = replace(context, _org=None)
                case "thread":
                    context = replace(context, thread=None)
                case "thread_name":
                    context = replace(context, _thread_name=None)
                case _:
                    raise InvalidInput(f"a context has no part named {part!r}")
        return context

    def merge(self, other: AuthContext) -> AuthContext:
        """Both contexts' values; where both have one, the other's. An API key brings its own proof along."""
        context = self
        if isinstance(other._proof, UserAuthSource):
            context = replace(context, _key=None, _proof=other._proof)
        else:
            if other._key is not None:
                context = context.with_api_key(other._key)
            if isinstance(other._proof, ApiSig):
                context = context.with_signature(other._proof)
            elif other._proof is not None:
                context = replace(context, _proof=other._proof)
        return replace(
            context,
            thread=other.thread or context.thread,
            _session=other._session or context._session,
            _org=other._org or context._org,
            _thread_name=other._thread_name or context._thread_name,
            _token=context._token if other._token is None else other._token,
            _headers=tuple(sorted((dict(context._headers) | dict(other._headers)).items())),
        )

    @property
    def api_key(self) -> str | None:
        """The API key, if there is one: itself a credential where the hub asks for no signature."""
        auth = self._user_auth
        return auth.key if auth else self._key

    @property
    def session(self) -> str | None:
        """The developer session, a credential."""
        return self._session

    @property
    def org(self) -> str | None:
        """The slug of the organisation acted for."""
        return self._org

    @property
    def thread_name(self) -> str | None:
        """The name for a thread to be made."""
        return self._thread_name

    @property
    def token(self) -> str | None:
        """The identity's token, a credential."""
        if self._token is not None:
            return self._token or None
        auth = self._user_auth
        return auth.token if auth else None

    async def metadata(self) -> dict[str, str]:
        """The headers for one call, names in lower case. Signs or refreshes if that is due.

        Raises:
            AuthExpired: The signature has expired and there is no way to another; nothing needs to be sent to
                know.
            Exception: Whatever ``refresh`` raised.
        """
        auth = await self._proof.fresh(self.clock) if isinstance(self._proof, UserAuthSource) else None
        return self._headers_now(auth)

    def to_json(self, *, host: str = DEFAULT_HOST) -> dict[str, str]:
        """The context as JavaScript writes one: its headers, and the host that JavaScript keeps beside them.

        A context with an API secret gives a signature for the next 15 to 30 minutes, never the secret.

        Raises:
            AuthExpired: The signature has expired, or a user auth was not fetched yet.
        """
        if isinstance(self._proof, UserAuthSource) and self._user_auth is None:
            raise AuthExpired("the user auth was not fetched yet: await metadata() first")
        return {_HOST: host} | self._headers_now(self._user_auth)

    def _headers_now(self, auth: UserAuth | None) -> dict[str, str]:
        headers: dict[str, str] = {}
        if key := auth.key if auth else self._key:
            headers[_KEY] = key
        if signature := self._signature_now(auth):
            headers[_MESSAGE] = signature.msg
            headers[_SIGNATURE] = signature.sig
        if token := auth.token if auth and self._token is None else self._token:
            headers[_AUTHORIZATION] = f"bearer {token}"
        if self.thread is not None:
            headers[_THREAD] = str(self.thread)
        if self._thread_name:
            headers[_THREAD_NAME] = self._thread_name
        if self._org:
            headers[_ORG] = self._org
        if self._session:
            headers[_SESSION] = self._session
        headers.update(self._headers)
        return headers

    def _signature_now(self, auth: UserAuth | None) -> ApiSig | None:
        if isinstance(self._proof, KeySigner):
            return self._proof.signature(self.clock())
        signature = self._proof if isinstance(self._proof, ApiSig) else auth.signature if auth else None
        if signature is not None and signature.has_expired(self.clock()):
            raise AuthExpired(
                f"the API signature expired at {signature.msg}: get a new one, use the key with its secret, "
                "or give from_user_auth a refresh function"
            )
        return signature

    @property
    def _user_auth(self) -> UserAuth | None:
        return self._proof.current if isinstance(self._proof, UserAuthSource) else None

    def __repr__(self) -> str:
        shown = [f"{name}=<set>" for name in ("session", "token") if getattr(self, name)]
        match self._proof:
            case None:
                shown += ["api_key=<set>"] if self._key else []
            case ApiSig():
                shown.append(f"api_key=<signed until {self._proof.msg}>")
            case KeySigner():
                shown.append("api_key=<signs>")
            case UserAuthSource():
                shown.append("api_key=<refreshes>")
        shown += [
            f"{name}={value}" for name in ("thread", "thread_name", "org") if (value := getattr(self, name))
        ]
        shown += [f"{name}=<set>" for name, _ in self._headers]
        return f"AuthContext({', '.join(shown)})"
