"""Identity tokens: issued and verified with the host's key (spec: identity-and-auth §6).

A token is a compact JWS over ``{"iat", "iss", "sub"}`` whose algorithm is called ``Ed25519``. It does
not expire; it is as good as the host key. Nothing here knows who may do what.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from textile_aio.errors import InvalidInput, InvalidToken, StatusCode
from textile_aio.identity import Identity, PublicKey

_HEADER = {"alg": "Ed25519", "typ": "JWT"}


class Tokens:
    """Issues and verifies the tokens of one host."""

    def __init__(self, host: Identity, clock: Callable[[], int]) -> None:
        self._host = host
        self._clock = clock
        # Verifying costs 60 µs and reading the claims 40; the same few tokens come with every call. Only what
        # holds for ever may be kept, so time claims are looked at each time.
        self._verified = functools.lru_cache(maxsize=4096)(self._verify_signature)

    def issue(self, subject: PublicKey) -> str:
        """A token for ``subject``."""
        claims = {
            "iat": self._clock() // 1_000_000_000,
            "iss": str(self._host.public),
            "sub": str(subject),
        }
        signed = f"{_encode(_HEADER)}.{_encode(claims)}"
        return f"{signed}.{_base64(self._host.sign(signed.encode('ascii')))}"

    def verify(self, token: str) -> str:
        """The subject (a public key's text) of a token of this host. Raises as :meth:`subject`."""
        return str(self.subject(token))

    def subject(self, token: str) -> PublicKey:
        """The subject of a token of this host.

        Raises:
            InvalidToken: With Go's texts: ``thread token not found``, ``invalid thread token``, or the
                key's own error where the subject is not a key.
        """
        verified = self._verified(token)
        if not _timely(verified.claims, self._clock() / 1_000_000_000):
            raise _invalid()
        return verified.subject or _key(verified.claims)

    def _verify_signature(self, token: str) -> _Verified:
        signed, _, signature = token.rpartition(".")
        claims = parse(token)
        try:
            raw = _unbase64(signature)
        except ValueError:
            raise _invalid() from None
        if not self._host.public.verify(signed.encode("ascii"), raw):
            raise _invalid()
        try:
            subject = _key(claims)
        except (InvalidToken, InvalidInput):
            return _Verified(claims, None)  # its times are refused first, and then this
        return _Verified(claims, subject)


@dataclass(frozen=True, slots=True)
class _Verified:
    """What a signature vouches for; no subject where there is none that is a key."""

    claims: dict[str, Any]
    subject: PublicKey | None


def parse(token: str) -> dict[str, Any]:
    """The claims of a token whose signature nobody has looked at.

    Raises:
        InvalidToken: Not three segments (``thread token not found``), or not a JWS with the algorithm
            ``Ed25519`` (``invalid thread token``).
    """
    segments = token.split(".")
    if len(segments) != 3:
        raise InvalidToken("thread token not found", code=StatusCode.UNKNOWN)
    try:
        header = json.loads(_unbase64(segments[0]))
        claims = json.loads(_unbase64(segments[1]))
        _unbase64(segments[2])
    except (ValueError, RecursionError):  # a recursion: nested deeper than Python reads, by nobody we know
        raise _invalid() from None
    if not isinstance(header, dict) or not isinstance(claims, dict) or header.get("alg") != "Ed25519":
        raise _invalid()
    return claims


def _timely(claims: dict[str, Any], now: float) -> bool:
    def number(name: str) -> float | None:
        value = claims.get(name)
        if value is None:
            return None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if is_number else float("nan")

    expires, issued, begins = number("exp"), number("iat"), number("nbf")
    # A claim that is not a number compares false with everything and so refuses the token.
    return (
        (expires is None or now <= expires)
        and (issued is None or now >= issued)
        and (begins is None or now >= begins)
    )


def _invalid() -> InvalidToken:
    return InvalidToken("invalid thread token", code=StatusCode.UNKNOWN)


def _key(claims: dict[str, Any]) -> PublicKey:
    subject = claims.get("sub", "")
    if not isinstance(subject, str):
        raise _invalid()
    return PublicKey.from_string(subject)


def _encode(part: dict[str, Any]) -> str:
    return _base64(json.dumps(part, separators=(",", ":")).encode("utf-8"))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _unbase64(text: str) -> bytes:
    if "=" in text or not text.isascii():
        raise ValueError("not unpadded base64url")  # Go refuses padding
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not unpadded base64url") from error
