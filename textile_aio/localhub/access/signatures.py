"""API signatures: whether a caller has a key's secret (spec: identity-and-auth §8).

One signature comes with every call of a caller for a quarter of an hour or longer, so those that were good
are remembered; whether their time is over is looked at each time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping

from textile_aio._codec import multibase
from textile_aio.auth import ApiSig
from textile_aio.errors import BadSignature, InvalidCredential, InvalidInput, SignatureRequired, StatusCode
from textile_aio.localhub.accounts.registry import KnownKey

_REMEMBERED = 4096


class Signatures:
    """Checks signatures against the present time."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._good: OrderedDict[tuple[str, str, str], ApiSig] = OrderedDict()

    def check(self, key: KnownKey, headers: Mapping[str, str]) -> None:
        """See that a call is signed with a key's secret.

        Raises:
            SignatureRequired: There is no signature, or none that can be read.
            BadSignature: It was made with another secret, or its time is over.
        """
        message = headers.get("x-textile-api-sig-msg", "")
        signature = headers.get("x-textile-api-sig", "")
        name = (key.id, signature, message)
        given = self._good.get(name) or self._verified(key, name)
        if given.expires.timestamp() < self._clock() / 1_000_000_000:
            self._good.pop(name, None)
            raise _bad()

    def _verified(self, key: KnownKey, name: tuple[str, str, str]) -> ApiSig:
        _, signature, message = name
        if not message or not _is_multibase(signature):
            raise SignatureRequired("API key signature required", code=StatusCode.UNAUTHENTICATED)
        try:
            given = ApiSig(signature, message)
        except InvalidCredential:
            raise _bad() from None  # the message is no date
        if not given.matches(key.secret):
            raise _bad()
        self._good[name] = given
        if len(self._good) > _REMEMBERED:
            self._good.popitem(last=False)
        return given


def _is_multibase(text: str) -> bool:
    try:
        multibase.decode(text)
    except InvalidInput:
        return False
    return True


def _bad() -> BadSignature:
    return BadSignature("Bad API key signature", code=StatusCode.UNAUTHENTICATED)
