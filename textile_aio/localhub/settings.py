"""What can be set about an embedded hub, as one value."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from textile_aio.errors import InvalidInput
from textile_aio.localhub import reach
from textile_aio.localhub.accounts.mailer import Mailer
from textile_aio.localhub.limits import DoorLimits
from textile_aio.localhub.tls import TlsFiles

Mode = Literal["hub", "buckd"]

DEFAULT_GATEWAY_URL = "http://127.0.0.1:8006"
"""Where the gateways of Textile's daemons are."""


@dataclass(frozen=True, slots=True)
class HubSettings:
    """Settings of a :class:`~textile_aio.localhub.LocalHub`.

    Attributes:
        mode: ``"hub"`` has accounts, API keys and users and decides every call; ``"buckd"`` has none
            of them and serves whoever reaches it, as Textile's bucket daemon does.
        host: Address to listen on; ``0.0.0.0`` and ``::`` are all of their kind. Beyond loopback it needs
            ``tls``, or ``insecure_remote``.
        port: TCP port of the gRPC door; 0 takes a free one.
        web_port: TCP port of the gRPC-web door, which browsers and Textile's JavaScript packages use; 0 takes
            a free one, None opens none. It needs the packages of ``textile-aio[hub]``.
        web_origins: Web origins whose pages may call through it, as ``("https://app.example",)``; None for
            all, as Textile's daemons have it. Programs that are no browser send no origin and always may.
        gateway_port: TCP port of the HTTP gateway, which browsers see buckets and threads through; 0 takes a
            free one, None opens none. It needs the packages of ``textile-aio[hub]``.
        gateway_url: Base of the links that ``hub.buckets.links`` returns; no trailing slash. Empty for where
            the gateway listens, and without one for where Textile's daemons have theirs.
        gateway_subdomains: Whether the gateway sends ``/ipfs/ID`` and its like to ``ID.ipfs.`` before the
            host of ``gateway_url``, so that each has a web origin of its own.
        gateway_rate: How many requests a second the gateway answers, from all its callers together; None for
            as many as come. What is over it gets the status 429.
        domain: DNS domain of bucket websites; empty for none, then ``www`` links are empty.
        max_threads: How many threads one owner may have; 0 for no limit (spec: hub-accounts §3.1).
        grace: Seconds that calls in flight get to finish when the hub closes.
        challenge_timeout: Seconds a client may take to sign its challenge (spec: identity-and-auth §7).
        transaction_idle: Seconds a transaction's stream may be silent; the transaction is then given up.
        transaction_total: Seconds a transaction may take as a whole.
        script_seconds: Time that one call of a write validator or read filter may take.
        script_bytes: Memory that it may take.
        history: How many writes a database remembers for listeners that resume.
        collect_every: Seconds from one collection of unused blocks to the next; None for none but those that
            :meth:`LocalHub.collect` makes.
        keep_seconds: For how long collections spare what has arrived of a push that broke and may be resumed.
        mailer: Takes the mails of sign-up, sign-in and invitations to people. Without one, whoever signs up
            or in is let in at once, and the log says so, on a hub that only its own machine can reach; on
            others they are refused.
        confirmation_secret: What the links in mails end with, for test rigs that follow them without a mail;
            empty for a secret of its own for each.
        confirmation_seconds: Time to follow such a link (spec: hub-accounts §4.2).
        signs_each: How often a minute one name or address may sign up or in, or be invited; None for as often
            as they like. Beyond it they get ``ResourceExhausted``.
        signs_together: How often a minute all people together may; None for no limit.
        refusals_each: How many refusals of credentials a second one address is told; more of them wait. None
            for as many as come.
        secrets_key: What secrets in the data directory are sealed with: 32 bytes as multibase text. Empty for
            the key in the directory's file ``secrets.key``, which is made on first use.
        tls: The certificate of all doors; without one they speak plain text. A hub in a directory has one
            more door then, on a loopback port and in plain text, for whoever finds it by its directory.
        insecure_remote: Whether to listen beyond loopback in plain text, where whoever is on the way reads
            tokens and content, and changes them.
        public_host: Name or address, without a port, that others reach the hub by: it stands in ``target``,
            in links and in the addresses of threads. Empty for ``host``, or loopback where that is all
            addresses.
        gateway_origins: Web origins whose pages may read what the gateway answers; None for all, as
            Textile's daemons have it.
        limits: What strangers may ask of each door.
        fsync: Whether acknowledged means on disk. False is for tests and throw-away hubs only.
        clock: Now, in UTC nanoseconds since 1970.
    """

    mode: Mode = "hub"
    host: str = "127.0.0.1"
    port: int = 0
    web_port: int | None = None
    web_origins: tuple[str, ...] | None = None
    gateway_port: int | None = None
    gateway_url: str = ""
    gateway_subdomains: bool = False
    gateway_rate: float | None = None
    domain: str = ""
    max_threads: int = 100
    grace: float = 1.5
    challenge_timeout: float = 60.0
    transaction_idle: float = 60.0
    transaction_total: float = 300.0
    script_seconds: float = 0.010
    script_bytes: int = 16 * 1024 * 1024
    history: int = 100_000
    collect_every: float | None = 600.0
    keep_seconds: float = 3600.0
    mailer: Mailer | None = None
    confirmation_secret: str = field(default="", repr=False)
    confirmation_seconds: float = 1800.0
    signs_each: float | None = 10.0
    signs_together: float | None = None
    refusals_each: float | None = 100.0
    secrets_key: str = field(default="", repr=False)
    tls: TlsFiles | None = None
    insecure_remote: bool = False
    public_host: str = ""
    gateway_origins: tuple[str, ...] | None = None
    limits: DoorLimits = DoorLimits()  # noqa: RUF009 - a frozen value
    fsync: bool = True
    clock: Callable[[], int] = time.time_ns

    @property
    def is_public(self) -> bool:
        """Whether others than this machine's are meant to reach the hub."""
        return not all(map(reach.is_loopback, filter(None, (self.host, self.public_host))))

    def __post_init__(self) -> None:
        if self.mode not in ("hub", "buckd"):
            raise InvalidInput(f"mode is {self.mode!r}; it must be 'hub' or 'buckd'")
        for name in ("port", "web_port", "gateway_port"):
            port = getattr(self, name)
            if port is not None and not 0 <= port <= 65535:
                raise InvalidInput(f"{name} is {port}; it must be from 0 to 65535")
        if self.gateway_rate is not None and not self.gateway_rate > 0:
            raise InvalidInput(f"gateway_rate is {self.gateway_rate}; it must be above 0, or None for none")
        for name in ("confirmation_seconds", "signs_each", "signs_together", "refusals_each"):
            number = getattr(self, name)
            if number is not None and not number > 0:
                raise InvalidInput(f"{name} is {number}; it must be above 0")
        if self.mailer is not None and self.gateway_port is None and not self.gateway_url:
            raise InvalidInput("mails have links to the gateway: give a gateway_port, or a gateway_url")
        if self.collect_every is not None and not self.collect_every > 0:
            raise InvalidInput(
                f"collect_every is {self.collect_every}; it must be above 0, or None for never"
            )
        for name in ("host", "public_host"):
            host = getattr(self, name)
            if not reach.is_host(host) and (host or name == "host"):
                raise InvalidInput(
                    f"{name} is {host!r}, which is neither an IP address nor a host's name; "
                    "an IPv6 address has no brackets here, and the port is a setting of its own"
                )
        if not (reach.is_loopback(self.host) or self.tls or self.insecure_remote):
            raise InvalidInput(
                f"host is {self.host!r}, which others can reach, in plain text: give tls (--tls-cert and "
                "--tls-key), stay on loopback, or say insecure_remote (--insecure-remote) if the network "
                "between is yours alone"
            )
        if self.confirmation_secret and self.is_public:
            raise InvalidInput(
                "confirmation_secret lets in whoever knows it, as anybody: it is for a hub on loopback"
            )
