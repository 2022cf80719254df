"""A hub that has no way to ask people lets them in on its own machine, and nowhere else."""

from __future__ import annotations

import pytest

import textile_aio
from textile_aio import AuthContext, FailedPrecondition, InvalidInput
from textile_aio.localhub import HubSettings, LocalHub

PUBLIC = "hub.example"


async def test_a_hub_of_ones_own_lets_in_at_once_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async with LocalHub.in_memory() as hub, textile_aio.connect(hub.target) as client:
        made = await client.accounts.sign_up(AuthContext(), "ann", "ann@example.com")
        assert (await client.accounts.session_info(made.context())).username == "ann"
        assert (await client.accounts.sign_in(AuthContext(), "ann")).public_key == made.public_key
    assert "ann is let in without a mail: this hub has no mailer" in caplog.text


async def test_a_hub_that_others_reach_lets_in_nobody_without_a_mailer() -> None:
    async with LocalHub.in_memory(HubSettings(public_host=PUBLIC)) as hub:
        made = await hub.create_account("ann", "ann@example.com")  # its operator can
        async with textile_aio.connect(f"127.0.0.1:{hub.target.rpartition(':')[2]}") as client:
            with pytest.raises(FailedPrecondition, match="its operator makes accounts"):
                await client.accounts.sign_up(AuthContext(), "bo", "bo@example.com")
            with pytest.raises(FailedPrecondition, match="its operator makes accounts"):
                await client.accounts.sign_in(AuthContext(), "ann")
            info = await client.accounts.session_info(AuthContext().with_session(made.session))
            assert info.username == "ann"


def test_a_secret_that_all_know_is_for_loopback() -> None:
    HubSettings(confirmation_secret="hubsession")
    with pytest.raises(InvalidInput, match="for a hub on loopback"):
        HubSettings(confirmation_secret="hubsession", public_host=PUBLIC)
