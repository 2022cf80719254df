"""Whether a method serves this kind of caller (spec: hub-accounts §4).

The last question before the handler, so its answers come after those about credentials and threads.
Refuses to know rows of the store: whether the account is still there is for the handler to see.
"""

from __future__ import annotations

from textile_aio.errors import FailedPrecondition, InvalidInput, InvalidSession, StatusCode
from textile_aio.localhub.access import methods
from textile_aio.localhub.access.caller import Caller
from textile_aio.localhub.access.methods import Who
from textile_aio.storage.values import AccountKind


def check(method: str, caller: Caller) -> None:
    """Let a caller who was recognised go on, or raise.

    Raises:
        InvalidInput: An app's user where an account is asked for, or an organisation's key where a developer
            is, or nobody's organisation where one is.
        FailedPrecondition: No organisation for a method that shows it.
        InvalidSession: No session for a method that ends it.
    """
    who = methods.TABLE[method].who
    if who is Who.SESSIONS and not caller.session:
        raise InvalidSession("session not found", code=StatusCode.NOT_FOUND)
    if who not in _ACCOUNTS:
        return
    if caller.kind is None or caller.kind is AccountKind.USER:
        raise InvalidInput("account type not supported", code=StatusCode.INVALID_ARGUMENT)
    if who in _DEVELOPERS and caller.account is None:
        raise InvalidInput("developer account required", code=StatusCode.INVALID_ARGUMENT)
    if who is Who.MEMBERS and not caller.org:
        raise InvalidInput("organization account required", code=StatusCode.INVALID_ARGUMENT)
    if who is Who.ORGANISATIONS and caller.kind is not AccountKind.ORGANISATION:
        raise FailedPrecondition("organization account required", code=StatusCode.FAILED_PRECONDITION)


_DEVELOPERS = frozenset({Who.DEVELOPERS, Who.MEMBERS})
_ACCOUNTS = _DEVELOPERS | {Who.ACCOUNTS, Who.ORGANISATIONS}
