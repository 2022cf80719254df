"""Who is let in, with the exact codes and texts (spec: identity-and-auth §10)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from grpclib.const import Cardinality

from tests.localhub.raw import METHODS, OK, call, outcome
from textile_aio import AuthContext, Identity, ThreadID, connect, create_api_sig
from textile_aio._codec import multibase
from textile_aio._proto.api.bucketsd import pb as buckets
from textile_aio._proto.api.usersd import pb as users
from textile_aio._proto.threads import pb as threads
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.localhub.access import methods
from textile_aio.localhub.tokens import Tokens
from textile_aio.threaddb.databases import NAME_RULE

THREADS = "/threads.pb.API/"
BUCKETS = "/api.bucketsd.pb.APIService/"
USERS = "/api.usersd.pb.APIService/"
LIST = USERS + "ListThreads"
ROOT = BUCKETS + "Root"
PUSH = BUCKETS + "PushPath"
INFO = THREADS + "GetDBInfo"

NOW = 1_900_000_000 * 10**9
SOON = "2030-03-17T18:46:40Z"  # an hour after NOW
PAST = "2030-03-17T17:46:39Z"

Headers = dict[str, str]


@dataclass
class World:
    """A hub with one account and its keys, and a clock that stands still until told otherwise."""

    hub: LocalHub
    session: str
    secure: Headers
    secret: str
    insecure: Headers
    account: Headers
    token: str
    identity: Identity
    time: list[int] = field(default_factory=lambda: [NOW])

    @property
    def target(self) -> str:
        return self.hub.target

    def user(self, **more: str) -> Headers:
        return {**self.insecure, "authorization": f"bearer {self.token}", **more}

    def signed(self, message: str = SOON) -> Headers:
        mac = hmac.new(multibase.decode(self.secret), message.encode(), hashlib.sha256).digest()
        return {
            **self.secure,
            "x-textile-api-sig": multibase.encode(mac),
            "x-textile-api-sig-msg": message,
            "authorization": f"bearer {self.token}",
        }


@pytest.fixture
async def world() -> AsyncIterator[World]:
    time = [NOW]
    async with LocalHub.in_memory(HubSettings(clock=lambda: time[0])) as hub:
        account = await hub.create_account("owner")
        secure = await hub.create_key(account, secure=True)
        insecure = await hub.create_key(account, secure=False)
        of_account = await hub.create_key(account, secure=False, user_group=False)
        world = World(
            hub=hub,
            session=account.session,
            secure={"x-textile-api-key": secure.key},
            secret=secure.secret,
            insecure={"x-textile-api-key": insecure.key},
            account={"x-textile-api-key": of_account.key},
            token="",
            identity=Identity.generate(),
            time=time,
        )
        world.token = await token_for(world, world.identity)
        yield world


async def token_for(world: World, identity: Identity) -> str:
    async with connect(world.target) as client:
        ctx = AuthContext().with_api_key(world.insecure["x-textile-api-key"])
        return await client.threads.get_token(ctx, identity)


@pytest.mark.parametrize("path", sorted(METHODS.keys() - {"/grpc.health.v1.Health/Watch"}))
async def test_nobody_gets_further_than_the_open_methods(world: World, path: str) -> None:
    code, text = await outcome(world.target, path)
    if path in methods.NO_AUTH:
        assert code in ("OK", "FAILED_PRECONDITION", "NOT_FOUND")  # the handler's own words
    elif path in methods.BLOCKED:
        assert (code, text) == ("PERMISSION_DENIED", "Method is not accessible")
    else:
        assert (code, text) == ("UNAUTHENTICATED", "Session or API key required")


@pytest.mark.parametrize("path", sorted(methods.BLOCKED))
async def test_blocked_methods_are_blocked_before_credentials_are_looked_at(world: World, path: str) -> None:
    for headers in ({}, {"x-textile-session": "wrong"}, {"authorization": "nonsense"}, world.user()):
        assert await outcome(world.target, path, headers) == ("PERMISSION_DENIED", "Method is not accessible")


async def test_sessions(world: World) -> None:
    assert await outcome(world.target, LIST, {"x-textile-session": world.session}) == OK
    assert await outcome(world.target, LIST, {"x-textile-session": "wrong"}) == (
        "UNAUTHENTICATED",
        "Invalid session",
    )


async def test_a_session_beats_an_api_key_even_when_it_is_bad(world: World) -> None:
    headers = {**world.user(), "x-textile-session": "wrong"}
    assert await outcome(world.target, LIST, headers) == ("UNAUTHENTICATED", "Invalid session")


async def test_an_organisation_needs_membership(world: World) -> None:
    headers = {"x-textile-session": world.session, "x-textile-org": "nobodys"}
    assert await outcome(world.target, LIST, headers) == (
        "PERMISSION_DENIED",
        "User is not an org member",
    )
    assert await outcome(world.target, LIST, {**headers, "x-textile-org": ""}) == OK
    assert await outcome(world.target, LIST, {**world.user(), "x-textile-org": "nobodys"}) == OK


async def test_sessions_slide_and_expire(world: World) -> None:
    day = 24 * 3600 * 10**9
    headers = {"x-textile-session": world.session}
    world.time[0] += 1259 * day
    assert await outcome(world.target, LIST, headers) == OK
    world.time[0] += 1259 * day
    assert await outcome(world.target, LIST, headers) == OK, "each call gives a session its full life again"
    world.time[0] += 1261 * day
    assert await outcome(world.target, LIST, headers) == ("UNAUTHENTICATED", "Expired session")


async def test_keys_that_are_unknown_or_invalidated(world: World) -> None:
    refused = ("NOT_FOUND", "API key not found or is invalid")
    assert await outcome(world.target, LIST, {"x-textile-api-key": "bnokey"}) == refused
    assert await outcome(world.target, LIST, world.user()) == OK
    await world.hub.invalidate_key(world.insecure["x-textile-api-key"])
    assert await outcome(world.target, LIST, world.user()) == refused


async def test_signatures_of_secure_keys(world: World) -> None:
    assert await outcome(world.target, LIST, world.signed()) == OK
    assert await outcome(world.target, LIST, world.signed("2030-03-17T19:46:40+01:00")) == OK
    assert await outcome(world.target, LIST, world.signed("2030-03-17T18:46:40.123456789Z")) == OK
    required = ("UNAUTHENTICATED", "API key signature required")
    bad = ("UNAUTHENTICATED", "Bad API key signature")
    unsigned = world.signed()
    del unsigned["x-textile-api-sig"]
    assert await outcome(world.target, LIST, unsigned) == required
    assert await outcome(world.target, LIST, {**world.signed(), "x-textile-api-sig": "?"}) == required
    assert await outcome(world.target, LIST, {**world.signed(), "x-textile-api-sig-msg": ""}) == required
    assert await outcome(world.target, LIST, world.signed(PAST)) == bad
    assert await outcome(world.target, LIST, world.signed("tomorrow")) == bad
    assert await outcome(world.target, LIST, {**world.signed(), "x-textile-api-sig": "bmzxw6"}) == bad
    altered = {**world.signed(), "x-textile-api-sig-msg": "2030-03-17T18:46:41Z"}
    assert await outcome(world.target, LIST, altered) == bad


async def test_a_signature_is_good_until_its_time_and_not_after(world: World) -> None:
    world.time[0] = NOW + 3600 * 10**9
    assert await outcome(world.target, LIST, world.signed()) == OK
    world.time[0] += 1_000_000
    assert await outcome(world.target, LIST, world.signed()) == ("UNAUTHENTICATED", "Bad API key signature")


async def test_our_own_signatures_are_taken(world: World) -> None:
    sig = create_api_sig(world.secret, datetime(2031, 1, 1, tzinfo=UTC))
    headers = world.signed() | {"x-textile-api-sig": sig.sig, "x-textile-api-sig-msg": sig.msg}
    assert await outcome(world.target, LIST, headers) == OK


async def test_insecure_keys_ignore_signatures(world: World) -> None:
    headers = world.user(**{"x-textile-api-sig": "?", "x-textile-api-sig-msg": "?"})
    assert await outcome(world.target, LIST, headers) == OK


async def test_user_group_keys_need_a_token(world: World) -> None:
    assert await outcome(world.target, LIST, world.insecure) == ("UNAUTHENTICATED", "Token required")
    assert await outcome(world.target, LIST, world.user(authorization="bearer nonsense")) == (
        "PERMISSION_DENIED",
        "Bad authorization",
    )
    forged = Tokens(Identity.generate(), lambda: NOW).issue(world.identity.public)
    assert await outcome(world.target, LIST, world.user(authorization=f"bearer {forged}")) == (
        "UNAUTHENTICATED",
        "invalid thread token",
    )


async def test_a_stale_token_does_not_stop_its_renewal(world: World) -> None:
    forged = Tokens(Identity.generate(), lambda: NOW).issue(world.identity.public)
    request = threads.GetTokenRequest(key=str(world.identity.public))
    headers = world.user(authorization=f"bearer {forged}")
    code, text = await outcome(world.target, THREADS + "GetToken", headers, request)
    assert (code, text) == ("UNKNOWN", "EOF"), "the challenge was sent; only its answer is missing"


async def test_account_keys_act_for_the_account_and_need_no_token(world: World) -> None:
    assert await outcome(world.target, LIST, world.account) == OK


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("nonsense", "Bad authorization string"),
        ("basic x", "Request unauthenticated with bearer"),
        (" x", "Request unauthenticated with bearer"),
    ],
)
async def test_a_malformed_authorization_header_fails_whatever_else_is_there(
    world: World, header: str, text: str
) -> None:
    for headers in (world.user(), {"x-textile-session": world.session}, world.account):
        got = await outcome(world.target, LIST, {**headers, "authorization": header})
        assert got == ("UNAUTHENTICATED", text)


async def test_only_the_first_of_repeated_headers_counts(world: World) -> None:
    headers = [*world.user().items(), ("x-textile-api-key", "bnokey"), ("x-textile-session", "")]
    assert await outcome(world.target, LIST, headers) == OK


async def test_unknown_headers_are_ignored(world: World) -> None:
    headers = world.user(host="https://example.org", **{"x-other": "?"})
    assert await outcome(world.target, LIST, headers) == OK


async def test_a_malformed_thread_header_counts_as_absent(world: World) -> None:
    headers = world.user(**{"x-textile-thread": "nonsense"})
    assert await outcome(world.target, LIST, headers) == OK
    assert await outcome(world.target, ROOT, headers) == ("UNKNOWN", "db required")


async def new_thread(world: World, headers: Headers) -> ThreadID:
    thread = ThreadID.random()
    await call(world.target, THREADS + "NewDB", headers, threads.NewDbRequest(db_id=bytes(thread)))
    return thread


async def test_a_thread_belongs_to_whoever_made_it(world: World) -> None:
    thread = await new_thread(world, world.user())
    info = threads.GetDbInfoRequest(db_id=bytes(thread))
    foreign = ("PERMISSION_DENIED", "User does not own thread")
    assert await outcome(world.target, INFO, world.user(), info) == OK
    other = world.user(authorization=f"bearer {await token_for(world, Identity.generate())}")
    assert await outcome(world.target, INFO, other, info) == foreign
    assert await outcome(world.target, INFO, world.account, info) == foreign
    absent = threads.GetDbInfoRequest(db_id=bytes(ThreadID.random()))
    assert await outcome(world.target, INFO, world.user(), absent) == foreign, "as if it were another's"
    headers = {**other, "x-textile-thread": str(thread)}
    assert await outcome(world.target, BUCKETS + "List", headers) == foreign
    assert await outcome(world.target, ROOT, headers) == ("UNKNOWN", "instance not found"), "open to others"
    assert await outcome(world.target, PUSH, headers) == OK, "nothing was sent, so nothing is refused"


async def test_a_user_group_key_sees_only_threads_made_with_it(world: World) -> None:
    thread = await new_thread(world, world.user())
    headers = world.signed()
    info = threads.GetDbInfoRequest(db_id=bytes(thread))
    assert await outcome(world.target, INFO, headers, info) == ("PERMISSION_DENIED", "Bad API key")
    in_thread = {**headers, "x-textile-thread": str(thread)}
    for path in (ROOT, PUSH, BUCKETS + "PullPath"):
        assert await outcome(world.target, path, in_thread) == ("PERMISSION_DENIED", "Bad API key")


async def test_sessions_and_account_keys_of_one_account_share_its_threads(world: World) -> None:
    thread = await new_thread(world, {"x-textile-session": world.session})
    info = threads.GetDbInfoRequest(db_id=bytes(thread))
    assert await outcome(world.target, INFO, world.account, info) == OK


@pytest.mark.parametrize(
    ("id_", "text"),
    [
        (b"", "reading varint: buffer too small"),
        (b"\x02\x55\x00", "expected 1 as the id version number, got: 2"),
        (b"\x01\x56\x00", "expected Raw or AccessControlled as the id variant, got: 86"),
        (b"\x01\x55", "expected random id bytes but there are none"),
    ],
)
async def test_a_malformed_thread_id_is_refused_before_the_handler(
    world: World, id_: bytes, text: str
) -> None:
    assert await outcome(world.target, INFO, world.user(), threads.GetDbInfoRequest(db_id=id_)) == (
        "UNKNOWN",
        text,
    )
    assert await outcome(world.target, THREADS + "NewDB", world.user(), threads.NewDbRequest(db_id=id_)) == (
        "UNKNOWN",
        text,
    )


async def test_names_and_numbers_of_threads(world: World) -> None:
    async def new(name: str) -> tuple[str, str]:
        headers = world.user(**{"x-textile-thread-name": name})
        return await outcome(
            world.target, THREADS + "NewDB", headers, threads.NewDbRequest(db_id=bytes(ThreadID.random()))
        )

    assert await new("a-b") == OK
    code, text = await new("A-B")
    assert code == "UNKNOWN"
    assert "E11000 duplicate key error" in text
    assert "multiple write errors" in text
    assert await new("a--b") == ("UNKNOWN", NAME_RULE)


async def test_a_refused_database_is_not_tracked(world: World) -> None:
    thread = ThreadID.random()
    headers = world.user(**{"x-textile-thread-name": "mine"})
    bad_key = threads.NewDbRequest(db_id=bytes(thread), key=b"short")
    assert await outcome(world.target, THREADS + "NewDB", headers, bad_key) == (
        "INVALID_ARGUMENT",
        "invalid key",
    )
    (listed,) = await call(world.target, LIST, headers)
    assert listed == users.ListThreadsResponse()


async def test_an_owner_has_only_so_many_threads() -> None:
    async with LocalHub.in_memory(HubSettings(max_threads=2)) as hub:
        account = await hub.create_account("owner")
        headers = {"x-textile-session": account.session}
        for expected in (OK, OK, ("UNKNOWN", "number of threads per owner exceeds quota")):
            request = threads.NewDbRequest(db_id=bytes(ThreadID.random()))
            assert await outcome(hub.target, THREADS + "NewDB", headers, request) == expected


async def test_threads_made_at_once_count_one_by_one() -> None:
    async with LocalHub.in_memory(HubSettings(max_threads=3)) as hub:
        account = await hub.create_account("owner")
        headers = {"x-textile-session": account.session}
        requests = [threads.NewDbRequest(db_id=bytes(ThreadID.random())) for _ in range(8)]
        outcomes = await asyncio.gather(
            *(outcome(hub.target, THREADS + "NewDB", headers, request) for request in requests)
        )
        (listed,) = await call(hub.target, LIST, headers)
    assert sorted(outcomes) == [OK] * 3 + [("UNKNOWN", "number of threads per owner exceeds quota")] * 5
    assert len(listed.list) == 3


async def test_a_database_with_buckets_is_not_deleted(world: World) -> None:
    thread = await new_thread(world, world.user())
    headers = world.user(**{"x-textile-thread": str(thread)})
    (created,) = await call(world.target, BUCKETS + "Create", headers, buckets.CreateRequest(name="b"))
    request = threads.DeleteDbRequest(db_id=bytes(thread))
    assert await outcome(world.target, THREADS + "DeleteDB", headers, request) == (
        "FAILED_PRECONDITION",
        "DB not empty (delete buckets first)",
    )
    await call(world.target, BUCKETS + "Remove", headers, buckets.RemoveRequest(key=created.root.key))
    assert await outcome(world.target, THREADS + "DeleteDB", headers, request) == OK
    (listed,) = await call(world.target, LIST, world.user())
    assert listed == users.ListThreadsResponse()


@pytest.mark.parametrize("path", sorted(path for path in METHODS if path.startswith(methods.POWERGATE)))
async def test_a_hub_without_filecoin_has_no_wallets(world: World, path: str) -> None:
    streams = METHODS[path].cardinality is not Cardinality.UNARY_UNARY
    name = path.rpartition("/")[2]
    assert await outcome(world.target, path, world.user()) == (
        ("UNIMPLEMENTED", f"method {name} not implemented")
        if streams
        else ("INTERNAL", "Powergate isn't enabled in Hub")
    )


async def test_a_bucket_daemon_turns_nobody_away() -> None:
    async with LocalHub.in_memory(HubSettings(mode="buckd")) as hub:
        assert await outcome(hub.target, THREADS + "ListDBs") == OK
        assert await outcome(hub.target, ROOT) == ("UNKNOWN", "db required")
        unknown = {"x-textile-thread": str(ThreadID.random())}
        assert await outcome(hub.target, ROOT, unknown) == ("NOT_FOUND", "thread not found")
        forged = Tokens(Identity.generate(), lambda: NOW).issue(Identity.generate().public)
        assert await outcome(hub.target, ROOT, {**unknown, "authorization": f"bearer {forged}"}) == (
            "UNKNOWN",
            "invalid thread token",
        )
        assert (await outcome(hub.target, LIST))[0] == "UNIMPLEMENTED"


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([], ("UNKNOWN", "EOF")),
        ([threads.GetTokenRequest()], ("INVALID_ARGUMENT", "Key is required")),
        ([threads.GetTokenRequest(signature=b"x")], ("INVALID_ARGUMENT", "Key is required")),
        ([threads.GetTokenRequest(key="bmzxw6")], None),
    ],
)
async def test_a_challenge_begins_with_a_key(
    world: World, messages: list[threads.GetTokenRequest], expected: tuple[str, str] | None
) -> None:
    got = await outcome(world.target, THREADS + "GetToken", world.insecure, *messages)
    if expected is None:
        assert got[0] == "UNKNOWN"
        assert got[1] not in ("EOF", "")
    else:
        assert got == expected


async def test_a_challenge_is_answered_with_a_signature(world: World) -> None:
    key = threads.GetTokenRequest(key=str(world.identity.public))
    path = THREADS + "GetToken"
    assert await outcome(world.target, path, world.insecure, key, key) == (
        "INVALID_ARGUMENT",
        "Signature is required",
    )
    for signature in (b"", b"short", bytes(64)):
        answer = threads.GetTokenRequest(signature=signature)
        assert await outcome(world.target, path, world.insecure, key, answer) == ("UNKNOWN", "bad signature")


async def test_a_challenge_has_its_time() -> None:
    async with LocalHub.in_memory(HubSettings(mode="buckd", challenge_timeout=0.05)) as hub:
        key = threads.GetTokenRequest(key=str(Identity.generate().public))
        got = await outcome(hub.target, THREADS + "GetToken", {}, key, half_close=False)
        assert got == ("DEADLINE_EXCEEDED", "Challenge deadline exceeded")
