"""What an identity may do at a path, worked out from a bucket's metadata.

Pure: the rules are those by which hubs decide (spec: buckets-api §4 and §9), applied to what a
:class:`~textile_aio.Root` shows. Owns them on this side; nothing here talks to a hub.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Protocol, TypeAlias

from textile_aio._arguments import one_of
from textile_aio.buckets.paths import BucketPath, for_reading
from textile_aio.buckets.values import Role, Root
from textile_aio.errors import InvalidInput
from textile_aio.identity import Identity, PublicKey

EVERYBODY = "*"
"""Stands for everybody in roles, callers without an identity included."""

Grantee: TypeAlias = PublicKey | Identity | str
"""An identity, its public key or that key's text; ``"*"`` for everybody."""


class RolesLike(Protocol):
    """Roles by whom they are given to, in a mapping; ``Role.NONE`` takes one away.

    Said by the one method that is used, because a ``Mapping`` would not take keys of several kinds and a
    ``dict[str, Role]`` alike.
    """

    def items(self) -> Iterable[tuple[Grantee, Role]]:
        """Pairs of whom and what."""
        ...


def grantee_text(grantee: Grantee) -> str:
    """The text by which roles name somebody.

    Raises:
        InvalidInput: It is neither a public key's text nor ``"*"``.
    """
    if isinstance(grantee, Identity):
        return str(grantee.public)
    if isinstance(grantee, PublicKey) or grantee == EVERYBODY:
        return str(grantee)
    return str(PublicKey.from_string(one_of(str, grantee, "an identity")))


@dataclass(frozen=True, slots=True)
class AccessExplanation:
    """What an identity may do at a path of a bucket, and why.

    Attributes:
        path: The path, relative to the root; empty for the root itself.
        identity: Who: the text of a public key, or ``*`` for somebody without one.
        role: The effective role: the highest that the path or a directory above it gives to the identity or
            to everybody. There is no way to lower it further down.
        decided_at: The path whose entry gives that role, the nearest if several do; None for no role.
        decided_by: Whom that entry gives it to: the identity, or ``*``; empty for no role.
        is_owner: Whether the bucket is the identity's.
        unrestricted: Whether the bucket has no owner, or is of a very old kind: then all may do everything.
        read: Whether the identity may list and pull what is there.
        overwrite: Whether it may push over what is there.
        create: Whether it may put something new at or below the path: the owner alone may.
        remove: Whether it may remove what is there; at the root, the whole bucket.
        set_roles: Whether it may change roles at the path.
    """

    path: str
    _: KW_ONLY
    identity: str
    role: Role
    decided_at: str | None
    decided_by: str
    is_owner: bool
    unrestricted: bool
    read: bool
    overwrite: bool
    create: bool
    remove: bool
    set_roles: bool

    def __str__(self) -> str:
        where = f"at {self.path!r}" if self.path else "at the root"
        names = ("read", "overwrite", "create", "remove", "set_roles")
        allowed = [name.replace("_", " ") for name in names if getattr(self, name)]
        return f"{self.identity} {where}: {', '.join(allowed) or 'nothing'} ({self._reason()})"

    def _reason(self) -> str:
        if self.unrestricted:
            return "the bucket has no owner"
        reason = "no role"
        if self.decided_at is not None:
            whom = "everybody" if self.decided_by == EVERYBODY else "the identity"
            place = repr(self.decided_at) if self.decided_at else "the root"
            reason = f"{self.role.name.lower()}, which {place} gives to {whom}"
        return f"owner, {reason}" if self.is_owner else reason


def explain_access(root: Root, path: BucketPath, identity: Grantee) -> AccessExplanation:
    """What an identity may do at a path, from what a bucket's root shows of its roles.

    The owner alone makes new entries, but is held to the roles of entries that exist, like everybody. A root
    shows the caller only entries the caller may read, so an answer about others is certain only for who reads
    the whole bucket. Whether there is anything at the path is not looked at. Content of a public bucket can
    be read by its CID whatever the roles say.

    Args:
        root: The bucket.
        path: The path; ``""`` for the root.
        identity: Who; ``"*"`` for a caller without an identity.

    Raises:
        InvalidPath: The path is not allowed.
        InvalidInput: The identity is no public key.
    """
    one_of(Root, root, "the root")
    clean = for_reading(path)
    who = grantee_text(identity)
    rules = _Rules(root, who)
    role, decided_at, decided_by = rules.effective(clean)
    return AccessExplanation(
        clean,
        identity=who,
        role=role,
        decided_at=decided_at,
        decided_by=decided_by,
        is_owner=rules.is_owner,
        unrestricted=rules.unrestricted,
        read=rules.unrestricted or role >= Role.READER,
        overwrite=rules.unrestricted or rules.overwrite(clean),
        create=rules.unrestricted or rules.is_owner,
        remove=rules.unrestricted or rules.remove(clean),
        set_roles=rules.unrestricted or rules.set_roles(clean),
    )


class _Rules:
    """The rules of the write validator and the read filter, for one identity."""

    def __init__(self, root: Root, who: str) -> None:
        self._entries = root.path_metadata
        self._who = who
        self.unrestricted = root.owner is None or not root.version
        self.is_owner = root.owner is not None and str(root.owner) == who

    def effective(self, path: str) -> tuple[Role, str | None, str]:
        """The highest role over a path and all above it: the role, whose entry gives it, and to whom."""
        best: tuple[Role, str | None, str] = (Role.NONE, None, "")
        for place in _upwards(path):
            entry = self._entries.get(place)
            for whom in dict.fromkeys((self._who, EVERYBODY)):
                role = entry.roles.get(whom, Role.NONE) if entry else Role.NONE
                if role > best[0]:
                    best = (role, place, whom)
        return best

    def overwrite(self, path: str) -> bool:
        # A push changes the entry at the path, or makes one, and deletes those below.
        if path in self._entries:
            return self.effective(path)[0] >= Role.WRITER and self._may_delete(self._below(path))
        return self.is_owner and self._may_delete(self._below(path))

    def remove(self, path: str) -> bool:
        if not path:
            return self.is_owner
        doomed = [place for place in (path, *self._below(path)) if place in self._entries]
        return self._may_delete(doomed) if doomed else self.is_owner

    def set_roles(self, path: str) -> bool:
        return self._own(path) >= Role.ADMIN if path in self._entries else self.is_owner

    def _may_delete(self, places: list[str]) -> bool:
        return all(self._own(place) >= Role.ADMIN for place in places)

    def _own(self, path: str) -> Role:
        """The identity's own role: what needs an admin, everybody's role does not allow."""
        if self._who == EVERYBODY:
            return Role.NONE
        entries = (self._entries.get(place) for place in _upwards(path))
        return max((entry.roles.get(self._who, Role.NONE) for entry in entries if entry), default=Role.NONE)

    def _below(self, path: str) -> list[str]:
        start = f"{path}/" if path else ""
        return [place for place in self._entries if place != path and place.startswith(start)]


def _upwards(path: str) -> Iterator[str]:
    """The path, then each directory above it, the root last."""
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield ""


def checked_roles(roles: RolesLike) -> dict[str, Role]:
    """Roles to set, by the texts of whom they are given to.

    Raises:
        InvalidInput: It is no mapping, is empty, or names somebody twice.
    """
    one_of(Mapping, roles, "the roles")
    checked: dict[str, Role] = {}
    for grantee, role in roles.items():
        text = grantee_text(grantee)
        if text in checked:
            raise InvalidInput("somebody is given two roles", about=text)
        checked[text] = one_of(Role, role, "a role")
    if not checked:
        raise InvalidInput("no roles are given")
    return checked
