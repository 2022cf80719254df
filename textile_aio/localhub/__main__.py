"""``python -m textile_aio.localhub``: a hub as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import os
import signal
import sys
from pathlib import Path

from textile_aio.errors import CertificateInvalid, InvalidInput, TextileError
from textile_aio.localhub.accounts.mailer import LogMailer, Mailer
from textile_aio.localhub.accounts.smtp import SmtpMailer
from textile_aio.localhub.allocator import keep_freed_memory, keep_what_is_there
from textile_aio.localhub.directory import default_directory
from textile_aio.localhub.hub import LocalHub
from textile_aio.localhub.limits import DoorLimits
from textile_aio.localhub.settings import HubSettings
from textile_aio.localhub.tls import TlsFiles


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; SIGHUP has the certificate read again. Returns the exit status."""
    options = _parser().parse_args(arguments)
    keep_freed_memory()
    try:
        settings = HubSettings(
            mode=options.mode,
            host=options.host,
            port=options.port,
            collect_every=options.collect_every or None,
            web_port=_web_port(options),
            web_origins=tuple(options.web_origin) if options.web_origin else None,
            gateway_port=_gateway_port(options),
            gateway_url=options.gateway_url,
            gateway_subdomains=options.gateway_subdomains,
            gateway_rate=options.gateway_rate,
            domain=options.domain,
            mailer=_mailer(options),
            confirmation_secret=os.environ.get("TEXTILE_HUB_CONFIRMATION_SECRET", ""),
            secrets_key=os.environ.get("TEXTILE_HUB_SECRETS_KEY", ""),
            signs_together=options.signs_together,
            tls=_tls(options),
            insecure_remote=options.insecure_remote,
            public_host=options.public_host,
            gateway_origins=tuple(options.gateway_origin) if options.gateway_origin else None,
            limits=DoorLimits(
                connections=options.max_connections,
                streams=options.max_streams,
                message=options.max_message,
                headers=options.max_headers,
                head_seconds=options.head_seconds,
                idle_seconds=options.idle_seconds,
            ),
        )
        asyncio.run(_serve(options.data, settings))
    except TextileError as error:
        print(f"localhub: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


async def _serve(path: Path, settings: HubSettings) -> None:
    signals: asyncio.Queue[signal.Signals] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    # Before anything is opened, so that no signal can come between opening and listening.
    for each in (signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if settings.tls else [])):
        loop.add_signal_handler(each, signals.put_nowait, each)
    async with LocalHub.open(path, settings) as hub:
        line = {
            "target": hub.target,
            "web_target": hub.web_target,
            "gateway_target": hub.gateway_target,
            "pid": os.getpid(),
            "mode": settings.mode,
            "data": str(path),
        }
        print(json.dumps(line), flush=True)  # noqa: T201
        keep_what_is_there()
        while await signals.get() == signal.SIGHUP:
            try:
                await hub.reload_tls()
            except CertificateInvalid as error:
                print(f"localhub: {error}; the one before stays in use", file=sys.stderr, flush=True)  # noqa: T201


def _tls(options: argparse.Namespace) -> TlsFiles | None:
    if options.tls_cert is None and options.tls_key is None:
        return None
    if options.tls_cert is None or options.tls_key is None:
        raise InvalidInput("--tls-cert and --tls-key go together")
    return TlsFiles(options.tls_cert, options.tls_key)


def _mailer(options: argparse.Namespace) -> Mailer | None:
    if options.mail == "none":
        return None
    if options.mail == "log":
        return LogMailer()
    password = os.environ.get("TEXTILE_HUB_SMTP_PASSWORD", "")
    return SmtpMailer.from_url(options.mail, sender=options.mail_from, password=password)


def _web_port(options: argparse.Namespace) -> int | None:
    """Without being told: none where the packages for it are missing, and one beside ``--port`` otherwise."""
    if options.no_web:
        return None
    if options.web_port is not None:
        return int(options.web_port)
    if not _has("uvicorn", "starlette", "websockets"):
        return None
    return options.port + 1 if 0 < options.port < 65535 else 0


def _gateway_port(options: argparse.Namespace) -> int | None:
    """Without being told: none where the packages for it are missing, and 8006 where ``--port`` is 3006."""
    if options.no_gateway:
        return None
    if options.gateway_port is not None:
        return int(options.gateway_port)
    if not _has("uvicorn", "starlette"):
        return None
    return options.port + 5000 if 0 < options.port <= 60535 else 0


def _has(*packages: str) -> bool:
    return all(importlib.util.find_spec(package) is not None for package in packages)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m textile_aio.localhub",
        description="Run a Textile hub on this machine. Once it serves it prints its address as one line of "
        "JSON; SIGTERM or SIGINT end it, after calls in flight have finished.",
    )
    parser.add_argument(
        "--data", type=Path, default=default_directory(), metavar="DIR", help="data directory (%(default)s)"
    )
    parser.add_argument(
        "--port", type=int, default=3006, help="port to listen on; 0 takes a free one (%(default)s)"
    )
    web = parser.add_mutually_exclusive_group()
    web.add_argument(
        "--web-port",
        type=int,
        metavar="PORT",
        help="port of the gRPC-web door; 0 takes a free one (the one after --port, which makes 3007)",
    )
    web.add_argument("--no-web", action="store_true", help="open no gRPC-web door")
    parser.add_argument(
        "--web-origin",
        action="append",
        metavar="ORIGIN",
        help="a web origin whose pages may call, such as https://app.example; may be repeated (all)",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; beyond loopback with --tls-cert, or --insecure-remote (%(default)s)",
    )
    parser.add_argument(
        "--mode",
        choices=("hub", "buckd"),
        default="hub",
        help="hub: accounts and keys; buckd: none, serves whoever reaches it (%(default)s)",
    )
    gateway = parser.add_mutually_exclusive_group()
    gateway.add_argument(
        "--gateway-port",
        type=int,
        metavar="PORT",
        help="port of the HTTP gateway; 0 takes a free one (5000 above --port, which makes 8006)",
    )
    gateway.add_argument("--no-gateway", action="store_true", help="open no HTTP gateway")
    parser.add_argument(
        "--gateway-url", default="", metavar="URL", help="base of links (where the gateway listens)"
    )
    parser.add_argument(
        "--gateway-subdomains",
        action="store_true",
        help="give each content address, name and thread a host of its own below that of --gateway-url",
    )
    parser.add_argument(
        "--collect-every",
        type=float,
        default=600.0,
        metavar="SECONDS",
        help="seconds between collections of unused blocks; 0 for none (%(default)s)",
    )
    parser.add_argument(
        "--gateway-rate", type=float, metavar="N", help="requests a second that the gateway answers (all)"
    )
    parser.add_argument(
        "--domain", default="", metavar="NAME", help="DNS domain of bucket websites, KEY.NAME (none)"
    )
    parser.add_argument(
        "--mail",
        default="none",
        metavar="HOW",
        help="how mails get to people: none (who signs up or in is let in at once on loopback, and refused "
        "elsewhere), log (links are written to the log), or the URL of a mail server such as "
        "smtps://USER@HOST; its password is in TEXTILE_HUB_SMTP_PASSWORD (%(default)s)",
    )
    parser.add_argument(
        "--mail-from", default="textile@localhost", metavar="ADDRESS", help="sender of mails (%(default)s)"
    )
    parser.add_argument(
        "--signs-together",
        type=float,
        metavar="N",
        help="how often a minute all people together may sign up or in (no limit)",
    )
    _add_tls(parser)
    _add_limits(parser)
    return parser


def _add_tls(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tls-cert",
        type=Path,
        metavar="FILE",
        help="certificate of all doors, and those of its issuers, as PEM; SIGHUP has it read again (no TLS)",
    )
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="its private key, as PEM")
    parser.add_argument(
        "--insecure-remote", action="store_true", help="listen beyond loopback in plain text all the same"
    )
    parser.add_argument(
        "--public-host",
        default="",
        metavar="NAME",
        help="name or address that others reach the hub by (that of --host)",
    )
    parser.add_argument(
        "--gateway-origin",
        action="append",
        metavar="ORIGIN",
        help="a web origin whose pages may read what the gateway answers; may be repeated (all)",
    )


def _add_limits(parser: argparse.ArgumentParser) -> None:
    limits = DoorLimits()
    for name, kind, default, text in (
        ("--max-connections", int, limits.connections, "connections of each door at once"),
        ("--max-streams", int, limits.streams, "calls at once on one gRPC connection"),
        ("--max-message", int, limits.message, "bytes of the largest message accepted"),
        ("--max-headers", int, limits.headers, "bytes of the headers of a call or request"),
        ("--head-seconds", float, limits.head_seconds, "time for a TLS handshake or the head of a request"),
        ("--idle-seconds", float, limits.idle_seconds, "time that a connection may be without a call"),
    ):
        parser.add_argument(name, type=kind, default=default, metavar="N", help=f"{text} (%(default)s)")


if __name__ == "__main__":
    sys.exit(main())
