"""What hubs with archiving on Filecoin say and are told about it, as values.

Plain data. The numbers are those of the chain and are passed on as they are.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime
from enum import IntEnum


class ArchiveStatus(IntEnum):
    """How far one archive is."""

    UNSPECIFIED = 0
    QUEUED = 1
    EXECUTING = 2
    FAILED = 3
    CANCELED = 4
    SUCCESS = 5


@dataclass(frozen=True, slots=True)
class ArchiveRenew:
    """Whether deals that are about to end are made anew.

    Attributes:
        enabled: Whether they are.
        threshold: How many epochs before the end.
    """

    _: KW_ONLY
    enabled: bool = False
    threshold: int = 0


@dataclass(frozen=True, slots=True)
class ArchiveConfig:
    """How deals for an archive are to be made. The defaults are those of Go hubs (spec: buckets-api §12).

    Attributes:
        rep_factor: How many copies.
        deal_min_duration: Epochs of 30 seconds that a deal lasts; hubs take no less than 518,400.
        excluded_miners: Miners that are not asked.
        trusted_miners: Miners that are asked first.
        country_codes: ISO 3166-1 alpha-2 codes of the countries miners may be in; empty for any.
        renew: Whether ending deals are made anew.
        max_price: The most to pay, in attoFIL for each GiB and epoch.
        fast_retrieval: Whether miners keep an unsealed copy.
        deal_start_offset: Epochs from the proposal in which the deal has to begin.
        verified_deal: Whether deals use the wallet's verified allowance.
    """

    _: KW_ONLY
    rep_factor: int = 1
    deal_min_duration: int = 518_400
    excluded_miners: tuple[str, ...] = ()
    trusted_miners: tuple[str, ...] = ()
    country_codes: tuple[str, ...] = ()
    renew: ArchiveRenew = ArchiveRenew()
    max_price: int = 100_000_000_000
    fast_retrieval: bool = True
    deal_start_offset: int = 8_640
    verified_deal: bool = False


@dataclass(frozen=True, slots=True)
class DealInfo:
    """A storage deal as the chain and the miner report it.

    Attributes:
        proposal_cid: Names the proposal.
        miner: Who stores.
        state_id: The state by number.
        state_name: The state by name.
        piece_cid: Names what is stored.
        size: Bytes of the piece.
        price_per_epoch: In attoFIL.
        start_epoch: When the deal begins.
        duration: In epochs.
        deal_id: The number of the deal on the chain.
        activation_epoch: When it was seen on the chain.
        message: What the miner said.
    """

    proposal_cid: str
    _: KW_ONLY
    miner: str
    state_id: int = 0
    state_name: str = ""
    piece_cid: str = ""
    size: int = 0
    price_per_epoch: int = 0
    start_epoch: int = 0
    duration: int = 0
    deal_id: int = 0
    activation_epoch: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Archive:
    """One attempt to store a bucket on Filecoin.

    Attributes:
        cid: The root that was archived.
        job_id: Names the attempt at the hub's Powergate.
        status: How far it is.
        aborted: Whether it was given up.
        aborted_message: Why.
        failure_message: Why it failed.
        created_at_s: When it began, in seconds since 1970; 0 where the hub did not say so.
        deals: The deals it made.
    """

    cid: str
    _: KW_ONLY
    job_id: str = ""
    status: ArchiveStatus = ArchiveStatus.UNSPECIFIED
    aborted: bool = False
    aborted_message: str = ""
    failure_message: str = ""
    created_at_s: int = 0
    deals: tuple[DealInfo, ...] = ()

    @property
    def created_at(self) -> datetime:
        """:attr:`created_at_s` as a time in UTC."""
        return datetime.fromtimestamp(self.created_at_s, UTC)


@dataclass(frozen=True, slots=True)
class Archives:
    """The archives of a bucket.

    Attributes:
        current: The last one, None if the bucket was never archived.
        history: Those before it, in the order the hub gives them.
    """

    _: KW_ONLY
    current: Archive | None = None
    history: tuple[Archive, ...] = ()
