"""The context: what it sends, what it refuses, and that it is a value.

Where JavaScript sends ``authorization: bearer `` for an empty token, nothing is sent here, as in Go: hubs
take both for no token, and HTTP/2 allows no space at the end. JavaScript's ``host`` is the connection's.
"""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.recorded import cases, label
from textile_aio.auth import ApiSig, AuthContext, Part, UserAuth, create_api_sig
from textile_aio.errors import AuthExpired, InvalidCredential, InvalidInput, InvalidThreadID
from textile_aio.ids import ThreadID

SECRET = "baaaqeayeaudaocajbifqydiob4ibceqtcqkrmfy"
THREAD = "bafkyuek4mtub4ztvvoazr44fv6lyx2fkwtzm4ae75hdcvx7d5iqmkiy"
NOW = datetime.fromisoformat("2031-03-01T12:00:00.000Z").timestamp()
SIGNATURE = create_api_sig(SECRET, datetime.fromisoformat("2031-03-01T13:00:00.000Z"))


def clock() -> float:
    return NOW


def full() -> AuthContext:
    return (
        AuthContext(clock=clock)
        .with_api_key("key", SECRET)
        .with_session("session")
        .with_org("org")
        .with_thread(THREAD)
        .with_thread_name("name")
        .with_token("token")
        .with_header("x-proxy", "value")
    )


def build(steps: list[Any], clock: Callable[[], float]) -> AuthContext:
    """A context made by the recorded steps of the JavaScript one."""
    context = AuthContext(clock=clock)
    for name, *arguments in steps:
        value = arguments[0]
        match name:
            case "withKeyInfo" if value and len(arguments) > 1:
                context = context.with_api_key(value["key"])
                context = context.with_signature(
                    create_api_sig(value["secret"], datetime.fromisoformat(arguments[1]))
                )
            case "withKeyInfo" if value:
                context = context.with_api_key(value["key"], value.get("secret"))
            case "withKeyInfo":
                pass
            case "withAPIKey":
                context = context.with_api_key(value)
            case "withAPISig":
                context = context.with_signature(ApiSig(value["sig"], value["msg"]))
            case "withToken":
                context = context.with_token(value)
            case "withThread":
                context = context.with_thread(value)
            case "withThreadName":
                context = context.with_thread_name(value)
            case "withOrg":
                context = context.with_org(value)
            case "withSession":
                context = context.with_session(value)
            case "set":
                context = context.with_header(value, arguments[1])
            case "withContext":
                context = context.merge(build(value, clock))
            case "fromUserAuth":
                made = AuthContext.from_user_auth(UserAuth.from_json(value))
                context = dataclasses.replace(made, clock=clock)
            case "fromUserAuthCallback":

                async def refresh(value: Any = value) -> UserAuth:
                    return UserAuth.from_json(value)

                made = AuthContext.from_user_auth(None, refresh=refresh)
                context = dataclasses.replace(made, clock=clock)
            case _:
                raise AssertionError(f"no counterpart for {name}")
    return context


@pytest.mark.parametrize("case", cases("api-sig", "context"), ids=label)
async def test_recorded_contexts_send_what_they_sent(case: dict[str, Any]) -> None:
    clock = datetime.fromisoformat(case["clock"]).timestamp
    if not case["accepted"] or case.get("sending_fails"):
        with pytest.raises((AuthExpired, InvalidCredential)):
            await build(case["steps"], clock).metadata()
        return
    sent = {name: values[0] for name, values in case["metadata"]}
    del sent["host"]
    if sent.get("authorization") == "bearer ":
        del sent["authorization"]
    context = build(case["steps"], clock)
    assert await context.metadata() == sent
    # The same values, read from the form in which JavaScript keeps them.
    assert await dataclasses.replace(AuthContext.from_json(sent), clock=clock).metadata() == sent
    assert context.to_json(host=case["host"]) == {"host": case["host"]} | sent


@pytest.mark.parametrize("case", cases("api-sig", "default_host"))
def test_an_empty_context_has_the_recorded_json(case: dict[str, Any]) -> None:
    assert AuthContext().to_json() == case["json"]


async def test_everything_that_is_set_is_sent_under_its_name() -> None:
    assert await full().metadata() == {
        "x-textile-api-key": "key",
        "x-textile-api-sig": create_api_sig(SECRET, clock=clock).sig,
        "x-textile-api-sig-msg": "2031-03-01T12:30:00.000Z",
        "x-textile-session": "session",
        "x-textile-org": "org",
        "x-textile-thread": THREAD,
        "x-textile-thread-name": "name",
        "authorization": "bearer token",
        "x-proxy": "value",
    }
    assert await AuthContext().metadata() == {}


async def test_a_context_kept_for_days_never_sends_an_expired_signature() -> None:
    now = NOW
    context = AuthContext(clock=lambda: now).with_api_key("key", SECRET)
    messages = set()
    for _ in range(500):
        headers = await context.metadata()
        assert datetime.fromisoformat(headers["x-textile-api-sig-msg"]).timestamp() > now + 14 * 60
        messages.add(headers["x-textile-api-sig-msg"])
        now += 600
    assert len(messages) == 250  # each is used twice, ten minutes apart


async def test_contexts_made_from_one_share_its_signature() -> None:
    context = AuthContext(clock=clock).with_api_key("key", SECRET)
    await context.metadata()
    assert context.with_thread(THREAD)._proof is context._proof


async def test_an_expired_signature_is_noticed_before_anything_is_sent() -> None:
    context = AuthContext(clock=SIGNATURE.expires.timestamp).with_api_key("key").with_signature(SIGNATURE)
    with pytest.raises(AuthExpired, match="from_user_auth"):
        await context.metadata()
    with pytest.raises(AuthExpired):
        context.to_json()


async def test_key_and_signature_may_be_given_in_either_order() -> None:
    one = AuthContext(clock=clock).with_api_key("key").with_signature(SIGNATURE)
    other = AuthContext(clock=clock).with_signature(SIGNATURE).with_api_key("key")
    assert one == other
    assert await one.metadata() == await other.metadata()


async def test_the_secret_of_one_key_never_signs_for_another() -> None:
    context = AuthContext(clock=clock).with_api_key("one", SECRET)
    assert await context.with_api_key("two").metadata() == {"x-textile-api-key": "two"}
    assert await context.merge(AuthContext().with_api_key("two")).metadata() == {"x-textile-api-key": "two"}


def test_a_context_is_a_value() -> None:
    assert full() == full()
    assert hash(full()) == hash(full())
    assert full() != full().with_org("other")
    assert AuthContext() == AuthContext(clock=clock)
    with pytest.raises(dataclasses.FrozenInstanceError):
        full().thread = None  # type: ignore[misc]  # that it cannot be set is the point


def test_what_is_set_can_be_read_back() -> None:
    context = full()
    assert (context.api_key, context.session, context.org) == ("key", "session", "org")
    assert (context.thread, context.thread_name, context.token) == (ThreadID.parse(THREAD), "name", "token")


@pytest.mark.parametrize(
    ("part", "headers"),
    [
        ("api_key", {"x-textile-api-key", "x-textile-api-sig", "x-textile-api-sig-msg"}),
        ("signature", {"x-textile-api-sig", "x-textile-api-sig-msg"}),
        ("session", {"x-textile-session"}),
        ("org", {"x-textile-org"}),
        ("thread", {"x-textile-thread"}),
        ("thread_name", {"x-textile-thread-name"}),
        ("token", {"authorization"}),
    ],
)
async def test_a_value_can_be_taken_away(part: Part, headers: set[str]) -> None:
    before, after = await full().metadata(), await full().without(part).metadata()
    assert set(before) - set(after) == headers
    assert full().without(part, part) == full().without(part)


def test_an_empty_token_takes_the_token_away() -> None:
    assert full().with_token("") == full().without("token")


def test_an_unknown_part_cannot_be_taken_away() -> None:
    with pytest.raises(InvalidInput, match="no part named"):
        full().without("everything")  # type: ignore[arg-type]  # no part, on purpose


async def test_in_a_merge_the_other_context_wins() -> None:
    merged = full().merge(
        AuthContext().with_org("other").with_header("x-proxy", "new").with_header("x-more", "1")
    )
    assert await merged.metadata() == await full().metadata() | {
        "x-textile-org": "other",
        "x-proxy": "new",
        "x-more": "1",
    }
    assert full().merge(AuthContext()) == AuthContext().merge(full()) == full()


async def test_a_merge_takes_a_signature_for_the_key_that_is_there() -> None:
    merged = AuthContext(clock=clock).with_api_key("key").merge(AuthContext().with_signature(SIGNATURE))
    assert (await merged.metadata())["x-textile-api-key"] == "key"
    assert (await merged.metadata())["x-textile-api-sig"] == SIGNATURE.sig


BAD_VALUES = [" ", "a\r\nx-evil: 1", "a\nb", "a\rb", "a\x00b", "a\x7f", "żółw", "a ", " a", "a\tb", 7, b"a"]
SETTERS = ["with_api_key", "with_session", "with_org", "with_thread_name", "with_token"]


@pytest.mark.parametrize("value", BAD_VALUES, ids=repr)
@pytest.mark.parametrize("setter", SETTERS)
def test_no_value_can_be_set_that_is_not_one_line_of_printable_ascii(setter: str, value: object) -> None:
    with pytest.raises(InvalidCredential) as caught:
        getattr(AuthContext(), setter)(value)
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize("setter", SETTERS)
def test_no_value_can_be_set_that_no_hub_would_read(setter: str) -> None:
    with pytest.raises(InvalidCredential, match="longer than"):
        getattr(AuthContext(), setter)("x" * 20_000)


@pytest.mark.parametrize("setter", SETTERS[:-1])
def test_no_value_but_a_token_can_be_set_to_nothing(setter: str) -> None:
    with pytest.raises(InvalidCredential):
        getattr(AuthContext(), setter)("")


@pytest.mark.parametrize("value", ["a\r\nb", ""])
def test_an_added_header_has_a_value_of_printable_ascii(value: str) -> None:
    with pytest.raises(InvalidCredential):
        AuthContext().with_header("x-proxy", value)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a b",
        "a:b",
        ":path",
        "x\r\ny",
        "Host",
        "authorization",
        "X-Textile-Thread",
        "te",
        "grpc-timeout",
        "x-bin",
    ],
)
def test_headers_that_are_not_the_callers_cannot_be_added(name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot|can be added"):
        AuthContext().with_header(name, "value")


@pytest.mark.parametrize("secret", ["", "plain words", "!abc", "bab10cd"])
def test_a_malformed_secret_is_refused_when_it_is_given(secret: str) -> None:
    with pytest.raises(InvalidCredential) as caught:
        AuthContext().with_api_key("key", secret)
    assert not secret or secret not in str(caught.value)


def test_a_malformed_thread_is_refused() -> None:
    with pytest.raises(InvalidThreadID):
        AuthContext().with_thread("not a thread id")


def test_the_environment_gives_what_is_set() -> None:
    environ = {
        "TEXTILE_API_KEY": "key",
        "TEXTILE_API_SECRET": SECRET,
        "TEXTILE_SESSION": "session",
        "TEXTILE_ORG": "org",
        "TEXTILE_THREAD": THREAD,
        "TEXTILE_TOKEN": "token",
    }
    expected = full().without("thread_name")
    assert AuthContext.from_env(environ).with_header("x-proxy", "value") == expected
    assert AuthContext.from_env({}) == AuthContext()
    assert AuthContext.from_env(dict.fromkeys(environ, "")) == AuthContext()


def test_the_process_environment_is_read_unless_another_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTILE_ORG", "org-of-the-process")
    assert AuthContext.from_env().org == "org-of-the-process"


@pytest.mark.parametrize(
    ("environ", "error"),
    [
        ({"TEXTILE_API_SECRET": SECRET}, InvalidCredential),
        ({"TEXTILE_API_KEY": "key", "TEXTILE_API_SECRET": "x"}, InvalidCredential),
        ({"TEXTILE_THREAD": "x"}, InvalidThreadID),
    ],
)
def test_a_malformed_environment_is_refused(environ: dict[str, str], error: type[InvalidInput]) -> None:
    with pytest.raises(error):
        AuthContext.from_env(environ)


def test_json_holds_a_signature_and_never_the_secret() -> None:
    context = full()
    parts = context.to_json(host="https://hub.example")
    assert parts["host"] == "https://hub.example"
    assert SECRET not in str(parts)
    again = AuthContext.from_json(parts)
    assert dataclasses.replace(again, clock=clock).to_json(host="https://hub.example") == parts


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({"x-textile-api-sig": "bae"}, InvalidCredential),
        ({"x-textile-api-sig-msg": "2031-03-01T13:00:00.000Z"}, InvalidCredential),
        ({"authorization": "basic abc"}, InvalidCredential),
        ({"x-textile-thread": "x"}, InvalidThreadID),
        ({"x-textile-org": "a\nb"}, InvalidCredential),
        ({"content-type": "text/html"}, InvalidInput),
    ],
)
def test_malformed_json_is_refused(parts: dict[str, str], error: type[InvalidInput]) -> None:
    with pytest.raises(error):
        AuthContext.from_json(parts)


async def test_a_pickled_context_calls_for_the_same_user() -> None:
    context = dataclasses.replace(full(), clock=AuthContext().clock)
    other = pickle.loads(pickle.dumps(context))
    assert other == context
    assert set(await other.metadata()) == set(await context.metadata())
