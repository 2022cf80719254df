"""Signatures that prove an API key's secret without sending it (spec: identity-and-auth §8).

A signature is an HMAC over a date in the future, the moment it stops being valid. Made and checked here; when
and with which headers it travels is the context's business.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from textile_aio._codec import multibase
from textile_aio.errors import InvalidCredential, InvalidEncoding, InvalidInput

Clock = Callable[[], float]
"""Gives the time as seconds since 1970, UTC; ``time.time`` outside tests."""

LIFETIME: Final = 30 * 60
"""Seconds a signature is made valid for when no date is given, as in JavaScript."""

_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d+))?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII,
)
_LONGEST_HEADER = 16 * 1024
"""Real ones have some hundred. The cost of compressing a header grows with the square of its length."""

_PRINTABLE = re.compile(r"[!-~](?:[ -~]*[!-~])?")


def header_value(what: str, value: object) -> str:
    """``value``, if it can travel as a header: printable ASCII that neither begins nor ends with a space.

    Raises:
        InvalidCredential: It cannot, or it is longer than any hub reads. The message names ``what`` but does
            not repeat the value.
    """
    if not isinstance(value, str) or not _PRINTABLE.fullmatch(value):
        raise InvalidCredential(
            f"the {what} must be printable ASCII text without a space at either end to be sent as a header"
        )
    if len(value) > _LONGEST_HEADER:
        raise InvalidCredential(f"the {what} is longer than {_LONGEST_HEADER} characters")
    return value


def decode_secret(secret: str) -> bytes:
    """The HMAC key that an API secret stands for.

    Raises:
        InvalidCredential: The text is no multibase. It is not repeated.
    """
    try:
        return multibase.decode(secret)
    except InvalidEncoding as error:
        raise InvalidCredential(f"the API secret is malformed: {error.message}") from None


def parse_date(text: str) -> datetime | None:
    """A date of RFC 3339 as Go reads it, in UTC and cut to microseconds; None for anything else."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    moment, fraction, sign, hours, minutes = match.groups()
    try:
        date = datetime.fromisoformat(moment).replace(
            microsecond=int((fraction or "").ljust(6, "0")[:6]),
            tzinfo=timezone(
                (-1 if sign == "-" else 1) * timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
            ),
        )
        return date.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class ApiSig:
    """A signature by an API key's secret. Whoever has it can use the key until it expires: ``repr`` hides it.

    Attributes:
        sig: The MAC as multibase text.
        msg: The text it was made over: an RFC 3339 date.
    """

    sig: str
    msg: str
    _until: float = field(init=False, compare=False)

    def __post_init__(self) -> None:
        header_value("API signature", self.sig)
        date = parse_date(header_value("API signature's message", self.msg))
        if date is None:
            raise InvalidCredential("the API signature's message is not a date of RFC 3339")
        object.__setattr__(self, "_until", date.timestamp())

    @property
    def expires(self) -> datetime:
        """The moment from which it no longer counts, in UTC."""
        return datetime.fromtimestamp(self._until, UTC)

    def has_expired(self, now: float) -> bool:
        """Whether that moment has come at ``now``, in seconds since 1970."""
        return self._until <= now

    def matches(self, secret: str) -> bool:
        """Whether this secret made the signature, whatever the date. In constant time.

        Raises:
            InvalidCredential: The secret is malformed.
        """
        try:
            given = multibase.decode(self.sig)
        except InvalidEncoding:
            return False
        return hmac.compare_digest(given, _mac(decode_secret(secret), self.msg))

    def __repr__(self) -> str:
        return f"<ApiSig until {self.msg}>"


@dataclass(frozen=True, slots=True)
class UserAuth:
    """What a trusted server hands to an app, so that it can use the server's API key for a while.

    Attributes:
        key: The API key.
        signature: Made by the key's secret, which stays on the server.
        token: An identity's token, if the server obtained one.
    """

    key: str
    signature: ApiSig
    token: str | None = None

    def __post_init__(self) -> None:
        header_value("API key", self.key)
        if self.token is not None:
            header_value("token", self.token)

    def to_json(self) -> dict[str, str]:
        """In the shape JavaScript uses: ``key``, ``sig``, ``msg`` and, if there is one, ``token``."""
        parts = {"key": self.key, "sig": self.signature.sig, "msg": self.signature.msg}
        return parts if self.token is None else parts | {"token": self.token}

    @classmethod
    def from_json(cls, parts: Mapping[str, Any]) -> UserAuth:
        """From the shape of :meth:`to_json`; other members are ignored, an empty token counts as none.

        Raises:
            InvalidCredential: A member is missing or malformed.
        """
        missing = [name for name in ("key", "sig", "msg") if name not in parts]
        if missing:
            raise InvalidCredential(f"the user auth has no {' and no '.join(missing)}")
        return cls(parts["key"], ApiSig(parts["sig"], parts["msg"]), parts.get("token") or None)

    def __repr__(self) -> str:
        return f"<UserAuth until {self.signature.msg}{', with a token' if self.token else ''}>"


class KeySigner:
    """Signs with one secret, and anew only when half of a signature's life has passed.

    Equal and hashed by the secret: what it remembers is no part of its value. Safe to share between threads;
    at worst two of them sign at once.
    """

    __slots__ = ("_last", "_mac_key", "_secret")

    def __init__(self, secret: str) -> None:
        self._mac_key = decode_secret(secret)
        self._secret = secret
        self._last: tuple[float, ApiSig] | None = None

    def signature(self, now: float) -> ApiSig:
        """A signature that lasts for 15 to 30 minutes from ``now`` (seconds since 1970)."""
        last = self._last
        if last is not None and LIFETIME / 2 < last[0] - now <= LIFETIME:
            return last[1]
        made = _sign(self._mac_key, datetime.fromtimestamp(now + LIFETIME, UTC))
        self._last = (now + LIFETIME, made)
        return made

    def __eq__(self, other: object) -> bool:
        return (
            hmac.compare_digest(self._mac_key, other._mac_key)
            if isinstance(other, KeySigner)
            else NotImplemented
        )

    def __hash__(self) -> int:
        return hash(self._mac_key)

    def __repr__(self) -> str:
        return "<KeySigner>"

    def __reduce__(self) -> tuple[type[KeySigner], tuple[str]]:
        return KeySigner, (self._secret,)


def create_api_sig(secret: str, expires: datetime | None = None, *, clock: Clock = time.time) -> ApiSig:
    """Sign with an API secret.

    Args:
        secret: The secret as the hub gave it out.
        expires: When the signature stops being valid, with a time zone; 30 minutes from now if not given.
        clock: The present time, in seconds since 1970.

    Raises:
        InvalidCredential: The secret is malformed.
        InvalidInput: The date has no time zone or is none.
    """
    if expires is None:
        expires = datetime.fromtimestamp(clock() + LIFETIME, UTC)
    if not isinstance(expires, datetime) or expires.tzinfo is None:
        raise InvalidInput("the date until which a signature is valid must be a datetime with a time zone")
    return _sign(decode_secret(secret), expires.astimezone(UTC))


def create_user_auth(
    key: str,
    secret: str,
    *,
    expires: datetime | None = None,
    token: str | None = None,
    clock: Clock = time.time,
) -> UserAuth:
    """On a trusted server: let an app use an API key for a while without knowing its secret.

    Args:
        key: The API key.
        secret: Its secret; it is not part of the result.
        expires: When that ends, with a time zone; 30 minutes from now if not given.
        token: The token of the identity the app shall act for, if the server obtained it.
        clock: The present time, in seconds since 1970.

    Raises:
        InvalidCredential: Key, secret or token are malformed.
        InvalidInput: The date has no time zone.
    """
    return UserAuth(key, create_api_sig(secret, expires, clock=clock), token)


def _sign(mac_key: bytes, expires: datetime) -> ApiSig:
    message = expires.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    return ApiSig(multibase.encode(_mac(mac_key, message)), message)


def _mac(mac_key: bytes, message: str) -> bytes:
    return hmac.digest(mac_key, message.encode(), hashlib.sha256)
