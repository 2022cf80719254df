"""What the links in mails lead to (spec: hub-accounts §5, gateway-and-web §A8).

Programs that look at mails before people do ask for the head of a link only, or follow it: to ask changes
nothing, and to follow it is all that upstream's clients do as well.
"""

from __future__ import annotations

from textile_aio.localhub.accounts import Accounts
from textile_aio.localhub.accounts.organisations import Consent
from textile_aio.localhub.gateway import pages
from textile_aio.localhub.gateway.answers import Body

MAIL_LINKS = frozenset({"confirm", "consent"})


class MailLinks:
    """Confirmations of addresses, and consents to invitations."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def answer(self, what: str, secret: str, *, follow: bool) -> Body:
        """The page that a link shows, after what it does was done."""
        if not follow:
            return pages.message("Not followed", "A link in a mail is followed by GET.", status=405)
        return self._confirm(secret) if what == "confirm" else await self._consent(secret)

    def _confirm(self, secret: str) -> Body:
        if not self._accounts.entrance.confirm(secret):
            return pages.error(404, "this link was used already, or is too old; sign in again for another")
        return pages.message("Confirmed", "Your e-mail address is confirmed. You can close this window.")

    async def _consent(self, token: str) -> Body:
        outcome = await self._accounts.organisations.consent(token)
        match outcome.consent:
            case Consent.UNKNOWN:
                return pages.not_found()
            case Consent.EXPIRED:
                return pages.error(412, "this invitation has expired")
            case Consent.GIVEN:
                return pages.message(
                    "Welcome",
                    f"{outcome.email} is now a member of {outcome.organisation}, or will be on sign-up.",
                )
