"""Archives as values: nothing is lost on the way, whatever a hub with Filecoin says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from tests.buckets.fakebucket import KEY
from tests.fakehub import CTX, FakeHub, connected
from textile_aio import (
    Archive,
    ArchiveConfig,
    ArchiveRenew,
    Archives,
    ArchiveStatus,
    AuthContext,
    DealInfo,
    InvalidInput,
    ProtocolError,
    Unimplemented,
)
from textile_aio._proto.api.bucketsd import pb
from textile_aio.buckets import _convert_archives, _methods

CONFIG = ArchiveConfig(
    rep_factor=2,
    excluded_miners=("f01",),
    trusted_miners=("f02", "f03"),
    country_codes=("CH",),
    renew=ArchiveRenew(enabled=True, threshold=3),
    max_price=2**64 - 1,
    fast_retrieval=False,
    verified_deal=True,
)
DEAL = DealInfo(
    "proposal",
    miner="f02",
    state_id=1,
    state_name="Active",
    piece_cid="piece",
    size=2,
    price_per_epoch=3,
    start_epoch=4,
    duration=5,
    deal_id=6,
    activation_epoch=7,
    message="well",
)
DISABLED = GRPCError(Status.UNKNOWN, "archiving feature is disabled")


def archive_message(cid: str, status: int = 5) -> pb.Archive:
    deal = pb.DealInfo(
        proposal_cid="proposal",
        miner="f02",
        state_id=1,
        state_name="Active",
        piece_cid="piece",
        size=2,
        price_per_epoch=3,
        start_epoch=4,
        duration=5,
        deal_id=6,
        activation_epoch=7,
        message="well",
    )
    return pb.Archive(
        cid=cid,
        job_id="job",
        archive_status=pb.ArchiveStatus(status),
        aborted=True,
        aborted_msg="why",
        failure_msg="how",
        created_at=1_614_600_000,
        deal_info=[deal],
    )


def archive(cid: str) -> Archive:
    return Archive(
        cid,
        job_id="job",
        status=ArchiveStatus.SUCCESS,
        aborted=True,
        aborted_message="why",
        failure_message="how",
        created_at_s=1_614_600_000,
        deals=(DEAL,),
    )


async def test_a_config_goes_and_comes_whole() -> None:
    fake = FakeHub()
    sent = fake.answer(_methods.SET_ARCHIVE_CONFIG, pb.SetDefaultArchiveConfigResponse())
    archived = fake.answer(_methods.ARCHIVE, pb.ArchiveResponse())
    fake.answer(
        _methods.ARCHIVE_CONFIG,
        pb.DefaultArchiveConfigResponse(archive_config=_convert_archives.config_message(CONFIG)),
    )
    async with connected(fake) as hub:
        await hub.buckets.set_default_archive_config(CTX, KEY, CONFIG)
        assert await hub.buckets.default_archive_config(CTX, KEY) == CONFIG
        await hub.buckets.archive(CTX, KEY, config=CONFIG, skip_automatic_verified_deal=True)
        await hub.buckets.archive(CTX, KEY)
    assert _convert_archives.config(sent[0].archive_config) == CONFIG
    assert _convert_archives.config(archived[0].archive_config) == CONFIG
    assert archived[0].skip_automatic_verified_deal
    assert archived[1].archive_config is None


async def test_archives_come_whole_and_need_no_thread() -> None:
    fake = FakeHub()
    reply = pb.ArchivesResponse(current=archive_message("now"), history=[archive_message("then")])
    fake.answer(_methods.ARCHIVES, reply)
    async with connected(fake) as hub:
        archives = await hub.buckets.archives(AuthContext(), KEY)
    assert archives == Archives(current=archive("now"), history=(archive("then"),))
    assert archives.current is not None
    assert archives.current.created_at == datetime(2021, 3, 1, 12, tzinfo=UTC)


def test_an_archive_without_a_cid_is_none() -> None:
    assert _convert_archives.archives(pb.Archives(current=pb.Archive())) == Archives()
    assert _convert_archives.archives(None) == Archives()


def test_an_unknown_status_is_the_hubs_fault() -> None:
    with pytest.raises(ProtocolError, match="unknown archive status, 9"):
        _convert_archives.archive(archive_message("now", 9))


async def test_the_log_comes_line_by_line() -> None:
    fake = FakeHub()

    async def lines(stream: object) -> None:
        await stream.recv_message()  # type: ignore[attr-defined]
        for line in ("one", "two"):
            await stream.send_message(pb.ArchiveWatchResponse(msg=line))  # type: ignore[attr-defined]

    fake.on(_methods.ARCHIVE_WATCH, lines)
    async with connected(fake) as hub:
        assert [line async for line in hub.buckets.archive_watch(CTX, KEY)] == ["one", "two"]


async def test_a_hub_without_filecoin_says_so() -> None:
    fake = FakeHub()
    for method in (_methods.ARCHIVE, _methods.ARCHIVE_CONFIG, _methods.SET_ARCHIVE_CONFIG):
        fake.answer(method, DISABLED)
    async with connected(fake) as hub:
        with pytest.raises(Unimplemented, match="archiving feature is disabled"):
            await hub.buckets.archive(CTX, KEY)
        with pytest.raises(Unimplemented, match="archiving feature is disabled"):
            await hub.buckets.default_archive_config(CTX, KEY)
        with pytest.raises(Unimplemented, match="archiving feature is disabled"):
            await hub.buckets.set_default_archive_config(CTX, KEY, CONFIG)
        with pytest.raises(InvalidInput, match="the config"):
            await hub.buckets.archive(CTX, KEY, config={})  # type: ignore[arg-type]
