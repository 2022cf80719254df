"""What a call is, as a value: its path, its two message types, and whether it may be repeated.

The rooms list their methods with it; it knows nothing of channels or codecs.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Generic, TypeVar

Req = TypeVar("Req")
Rep = TypeVar("Rep")


@dataclass(frozen=True, slots=True)
class Method(Generic[Req, Rep]):
    """One method of a gRPC service.

    Attributes:
        path: Full name with leading slash, as ``/threads.pb.API/NewDB``.
        request: Type of the messages that are sent.
        reply: Type of the messages that come back.
        safe: True when making the call twice does no more than making it once, so that it may be repeated
            after the hub was unavailable, even if it may have been carried out before.
    """

    path: str
    request: type[Req]
    reply: type[Rep]
    _: KW_ONLY
    safe: bool = False
