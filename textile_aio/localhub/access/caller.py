"""Who is calling, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from textile_aio.ids import ThreadID
from textile_aio.storage.values import AccountKind


class Credential(Enum):
    """By what the caller was recognised."""

    NOTHING = "nothing"
    SESSION = "session"
    ACCOUNT_KEY = "account key"
    USER_KEY = "user-group key"


@dataclass(frozen=True, slots=True)
class Caller:
    """The outcome of authentication.

    Attributes:
        credential: By what the caller was recognised.
        owner: Public key (protobuf bytes) that threads are tracked under: an organisation's, a
            developer's or a user's. None without an account.
        kind: Whose account the owner is; None without one.
        account: Public key of the developer who acts, with a session or a key of their own; None for an
            organisation's key, for an app's user and for nobody.
        org: Slug of the organisation that a developer acts for by session; empty for none.
        session: Names the session used, without being what was sent; empty for none.
        api_key: Names the API key used, as the rows about threads do; empty with a session.
        token: The token that bucket and user services act with: the account's own, or the one sent.
            Empty: anonymous.
        identity: The public key text that ``token`` stands for, verified; empty for anonymous.
        sent_token: What the ``authorization`` header carried, verified by whoever uses it. The
            threads services look at nothing else.
        thread: The thread of the ``x-textile-thread`` header; None if absent or malformed.
        thread_name: The ``x-textile-thread-name`` header.
        moment: When recognising the caller began, in terms of the calls in progress (``LiveCalls.moment``).
    """

    credential: Credential = Credential.NOTHING
    owner: bytes | None = None
    kind: AccountKind | None = None
    account: bytes | None = None
    org: str = ""
    session: str = ""
    api_key: str = ""
    token: str = ""
    identity: str = ""
    sent_token: str = ""
    thread: ThreadID | None = None
    thread_name: str = ""
    moment: int = 0
