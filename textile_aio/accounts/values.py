"""Accounts, their keys and their organisations, as values of ours.

What is a credential is never shown by ``repr``; what a context is made from has a method that makes it.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from textile_aio.auth import AuthContext
from textile_aio.identity import PublicKey


class KeyType(IntEnum):
    """Whom an API key stands for.

    ACCOUNT is for the account itself, a developer's or an organisation's. USER is for a group of users, those
    of one application say, each with a token of their own.
    """

    ACCOUNT = 1
    USER = 2


class OrgRole(StrEnum):
    """What a member may do: an OWNER removes the organisation and cannot leave it, a MEMBER the reverse."""

    OWNER = "owner"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class Session:
    """A developer who has signed in.

    A pickle holds the session: treat it as the session itself.

    Attributes:
        public_key: The account's.
        session: What calls are made with. It is a credential, and lasts for years unless it is signed out.
    """

    public_key: PublicKey
    session: str = field(repr=False)

    def context(self) -> AuthContext:
        """The context that calls as this developer."""
        return AuthContext().with_session(self.session)


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """Whose a session is.

    Attributes:
        public_key: The account's.
        username: Its name.
        email: The address it was confirmed by, exactly as given at sign-up.
    """

    public_key: PublicKey
    _: KW_ONLY
    username: str
    email: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key.

    A pickle holds the key and its secret: treat it as these.

    Attributes:
        key: The key as it is sent with calls; without signatures it is itself a credential.
        secret: What calls are signed with. It never travels.
        type: Whom it stands for.
        secure: Whether the hub asks for signatures.
        valid: Whether it can still be used.
        threads: How many threads were made with it, by all its users together.
    """

    key: str = field(repr=False)
    _: KW_ONLY
    secret: str = field(repr=False)
    type: KeyType
    secure: bool
    valid: bool
    threads: int

    def context(self) -> AuthContext:
        """The context that calls with this key, and signs.

        With a key for users, :meth:`ThreadsClient.authorize <textile_aio.ThreadsClient.authorize>` adds the
        token of one.
        """
        return AuthContext().with_api_key(self.key, self.secret)


@dataclass(frozen=True, slots=True)
class OrgMember:
    """A developer in an organisation.

    Attributes:
        public_key: The developer's account.
        username: Its name.
        role: What they may do there.
    """

    public_key: PublicKey
    _: KW_ONLY
    username: str
    role: OrgRole


@dataclass(frozen=True, slots=True)
class Org:
    """An organisation: an account that several developers share.

    Attributes:
        public_key: The organisation's own.
        name: As it was given.
        slug: The name as it stands in headers and addresses: :meth:`AuthContext.with_org
            <textile_aio.AuthContext.with_org>` takes it.
        host: Address of the hub's gateway, a URL.
        members: In the order they joined.
        created_at: To the second, UTC.
    """

    public_key: PublicKey
    _: KW_ONLY
    name: str
    slug: str
    host: str
    members: tuple[OrgMember, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OrgName:
    """A name that an organisation may have.

    Attributes:
        slug: What the name would be in headers and addresses. Empty if nothing of it can stand there; no
            organisation can have such a name.
        host: Address of the hub's gateway, a URL.
    """

    slug: str
    _: KW_ONLY
    host: str


@dataclass(frozen=True, slots=True)
class BuildInfo:
    """Which program a hub is. What it was not told when it was built is empty.

    Attributes:
        version: Its version; ``git`` for one built from source.
        git_commit: The commit it was built from.
        git_branch: The branch.
        git_state: Whether there were changes beside.
        git_summary: All of these in a word.
        build_date: When it was built.
    """

    version: str
    _: KW_ONLY
    git_commit: str
    git_branch: str
    git_state: str
    git_summary: str
    build_date: str
