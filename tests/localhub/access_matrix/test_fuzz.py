"""Whatever comes as headers, tokens, signatures, addresses or names: a call ends with a status of its own.

None is INTERNAL, and the hub goes on.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest
from grpclib.const import Status
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.localhub.access_matrix.conftest import Stage
from tests.localhub.access_matrix.people import HUB, Headers, jws, keyed, segment
from tests.localhub.access_matrix.places import BUCKETS, DB, USERS
from tests.localhub.access_matrix.rawheaders import status_of
from tests.localhub.raw import OK, Outcome
from textile_aio import Identity
from textile_aio._codec import multibase
from textile_aio._proto.api.hubd import pb as hubd
from textile_aio._proto.api.usersd import pb as usersd

pytestmark = pytest.mark.asyncio(loop_scope="module")

fuzzed = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
STRANGER = Identity.from_seed(bytes(range(32)))
LIST = USERS + "ListThreads"

CREDENTIALS = [
    *("authorization", "x-textile-session", "x-textile-org", "x-textile-api-key"),
    *("x-textile-api-sig", "x-textile-api-sig-msg", "x-textile-thread", "x-textile-thread-name"),
]
TYPED = {
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "NOT_FOUND",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "FAILED_PRECONDITION",
    "RESOURCE_EXHAUSTED",
}

# What HTTP/2 carries: no control characters, and no white space around (RFC 9113 §8.2.1).
field_bytes = (
    st.binary(max_size=200)
    .map(lambda data: bytes(each for each in data if each == 9 or (each >= 32 and each != 127)).strip(b" \t"))
)  # fmt: skip
field_names = st.from_regex("[a-z][a-z0-9-]{0,20}", fullmatch=True)
texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"]),
    max_size=80,
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def other_key(kind: int, data: bytes) -> str:
    """The text of a public key of another curve, or of a wrong size."""
    return multibase.encode(b"\x08" + bytes([kind]) + b"\x12" + bytes([len(data)]) + data)


subjects = st.one_of(
    st.just(str(STRANGER.public)),
    json_values,
    st.builds(other_key, st.integers(0, 5), st.binary(max_size=100)),
    st.just("b" + "a" * 5_000),
)
claims = st.one_of(
    json_values,
    st.fixed_dictionaries(
        {"sub": subjects},
        optional={
            "iss": json_values,
            **{name: json_values | st.just(10**400) for name in ("iat", "exp", "nbf")},
        },
    ),
)
algorithms = st.one_of(
    st.sampled_from(["Ed25519", "none", "None", "HS256", "RS256", "ES256", "EdDSA", "ed25519", ""]),
    json_values,
)
token_headers = json_values | st.fixed_dictionaries(
    {"alg": algorithms},
    optional={"typ": json_values, "kid": json_values, "jwk": json_values, "crit": json_values},
)
nested = st.sampled_from([b"[", b'{"a":', b'"', b"1e999", b"-"]).flatmap(
    lambda part: st.integers(1, 6_000).map(lambda times: part * min(times, 6_000 // len(part)))
)
tokens = st.one_of(
    texts.filter(lambda text: "\n" not in text),
    st.builds(jws, token_headers, claims, st.just(STRANGER.sign)),
    st.builds(jws, token_headers, claims, st.just(lambda _: b"")),
    st.builds(lambda head, body: f"{segment(head)}.{segment(body)}.{segment(b'x' * 64)}", nested, nested),
    st.lists(st.sampled_from(["", "e30", "a", "=", "e30="]), max_size=300).map(".".join),
    st.binary(max_size=300).map(lambda data: base64.urlsafe_b64encode(data).decode()),
)


async def users_key(stage: Stage, *, secure: bool = False) -> Headers:
    """The key of a group of users, without a token."""
    name = "secure group" if secure else "group"
    if name not in stage.known:
        world = stage.world
        key = await world.key(await world.developer(), user_group=True, secure=secure)
        stage.known[name] = keyed(key)
    return stage.known[name]


async def goes_on(stage: Stage) -> None:
    assert await stage.world.outcome(LIST, await stage.caller("user")) == OK


def printable(text: str) -> str:
    """A text as a client may put it into a header."""
    return "".join(each for each in text if " " <= each <= "~").strip()


@fuzzed
@given(
    fields=st.lists(
        st.tuples(
            st.sampled_from(CREDENTIALS) | st.from_regex("[a-z][a-z0-9-]{0,20}", fullmatch=True), field_bytes
        ),
        max_size=12,
    ),
    path=st.sampled_from([LIST, DB + "GetDBInfo", BUCKETS + "Root", HUB + "GetIdentity", HUB + "Signin"]),
    known=st.booleans(),
)
@example(fields=[("x-textile-session", b"\xff\xfe")], path=LIST, known=False)
@example(fields=[("authorization", b"bearer \xf0\x9f")], path=LIST, known=True)
@example(fields=[("grpc-timeout", b"\xe9S")], path=LIST, known=True)
@example(fields=[("grpc-encoding", b"gzip")], path=LIST, known=True)
@example(fields=[("a-bin", b"\xff")], path=LIST, known=True)
async def test_any_headers(stage: Stage, fields: list[tuple[str, bytes]], path: str, known: bool) -> None:
    reserved = ("te", "connection", "upgrade", "host", "trailer", "keep-alive")
    sent = [(name.encode(), value) for name, value in fields if name not in reserved]
    if known:
        good = await stage.caller("user")
        sent += [(name.encode(), value.encode()) for name, value in good.items()]
    status = await status_of(stage.world.hub.target, path, sent)
    assert status != Status.INTERNAL.value, fields
    await goes_on(stage)


@fuzzed
@given(token=tokens)
@example(token="." * 2000)
@example(token=jws({"alg": "Ed25519"}, {"sub": None}, STRANGER.sign))
@example(token=jws({"alg": "Ed25519"}, {"sub": ["b"]}, STRANGER.sign))
@example(token=jws({"alg": "Ed25519"}, {"sub": other_key(2, bytes(33))}, STRANGER.sign))
@example(token=jws(b'{"alg":"Ed25519"}', b'{"sub":"\xff"}', STRANGER.sign))
@example(token=jws(b'{"alg":"Ed25519"}', b'{"sub":"\\ud800"}', STRANGER.sign))
@example(token=jws(b'\xef\xbb\xbf{"alg":"Ed25519"}', b"{}", STRANGER.sign))
@example(token=jws({"alg": "Ed25519"}, b"NaN", STRANGER.sign))
@example(token=jws(b'{"alg":"Ed25519"}', b'{"iat":' + b"9" * 3000 + b"}", STRANGER.sign))
async def test_any_token(stage: Stage, token: str) -> None:
    token = printable(token)
    by_key = {**await users_key(stage), "authorization": f"bearer {token}"}
    beside = {**await stage.caller("session"), "authorization": f"bearer {token}"}
    for headers in (by_key, beside):
        for method in (LIST, DB + "GetToken", BUCKETS + "List"):
            code, text = await stage.world.outcome(method, headers)
            assert code in TYPED | {"OK"}, (code, text)
    assert (await stage.world.outcome(LIST, by_key))[0] != "OK"
    await goes_on(stage)


dates = st.one_of(
    st.datetimes().map(lambda date: date.isoformat() + "Z"),
    st.from_regex(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,30})?(Z|[+-][0-9]{2}:[0-9]{2})"
    ),
    texts,
)


@fuzzed
@given(signature=st.one_of(texts, st.binary(max_size=64).map(multibase.encode)), message=dates)
@example(signature="bmzxw6", message="9999-12-31T23:59:59-23:59")
@example(signature="bmzxw6", message="0001-01-01T00:00:00+23:59")
@example(signature="bmzxw6", message="0000-00-00T00:00:00Z")
@example(signature="bmzxw6", message="2030-12-31T23:59:60Z")
@example(signature="z" + "1" * 2000, message="2030-12-31T23:59:59Z")
async def test_any_signature(stage: Stage, signature: str, message: str) -> None:
    headers = {
        **await users_key(stage, secure=True),
        "x-textile-api-sig": printable(signature),
        "x-textile-api-sig-msg": printable(message),
    }
    code, text = await stage.world.outcome(LIST, headers)
    assert (code, text) in (
        ("UNAUTHENTICATED", "API key signature required"),
        ("UNAUTHENTICATED", "Bad API key signature"),
    )
    await goes_on(stage)


ADDRESSES = [
    *("", "@", "a@b", "Name <a@b.c>", '"a b"@c.d', "a@b@c", "a@[::1]", "a@b\r\nBcc: c@d", "ä@ö.ü", "a@xn--"),
    *("<a@b>", "a@b, c@d", "()a@b", "a@b.c\0", "\u202e@b.c", "a" * 5000 + "@b.c", "a@" + "b." * 2000 + "c"),
]


@fuzzed
@given(email=texts | st.sampled_from(ADDRESSES) | st.builds("{}@{}".format, texts, texts))
async def test_any_address(stage: Stage, email: str) -> None:
    world = stage.world
    owner = await stage.caller("organisation's owner")
    for method, headers, request in (
        (HUB + "Signup", {}, hubd.SignupRequest(username=world.name(), email=email)),
        (HUB + "Signin", {}, hubd.SigninRequest(username_or_email=email)),
        (HUB + "InviteToOrg", owner, hubd.InviteToOrgRequest(email=email)),
    ):
        assert_typed(await world.outcome(method, headers, request), method)
    await goes_on(stage)


# Some of each script, with marks that join, turn and hide.
NAMES = [
    *("Ünïcode", "日本語", "한국어", "العربية", "עברית", "ไทย", "हिन्दी", "Ελλάς", "Привет"),
    *(
        "\U0001f9d1\u200d\U0001f680",
        "a\u0301",
        "\u202eabc",
        "\u200b",
        "\ufeff",
        "ﬁ",
        "ẞ",
        "İ",
        "ı",
        "\U000e0001",
    ),
    *("-", "--", "a--b", "_", "a/b", "a\0b", "a\nb", "%s", "{0}", "'; DROP TABLE accounts; --", "../.."),
    *("<script>", "&&&", "@", "‒–—―", "a" * 5000),
]


@fuzzed
@given(name=texts | st.sampled_from(NAMES))
async def test_any_name(stage: Stage, name: str) -> None:
    world = stage.world
    developer = await stage.caller("session")
    free: Outcome = await world.outcome(
        HUB + "IsOrgNameAvailable", developer, hubd.IsOrgNameAvailableRequest(name=name)
    )
    made: Outcome = await world.outcome(HUB + "CreateOrg", developer, hubd.CreateOrgRequest(name=name))
    assert_typed(free, "IsOrgNameAvailable")
    assert_typed(made, "CreateOrg")
    if made == OK:
        assert free == OK
    for method, headers, request in (
        (HUB + "IsUsernameAvailable", {}, hubd.IsUsernameAvailableRequest(username=name)),
        (HUB + "Signup", {}, hubd.SignupRequest(username=name, email=f"{world.name()}@example.org")),
        (HUB + "InvalidateKey", developer, hubd.InvalidateKeyRequest(key=name)),
        (USERS + "GetThread", developer, usersd.GetThreadRequest(name=name)),
        (USERS + "GetUsage", developer, usersd.GetUsageRequest(key=name)),
        (USERS + "SendMessage", developer, usersd.SendMessageRequest(to=name)),
        (USERS + "ReadInboxMessage", developer, usersd.ReadInboxMessageRequest(id=name)),
        (USERS + "DeleteInboxMessage", developer, usersd.DeleteInboxMessageRequest(id=name)),
        (USERS + "ListInboxMessages", developer, usersd.ListInboxMessagesRequest(seek=name)),
    ):
        assert_typed(await world.outcome(method, headers, request), method)
    await goes_on(stage)


def assert_typed(outcome: Outcome, about: str) -> None:
    code, text = outcome
    assert code in TYPED | {"OK"}, (about, code, text)
    assert code == "OK" or text, about


@pytest.mark.parametrize("size", [10_000, 40_000])
async def test_claims_of_any_size(stage: Stage, size: int) -> None:
    """As large as headers may be."""
    big = {"sub": str(STRANGER.public), "x": "y" * size}
    token = jws({"alg": "Ed25519"}, big, STRANGER.sign)
    headers = {**await users_key(stage), "authorization": f"bearer {token}"}
    code, _ = await stage.world.outcome(LIST, headers)
    assert code in ("UNAUTHENTICATED", "RESOURCE_EXHAUSTED")
    await goes_on(stage)
