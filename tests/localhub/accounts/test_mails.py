"""Who signs up or in shows that mail reaches them (spec: hub-accounts §5)."""

from __future__ import annotations

import asyncio
import logging
import re

import pytest

import textile_aio
from tests.localhub.accounts.postbox import office
from tests.suite.developers import refusal
from textile_aio import AuthContext, StatusCode, errors
from textile_aio.localhub import HubSettings, LocalHub, LogMailer, Mail

NOBODY = AuthContext()


async def test_the_link_in_the_mail_lets_in_and_works_once() -> None:
    async with office() as o:
        signing_up = o.signing_up("ann", "Ann <ann@test.com>")
        mail, path = await o.mail()
        assert mail.to == "ann@test.com"
        assert "ann" in mail.text
        assert re.fullmatch("/confirm/b[a-z2-7]{71}", path)
        page = await o.follow(path)
        assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        session = await signing_up
        assert (await o.client.accounts.session_info(session.context())).email == "Ann <ann@test.com>"
        assert (await o.follow(path)).status == 404


async def test_a_link_lets_in_nobody_else() -> None:
    async with office() as o:
        first = o.signing_up("ann")
        _, anns = await o.mail()
        second = o.signing_up("bo")
        _, bos = await o.mail()
        assert anns != bos
        await o.follow(bos)
        assert (await second).session
        for wrong in (bos, anns[:-1], anns + "a", anns.upper(), "/confirm/", "/confirm/hubsession"):
            assert (await o.follow(wrong)).status == 404
        assert not first.done()
        await o.follow(anns)
        await first


async def test_programs_that_look_at_links_do_not_follow_them() -> None:
    async with office() as o:
        signing_up = o.signing_up("ann")
        _, path = await o.mail()
        for method in ("HEAD", "OPTIONS", "POST", "PUT"):
            await o.follow(path, method=method)
        assert not signing_up.done()
        assert (await o.follow(path)).status == 200
        await signing_up


async def test_signing_in_takes_a_mail_to_the_accounts_address() -> None:
    async with office() as o:
        await o.sign_up("ann", "Ann <ann@test.com>")
        signing_in = asyncio.create_task(o.client.accounts.sign_in(NOBODY, "ann"))
        mail, path = await o.mail()
        assert mail.to == "ann@test.com"
        assert not signing_in.done()
        await o.follow(path)
        await signing_in


async def test_a_call_that_was_given_up_makes_no_account() -> None:
    async with office() as o:
        signing_up = o.signing_up("ann")
        _, path = await o.mail()
        signing_up.cancel()
        await asyncio.wait([signing_up])
        # The hub is told after the client has gone on; until then the link is good, and nobody is there.
        while (await o.follow(path)).status == 200:
            pass
        assert await refusal(o.client.accounts.sign_in(NOBODY, "nobody")) == ("NOT_FOUND", "User not found")


async def test_a_link_that_is_too_old_leads_nowhere() -> None:
    async with office(confirmation_seconds=0.05) as o:
        expected = ("UNAUTHENTICATED", "Could not verify email address")
        assert await refusal(o.client.accounts.sign_up(NOBODY, "ann", "ann@test.com")) == expected
        _, path = await o.mail()
        assert (await o.follow(path)).status == 404
        assert await refusal(o.client.accounts.sign_in(NOBODY, "ann")) == ("NOT_FOUND", "User not found")


async def test_a_mail_that_cannot_be_sent_is_the_end_of_it() -> None:
    async with office() as o:
        o.postbox.fails = errors.Unavailable("no mail server", code=StatusCode.UNAVAILABLE)
        signing = o.client.accounts.sign_up(NOBODY, "ann", "ann@test.com")
        with pytest.raises(errors.Unavailable, match="no mail server"):
            await signing
        o.postbox.fails = None
        await o.sign_up("ann")


async def test_names_and_addresses_are_looked_at_before_any_mail() -> None:
    async with office() as o:
        for name, email in (("-", "a@test.com"), ("ann", "nobody")):
            with pytest.raises(errors.InvalidInput):
                await o.client.accounts.sign_up(NOBODY, name, email)
        with pytest.raises(errors.NotFound):
            await o.client.accounts.sign_in(NOBODY, "ann")
        assert o.postbox.mails.empty()


async def test_whether_a_name_is_taken_is_told_to_people_with_an_address_only() -> None:
    async with office() as o:
        await o.sign_up("ann")
        again = o.signing_up("Ann", "other@test.com")
        _, path = await o.mail()
        await o.follow(path)
        assert await refusal(again) == ("FAILED_PRECONDITION", "Account exists")


async def test_an_invitation_is_mailed_and_its_link_makes_a_member() -> None:
    async with office() as o:
        ann, bo = await o.sign_up("ann"), await o.sign_up("bo", "Bo <bo@test.com>")
        acme = await o.client.accounts.create_org(ann.context(), "Acme & Sons")
        org = ann.context().with_org(acme.slug)
        token = await o.client.accounts.invite_to_org(org, "Bo <bo@test.com>")
        mail, path = await o.mail()
        assert mail.to == "bo@test.com"
        assert "Acme & Sons" in mail.subject + mail.text
        assert "ann" in mail.subject + mail.text
        assert path == f"/consent/{token}"
        for method in ("HEAD", "POST"):
            await o.follow(path, method=method)
        assert await o.client.accounts.list_orgs(bo.context()) == []
        assert (await o.follow(path)).status == 200
        assert [each.slug for each in await o.client.accounts.list_orgs(bo.context())] == [acme.slug]


async def test_the_page_of_an_invitation_takes_names_for_text() -> None:
    async with office() as o:
        ann = await o.sign_up("ann")
        acme = await o.client.accounts.create_org(ann.context(), "<script>alert(1)</script>")
        org = ann.context().with_org(acme.slug)
        token = await o.client.accounts.invite_to_org(org, '"<b>" <bo@test.com>')
        page = await o.follow(f"/consent/{token}")
        assert page.status == 200
        assert "<script>" not in page.text
        assert "<b>" not in page.text


async def test_one_address_gets_so_many_mails_a_minute() -> None:
    async with office(signs_each=3) as o:
        for number in range(3):
            task = o.signing_up(f"ann{number}", "ann@test.com")
            await o.mail()
            task.cancel()
        with pytest.raises(errors.ResourceExhausted, match="try again in") as caught:
            await o.client.accounts.sign_up(NOBODY, "ann", "Ann <ANN@test.com>")
        assert caught.value.code is StatusCode.RESOURCE_EXHAUSTED
        ann = await o.hub.create_account("host")
        key = AuthContext().with_session(ann.session)
        org = key.with_org((await o.client.accounts.create_org(key, "Acme")).slug)
        with pytest.raises(errors.ResourceExhausted):
            await o.client.accounts.invite_to_org(org, "ann@test.com")
        assert o.postbox.mails.empty()
        await o.sign_up("bo")
        o.clock.now += 21 * 10**9
        await o.sign_up("ann", "ann@test.com")


async def test_all_people_together_get_so_many_mails_a_minute() -> None:
    async with office(signs_together=2) as o:
        await o.sign_up("a")
        await o.sign_up("b")
        with pytest.raises(errors.ResourceExhausted):
            await o.client.accounts.sign_up(NOBODY, "c", "c@test.com")
        o.clock.now += 31 * 10**9
        await o.sign_up("c")


async def test_names_that_nobody_has_are_counted_as_well() -> None:
    async with office(signs_each=2) as o:
        for _ in range(2):
            with pytest.raises(errors.NotFound):
                await o.client.accounts.sign_in(NOBODY, "nobody")
        with pytest.raises(errors.ResourceExhausted):
            await o.client.accounts.sign_in(NOBODY, "Nobody")


async def test_an_account_without_an_address_is_not_signed_in_to_by_mail() -> None:
    async with office() as o:
        await o.hub.create_account("ann")
        assert await refusal(o.client.accounts.sign_in(NOBODY, "ann")) == ("NOT_FOUND", "User not found")


async def test_a_hub_without_a_mailer_lets_in_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async with LocalHub.in_memory() as hub, textile_aio.connect(hub.target) as client:
        with caplog.at_level(logging.WARNING):
            session = await client.accounts.sign_up(NOBODY, "ann", "ann@test.com")
            assert caplog.messages == ["ann is let in without a mail: this hub has no mailer"]
            caplog.clear()
            await client.accounts.sign_in(NOBODY, "ann")
            assert len(caplog.messages) == 1
        assert (await client.accounts.session_info(session.context())).username == "ann"


def test_links_need_a_gateway_to_lead_to() -> None:
    with pytest.raises(errors.InvalidInput, match="gateway"):
        HubSettings(mailer=LogMailer())


async def test_a_hub_may_print_its_links(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        await LogMailer().send(Mail("ann@test.com", "Hello", "follow http://127.0.0.1/confirm/link"))
    assert "ann@test.com" in caplog.text
    assert "http://127.0.0.1/confirm/link" in caplog.text


def test_mails_do_not_show_their_links() -> None:
    assert "link" not in repr(Mail("ann@test.com", "Hello", "link"))
