"""Accounts, keys, organisations and invitations against a model, under random sequences of calls."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import textile_aio
from tests.stateful.people_model import Developer, PeopleModel, Refused
from textile_aio import AuthContext, HubClient, KeyType, errors
from textile_aio.localhub import HubSettings, LocalHub

T = TypeVar("T")

NOBODY = AuthContext()
_LOOKED_AT = 3
"""Of those that are over: each is soon looked at several times."""

DAY = 24 * 60 * 60 * 10**9

# Few names, so that they meet; a name that differs in case only, and one for both kinds.
names = st.sampled_from(["ann", "Ann", "bob", "acme"])
emails = st.sampled_from(["a@x.y", "A@x.y", "Bob <b@x.y>"])
slugs = st.sampled_from(["acme", "ACME", "ann", "Our-org"])
picks = st.integers(0, 1_000_000)


class PeopleMachine(RuleBasedStateMachine):
    """A hub and one client, on a loop of the machine's own."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.exits = AsyncExitStack()
        self.model = PeopleModel()
        self.over: list[str] = []  # sessions that have ended
        self.withdrawn: list[str] = []  # keys of owners who are gone
        self.client: HubClient
        self.hub: LocalHub
        self.do(self.start())

    def clock(self) -> int:
        return (20_000 + self.model.day) * DAY

    def settings(self) -> HubSettings:
        return HubSettings(clock=self.clock, signs_each=None, refusals_each=None, fsync=False)

    async def start(self) -> None:
        await self.serve(LocalHub.in_memory(self.settings()))

    async def serve(self, hub: LocalHub) -> None:
        self.hub = await self.exits.enter_async_context(hub)
        self.client = await self.exits.enter_async_context(textile_aio.connect(hub.target))

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.do(self.exits.aclose())
        self.runner.close()

    def same(self, expected: Callable[[], object], work: Coroutine[Any, Any, T]) -> T | None:
        """Do both; they succeed or fail alike. The outcome, None for a refusal."""
        refusal = ""
        try:
            expected()
        except Refused as refused:
            refusal = refused.name
        if not refusal:
            return self.do(work)
        with pytest.raises(errors.TextileError) as caught:
            self.do(work)
        kinds = {each.__name__ for each in type(caught.value).__mro__}
        assert refusal in kinds, f"{caught.value!r} instead of {refusal}"
        return None

    def developer(self, pick: int) -> tuple[str, Developer, AuthContext]:
        name = sorted(self.model.developers)[pick % len(self.model.developers)]
        found = self.model.developers[name]
        sessions = sorted(found.sessions)
        return name, found, NOBODY.with_session(sessions[pick % len(sessions)])

    def anybody(self) -> bool:
        return bool(self.model.developers)

    @rule(name=names, email=emails)
    def sign_up(self, name: str, email: str) -> None:
        made = self.same(
            lambda: self.model.sign_up(name, email), self.client.accounts.sign_up(NOBODY, name, email)
        )
        if made is not None:
            self.model.developers[name].sessions.add(made.session)

    @rule(known=names | emails)
    def sign_in(self, known: str) -> None:
        name = known if known in self.model.developers else self.model.with_email(known)

        def expected() -> None:
            if not name:
                raise Refused("NotFound")

        made = self.same(expected, self.client.accounts.sign_in(NOBODY, known))
        if made is not None:
            self.model.developers[name].sessions.add(made.session)

    @precondition(anybody)
    @rule(pick=picks)
    def sign_out(self, pick: int) -> None:
        _, found, ctx = self.developer(pick)
        if len(found.sessions) < 2:
            return
        session = sorted(found.sessions)[pick % len(found.sessions)]
        self.do(self.client.accounts.sign_out(ctx))
        found.sessions.remove(session)
        self.over.append(session)

    @precondition(anybody)
    @rule(pick=picks, slug=slugs | st.just(""))
    def create_key(self, pick: int, slug: str) -> None:
        name, found, ctx = self.developer(pick)
        owner = self.model.organisations.get(slug, found) if slug else found
        made = self.same(
            lambda: slug and self.model.act_for(name, slug),
            self.client.accounts.create_key(
                ctx.with_org(slug) if slug else ctx, KeyType.ACCOUNT, secure=False
            ),
        )
        if made is not None:
            owner.keys[made.key] = True

    @precondition(anybody)
    @rule(pick=picks, which=picks)
    def invalidate_key(self, pick: int, which: int) -> None:
        _, found, ctx = self.developer(pick)
        owners = [*self.model.developers.values(), *self.model.organisations.values()]
        keys = [(owner, key) for owner in owners for key in owner.keys]
        if not keys:
            return
        owner, key = keys[which % len(keys)]

        def expected() -> None:
            if owner is not found:
                raise Refused("PermissionDenied")
            owner.keys[key] = False

        self.same(expected, self.client.accounts.invalidate_key(ctx, key))

    @precondition(anybody)
    @rule(pick=picks, slug=slugs)
    def create_org(self, pick: int, slug: str) -> None:
        name, _, ctx = self.developer(pick)
        self.same(lambda: self.model.create_org(slug, name), self.client.accounts.create_org(ctx, slug))

    @precondition(anybody)
    @rule(pick=picks, slug=slugs)
    def remove_org(self, pick: int, slug: str) -> None:
        name, _, ctx = self.developer(pick)
        org = self.model.organisations.get(slug)
        self.same(
            lambda: self.model.remove_org(name, slug), self.client.accounts.remove_org(ctx.with_org(slug))
        )
        if org is not None and slug not in self.model.organisations:
            self.withdrawn += org.keys

    @precondition(anybody)
    @rule(pick=picks, slug=slugs, email=emails)
    def invite(self, pick: int, slug: str, email: str) -> None:
        name, _, ctx = self.developer(pick)
        token = self.same(
            lambda: self.model.act_for(name, slug),
            self.client.accounts.invite_to_org(ctx.with_org(slug), email),
        )
        if token is not None:
            self.model.invite(token, name, slug, email)

    @precondition(lambda self: self.model.invites)
    @rule(pick=picks)
    def consent(self, pick: int) -> None:
        tokens = sorted(self.model.invites)
        token = tokens[pick % len(tokens)]
        assert self.hub._accounts is not None
        outcome = self.do(self.hub._accounts.organisations.consent(token))
        assert outcome.consent.value == self.model.consent(token)

    @precondition(anybody)
    @rule(pick=picks, slug=slugs)
    def leave(self, pick: int, slug: str) -> None:
        name, _, ctx = self.developer(pick)
        self.same(lambda: self.model.leave(name, slug), self.client.accounts.leave_org(ctx.with_org(slug)))

    @precondition(anybody)
    @rule(pick=picks)
    def destroy(self, pick: int) -> None:
        name, found, ctx = self.developer(pick)
        self.same(lambda: self.model.destroy(name), self.client.accounts.destroy_account(ctx))
        if name not in self.model.developers:
            self.over += found.sessions
            self.withdrawn += found.keys

    @rule(days=st.sampled_from([1, 100, 211]))
    def days_pass(self, days: int) -> None:
        self.model.day += days

    @invariant()
    def everybody_is_who_they_are(self) -> None:
        self.do(self.look())

    async def look(self) -> None:
        accounts = self.client.accounts
        for name, found in self.model.developers.items():
            for session in found.sessions:
                ctx = NOBODY.with_session(session)
                info = await accounts.session_info(ctx)
                assert (info.username, info.email) == (name, found.email)
            assert {key.key: key.valid for key in await accounts.list_keys(ctx)} == found.keys
            orgs = {org.slug: org for org in await accounts.list_orgs(ctx)}
            mine = {slug: org for slug, org in self.model.organisations.items() if name in org.members}
            assert orgs.keys() == mine.keys()
            for slug, org in mine.items():
                members = [(each.username, each.role.value) for each in orgs[slug].members]
                assert members == [(each, "owner" if each == org.owner else "member") for each in org.members]
                listed = await accounts.list_keys(ctx.with_org(slug))
                assert {key.key: key.valid for key in listed} == org.keys
            for slug in self.model.organisations.keys() - mine.keys():
                with pytest.raises(errors.PermissionDenied):
                    await accounts.org(ctx.with_org(slug))
        for session in self.over[-_LOOKED_AT:]:
            with pytest.raises(errors.InvalidSession):
                await accounts.session_info(NOBODY.with_session(session))
        owners = [*self.model.developers.values(), *self.model.organisations.values()]
        keys = {key: valid for owner in owners for key, valid in owner.keys.items()}
        for key, valid in {**keys, **dict.fromkeys(self.withdrawn[-_LOOKED_AT:], False)}.items():
            ctx = NOBODY.with_api_key(key)
            if valid:
                await accounts.list_keys(ctx)
            else:
                with pytest.raises(errors.ApiKeyNotFound):
                    await accounts.list_keys(ctx)


class RestartingPeopleMachine(PeopleMachine):
    """The same on disk, with restarts in between."""

    async def start(self) -> None:
        folder = self.exits.enter_context(tempfile.TemporaryDirectory())
        self.path = Path(folder) / "hub"
        self.served = AsyncExitStack()
        self.exits.push_async_callback(lambda: self.served.aclose())
        await self.open()

    async def open(self) -> None:
        self.hub = await self.served.enter_async_context(LocalHub.open(self.path, self.settings()))
        self.client = await self.served.enter_async_context(textile_aio.connect(self.hub.target))

    @rule()
    def restart(self) -> None:
        self.do(self.served.aclose())
        self.do(self.open())


COMMON = settings(deadline=None, suppress_health_check=list(HealthCheck))
TestPeople = PeopleMachine.TestCase
TestPeople.settings = settings(COMMON, max_examples=25, stateful_step_count=40)
TestPeopleOnDisk = RestartingPeopleMachine.TestCase
TestPeopleOnDisk.settings = settings(COMMON, max_examples=5, stateful_step_count=30)
