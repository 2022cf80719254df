"""What the services need to know of the hub itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textile_aio._codec.multiaddr import Multiaddr
from textile_aio._codec.peer import PeerID
from textile_aio.identity import Identity, PublicKey
from textile_aio.ids import ThreadID
from textile_aio.localhub.call import Call
from textile_aio.localhub.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Host:
    """The hub, as a peer of the thread network.

    Attributes:
        identity: The host key.
        tokens: Issues and verifies with it.
        clock: UTC nanoseconds.
        address: The base of thread addresses, without ``/p2p``. Known once the hub listens.
        challenge_timeout: Seconds a client may take to sign its challenge.
        transaction_idle: Seconds a transaction's stream may be silent.
        transaction_total: Seconds a transaction may take.
    """

    identity: Identity
    tokens: Tokens
    clock: Callable[[], int]
    address: Callable[[], Multiaddr]
    challenge_timeout: float
    transaction_idle: float
    transaction_total: float

    @property
    def peer(self) -> PeerID:
        """The host's id in the thread network."""
        return PeerID.from_public_key(bytes(self.identity.public))

    def thread_address(self, thread: ThreadID) -> Multiaddr:
        """Where other hosts would reach a thread."""
        return self.address() / Multiaddr.parse(f"/p2p/{self.peer}/thread/{thread}")

    def who(self, call: Call) -> str:
        """The public key text of the token that was sent; empty without one (spec: threads-api §9.2).

        Raises:
            InvalidToken: The token is not this host's.
        """
        token = call.caller.sent_token
        return self.tokens.verify(token) if token else ""

    def writer(self, call: Call) -> PublicKey:
        """Who writes: the identity of the token that was sent, or the host where there is none."""
        who = self.who(call)
        return PublicKey.from_string(who) if who else self.identity.public
