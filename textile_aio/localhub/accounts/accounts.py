"""The room's parts, put together for one hub."""

from __future__ import annotations

from collections.abc import Callable

from textile_aio.localhub.accounts.closing import Closing
from textile_aio.localhub.accounts.developers import Developers
from textile_aio.localhub.accounts.entrance import Entrance, EntranceRules
from textile_aio.localhub.accounts.keys import ApiKeys
from textile_aio.localhub.accounts.organisations import Organisations
from textile_aio.localhub.accounts.registry import Registry
from textile_aio.localhub.live import LiveCalls


class Accounts:
    """All about accounts of one hub.

    Args:
        registry: Looks them up.
        live: Calls in progress.
        rules: How people are let in.
        url: Where the links in mails lead, without a slash at the end.
        closed: Called after an account was taken away.

    Attributes:
        registry: As given.
        developers: Accounts and sessions.
        keys: API keys.
        entrance: Signing up and in.
        organisations: With members and invitations.
        closing: Taking accounts away.
    """

    def __init__(
        self,
        registry: Registry,
        live: LiveCalls,
        rules: EntranceRules,
        *,
        url: Callable[[], str],
        closed: Callable[[], None],
    ) -> None:
        self.registry: Registry = registry
        self.developers: Developers = Developers(registry, live)
        self.keys: ApiKeys = ApiKeys(registry, live)
        self.entrance: Entrance = Entrance(self.developers, rules, url, registry.clock)
        self.closing: Closing = Closing(registry, live, closed)
        self.organisations: Organisations = Organisations(
            registry, live, self.closing, self.entrance, mailer=rules.mailer, url=url
        )
