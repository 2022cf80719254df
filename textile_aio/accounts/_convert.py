"""From the messages of ``api.hubd.pb`` to values of ours.

What cannot be such a value is the hub's fault: ProtocolError. Its message never repeats a session, a key or a
secret.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final, TypeVar

from textile_aio._apisig import header_value
from textile_aio._proto.api.billingd import pb as billingd
from textile_aio._proto.api.hubd import pb
from textile_aio.accounts.billing import (
    AccountType,
    BillingCustomer,
    BillingPeriod,
    BillingUsage,
    BillingUsers,
)
from textile_aio.accounts.values import (
    ApiKey,
    BuildInfo,
    KeyType,
    Org,
    OrgMember,
    OrgName,
    OrgRole,
    Session,
    SessionInfo,
)
from textile_aio.errors import InvalidCredential, InvalidKey, ProtocolError
from textile_aio.identity import Identity, PublicKey

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_Kind = TypeVar("_Kind", bound=Enum)


def build_info(message: pb.BuildInfoResponse) -> BuildInfo:
    """What the hub says it is."""
    return BuildInfo(
        message.version,
        git_commit=message.git_commit,
        git_branch=message.git_branch,
        git_state=message.git_state,
        git_summary=message.git_summary,
        build_date=message.build_date,
    )


def session(message: pb.SignupResponse | pb.SigninResponse) -> Session:
    """The session that a sign-up or sign-in has opened.

    Raises:
        ProtocolError: The account's key is malformed, or the session cannot be sent back.
    """
    public = _public_key(bytes(message.key), "an account")
    try:
        header_value("session", message.session)
    except InvalidCredential:
        raise ProtocolError("the hub sent a session that cannot be sent back", about=str(public)) from None
    return Session(public, message.session)


def session_info(message: pb.GetSessionInfoResponse) -> SessionInfo:
    """Whose the caller's session is.

    Raises:
        ProtocolError: The account's key is malformed.
    """
    return SessionInfo(
        _public_key(bytes(message.key), "an account"), username=message.username, email=message.email
    )


def identity(message: pb.GetIdentityResponse) -> Identity:
    """An account's key pair.

    Raises:
        ProtocolError: It is malformed.
    """
    try:
        return Identity.from_bytes(bytes(message.identity))
    except InvalidKey as error:
        raise ProtocolError(f"the hub sent a malformed private key: {error.message}") from None


def api_key(message: pb.KeyInfo | None) -> ApiKey:
    """An API key.

    Raises:
        ProtocolError: It is missing, or of an unknown type.
    """
    if message is None or not message.key:
        raise ProtocolError("the hub sent no API key")
    number = int(message.type) or KeyType.ACCOUNT  # hubs take unspecified for account, too
    return ApiKey(
        message.key,
        secret=message.secret,
        type=_known(KeyType, number, "type of API key"),
        secure=message.secure,
        valid=message.valid,
        threads=message.threads,
    )


def org(message: pb.OrgInfo | None) -> Org:
    """An organisation.

    Raises:
        ProtocolError: It is missing, or a key, a role or its date is malformed.
    """
    if message is None:
        raise ProtocolError("the hub sent no organisation")
    return Org(
        _public_key(bytes(message.key), "an organisation", about=message.slug),
        name=message.name,
        slug=message.slug,
        host=message.host,
        members=tuple(
            OrgMember(
                _public_key(bytes(member.key), "a member", about=message.slug),
                username=member.username,
                role=_known(OrgRole, member.role, "role", about=message.slug),
            )
            for member in message.members
        ),
        created_at=_date(message.created_at),
    )


def org_name(message: pb.IsOrgNameAvailableResponse) -> OrgName:
    """What a name would be as an organisation's."""
    return OrgName(message.slug, host=message.host)


def billing_users(message: pb.ListBillingUsersResponse) -> BillingUsers:
    """A page of customers.

    Raises:
        ProtocolError: A key, a type or a date is malformed.
    """
    return BillingUsers(tuple(map(customer, message.users)), next_offset=message.next_offset)


def customer(message: billingd.GetCustomerResponse) -> BillingCustomer:
    """A customer.

    Raises:
        ProtocolError: A key, a type or a date is malformed.
    """
    return BillingCustomer(
        _public_key_of_text(message.key),
        customer_id=message.customer_id,
        parent_key=_public_key_of_text(message.parent_key) if message.parent_key else None,
        email=message.email,
        account_type=_known(AccountType, message.account_type, "type of account", about=message.key),
        account_status=message.account_status,
        subscription_status=message.subscription_status,
        balance=message.balance,
        billable=message.billable,
        delinquent=message.delinquent,
        created_at=_date(message.created_at) if message.created_at else None,
        grace_period_end=_date(message.grace_period_end) if message.grace_period_end else None,
        invoice_period=_period(message.invoice_period),
        daily_usage=usages(message.daily_usage.items()),
        dependents=message.dependents,
    )


def usages(messages: Iterable[tuple[str, billingd.Usage]]) -> dict[str, BillingUsage]:
    """What was used, by product.

    Raises:
        ProtocolError: A date is malformed.
    """
    return {
        product: BillingUsage(
            usage.description,
            units=usage.units,
            total=usage.total,
            free=usage.free,
            grace=usage.grace,
            cost=usage.cost,
            period=_period(usage.period),
        )
        for product, usage in messages
    }


def _period(message: billingd.Period | None) -> BillingPeriod | None:
    if message is None:
        return None
    return BillingPeriod(_date(message.unix_start), _date(message.unix_end))


def _public_key(data: bytes, whose: str, *, about: str = "") -> PublicKey:
    try:
        return PublicKey.from_bytes(data)
    except InvalidKey as error:
        raise ProtocolError(
            f"the hub sent a malformed key of {whose}: {error.message}", about=about
        ) from error


def _public_key_of_text(text: str) -> PublicKey:
    try:
        return PublicKey.from_string(text)
    except InvalidKey as error:
        raise ProtocolError(
            f"the hub sent a malformed key of a customer: {error.message}", about=text
        ) from error


def _known(kind: type[_Kind], value: object, what: str, *, about: str = "") -> _Kind:
    try:
        return kind(value)
    except ValueError:
        raise ProtocolError(f"the hub sent an unknown {what}: {value!r}", about=about) from None


def _date(seconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise ProtocolError(f"the hub sent a date that is none: {seconds} seconds after 1970") from None
