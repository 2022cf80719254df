"""What hubs that bill say about their customers, as values of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from enum import IntEnum

from textile_aio.identity import PublicKey


class AccountType(IntEnum):
    """What kind of account a customer has: a DEVELOPER, an ORGANISATION, or an application's USER."""

    DEVELOPER = 0
    ORGANISATION = 1
    USER = 2


@dataclass(frozen=True, slots=True)
class BillingPeriod:
    """From when to when something is counted.

    Attributes:
        start: Its beginning, UTC.
        end: Its end, UTC.
    """

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class BillingUsage:
    """What was used of one product, and what it costs.

    Attributes:
        description: The product, for people.
        units: How many units of it are billed.
        total: How much was used: bytes, or reads or writes.
        free: How much of that is free.
        grace: How much more may be used before payment is set up.
        cost: In US dollars.
        period: What it was counted for; None if the hub does not say.
    """

    description: str
    _: KW_ONLY
    units: int
    total: int
    free: int
    grace: int
    cost: float
    period: BillingPeriod | None


@dataclass(frozen=True, slots=True)
class BillingCustomer:
    """An account as the hub's billing knows it.

    Attributes:
        public_key: The account's.
        customer_id: Its id at the payment service.
        parent_key: The account that pays for it; None if it pays itself.
        email: Where bills go.
        account_type: What kind of account it is.
        account_status: Of the account, in the hub's words.
        subscription_status: Of the subscription, in those of the payment service.
        balance: In cents; below zero where the customer has credit.
        billable: Whether payment is set up.
        delinquent: Whether a bill is overdue.
        created_at: When it became a customer, UTC; None if unknown.
        grace_period_end: Until when more than the free quota may be used unpaid, UTC; None if that has not
            begun.
        invoice_period: What the next bill is for; None before the first.
        daily_usage: What was used today, by product: ``stored_data``, ``network_egress``, ``instance_reads``
            and ``instance_writes``.
        dependents: How many users it pays for.
    """

    public_key: PublicKey
    _: KW_ONLY
    customer_id: str
    parent_key: PublicKey | None
    email: str
    account_type: AccountType
    account_status: str
    subscription_status: str
    balance: int
    billable: bool
    delinquent: bool
    created_at: datetime | None
    grace_period_end: datetime | None
    invoice_period: BillingPeriod | None
    daily_usage: Mapping[str, BillingUsage] = field(hash=False)
    dependents: int


@dataclass(frozen=True, slots=True)
class BillingUsers:
    """A page of the users that an account pays for.

    Attributes:
        users: In the order they became customers.
        next_offset: What to give as ``offset`` for the next page.
    """

    users: tuple[BillingCustomer, ...]
    _: KW_ONLY
    next_offset: int
