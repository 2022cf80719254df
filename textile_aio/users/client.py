"""The client for a hub's users service, put together from groups of calls."""

from __future__ import annotations

from textile_aio.users.archiving import ArchiveCalls
from textile_aio.users.invites import InviteCalls
from textile_aio.users.usage import UsageCalls
from textile_aio.users.watch_calls import WatchCalls


class UsersClient(WatchCalls, InviteCalls, UsageCalls, ArchiveCalls):
    """What belongs to the caller at a hub with accounts: a developer, an organisation or an app's user.

    Reached as :attr:`HubClient.users <textile_aio.HubClient.users>`. Every call takes the context first.
    Errors that can come from every call and are not repeated below: :class:`~textile_aio.ClosedError` and
    :class:`~textile_aio.InvalidInput` before anything is sent, :class:`~textile_aio.Unimplemented` where the
    hub has no accounts, :class:`~textile_aio.Unauthenticated`, :class:`~textile_aio.Unavailable`,
    :class:`~textile_aio.DeadlineExceeded` and :class:`~textile_aio.ProtocolError`.

    ``timeout`` is in seconds and includes repetitions; without one the client's default applies. Calls that
    are safe to repeat are repeated when the hub was unavailable; others only when their request certainly
    never left.

    Args:
        channel: The hub.
        timeout: Default for all calls; None for no limit.
    """
