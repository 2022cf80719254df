"""What accounts, keys, organisations and invitations should do, as dictionaries (spec: hub-accounts §4, 5.2).

Knows names and tokens, nothing of hubs, stores or messages.
"""

from __future__ import annotations

from dataclasses import dataclass, field

INVITE_DAYS = 210


class Refused(Exception):
    """The call fails with the error of this name, and changes nothing."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass
class Owner:
    """A developer or an organisation: keys by their text, and whether they are good."""

    keys: dict[str, bool] = field(default_factory=dict)


@dataclass
class Developer(Owner):
    email: str = ""
    sessions: set[str] = field(default_factory=set)


@dataclass
class Organisation(Owner):
    owner: str = ""
    members: list[str] = field(default_factory=list)  # the owner first, then in the order they came


@dataclass
class Invite:
    org: str
    sender: str
    email: str
    expires: int
    accepted: bool = False


@dataclass
class PeopleModel:
    """Everything by name; ``day`` is the present one."""

    day: int = 0
    developers: dict[str, Developer] = field(default_factory=dict)
    organisations: dict[str, Organisation] = field(default_factory=dict)
    invites: dict[str, Invite] = field(default_factory=dict)

    def name_is_taken(self, name: str) -> bool:
        return name.lower() in {each.lower() for each in (*self.developers, *self.organisations)}

    def sign_up(self, name: str, email: str) -> None:
        if self.name_is_taken(name) or self.with_email(email):
            raise Refused("AlreadyExists")
        self.developers[name] = Developer(email=email)
        for token, invite in list(self.invites.items()):
            if invite.email != email:
                continue
            if invite.accepted:
                self._join(invite.org, name)
            if invite.accepted or invite.expires < self.day:
                del self.invites[token]

    def create_org(self, slug: str, founder: str) -> None:
        if self.name_is_taken(slug):
            raise Refused("AlreadyExists")
        self.organisations[slug] = Organisation(owner=founder, members=[founder])

    def act_for(self, name: str, slug: str) -> Organisation:
        found = self.organisations.get(slug)
        if found is None or name not in found.members:
            raise Refused("PermissionDenied")
        return found

    def remove_org(self, name: str, slug: str) -> None:
        if self.act_for(name, slug).owner != name:
            raise Refused("PermissionDenied")
        del self.organisations[slug]
        self.invites = {token: each for token, each in self.invites.items() if each.org != slug}

    def leave(self, name: str, slug: str) -> None:
        org = self.act_for(name, slug)
        if org.owner == name:
            raise Refused("FailedPrecondition")
        org.members.remove(name)
        self.invites = {
            token: each for token, each in self.invites.items() if (each.org, each.sender) != (slug, name)
        }

    def invite(self, token: str, name: str, slug: str, email: str) -> None:
        self.invites[token] = Invite(slug, name, email, self.day + INVITE_DAYS)

    def consent(self, token: str) -> str:
        """What the page says: unknown, expired or given."""
        invite = self.invites.get(token)
        if invite is None:
            return "unknown"
        if invite.accepted:
            return "given"
        if invite.expires < self.day:
            del self.invites[token]
            return "expired"
        name = self.with_email(invite.email)
        if name:
            self._join(invite.org, name)
            del self.invites[token]
        else:
            invite.accepted = True
        return "given"

    def destroy(self, name: str) -> None:
        if any(each.owner == name for each in self.organisations.values()):
            raise Refused("FailedPrecondition")
        del self.developers[name]
        for org in self.organisations.values():
            if name in org.members:
                org.members.remove(name)
        self.invites = {token: each for token, each in self.invites.items() if each.sender != name}

    def with_email(self, email: str) -> str:
        return next((name for name, each in self.developers.items() if each.email == email), "")

    def _join(self, slug: str, name: str) -> None:
        members = self.organisations[slug].members
        if name not in members:
            members.append(name)
