"""Signing up and in: the mail, the wait for its link, and then the account or the session.

Spec: hub-accounts §4.2, §4.3.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from textile_aio.errors import FailedPrecondition, NotFound, StatusCode
from textile_aio.localhub.accounts.addresses import mailbox
from textile_aio.localhub.accounts.confirmations import Confirmations
from textile_aio.localhub.accounts.credentials import AccountCredentials
from textile_aio.localhub.accounts.developers import Developers, check_name
from textile_aio.localhub.accounts.mailer import Mailer, confirmation
from textile_aio.localhub.accounts.rates import Rates

log: logging.Logger = logging.getLogger("textile_aio.localhub")

_LONGEST = 1024
"""Characters of a name or an address that somebody may have."""


@dataclass(frozen=True, slots=True)
class EntranceRules:
    """What can be set about it.

    Attributes:
        mailer: Takes mails to people. Without one, and without a shared secret, nobody can be asked.
        unasked: Whether people are let in at once where nobody can be asked; otherwise they are refused.
        secret: What all links end with, for test rigs; empty for a secret of their own each.
        seconds: For a link to be followed.
        each_minute: Attempts for one name or address; None for as many as come.
        altogether: Attempts of all people together; None for as many as come.
    """

    mailer: Mailer | None = None
    unasked: bool = False
    secret: str = ""
    seconds: float = 1800.0
    each_minute: float | None = 10.0
    altogether: float | None = None


class Entrance:
    """Lets developers in.

    Args:
        developers: Makes and finds them.
        rules: See there.
        url: Where the links lead, without a slash at the end.
        clock: UTC nanoseconds.
    """

    def __init__(
        self, developers: Developers, rules: EntranceRules, url: Callable[[], str], clock: Callable[[], int]
    ) -> None:
        self._developers = developers
        self._rules = rules
        self._url = url
        self._confirmations = Confirmations(rules.secret)
        self._each = Rates(rules.each_minute, clock)
        self._all = Rates(rules.altogether, clock)

    @property
    def asks(self) -> bool:
        """Whether people have to follow a link."""
        return self._rules.mailer is not None or bool(self._rules.secret)

    async def sign_up(self, username: str, email: str) -> AccountCredentials:
        """Make an account for whoever can read mail at an address.

        Raises:
            InvalidInput: Name or address break their rules.
            AlreadyExists: One of them is taken, which is looked at after the confirmation only: nobody learns
                who has an account without being somebody.
            ResourceExhausted: There were too many attempts.
            Unauthenticated: The link was not followed.
            FailedPrecondition: The hub cannot ask people, and others than this machine's reach it.
        """
        check_name(username)
        address = mailbox(email)
        self._require_a_way()
        self._admit(address)
        await self._confirm(address, username)
        return await self._developers.create(username, email)

    async def sign_in(self, name_or_email: str) -> AccountCredentials:
        """A new session for whoever can read an account's mail.

        Raises:
            NotFound: There is no such account.
            ResourceExhausted: There were too many attempts.
            Unauthenticated: The link was not followed.
            FailedPrecondition: The hub cannot ask people, and others than this machine's reach it.
        """
        if len(name_or_email) > _LONGEST:
            raise NotFound("User not found", code=StatusCode.NOT_FOUND)
        self._require_a_way()
        self._admit(name_or_email)
        account = await self._developers.find(name_or_email)
        if account is None:
            raise NotFound("User not found", code=StatusCode.NOT_FOUND)
        if account.email:
            address = mailbox(account.email)
            if self.asks and address != name_or_email:
                self._admit(address)  # whatever they are called by, no more mails come to them
            await self._confirm(address, account.username)
        elif self.asks:
            raise NotFound("User not found", code=StatusCode.NOT_FOUND)  # made in process, without an address
        session = await self._developers.begin_session(account.public_key)
        return AccountCredentials(account.username, account.public_key, session)

    def confirm(self, secret: str) -> bool:
        """Follow a link; whether it may be said that it was one."""
        return self._confirmations.confirm(secret) or not self.asks

    def admit_mail(self, address: str) -> None:
        """Count a mail to an address.

        Raises:
            ResourceExhausted: There were too many.
        """
        self._admit(address)

    def _require_a_way(self) -> None:
        if not self.asks and not self._rules.unasked:
            raise FailedPrecondition(
                "this hub sends no mails, so nobody signs up or in by a call; its operator makes accounts",
                code=StatusCode.FAILED_PRECONDITION,
            )

    def _admit(self, name: str) -> None:
        self._each.admit(name.casefold())
        self._all.admit(None)

    async def _confirm(self, address: str, username: str) -> None:
        mailer = self._rules.mailer
        if not self.asks:
            log.warning("%s is let in without a mail: this hub has no mailer", username)
            return
        with self._confirmations.waiting() as waiting:
            if mailer is not None:
                await mailer.send(confirmation(address, username, f"{self._url()}/confirm/{waiting.secret}"))
            await waiting.confirmed(self._rules.seconds)
