"""The port that browsers come in by."""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware

from textile_aio._rpc.listening import TlsSource
from textile_aio.localhub import reach
from textile_aio.localhub.access.ownership import Ownership
from textile_aio.localhub.accounts import Accounts
from textile_aio.localhub.buckets.engine import BucketEngine
from textile_aio.localhub.gateway.application import Application
from textile_aio.localhub.gateway.finding import Finder
from textile_aio.localhub.gateway.mail_links import MailLinks
from textile_aio.localhub.gateway.rate import RateLimit
from textile_aio.localhub.gateway.routes import Routes
from textile_aio.localhub.http_server import HttpServer
from textile_aio.localhub.settings import HubSettings
from textile_aio.localhub.tls import HTTP
from textile_aio.localhub.tokens import Tokens


class GatewayDoor:
    """A web server that listens once it is started.

    Args:
        buckets: The buckets, and the databases that they live in.
        tokens: Verifies who reads.
        settings: The hub's.
        accounts: Where the links in mails lead; None on a hub without accounts.
        ownership: Whose threads they are; None on a hub without accounts.
    """

    alpn = HTTP

    def __init__(
        self,
        buckets: BucketEngine,
        tokens: Tokens,
        settings: HubSettings,
        accounts: Accounts | None,
        ownership: Ownership | None,
    ) -> None:
        self._name = settings.public_host or reach.called(settings.host)
        self._scheme = "http"
        self._url = settings.gateway_url
        routes = Routes(
            Finder(buckets, ownership),
            None if accounts is None else MailLinks(accounts),
            domain=settings.domain,
            url=lambda: self.url,
            subdomains=settings.gateway_subdomains,
        )
        rate = settings.gateway_rate
        limit = None if rate is None else RateLimit(rate)
        application = CORSMiddleware(
            Application(routes, buckets.blocks, tokens.verify, limit),
            allow_origins=["*"] if settings.gateway_origins is None else settings.gateway_origins,
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=[
                *("Origin", "Accept", "Content-Type", "X-Requested-With"),
                *("Authorization", "If-Match", "If-None-Match", "If-Range", "Range"),
            ],
            expose_headers=["Accept-Ranges", "Content-Length", "Content-Range", "ETag"],
        )
        self._server = HttpServer(application, settings.limits)

    @property
    def port(self) -> int:
        """TCP port it listens on; 0 before it is started."""
        return self._server.port

    @property
    def url(self) -> str:
        """Base of links to it: the setting, or where it listens."""
        return self._url or f"{self._scheme}://{reach.authority(self._name, self.port)}"

    async def start(self, host: str, port: int, *, tls: TlsSource | None = None) -> int:
        """Listen, and return the port. See :meth:`HttpServer.start`."""
        self._scheme = "http" if tls is None else "https"
        return await self._server.start(host, port, tls=tls)

    async def shutdown(self, *, grace: float) -> None:
        """Stop listening, let answers in flight end, then cut what is left.

        Args:
            grace: Seconds for them.
        """
        await self._server.shutdown(lambda: self._server.wait_for_requests(grace))
