"""The part of the users client that says what the hub stores for a caller, and what that costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING

from textile_aio._arguments import context, text
from textile_aio._proto.api.usersd import pb
from textile_aio._rpc.calls import ServiceCalls
from textile_aio.auth import AuthContext
from textile_aio.identity import PublicKey
from textile_aio.users import _methods

if TYPE_CHECKING:
    from textile_aio.accounts.billing import BillingCustomer, BillingUsage


@dataclass(frozen=True, slots=True)
class AccountUsage:
    """What somebody uses of a hub.

    Attributes:
        customer: Who. At a hub without billing what it says of payment is empty.
        products: What they use, by product: ``stored_data``, and at a hub that bills ``network_egress``,
            ``instance_reads`` and ``instance_writes``.
    """

    customer: BillingCustomer | None
    _: KW_ONLY
    products: Mapping[str, BillingUsage] = field(hash=False)

    @property
    def stored_bytes(self) -> int:
        """Bytes of documents and blocks that the hub stores; 0 if it does not say."""
        stored = self.products.get("stored_data")
        return 0 if stored is None else stored.total


class UsageCalls(ServiceCalls):
    """The group of calls about usage."""

    async def usage(
        self, ctx: AuthContext, key: PublicKey | str | None = None, *, timeout: float | None = None
    ) -> AccountUsage:
        """What the caller uses of the hub, or a user of the caller's applications. Safe to repeat.

        The hub of this package counts the bytes that it stores; a Go hub answers only where it bills.

        Args:
            ctx: Who asks.
            key: The public key of a user who has threads that were made with the caller's API keys; of those
                threads alone it is told. By default the caller.
            timeout: See the class.

        Raises:
            NotFound: No such user.
            InvalidKey: ``key`` is no public key.
            RemoteError: The hub does not say.
        """
        from textile_aio.accounts import _convert

        about = "" if key is None else str(key) if isinstance(key, PublicKey) else text(key, "the key")
        request = pb.GetUsageRequest(key=about)
        reply = await self._call(_methods.GET_USAGE, request, context(ctx), timeout=timeout, about=about)
        products = {} if reply.usage is None else _convert.usages(reply.usage.usage.items())
        customer = None if reply.customer is None else _convert.customer(reply.customer)
        return AccountUsage(customer, products=products)
