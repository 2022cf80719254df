"""Mails reach a mail server whole, encrypted where that was asked for, or somebody is told."""

from __future__ import annotations

import asyncio
import logging
import socket
from pathlib import Path

import pytest

from tests.localhub.accounts.room import Postbox, room
from tests.localhub.accounts.smtp_server import MailServer, certificate, mail_server
from textile_aio.errors import InvalidInput, StatusCode, Unavailable
from textile_aio.localhub.accounts.entrance import EntranceRules
from textile_aio.localhub.accounts.mailer import LogMailer, Mail, confirmation, invitation
from textile_aio.localhub.accounts.smtp import SmtpMailer

# The test's mail server leaves sockets of encrypted connections to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

LINK = "http://hub/confirm/bsecret"
MAIL = confirmation("ann@example.com", "ann", LINK)
SENDER = "Hub <hub@example.com>"


def plain(server: MailServer, **more: object) -> SmtpMailer:
    return SmtpMailer("127.0.0.1", SENDER, server.port, security="none", **more)  # type: ignore[arg-type]


async def test_a_mail_arrives_whole() -> None:
    async with mail_server(MailServer()) as server:
        await plain(server).send(MAIL)
        ((sender, recipients, _),) = server.received
        assert (sender, recipients) == ("hub@example.com", ["ann@example.com"])
        message = server.message()
        assert message["To"] == "ann@example.com"
        assert message["From"] == SENDER
        assert message["Subject"] == MAIL.subject
        assert message["Date"]
        assert message["Message-ID"].endswith("@example.com>")
        assert socket.gethostname() not in message["Message-ID"]
        assert message.get_content().replace("\r\n", "\n") == MAIL.text


@pytest.mark.parametrize("text", [".\n..\n.a\n", "ü€😀\n", "x" * 5000 + "\n", "From me\n", "a\r\nb\n"])
async def test_no_text_is_changed_on_the_way(text: str) -> None:
    async with mail_server(MailServer()) as server:
        await plain(server).send(Mail("a@x.y", "s", text))
        assert server.message().get_content().replace("\r\n", "\n") == text.replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("address", "recipient"),
    [
        ('"a b"@x.y', '"a b"@x.y'),
        ('"a,b"@x.y', '"a,b"@x.y'),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("a" * 300 + "@x.y", "a" * 300 + "@x.y"),
        ("!#$=?@x.y", "!#$=?@x.y"),
    ],
)
async def test_an_odd_address_gets_its_mail_and_nobody_else_does(address: str, recipient: str) -> None:
    async with mail_server(MailServer(), enable_SMTPUTF8=False) as server:
        await plain(server).send(Mail(address, "s", "t\n"))
        assert server.received[0][1] == [recipient]


async def test_an_address_beyond_ascii_needs_a_server_that_knows_such() -> None:
    async with mail_server(MailServer(), enable_SMTPUTF8=True) as server:
        await plain(server).send(Mail("ü@x.y", "s", "t\n"))
        assert server.received[0][1] == ["ü@x.y"]
    async with mail_server(MailServer(), enable_SMTPUTF8=False) as server:
        with pytest.raises(Unavailable, match="did not take the mail"):
            await plain(server).send(Mail("ü@x.y", "s", "t\n"))


async def test_a_domain_that_cannot_be_is_refused() -> None:
    async with mail_server(MailServer()) as server:
        with pytest.raises(Unavailable, match="UnicodeError"):
            await plain(server).send(Mail("a@" + "ü" * 200 + ".y", "s", "t\n"))


async def test_starttls_is_insisted_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trusted, context = certificate(tmp_path)
    async with mail_server(MailServer(users={"hub": "päss word"}), context) as server:
        mailer = SmtpMailer("localhost", SENDER, server.port, "hub", "päss word")
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        await mailer.send(MAIL)
        assert server.encrypted == [True]
    async with mail_server(MailServer()) as server:
        with pytest.raises(Unavailable):
            await SmtpMailer("127.0.0.1", SENDER, server.port).send(MAIL)
        assert not server.received, "nothing was sent in clear"


async def test_a_wrong_password_is_refused_and_not_repeated() -> None:
    async with mail_server(MailServer(users={"hub": "right"})) as server:
        with pytest.raises(Unavailable) as refused:
            await plain(server, username="hub", password="wr0ng-secret").send(MAIL)
        assert "wr0ng-secret" not in str(refused.value)
        assert refused.value.__cause__ is None
        assert not server.received


@pytest.mark.parametrize("answer", ["550 no such user bsecret", "452 full", "421 later", "999 what"])
async def test_a_refusal_of_the_server_is_passed_on_without_its_words(answer: str) -> None:
    async with mail_server(MailServer(answer=answer)) as server:
        with pytest.raises(Unavailable) as refused:
            await plain(server).send(MAIL)
        assert refused.value.code is StatusCode.UNAVAILABLE
        assert "bsecret" not in str(refused.value)


async def test_a_server_that_is_down_or_silent_or_babbles_is_given_up() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(Unavailable):
            await SmtpMailer("127.0.0.1", SENDER, unused.getsockname()[1], security="none").send(MAIL)

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\xff" * 100_000 + b"\r\n")
        open_streams.append(writer)

    open_streams: list[asyncio.StreamWriter] = []

    async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_streams.append(writer)

    for behave in (babble, stay_silent):
        listening = await asyncio.start_server(behave, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        mailer = SmtpMailer("127.0.0.1", SENDER, port, security="none", seconds=0.2)
        with pytest.raises(Unavailable):
            await mailer.send(MAIL)
        for writer in open_streams:
            writer.transport.abort()
            await asyncio.sleep(0)
        listening.close()
        await listening.wait_closed()


@pytest.mark.parametrize(
    "name",
    [
        "Evil\r\nBcc: everybody@example.com",
        "Evil\n\nDear Ann, your password is needed at http://evil/",
        "\u202eEvil\x00\x85\u2028line",
        "=?utf-8?q?a=0D=0ABcc=3A_b=40x=2Ey?=",
        "Ünïcödé " * 200,
    ],
)
async def test_the_name_of_an_organisation_adds_nothing_to_a_mail(name: str) -> None:
    mail = invitation("ann@example.com", "eve", name, LINK)
    ordinary = invitation("ann@example.com", "eve", "Evil", LINK)
    assert mail.text.count("\n") == ordinary.text.count("\n")
    assert len(mail.text) < len(ordinary.text) + 100
    async with mail_server(MailServer()) as server:
        await plain(server).send(mail)
        ((_, recipients, content),) = server.received
        assert recipients == ["ann@example.com"]
        head = content.split(b"\r\n\r\n")[0]
        headers = {line.split(b":")[0].lower() for line in head.split(b"\r\n") if line[:1].strip()}
        assert headers == {
            b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type",
            b"content-transfer-encoding",
        }  # fmt: skip


@pytest.mark.parametrize("subject", ["s\r\nBcc: b@x.y", "s\nx", "s\0", "=?utf-8?q?s=0D=0ABcc=3A_b=40x=2Ey?="])
async def test_a_mail_with_lines_in_its_subject_is_not_sent(subject: str) -> None:
    async with mail_server(MailServer()) as server:
        with pytest.raises(InvalidInput, match="one line"):
            await plain(server).send(Mail("a@x.y", subject, "t\n"))
        assert not server.received


async def test_an_invitation_whose_mail_failed_is_withdrawn() -> None:
    postbox = Postbox()
    async with room(EntranceRules(mailer=postbox, each_minute=None)) as there:
        owner = await there.developer("owner")
        organisations = there.accounts.organisations
        await organisations.create("Org", owner)
        organisation = await there.accounts.registry.organisation("Org")
        assert organisation is not None
        postbox.error = Unavailable("no mail server")
        with pytest.raises(Unavailable):
            await organisations.invite(organisation, owner, "ann@example.com")
        assert await there.store.read(lambda view: view.invites_to("ann@example.com")) == []
        postbox.error = None
        token = await organisations.invite(organisation, owner, "ann@example.com")
        assert postbox.secret() == token


async def test_a_hub_that_sends_nothing_says_the_link_in_its_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "textile_aio.localhub.mail"):
        await LogMailer().send(MAIL)
    assert LINK in caplog.text
    assert "no mail is sent by this hub" in caplog.text


def test_no_secret_is_shown() -> None:
    assert LINK not in repr(MAIL)
    assert "hush" not in repr(SmtpMailer("h", "s@x.y", password="hush"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtps://ann:p%40ss@mail.example:99", ("mail.example", 99, "ann", "p@ss", "tls")),
        ("smtp://mail.example", ("mail.example", 0, "", "", "starttls")),
        ("smtp+plain://u@[::1]:25", ("::1", 25, "u", "", "none")),
    ],
)
def test_a_mail_server_is_given_as_a_url(url: str, expected: tuple[object, ...]) -> None:
    mailer = SmtpMailer.from_url(url, sender="s@x.y")
    assert (mailer.host, mailer.port, mailer.username, mailer.password, mailer.security) == expected


@pytest.mark.parametrize(
    "url", ["", "mail.example", "http://mail.example", "smtp://", "smtp://h:99999", "smtp://h:x"]
)
def test_what_is_no_mail_server_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        SmtpMailer.from_url(url, sender="s@x.y")
