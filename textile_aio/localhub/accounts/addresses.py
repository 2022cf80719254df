"""E-mail addresses: one mailbox, as RFC 5322 has it (spec: hub-accounts §4.2)."""

from __future__ import annotations

from email.errors import MessageError
from email.headerregistry import HeaderRegistry
from typing import Any

from textile_aio.errors import InvalidInput, StatusCode

_LONGEST = 1000
_PARSE = HeaderRegistry()


def mailbox(text: str) -> str:
    """The address to send to, of a text such as ``ann@example.com`` or ``Ann <ann@example.com>``.

    Raises:
        InvalidInput: The text is not one address.
    """
    addresses = _addresses(text)
    if len(addresses) != 1 or not addresses[0].username or not addresses[0].domain:
        # The typo is upstream's, and clients may look for it.
        raise InvalidInput("Email address in not valid", code=StatusCode.FAILED_PRECONDITION, about=text)
    return str(addresses[0].addr_spec)


def _addresses(text: str) -> tuple[Any, ...]:
    if len(text) > _LONGEST or not text.isprintable():
        return ()
    try:
        header: Any = _PARSE("to", text)
    except (MessageError, ValueError, IndexError):
        return ()
    grouped = any(group.display_name is not None for group in header.groups)
    return () if header.defects or grouped else header.addresses
