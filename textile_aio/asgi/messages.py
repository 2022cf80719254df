"""What a browser and the backend say to each other when somebody signs in; bytes in, values out.

The messages are those of Textile's JavaScript example ``hub-browser-auth-app``, one JSON object each. The
browser says ``{"type": "token", "pubkey"}``, is asked ``{"type": "challenge", "value"}``, answers ``{"type":
"challenge", "sig"}`` and gets ``{"type": "token", "value": {"key", "sig", "msg", "token"}}``; a refusal is
``{"type": "error", "value"}``. Bytes travel as Node's buffers do: ``{"type": "Buffer", "data": [...]}``.

Over HTTP, where two requests make one exchange, a challenge has an ``id`` besides, which its answer repeats.
Who may sign in and what for, this module does not know.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from textile_aio.errors import InvalidInput, MessageTooLarge
from textile_aio.identity import PublicKey

LARGEST: Final = 4096
"""Bytes of a message that are read; real ones have a few hundred."""

_SIGNATURE: Final = 64
_LONGEST_TEXT: Final = 256


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """Somebody says who they are, and wants a challenge to prove it."""

    public: PublicKey


@dataclass(frozen=True, slots=True)
class Answer:
    """The signed challenge.

    Attributes:
        signature: 64 bytes.
        id: Which challenge, over HTTP; empty on a websocket, where there is but one.
    """

    signature: bytes
    id: str = ""


def parse(message: bytes | str) -> TokenRequest | Answer:
    """What a browser said.

    Raises:
        MessageTooLarge: It is longer than :data:`LARGEST`.
        InvalidKey: What it names is no public key.
        InvalidInput: It is no message of this protocol. Nothing of it is repeated.
    """
    if len(message) > LARGEST:
        raise MessageTooLarge(f"a message has at most {LARGEST} bytes")
    try:
        said = json.loads(message)
    except (ValueError, RecursionError):
        raise InvalidInput("a message is an object of JSON") from None
    if not isinstance(said, dict):
        raise InvalidInput("a message is an object of JSON")
    match said.get("type"):
        case "token":
            return TokenRequest(PublicKey.from_string(_text(said, "pubkey")))
        case "challenge":
            return Answer(_bytes(said, "sig"), _text(said, "id") if "id" in said else "")
    raise InvalidInput("the type of a message is 'token' or 'challenge'")


def challenge(value: bytes, id: str = "") -> dict[str, Any]:  # noqa: A002
    """The question: these bytes are to be signed."""
    said: dict[str, Any] = {"type": "challenge", "value": {"type": "Buffer", "data": list(value)}}
    return said | {"id": id} if id else said


def token(user_auth: Mapping[str, object]) -> dict[str, Any]:
    """The end of a sign-in on a websocket: what the browser came for."""
    return {"type": "token", "value": dict(user_auth)}


def error(text: str) -> dict[str, Any]:
    """The other end."""
    return {"type": "error", "value": text}


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value or len(value) > _LONGEST_TEXT:
        raise InvalidInput(f"the message needs a short text as its {name!r}")
    return value


def _bytes(said: Mapping[str, Any], name: str) -> bytes:
    value = said.get(name)
    if isinstance(value, dict):
        value = value.get("data")
    # bytes() would take a number for a length, and True for one.
    if not isinstance(value, list) or not all(type(each) is int and 0 <= each < 256 for each in value):
        raise InvalidInput(f"the message needs bytes as its {name!r}: a buffer, or a list of numbers")
    if len(value) != _SIGNATURE:
        raise InvalidInput(f"a signature has {_SIGNATURE} bytes, not {len(value)}")
    return bytes(value)
