"""Organisations: their members and invitations (spec: hub-accounts §4.6, §5.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from textile_aio.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidInput,
    NotFound,
    PermissionDenied,
    StatusCode,
)
from textile_aio.identity import Identity
from textile_aio.localhub.accounts.addresses import mailbox
from textile_aio.localhub.accounts.closing import Closing
from textile_aio.localhub.accounts.credentials import make_token
from textile_aio.localhub.accounts.developers import new_account
from textile_aio.localhub.accounts.entrance import Entrance
from textile_aio.localhub.accounts.mailer import Mailer, invitation
from textile_aio.localhub.accounts.registry import Organisation, Registry
from textile_aio.localhub.accounts.slugs import slug
from textile_aio.localhub.live import LiveCalls
from textile_aio.storage.changes import (
    AddMember,
    Batch,
    CreateAccount,
    DeleteInvite,
    DeleteMember,
    Operation,
    PutInvite,
)
from textile_aio.storage.store import Duplicate, Missing, View
from textile_aio.storage.values import Account, AccountKind, Invite, Member, Role

_DAY = 24 * 60 * 60 * 1_000_000_000
_INVITE_LIFE = 210 * _DAY
_NAME_LENGTH = 1024


@dataclass(frozen=True, slots=True)
class Listed:
    """An organisation as it is shown: each member with the name it has now."""

    account: Account
    members: tuple[tuple[Member, str], ...]


class Consent(Enum):
    """What became of an invitation that somebody accepted."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    GIVEN = "given"


@dataclass(frozen=True, slots=True)
class Consented:
    """The outcome of following an invitation's link, with whom it was for and to what, if it is known."""

    consent: Consent
    email: str = ""
    organisation: str = ""


class Organisations:
    """Makes organisations, shows them, and lets developers in and out."""

    def __init__(
        self,
        registry: Registry,
        live: LiveCalls,
        closing: Closing,
        entrance: Entrance,
        *,
        mailer: Mailer | None,
        url: Callable[[], str],
    ) -> None:
        self._registry = registry
        self._live = live
        self._closing = closing
        self._entrance = entrance
        self._mailer = mailer
        self._url = url

    async def slug_for(self, name: str) -> str:
        """The slug that an organisation of this name would get.

        Raises:
            AlreadyExists: A developer or an organisation is called so, case included.
        """
        wanted = slug(name)
        found = await self._registry.store.read(lambda view: view.account_named(wanted))
        if found is not None and found.username == wanted:
            raise AlreadyExists(
                f"the name '{name}' is already taken", code=StatusCode.FAILED_PRECONDITION, about=name
            )
        return wanted

    async def create(self, name: str, founder: bytes) -> Listed:
        """Make an organisation whose one owner is its founder.

        Raises:
            InvalidInput: Nothing of the name can be part of a slug, or it is longer than any name.
            AlreadyExists: A developer or an organisation is called so, in any case.
            NotFound: The founder's account is gone.
        """
        wanted = slug(name)
        if not wanted or len(name) > _NAME_LENGTH:
            raise InvalidInput(f"name '{name}' is not available", code=StatusCode.UNKNOWN, about=name)
        registry = self._registry
        account = new_account(
            registry, Identity.generate(), AccountKind.ORGANISATION, username=wanted, name=name
        )
        owner = Member(account.public_key, founder, Role.OWNER)
        async with registry.store.turns.hold(founder):
            if await registry.account(founder) is None:
                raise NotFound("User not found", code=StatusCode.NOT_FOUND)
            try:
                await registry.store.apply_to_end(Batch((CreateAccount(account), AddMember(owner))))
            except Duplicate:
                raise AlreadyExists(
                    "multiple write errors: [{write errors: [{E11000 duplicate key error "
                    "collection: textile.accounts}]}]",
                    code=StatusCode.UNKNOWN,
                    about=name,
                ) from None
        registry.forget_organisation(wanted)
        return await self.show(account.public_key)

    async def show(self, org: bytes) -> Listed:
        """An organisation.

        Raises:
            NotFound: It is gone.
        """
        found = await self._registry.store.read(lambda view: _listed(view, org))
        if found is None:
            raise NotFound("Org not found", code=StatusCode.NOT_FOUND)
        return found

    async def of(self, developer: bytes) -> list[Listed]:
        """The organisations a developer is in, in the order it came to be."""

        def look(view: View) -> list[Listed]:
            found = (_listed(view, each.org) for each in view.memberships(developer))
            return [each for each in found if each is not None]

        return await self._registry.store.read(look)

    async def remove(self, organisation: Organisation, developer: bytes) -> None:
        """Take an organisation away with everything it owns.

        Raises:
            PermissionDenied: The developer is not its owner.
        """
        if organisation.role(developer) is not Role.OWNER:
            raise PermissionDenied("User must be an org owner", code=StatusCode.PERMISSION_DENIED)
        await self._closing.close(organisation.account.public_key)

    async def invite(self, organisation: Organisation, sender: bytes, email: str) -> str:
        """Invite whoever reads mail at an address; what the link that is mailed ends with.

        Raises:
            InvalidInput: It is no address.
            ResourceExhausted: Too many mails went there lately.
        """
        address = mailbox(email)
        self._entrance.admit_mail(address)
        registry, account = self._registry, organisation.account
        token = make_token(44)
        invite = Invite(
            id=registry.vault.name(token),
            org=account.public_key,
            sender=sender,
            email=email,
            accepted=False,
            expires_at=registry.clock() + _INVITE_LIFE,
        )
        # In the organisation's turn: whoever left meanwhile has left no invitation behind.
        async with registry.store.turns.hold(account.public_key):
            await self._require_member(account.public_key, sender)
            await registry.store.apply_to_end(Batch((PutInvite(invite),)))
        if self._mailer is not None:
            by = await registry.store.read(lambda view: view.account(sender))
            link = f"{self._url()}/consent/{token}"
            try:
                await self._mailer.send(invitation(address, by.username if by else "", account.name, link))
            except Exception:
                # Nobody knows how it ends, and nobody ever will.
                await registry.store.apply_to_end(Batch((DeleteInvite(invite.id),)))
                raise
        return token

    async def leave(self, organisation: Organisation, developer: bytes) -> None:
        """Let a member go, and withdraw the invitations it sent.

        Raises:
            FailedPrecondition: It is the owner.
        """
        if organisation.role(developer) is Role.OWNER:
            raise FailedPrecondition("an org must have at least one owner", code=StatusCode.UNKNOWN)
        org, slug_ = organisation.account.public_key, organisation.account.username

        def left() -> None:
            self._registry.forget_organisation(slug_)
            self._live.end((org, developer))

        async with self._registry.store.turns.hold(org):
            await self._registry.change(Batch((DeleteMember(org, developer),)), left)

    async def consent(self, token: str) -> Consented:
        """Accept an invitation: a member at once where the address has an account, otherwise on sign-up."""
        registry = self._registry
        id_ = registry.vault.name(token)
        invite = await registry.store.read(lambda view: view.invite(id_))
        if invite is None:
            return Consented(Consent.UNKNOWN)
        turns = registry.store.turns
        async with turns.hold(invite.org), turns.hold(("address", invite.email)):
            outcome, slug_, operations = await registry.store.read(
                lambda view: _consent(view, id_, registry.clock())
            )
            try:
                if operations:
                    await registry.change(
                        Batch(tuple(operations)), lambda: registry.forget_organisation(slug_)
                    )
            except Missing:  # an account went away meanwhile
                return Consented(Consent.UNKNOWN)
        return outcome

    async def _require_member(self, org: bytes, developer: bytes) -> None:
        members = await self._registry.store.read(lambda view: view.members(org))
        if all(each.account != developer for each in members):
            raise PermissionDenied("User is not an org member", code=StatusCode.PERMISSION_DENIED)


def _listed(view: View, org: bytes) -> Listed | None:
    account = view.account(org)
    if account is None:
        return None
    named = ((member, view.account(member.account)) for member in view.members(org))
    return Listed(account, tuple((member, each.username) for member, each in named if each is not None))


def _consent(view: View, id_: str, now: int) -> tuple[Consented, str, list[Operation]]:
    """What becomes of an invitation, the organisation's slug, and what has to be written."""
    invite = view.invite(id_)
    org = view.account(invite.org) if invite is not None else None
    if invite is None or org is None:
        return Consented(Consent.UNKNOWN), "", []
    given = Consented(Consent.GIVEN, invite.email, org.name)
    if invite.accepted:
        return given, org.username, []
    if invite.expires_at < now:
        return Consented(Consent.EXPIRED), org.username, [DeleteInvite(id_)]
    account = view.account_by_email(invite.email) or _exactly(view, invite.email)
    if account is None or account.kind is not AccountKind.DEVELOPER:
        return given, org.username, [PutInvite(replace(invite, accepted=True))]
    member = Member(org.public_key, account.public_key, Role.MEMBER)
    return given, org.username, [AddMember(member), DeleteInvite(id_)]


def _exactly(view: View, username: str) -> Account | None:
    found = view.account_named(username)
    return found if found is not None and found.username == username else None
