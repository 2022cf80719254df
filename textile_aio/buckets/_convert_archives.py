"""Archives and their settings: messages of ``api.bucketsd.pb`` to values of ours, and back."""

from __future__ import annotations

from textile_aio._proto.api.bucketsd import pb
from textile_aio.buckets.archives import (
    Archive,
    ArchiveConfig,
    ArchiveRenew,
    Archives,
    ArchiveStatus,
    DealInfo,
)
from textile_aio.errors import ProtocolError


def archives(message: pb.Archives | pb.ArchivesResponse | None) -> Archives:
    """The value of Root's archives, and of Archives' answer. An archive without a CID is none."""
    if message is None:
        return Archives()
    current = message.current
    return Archives(
        current=archive(current) if current is not None and current.cid else None,
        history=tuple(map(archive, message.history)),
    )


def archive(message: pb.Archive) -> Archive:
    """The value of one archive."""
    try:
        status = ArchiveStatus(message.archive_status)
    except ValueError:
        raise ProtocolError(
            f"the hub sent an unknown archive status, {int(message.archive_status)}", about=message.cid
        ) from None
    return Archive(
        message.cid,
        job_id=message.job_id,
        status=status,
        aborted=message.aborted,
        aborted_message=message.aborted_msg,
        failure_message=message.failure_msg,
        created_at_s=message.created_at,
        deals=tuple(map(_deal, message.deal_info)),
    )


def config(message: pb.ArchiveConfig | None) -> ArchiveConfig:
    """The value of DefaultArchiveConfig's answer."""
    if message is None:
        raise ProtocolError("the hub answered without an archive config")
    renew = message.renew or pb.ArchiveRenew()
    return ArchiveConfig(
        rep_factor=message.rep_factor,
        deal_min_duration=message.deal_min_duration,
        excluded_miners=tuple(message.excluded_miners),
        trusted_miners=tuple(message.trusted_miners),
        country_codes=tuple(message.country_codes),
        renew=ArchiveRenew(enabled=renew.enabled, threshold=renew.threshold),
        max_price=message.max_price,
        fast_retrieval=message.fast_retrieval,
        deal_start_offset=message.deal_start_offset,
        verified_deal=message.verified_deal,
    )


def config_message(value: ArchiveConfig) -> pb.ArchiveConfig:
    """What is sent for a config."""
    return pb.ArchiveConfig(
        rep_factor=value.rep_factor,
        deal_min_duration=value.deal_min_duration,
        excluded_miners=list(value.excluded_miners),
        trusted_miners=list(value.trusted_miners),
        country_codes=list(value.country_codes),
        renew=pb.ArchiveRenew(enabled=value.renew.enabled, threshold=value.renew.threshold),
        max_price=value.max_price,
        fast_retrieval=value.fast_retrieval,
        deal_start_offset=value.deal_start_offset,
        verified_deal=value.verified_deal,
    )


def _deal(message: pb.DealInfo) -> DealInfo:
    return DealInfo(
        message.proposal_cid,
        miner=message.miner,
        state_id=message.state_id,
        state_name=message.state_name,
        piece_cid=message.piece_cid,
        size=message.size,
        price_per_epoch=message.price_per_epoch,
        start_epoch=message.start_epoch,
        duration=message.duration,
        deal_id=message.deal_id,
        activation_epoch=message.activation_epoch,
        message=message.message,
    )
