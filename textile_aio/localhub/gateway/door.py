"""The port that browsers come in by."""

from __future__ import annotations

import uvicorn
from starlette.middleware.cors import CORSMiddleware

from textile_aio.localhub.access.ownership import Ownership
from textile_aio.localhub.accounts import Accounts
from textile_aio.localhub.buckets.engine import BucketEngine
from textile_aio.localhub.gateway.application import Application
from textile_aio.localhub.gateway.finding import Finder
from textile_aio.localhub.gateway.mail_links import MailLinks
from textile_aio.localhub.gateway.rate import RateLimit
from textile_aio.localhub.gateway.routes import Routes
from textile_aio.localhub.http_server import COMMON, HttpServer
from textile_aio.localhub.settings import HubSettings
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

    def __init__(
        self,
        buckets: BucketEngine,
        tokens: Tokens,
        settings: HubSettings,
        accounts: Accounts | None,
        ownership: Ownership | None,
    ) -> None:
        self._host = ""
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
            allow_origins=["*"],
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=[
                *("Origin", "Accept", "Content-Type", "X-Requested-With"),
                *("Authorization", "If-Match", "If-None-Match", "If-Range", "Range"),
            ],
            expose_headers=["Accept-Ranges", "Content-Length", "Content-Range", "ETag"],
        )
        self._server = HttpServer(uvicorn.Config(application, ws="none", **COMMON))

    @property
    def port(self) -> int:
        """TCP port it listens on; 0 before it is started."""
        return self._server.port

    @property
    def url(self) -> str:
        """Base of links to it: the setting, or where it listens."""
        return self._url or f"http://{self._host}:{self.port}"

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Args:
            host: Address or name; a name may stand for several addresses.
            port: 0 takes a free one.

        Raises:
            OSError: Address or port cannot be had.
        """
        self._host = f"[{host}]" if ":" in host else host
        await self._server.start(host, port)

    async def shutdown(self, *, grace: float) -> None:
        """Stop listening, let answers in flight end, then cut what is left.

        Args:
            grace: Seconds for them.
        """
        await self._server.shutdown(lambda: self._server.wait_for_requests(grace))
