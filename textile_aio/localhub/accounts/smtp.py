"""Mails by SMTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from typing import Literal
from urllib.parse import unquote, urlsplit

from textile_aio.errors import InvalidInput, StatusCode, Unavailable
from textile_aio.localhub.accounts.mailer import Mail

Security = Literal["tls", "starttls", "none"]

_PORTS: dict[Security, int] = {"tls": 465, "starttls": 587, "none": 25}
_SCHEMES: dict[str, Security] = {"smtps": "tls", "smtp": "starttls", "smtp+plain": "none"}


@dataclass(frozen=True, slots=True)
class SmtpMailer:
    """Hands mails to a mail server, one connection each.

    Attributes:
        host: The server.
        sender: Address that mails come from.
        port: TCP port; 0 for the usual one.
        username: Who the hub is at the server; empty for nobody.
        password: Proves it; hidden by ``repr``.
        security: ``"tls"`` from the first byte on, ``"starttls"``, which is insisted on, or ``"none"``.
        seconds: For a mail to be handed over.
    """

    host: str
    sender: str
    port: int = 0
    username: str = ""
    password: str = field(default="", repr=False)
    security: Security = "starttls"
    seconds: float = 10.0

    @classmethod
    def from_url(cls, url: str, *, sender: str, password: str = "") -> SmtpMailer:
        """From ``smtps://USER@HOST:PORT``, ``smtp://…`` (with STARTTLS) or ``smtp+plain://…`` (without).

        Raises:
            InvalidInput: It is none of these.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or 0
        except ValueError:
            raise InvalidInput("the mail server's URL is malformed") from None
        security = _SCHEMES.get(parts.scheme)
        if security is None or not parts.hostname:
            raise InvalidInput("a mail server is smtps://HOST, smtp://HOST or smtp+plain://HOST")
        return cls(
            parts.hostname,
            sender,
            port,
            unquote(parts.username or ""),
            password or unquote(parts.password or ""),
            security,
        )

    async def send(self, mail: Mail) -> None:
        """Hand a mail over.

        Raises:
            InvalidInput: The subject is not one line.
            Unavailable: The server cannot be reached, or does not take it.
        """
        import aiosmtplib  # few hubs send mails

        message = EmailMessage()
        message["From"] = self.sender
        try:
            message["Subject"] = mail.subject
            one_line = str(message["Subject"]).isprintable()  # encoded words in it are decoded by now
        except ValueError:
            one_line = False
        if not one_line:
            raise InvalidInput("the subject of a mail is one line")
        message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=_domain(self.sender))
        message.set_content(mail.text)
        try:
            message["To"] = to = _deliverable(mail.to)
            await aiosmtplib.send(
                message,
                recipients=[to],
                hostname=self.host,
                port=self.port or _PORTS[self.security],
                username=self.username or None,
                password=self.password or None,
                use_tls=self.security == "tls",
                start_tls=self.security == "starttls",
                timeout=self.seconds,
            )
        except (aiosmtplib.SMTPException, OSError, UnicodeError) as error:
            # The server's words may repeat what it was told, so only their kind is passed on.
            raise Unavailable(
                f"the mail server {self.host} did not take the mail ({type(error).__name__}); try later",
                code=StatusCode.UNAVAILABLE,
            ) from None


def _deliverable(address: str) -> str:
    """With a domain of ASCII letters: many servers know no others.

    Raises:
        UnicodeError: No domain is called so.
    """
    local, _, domain = address.rpartition("@")
    return address if domain.isascii() else f"{local}@{domain.encode('idna').decode('ascii')}"


def _domain(sender: str) -> str:
    """What the ids of mails end with: not this machine's name, which concerns nobody."""
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"
