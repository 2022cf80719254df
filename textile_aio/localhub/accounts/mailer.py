"""Mails of the hub: what they say, and who takes them to people."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Protocol

log: logging.Logger = logging.getLogger("textile_aio.localhub.mail")

_NAME_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail in plain text. The text holds a link that is as good as a password: ``repr`` hides it.

    Attributes:
        to: One address, without a name.
        subject: One line.
        text: Lines, ended by line feeds.
    """

    to: str
    subject: str
    text: str = field(repr=False)


class Mailer(Protocol):
    """Takes mails to people."""

    async def send(self, mail: Mail) -> None:
        """Send a mail; on return somebody else has taken charge of it.

        Raises:
            TextileError: It cannot be sent.
        """
        ...


class LogMailer:
    """Writes mails to the log, links included, in place of sending them: for a hub on one's own machine."""

    async def send(self, mail: Mail) -> None:
        """Log a mail."""
        log.warning("no mail is sent by this hub; to %s it would say: %s", mail.to, mail.text)


def confirmation(to: str, username: str, link: str) -> Mail:
    """What somebody gets who signs up or in."""
    return Mail(
        to,
        "Confirm your e-mail address",
        f"Hello {username},\n\nplease confirm that this is you by following this link:\n\n{link}\n\n"
        "It works once, and for half an hour. If you did not ask for it, do nothing.\n",
    )


def invitation(to: str, sender: str, organisation: str, link: str) -> Mail:
    """What somebody gets who is invited."""
    organisation = _one_line(organisation)
    return Mail(
        to,
        f"{sender} invites you to {organisation}",
        f"Hello,\n\n{sender} invites you to join the organisation {organisation}. To accept, follow this "
        f"link:\n\n{link}\n\nIf you do not know {sender}, do nothing.\n",
    )


def _one_line(name: str) -> str:
    """What a mail may call something that somebody has named: no lines of theirs, and no letter of theirs."""
    visible = "".join(character if character.isprintable() else " " for character in name)
    # What looks like an encoded word is decoded by whoever sets a header, and may become any number of lines.
    text = " ".join(visible.replace("=?", "= ?").split())
    return text if len(text) <= _NAME_LENGTH else text[:_NAME_LENGTH] + "…"
