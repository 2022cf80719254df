"""Mails are handed to a mail server, whole and once."""

from __future__ import annotations

import asyncio
import contextlib
import email
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import Message

import pytest

from textile_aio import InvalidInput, Unavailable
from textile_aio.localhub import Mail, SmtpMailer

MAIL = Mail("bo@test.com", "Grüße", "Hello,\n\n.\n\nfollow http://127.0.0.1/confirm/x\n")


@dataclass
class MailServer:
    """Speaks SMTP as far as a mailer needs it (RFC 5321)."""

    refuses: str = ""
    port: int = 0
    taken: list[tuple[list[str], Message]] = field(default_factory=list)
    serving: set[asyncio.Task[None]] = field(default_factory=set)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.serving.add(asyncio.create_task(self.serve(reader, writer)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.converse(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())
            await writer.drain()

        await say("220 mail.test")
        commands: list[str] = []
        while line := (await reader.readline()).decode().rstrip():
            commands.append(line)
            verb = line.split()[0].upper()
            if verb == self.refuses:
                await say("550 no, and bsecret was said")
            elif verb == "DATA":
                await say("354 go on")
                data = (
                    (await reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
                )
                self.taken.append((commands, email.message_from_bytes(data)))
                await say("250 taken")
            elif verb == "QUIT":
                await say("221 bye")
                break
            else:
                await say("250 ok")


@asynccontextmanager
async def mail_server(refuses: str = "") -> AsyncIterator[MailServer]:
    made = MailServer(refuses)
    server = await asyncio.start_server(made.accept, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made
    await asyncio.gather(*made.serving)


async def test_a_mail_arrives_as_it_was_written() -> None:
    async with mail_server() as server:
        mailer = SmtpMailer.from_url(f"smtp+plain://127.0.0.1:{server.port}", sender="hub@test.com")
        await mailer.send(MAIL)
    ((commands, message),) = server.taken
    assert any(line.upper().startswith("RCPT TO:<BO@TEST.COM>") for line in commands)
    assert (message["From"], message["To"]) == ("hub@test.com", "bo@test.com")
    payload = message.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().replace("\r\n", "\n") == MAIL.text
    assert str(email.header.make_header(email.header.decode_header(message["Subject"]))) == MAIL.subject


@pytest.mark.parametrize("refuses", ["MAIL", "RCPT", "DATA"])
async def test_a_server_that_does_not_take_it_is_unavailable_and_not_quoted(refuses: str) -> None:
    async with mail_server(refuses) as server:
        mailer = SmtpMailer("127.0.0.1", "hub@test.com", server.port, security="none")
        with pytest.raises(Unavailable, match="did not take the mail") as caught:
            await mailer.send(MAIL)
    assert "bsecret" not in str(caught.value)
    assert server.taken == []


async def test_where_there_is_no_server_it_is_unavailable() -> None:
    async with mail_server() as server:
        port = server.port
    with pytest.raises(Unavailable):
        await SmtpMailer("127.0.0.1", "hub@test.com", port, security="none").send(MAIL)


async def test_encryption_is_insisted_on() -> None:
    async with mail_server() as server:
        mailer = SmtpMailer.from_url(f"smtp://127.0.0.1:{server.port}", sender="hub@test.com")
        with pytest.raises(Unavailable):
            await mailer.send(MAIL)
    assert server.taken == []


@pytest.mark.parametrize(
    "url", ["", "mail.test", "http://mail.test", "smtp://", "smtp://mail.test:99999", "smtp://[::1"]
)
def test_what_is_no_mail_server_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        SmtpMailer.from_url(url, sender="hub@test.com")


def test_a_mail_server_is_told_by_its_url() -> None:
    mailer = SmtpMailer.from_url("smtps://us%40er@mail.test:99", sender="hub@test.com", password="hush")
    assert (mailer.host, mailer.port, mailer.username, mailer.security) == ("mail.test", 99, "us@er", "tls")
    assert "hush" not in repr(mailer)
