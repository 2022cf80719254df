"""What the accounts client sends, what it gives back, and what it makes of answers no hub should give."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from grpclib import GRPCError
from grpclib.const import Status
from grpclib.server import Stream

from tests.fakehub import CTX, FakeHub, connected, received
from textile_aio import (
    AccountType,
    ApiKey,
    ApiKeyNotFound,
    AuthContext,
    BillingPeriod,
    BuildInfo,
    EmailNotConfirmed,
    HubClient,
    Identity,
    InvalidInput,
    KeyType,
    Org,
    OrgMember,
    OrgName,
    OrgRole,
    ProtocolError,
    Session,
    SessionInfo,
    Unavailable,
    Unimplemented,
)
from textile_aio._proto.api.billingd import pb as billingd
from textile_aio._proto.api.hubd import pb
from textile_aio._rpc.method import Method
from textile_aio.accounts import _convert, _methods

ANN, ACME = Identity.generate(), Identity.generate()
SESSION = "bsession"
KEY = pb.KeyInfo(key="bkey", secret="bmfza", type=pb.KeyType.USER, valid=True, threads=3, secure=True)
ORG = pb.OrgInfo(
    key=ACME.public.bytes,
    name="Acme & Sons",
    slug="Acme-and-Sons",
    host="http://127.0.0.1:8006",
    members=[pb.OrgInfoMember(key=ANN.public.bytes, username="ann", role="owner")],
    created_at=1_600_000_000,
)
ACME_ORG = Org(
    ACME.public,
    name="Acme & Sons",
    slug="Acme-and-Sons",
    host="http://127.0.0.1:8006",
    members=(OrgMember(ANN.public, username="ann", role=OrgRole.OWNER),),
    created_at=datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC),
)
API_KEY = ApiKey("bkey", secret="bmfza", type=KeyType.USER, secure=True, valid=True, threads=3)
ANN_SIGNED_IN = Session(ANN.public, SESSION)

Call = Callable[[HubClient], Awaitable[Any]]

EXCHANGES: list[tuple[Method[Any, Any], Call, Any, Any, Any]] = [
    (
        _methods.BUILD_INFO,
        lambda hub: hub.accounts.build_info(CTX),
        pb.BuildInfoRequest(),
        pb.BuildInfoResponse(
            git_commit="c", git_branch="b", git_state="s", git_summary="y", build_date="d", version="v"
        ),
        BuildInfo("v", git_commit="c", git_branch="b", git_state="s", git_summary="y", build_date="d"),
    ),
    (
        _methods.SIGN_UP,
        lambda hub: hub.accounts.sign_up(AuthContext(), "ann", "ann@example.com"),
        pb.SignupRequest(username="ann", email="ann@example.com"),
        pb.SignupResponse(key=ANN.public.bytes, session=SESSION),
        ANN_SIGNED_IN,
    ),
    (
        _methods.SIGN_IN,
        lambda hub: hub.accounts.sign_in(AuthContext(), "ann"),
        pb.SigninRequest(username_or_email="ann"),
        pb.SigninResponse(key=ANN.public.bytes, session=SESSION),
        ANN_SIGNED_IN,
    ),
    (
        _methods.SIGN_OUT,
        lambda hub: hub.accounts.sign_out(CTX),
        pb.SignoutRequest(),
        pb.SignoutResponse(),
        None,
    ),
    (
        _methods.SESSION_INFO,
        lambda hub: hub.accounts.session_info(CTX),
        pb.GetSessionInfoRequest(),
        pb.GetSessionInfoResponse(key=ANN.public.bytes, username="ann", email="ann@example.com"),
        SessionInfo(ANN.public, username="ann", email="ann@example.com"),
    ),
    (
        _methods.IDENTITY,
        lambda hub: hub.accounts.identity(CTX),
        pb.GetIdentityRequest(),
        pb.GetIdentityResponse(identity=ANN.bytes),
        ANN,
    ),
    (
        _methods.CREATE_KEY,
        lambda hub: hub.accounts.create_key(CTX, KeyType.USER),
        pb.CreateKeyRequest(type=pb.KeyType.USER, secure=True),
        pb.CreateKeyResponse(key_info=KEY),
        API_KEY,
    ),
    (
        _methods.CREATE_KEY,
        lambda hub: hub.accounts.create_key(CTX, secure=False),
        pb.CreateKeyRequest(type=pb.KeyType.ACCOUNT, secure=False),
        pb.CreateKeyResponse(key_info=pb.KeyInfo(key="bkey", secret="bmfza", type=pb.KeyType.UNSPECIFIED)),
        ApiKey("bkey", secret="bmfza", type=KeyType.ACCOUNT, secure=False, valid=False, threads=0),
    ),
    (
        _methods.LIST_KEYS,
        lambda hub: hub.accounts.list_keys(CTX),
        pb.ListKeysRequest(),
        pb.ListKeysResponse(list=[KEY, KEY]),
        [API_KEY, API_KEY],
    ),
    (
        _methods.INVALIDATE_KEY,
        lambda hub: hub.accounts.invalidate_key(CTX, "bkey"),
        pb.InvalidateKeyRequest(key="bkey"),
        pb.InvalidateKeyResponse(),
        None,
    ),
    (
        _methods.INVALIDATE_KEY,
        lambda hub: hub.accounts.invalidate_key(CTX, API_KEY),
        pb.InvalidateKeyRequest(key="bkey"),
        pb.InvalidateKeyResponse(),
        None,
    ),
    (
        _methods.CREATE_ORG,
        lambda hub: hub.accounts.create_org(CTX, "Acme & Sons"),
        pb.CreateOrgRequest(name="Acme & Sons"),
        pb.CreateOrgResponse(org_info=ORG),
        ACME_ORG,
    ),
    (
        _methods.ORG,
        lambda hub: hub.accounts.org(CTX),
        pb.GetOrgRequest(),
        pb.GetOrgResponse(org_info=ORG),
        ACME_ORG,
    ),
    (
        _methods.LIST_ORGS,
        lambda hub: hub.accounts.list_orgs(CTX),
        pb.ListOrgsRequest(),
        pb.ListOrgsResponse(list=[ORG]),
        [ACME_ORG],
    ),
    (
        _methods.REMOVE_ORG,
        lambda hub: hub.accounts.remove_org(CTX),
        pb.RemoveOrgRequest(),
        pb.RemoveOrgResponse(),
        None,
    ),
    (
        _methods.INVITE_TO_ORG,
        lambda hub: hub.accounts.invite_to_org(CTX, "bo@example.com"),
        pb.InviteToOrgRequest(email="bo@example.com"),
        pb.InviteToOrgResponse(token="btoken"),
        "btoken",
    ),
    (
        _methods.LEAVE_ORG,
        lambda hub: hub.accounts.leave_org(CTX),
        pb.LeaveOrgRequest(),
        pb.LeaveOrgResponse(),
        None,
    ),
    (
        _methods.SETUP_BILLING,
        lambda hub: hub.accounts.setup_billing(CTX),
        pb.SetupBillingRequest(),
        pb.SetupBillingResponse(),
        None,
    ),
    (
        _methods.BILLING_SESSION,
        lambda hub: hub.accounts.billing_session(CTX),
        pb.GetBillingSessionRequest(),
        pb.GetBillingSessionResponse(url="https://pay.example"),
        "https://pay.example",
    ),
    (
        _methods.IS_USERNAME_AVAILABLE,
        lambda hub: hub.accounts.is_username_available(AuthContext(), "ann"),
        pb.IsUsernameAvailableRequest(username="ann"),
        pb.IsUsernameAvailableResponse(),
        True,
    ),
    (
        _methods.IS_ORG_NAME_AVAILABLE,
        lambda hub: hub.accounts.is_org_name_available(CTX, "Acme & Sons"),
        pb.IsOrgNameAvailableRequest(name="Acme & Sons"),
        pb.IsOrgNameAvailableResponse(slug="Acme-and-Sons", host="http://127.0.0.1:8006"),
        OrgName("Acme-and-Sons", host="http://127.0.0.1:8006"),
    ),
    (
        _methods.DESTROY_ACCOUNT,
        lambda hub: hub.accounts.destroy_account(CTX),
        pb.DestroyAccountRequest(),
        pb.DestroyAccountResponse(),
        None,
    ),
]


@pytest.mark.parametrize(
    ("method", "call", "request_", "reply", "value"),
    EXCHANGES,
    ids=[exchange[0].path.rpartition("/")[2] for exchange in EXCHANGES],
)
async def test_a_call_sends_its_request_and_gives_its_value(
    method: Method[Any, Any], call: Call, request_: Any, reply: Any, value: Any
) -> None:
    fake = FakeHub()
    requests = fake.answer(method, reply)
    async with connected(fake) as hub:
        got = await call(hub)
    assert requests == [request_]
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize("method", [_methods.SIGN_UP, _methods.SIGN_IN])
@pytest.mark.parametrize(("given", "told"), [(None, 3600), (7.0, 7)])
async def test_a_person_has_an_hour_whatever_the_clients_default_is(
    method: Method[Any, Any], given: float | None, told: int
) -> None:
    left: list[float | None] = []

    async def handle(stream: Stream[Any, Any]) -> None:
        await received(stream)
        left.append(stream.deadline.time_remaining() if stream.deadline else None)
        await stream.send_message(method.reply(key=ANN.public.bytes, session=SESSION))

    fake = FakeHub()
    fake.on(method, handle)
    async with connected(fake) as hub:
        accounts = type(hub.accounts)(hub.accounts._channel, timeout=0.5)
        if method is _methods.SIGN_UP:
            await accounts.sign_up(AuthContext(), "ann", "ann@example.com", timeout=given)
        else:
            await accounts.sign_in(AuthContext(), "ann", timeout=given)
    (seconds,) = left
    assert seconds is not None
    assert told - 5 < seconds <= told + 1


async def test_contexts_come_from_what_the_hub_gave_out() -> None:
    assert ANN_SIGNED_IN.context() == AuthContext().with_session(SESSION)
    assert API_KEY.context() == AuthContext().with_api_key("bkey", "bmfza")
    assert (await ANN_SIGNED_IN.context().with_org(ACME_ORG.slug).metadata()).items() >= {
        ("x-textile-session", SESSION),
        ("x-textile-org", "Acme-and-Sons"),
    }


def test_credentials_are_not_shown() -> None:
    assert SESSION not in repr(ANN_SIGNED_IN)
    assert "bkey" not in repr(API_KEY)
    assert "bmfza" not in repr(API_KEY)


async def test_an_error_does_not_repeat_the_key_it_is_about() -> None:
    fake = FakeHub()
    fake.answer(_methods.INVALIDATE_KEY, GRPCError(Status.UNKNOWN, "mongo: no documents in result"))
    async with connected(fake) as hub:
        with pytest.raises(ApiKeyNotFound) as caught:
            await hub.accounts.invalidate_key(CTX, "bsecretkey")
    assert "bsecretkey" not in repr(caught.value) + str(caught.value) + str(vars(caught.value))


@pytest.mark.parametrize("value", [ANN_SIGNED_IN, API_KEY, ACME_ORG])
def test_values_pickle_copy_and_hash(value: Any) -> None:
    assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == value
    assert hash(copy.deepcopy(value)) == hash(value)


async def test_a_name_that_is_taken_is_no_and_any_other_refusal_is_raised() -> None:
    fake = FakeHub()
    fake.answer(
        _methods.IS_USERNAME_AVAILABLE,
        GRPCError(Status.FAILED_PRECONDITION, "username 'ann' is not available"),
    )
    async with connected(fake) as hub:
        assert await hub.accounts.is_username_available(CTX, "ann") is False
    for status, text, kind in [
        (Status.FAILED_PRECONDITION, "username may only contain alphanumeric characters", InvalidInput),
        (Status.UNAVAILABLE, "no", Unavailable),
        (Status.UNIMPLEMENTED, "no", Unimplemented),
    ]:
        fake = FakeHub()
        fake.answer(_methods.IS_USERNAME_AVAILABLE, GRPCError(status, text))
        async with connected(fake) as hub:
            with pytest.raises(kind):
                await hub.accounts.is_username_available(CTX, "ann")


async def test_who_did_not_follow_the_link_is_told_so() -> None:
    fake = FakeHub()
    fake.answer(_methods.SIGN_UP, GRPCError(Status.UNAUTHENTICATED, "Could not verify email address"))
    async with connected(fake) as hub:
        with pytest.raises(EmailNotConfirmed, match="follow the link"):
            await hub.accounts.sign_up(CTX, "ann", "ann@example.com")


CUSTOMER = billingd.GetCustomerResponse(
    key=str(ANN.public),
    customer_id="cus_1",
    parent_key=str(ACME.public),
    email="ann@example.com",
    account_type=2,
    account_status="a",
    subscription_status="s",
    balance=-5,
    billable=True,
    delinquent=True,
    created_at=1_600_000_000,
    grace_period_end=1_600_000_001,
    invoice_period=billingd.Period(unix_start=0, unix_end=1_600_000_000),
    daily_usage={"stored_data": billingd.Usage(description="d", units=1, total=2, free=3, grace=4, cost=0.5)},
    dependents=7,
)


async def test_a_page_of_customers_keeps_everything() -> None:
    fake = FakeHub()
    requests = fake.answer(
        _methods.LIST_BILLING_USERS,
        pb.ListBillingUsersResponse(
            users=[CUSTOMER, billingd.GetCustomerResponse(key=str(ANN.public))], next_offset=9
        ),
    )
    async with connected(fake) as hub:
        page = await hub.accounts.list_billing_users(CTX, offset=3, limit=2)
    assert requests == [pb.ListBillingUsersRequest(offset=3, limit=2)]
    full, bare = page.users
    at = datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)
    assert page.next_offset == 9
    assert (full.public_key, full.parent_key, full.account_type) == (
        ANN.public,
        ACME.public,
        AccountType.USER,
    )
    assert (full.created_at, full.invoice_period) == (at, BillingPeriod(datetime(1970, 1, 1, tzinfo=UTC), at))
    usage = full.daily_usage["stored_data"]
    assert (usage.units, usage.total, usage.free, usage.grace, usage.cost, usage.period) == (
        1,
        2,
        3,
        4,
        0.5,
        None,
    )
    assert (full.balance, full.billable, full.delinquent, full.dependents) == (-5, True, True, 7)
    assert (bare.parent_key, bare.created_at, bare.grace_period_end, bare.invoice_period) == (None,) * 4
    assert pickle.loads(pickle.dumps(page)) == page
    assert isinstance(hash(page), int)


MALFORMED: list[tuple[Callable[[], Any], str]] = [
    (lambda: _convert.session(pb.SignupResponse(key=b"\x00", session="s")), "malformed key of an account"),
    (lambda: _convert.session(pb.SignupResponse(key=ANN.public.bytes)), "session that cannot be sent back"),
    (
        lambda: _convert.session(pb.SigninResponse(key=ANN.public.bytes, session="hush\n")),
        "session that cannot be sent back",
    ),
    (lambda: _convert.session_info(pb.GetSessionInfoResponse()), "malformed key of an account"),
    (lambda: _convert.identity(pb.GetIdentityResponse(identity=ANN.public.bytes)), "malformed private key"),
    (lambda: _convert.api_key(None), "no API key"),
    (lambda: _convert.api_key(pb.KeyInfo()), "no API key"),
    (lambda: _convert.api_key(pb.KeyInfo(key="k", type=pb.KeyType(9))), "unknown type of API key: 9"),
    (lambda: _convert.org(None), "no organisation"),
    (lambda: _convert.org(pb.OrgInfo(key=b"x")), "malformed key of an organisation"),
    (
        lambda: _convert.org(pb.OrgInfo(key=ACME.public.bytes, created_at=2**62)),
        "a date that is none",
    ),
    (
        lambda: _convert.org(pb.OrgInfo(key=ACME.public.bytes, members=[pb.OrgInfoMember(key=b"x")])),
        "malformed key of a member",
    ),
    (
        lambda: _convert.org(
            pb.OrgInfo(key=ACME.public.bytes, members=[pb.OrgInfoMember(key=ANN.public.bytes, role="king")])
        ),
        "unknown role: 'king'",
    ),
    (
        lambda: _convert.billing_users(
            pb.ListBillingUsersResponse(users=[billingd.GetCustomerResponse(key="zz")])
        ),
        "malformed key of a customer",
    ),
    (
        lambda: _convert.billing_users(
            pb.ListBillingUsersResponse(
                users=[billingd.GetCustomerResponse(key=str(ANN.public), account_type=3)]
            )
        ),
        "unknown type of account: 3",
    ),
]


@pytest.mark.parametrize(("convert", "text"), MALFORMED)
def test_what_is_no_such_value_is_the_hubs_fault(convert: Callable[[], Any], text: str) -> None:
    with pytest.raises(ProtocolError, match=text) as caught:
        convert()
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda hub: hub.accounts.build_info("ctx"),
        lambda hub: hub.accounts.sign_up(CTX, 1, "a@b"),
        lambda hub: hub.accounts.sign_up(CTX, "a", None),
        lambda hub: hub.accounts.sign_in(CTX, "\ud800"),
        lambda hub: hub.accounts.create_key(CTX, 2),
        lambda hub: hub.accounts.create_key(CTX, KeyType.USER, secure="yes"),
        lambda hub: hub.accounts.invalidate_key(CTX, None),
        lambda hub: hub.accounts.create_org(CTX, b"x"),
        lambda hub: hub.accounts.org(None),
        lambda hub: hub.accounts.invite_to_org(CTX, 1),
        lambda hub: hub.accounts.is_username_available(CTX, 1),
        lambda hub: hub.accounts.is_org_name_available(CTX, 1),
        lambda hub: hub.accounts.list_billing_users(CTX, offset=-1),
        lambda hub: hub.accounts.list_billing_users(CTX, limit=2**63),
        lambda hub: hub.accounts.list_billing_users(CTX, limit=1.5),
    ],
)
async def test_arguments_of_the_wrong_type_are_refused_before_anything_is_sent(call: Call) -> None:
    fake = FakeHub()
    async with connected(fake) as hub:
        with pytest.raises(InvalidInput):
            await call(hub)
    assert fake.called == []


def test_only_what_may_be_done_twice_is_repeated() -> None:
    safe = {
        value.path.rpartition("/")[2]
        for value in vars(_methods).values()
        if isinstance(value, Method) and value.safe
    }
    assert safe == {
        "BuildInfo",
        "GetSessionInfo",
        "GetIdentity",
        "ListKeys",
        "InvalidateKey",
        "GetOrg",
        "ListOrgs",
        "ListBillingUsers",
        "IsUsernameAvailable",
        "IsOrgNameAvailable",
    }
    every = {value.path for value in vars(_methods).values() if isinstance(value, Method)}
    assert every == set(pb.ApiServiceBase().__mapping__())
