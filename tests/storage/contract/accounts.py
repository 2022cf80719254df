"""What every store does with accounts and what belongs to them."""

from __future__ import annotations

from dataclasses import replace

from tests.storage.contract.applying import do, refusal
from tests.storage.rows import DB, OTHER, account, api_key, invite, name_key, thread, tracked
from textile_aio.storage.changes import (
    AddMember,
    Batch,
    CreateAccount,
    CreateThread,
    DeleteAccount,
    DeleteInvite,
    DeleteMember,
    PutApiKey,
    PutInvite,
    PutNameKey,
    PutSession,
    TrackThread,
    UntrackThread,
)
from textile_aio.storage.store import Missing, Store
from textile_aio.storage.values import Member, Role, Session


class AccountContract:
    """Needs a fixture ``store``: an empty store."""

    def test_an_account_is_found_by_its_very_email(self, store: Store) -> None:
        do(store, CreateAccount(account(b"a", "a", "A@b.c")), CreateAccount(account(b"b")))
        found = store.read(lambda v: [v.account_by_email(each) for each in ("A@b.c", "a@b.c", "")])
        assert found == [account(b"a", "a", "A@b.c"), None, None]

    def test_sessions_are_found_by_account(self, store: Store) -> None:
        do(store, PutSession(Session("t", b"a", 1)), PutSession(Session("s", b"a", 1)))
        do(store, PutSession(Session("u", b"b", 1)), PutSession(Session("t", b"b", 2)))
        assert store.read(lambda v: [each.id for each in v.sessions_of(b"a")]) == ["s"]
        assert store.read(lambda v: [each.id for each in v.sessions_of(b"b")]) == ["t", "u"]

    def test_members_come_in_order_and_stay_as_they_came(self, store: Store) -> None:
        do(store, *(CreateAccount(account(key)) for key in (b"a", b"b", b"org", b"other")))
        first, second = Member(b"org", b"b", Role.OWNER), Member(b"org", b"a", Role.MEMBER)
        do(store, AddMember(first), AddMember(second), AddMember(Member(b"other", b"b", Role.OWNER)))
        do(store, AddMember(Member(b"org", b"b", Role.MEMBER)))
        assert store.read(lambda v: v.members(b"org")) == [first, second]
        assert store.read(lambda v: [each.org for each in v.memberships(b"b")]) == [b"org", b"other"]
        for stranger in (Member(b"no", b"a", Role.MEMBER), Member(b"org", b"no", Role.MEMBER)):
            error = refusal(store, Batch((AddMember(stranger),)))
            assert isinstance(error, Missing)
            assert error.what == "account"

    def test_who_leaves_takes_the_invites_along_that_they_sent(self, store: Store) -> None:
        do(store, *(CreateAccount(account(key)) for key in (b"a", b"b", b"org", b"other")))
        do(store, *(AddMember(Member(b"org", key, Role.MEMBER)) for key in (b"a", b"b")))
        mine, elsewhere, another = invite("1"), invite("2", b"other"), invite("3", sender=b"b")
        do(store, PutInvite(mine), PutInvite(elsewhere), PutInvite(another))
        do(store, DeleteMember(b"org", b"a"), DeleteMember(b"org", b"a"))
        assert store.read(lambda v: [each.account for each in v.members(b"org")]) == [b"b"]
        assert store.read(lambda v: v.invites_to("x@y.z")) == [elsewhere, another]

    def test_invites_are_replaced_found_and_deleted(self, store: Store) -> None:
        do(store, CreateAccount(account(b"org")))
        accepted = replace(invite("1"), accepted=True)
        do(store, PutInvite(invite("1")), PutInvite(accepted), PutInvite(invite("2", email="X@y.z")))
        assert store.read(lambda v: (v.invite("1"), v.invites_to("x@y.z"))) == (accepted, [accepted])
        do(store, DeleteInvite("1"), DeleteInvite("1"))
        assert store.read(lambda v: v.invite("1")) is None
        error = refusal(store, Batch((PutInvite(invite("9", b"no")),)))
        assert isinstance(error, Missing)

    def test_rows_about_threads_are_counted_by_key(self, store: Store) -> None:
        do(store, TrackThread(tracked(b"u", DB, key="k")), TrackThread(tracked(b"v", DB, key="k")))
        do(store, TrackThread(tracked(b"w", DB)), TrackThread(tracked(b"u", OTHER, key="l")))
        assert store.read(lambda v: [v.tracked_with(key) for key in ("k", "l", "m", "")]) == [2, 1, 0, 0]
        do(store, UntrackThread(b"u", DB))
        assert store.read(lambda v: v.tracked_with("k")) == 1

    def test_an_account_goes_with_all_that_is_its_own(self, store: Store) -> None:
        do(store, *(CreateAccount(account(key, key.decode(), key.decode())) for key in (b"a", b"b", b"org")))
        do(store, PutSession(Session("s", b"a", 1)), PutSession(Session("t", b"b", 1)))
        do(store, PutApiKey(api_key("k", b"a")), PutApiKey(api_key("l", b"b")))
        do(store, *(AddMember(Member(b"org", key, Role.MEMBER)) for key in (b"a", b"b")))
        do(store, PutInvite(invite("1")), PutInvite(invite("2", sender=b"b")))
        own, of_a_user, shared, of_others = b"t1", b"t2", b"t3", b"t4"
        for id_ in (own, of_a_user, shared, of_others):
            do(store, CreateThread(thread(id_)), PutNameKey(name_key(id_.decode(), id_)))
        do(store, TrackThread(tracked(b"a", own, "n")), TrackThread(tracked(b"user", of_a_user, key="k")))
        do(store, TrackThread(tracked(b"a", shared)), TrackThread(tracked(b"user", shared, key="l")))
        do(store, TrackThread(tracked(b"b", of_others)))
        do(store, DeleteAccount(b"a"), DeleteAccount(b"a"), DeleteAccount(b"never"))
        assert store.read(lambda v: [each.public_key for each in v.accounts()]) == [b"b", b"org"]
        assert store.read(lambda v: (v.account(b"a"), v.account_named("a"), v.account_by_email("a"))) == (
            None,
            None,
            None,
        )
        assert store.read(lambda v: (v.session("s"), v.sessions_of(b"a"), v.api_keys(b"a"))) == (None, [], [])
        assert store.read(lambda v: v.api_key("k")) is None
        assert store.read(lambda v: v.session("t")) is not None
        assert store.read(lambda v: [each.account for each in v.members(b"org")]) == [b"b"]
        assert store.read(lambda v: [each.id for each in v.invites_to("x@y.z")]) == ["2"]
        assert store.read(lambda v: [each.id for each in v.threads()]) == [shared, of_others]
        assert store.read(lambda v: [v.name_key(each.decode()) is None for each in (own, shared)]) == [
            True,
            False,
        ]
        assert store.read(lambda v: [each.thread for each in v.tracked_by(b"user")]) == [shared]
        do(store, CreateAccount(account(b"a", "a", "a")))
        do(store, DeleteAccount(b"org"))
        assert store.read(lambda v: (v.members(b"org"), v.invites_to("x@y.z"))) == ([], [])
