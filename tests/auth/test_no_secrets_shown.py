"""No text that ends up in a log or a traceback shows a secret."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
from collections.abc import Callable
from datetime import datetime

import pytest

from textile_aio import connect
from textile_aio.auth import ApiSig, AuthContext, UserAuth, create_api_sig, create_user_auth
from textile_aio.errors import InvalidToken, TextileError
from textile_aio.identity import Identity, PublicKey
from textile_aio.ids import SymmetricKey, ThreadID, ThreadKey
from textile_aio.localhub import LocalHub

SECRET = "bhodcxxw6csgwqly3yplmrlijycknukz75lg3rwmwrapkygqyu6lq"
EXPIRES = datetime.fromisoformat("2031-03-01T12:30:00.000Z")
IDENTITY = Identity(bytes(range(100, 132)))
READ_KEY = SymmetricKey(bytes(range(32, 64)))
KEY = ThreadKey(SymmetricKey(bytes(range(32))), READ_KEY)
SIGNATURE = create_api_sig(SECRET, EXPIRES)


async def refresh() -> UserAuth:
    raise NotImplementedError


AUTH = create_user_auth("bkey-in-use", SECRET, expires=EXPIRES, token="token-in-use")
SIGNED = (
    AuthContext()
    .with_api_key("bkey-in-use", SECRET)
    .with_session("session-in-use")
    .with_token("token-in-use")
    .with_header("x-proxy-key", "header-in-use")
    .with_org("org")
    .with_thread(ThreadID(b"\x01\x55" + bytes(32)))
)
VALUES = [
    IDENTITY,
    KEY,
    KEY.service,
    SIGNATURE,
    AUTH,
    AuthContext(),
    SIGNED,
    SIGNED._proof,
    AuthContext().with_api_key("bkey-in-use").with_token("token-in-use"),
    AuthContext.from_user_auth(AUTH),
    AuthContext.from_user_auth(AUTH, refresh=refresh),
    AuthContext.from_user_auth(AUTH, refresh=refresh)._proof,
]
HIDDEN = [
    SECRET,
    SIGNATURE.sig,
    "bkey-in-use",
    "session-in-use",
    "token-in-use",
    "header-in-use",
    IDENTITY.to_string(),
    IDENTITY.seed.hex(),
    repr(IDENTITY.seed),
    KEY.to_string(),
    KEY.service_only.to_string(),
    KEY.service.bytes.hex(),
    repr(KEY.service.bytes),
    repr(READ_KEY.bytes),
]


def assert_shows_nothing(text: str) -> None:
    assert [secret for secret in HIDDEN if secret in text] == []


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_no_text_of_a_value_shows_a_secret(value: object, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("%s %r", value, value)
    for text in (str(value), repr(value), f"{value}", repr([value]), repr({"value": value}), caplog.text):
        assert_shows_nothing(text)


def test_a_context_says_which_values_it_has() -> None:
    assert repr(AuthContext()) == "AuthContext()"
    text = repr(SIGNED)
    assert "org=org" in text
    assert "session=<set>" in text
    assert "token=<set>" in text
    assert "api_key=<signs>" in text
    assert str(SIGNED.thread) in text
    assert repr(AuthContext().with_api_key("k")) == "AuthContext(api_key=<set>)"


ATTEMPTS = [
    lambda: Identity.from_string(IDENTITY.to_string() + "!"),
    lambda: Identity.from_string(IDENTITY.to_string()[:-3]),
    lambda: Identity.from_string("!" + IDENTITY.to_string()),
    lambda: Identity.from_seed(IDENTITY.seed + b"x"),
    lambda: PublicKey.from_string(IDENTITY.to_string()),
    lambda: PublicKey.from_bytes(IDENTITY.bytes),
    lambda: ThreadKey.from_string(KEY.to_string() + "1"),
    lambda: ThreadKey.from_bytes(KEY.bytes + b"x"),
    lambda: SymmetricKey(KEY.bytes),
    lambda: KEY.service.open(KEY.bytes),
    lambda: AuthContext().with_api_key("bkey-in-use\n"),
    lambda: AuthContext().with_api_key("bkey-in-use", SECRET + "!"),
    lambda: AuthContext().with_session("session-in-use\r\n"),
    lambda: AuthContext().with_token("token-in-use\x00"),
    lambda: AuthContext().with_header("x-proxy-key", "header-in-use "),
    lambda: AuthContext.from_env({"TEXTILE_API_SECRET": SECRET}),
    lambda: AuthContext.from_json({"authorization": "basic-token-in-use"}),
    lambda: create_api_sig(SECRET + "1", EXPIRES),
    lambda: ApiSig(SIGNATURE.sig, "no date"),
    lambda: UserAuth("bkey-in-use", SIGNATURE, "token-in-use "),
    lambda: AuthContext(clock=lambda: 2e9).with_signature(SIGNATURE).to_json(),
]


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_no_error_shows_or_carries_a_secret(attempt: Callable[[], object]) -> None:
    with pytest.raises(TextileError) as caught:
        attempt()
    error = caught.value
    chained = [error, error.__cause__, None if error.__suppress_context__ else error.__context__]
    for each in [one for one in chained if one is not None]:
        assert_shows_nothing("".join(traceback.format_exception_only(each)))
        assert_shows_nothing(f"{each!r} {vars(each)!r} {each.args!r}")
    assert_shows_nothing(pickle.dumps(error).decode("latin-1"))
    assert_shows_nothing(str(copy.copy(error)))


async def test_no_log_shows_what_a_call_carries(caplog: pytest.LogCaptureFixture) -> None:
    """Neither ours nor that of a library below, however much is asked for."""
    with caplog.at_level(logging.DEBUG):
        async with LocalHub.in_memory() as local, connect(local.target) as hub:
            account = await local.create_account("owner")
            key = await local.create_key(account)
            identity = Identity.generate()
            ctx = AuthContext().with_api_key(key.key, key.secret)
            ctx = await hub.threads.authorize(ctx, identity)
            await hub.users.list_threads(ctx)
            await hub.users.list_threads(AuthContext().with_session(account.session))
            with pytest.raises(InvalidToken):
                await hub.users.list_threads(ctx.with_token(f"{ctx.token}AAAA"))
        sent = await ctx.metadata()
    secrets = (
        key.key,
        key.secret,
        account.session,
        ctx.token,
        identity.to_string(),
        sent["x-textile-api-sig"],
    )
    for secret in secrets:
        assert secret
        assert secret not in caplog.text
