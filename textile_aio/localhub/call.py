"""One call in progress, as service handlers see it: whichever door it came through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from textile_aio.errors import FailedPrecondition, StatusCode, ThreadRequired
from textile_aio.ids import ThreadID
from textile_aio.localhub.access.caller import Caller
from textile_aio.storage.values import TrackedThread


@dataclass(frozen=True, slots=True)
class Call:
    """What is known of a call beside its messages.

    Attributes:
        method: Full name, ``/package.Service/Method``.
        headers: Request metadata, first values only.
        caller: Who calls.
        claim: For a call that makes a thread, the row that tracks it; None without accounts.
    """

    method: str
    headers: Mapping[str, str]
    caller: Caller
    claim: TrackedThread | None = None

    @property
    def thread(self) -> ThreadID:
        """The thread that the headers name.

        Raises:
            ThreadRequired: They name none (``db required``).
        """
        if self.caller.thread is None:
            raise ThreadRequired("db required", code=StatusCode.UNKNOWN)
        return self.caller.thread

    @property
    def owner(self) -> bytes:
        """The public key that the caller acts for.

        Raises:
            FailedPrecondition: There is none (``account is required``).
        """
        if self.caller.owner is None:
            raise FailedPrecondition("account is required", code=StatusCode.FAILED_PRECONDITION)
        return self.caller.owner


class Exchange(Protocol):
    """The messages of a streaming call."""

    @property
    def address(self) -> str:
        """The client's, without a port; empty if it has none."""
        ...

    async def recv(self) -> Any | None:
        """The next message of the client; None once it has half-closed. A reset raises instead."""
        ...

    async def begin(self, headers: Mapping[str, str]) -> None:
        """Send the response headers, with these among them, before there is a message. At most once.

        Without it they go out with the first message.
        """
        ...

    async def send(self, message: Any) -> None:
        """Send a message; waits while the client's window is full."""
        ...
