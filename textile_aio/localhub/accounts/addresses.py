"""E-mail addresses: one mailbox, as RFC 5322 has it (spec: hub-accounts §4.2).

Takes what Go's ``mail.ParseAddress`` takes, with UTF-8 anywhere (RFC 6532), but for groups, comments in
comments and characters that nobody sees. One pass, whatever is sent.
"""

from __future__ import annotations

import ipaddress
import re

from textile_aio.errors import InvalidInput, StatusCode

_LONGEST = 1000
_ATOM = r'[^\s()<>\[\]:;@\\,."]+'
_DOT_ATOM = rf"{_ATOM}(?:\.{_ATOM})*"
_QUOTED = r'"(?:[^"\\]|\\.)+"'
_SPEC = rf"((?:{_DOT_ATOM}|{_QUOTED})@(?:{_DOT_ATOM}|\[([^\[\]]+)\]))"
_COMMENT = r"\([^()\\]*\)"
_NAME = r'(?:[^()<>\[\]:;@\\,"]|"(?:[^"\\]|\\.)*")*'
_BARE = re.compile(rf"{_SPEC}(?: *{_COMMENT})?")
_NAMED = re.compile(rf"{_NAME}(?:{_COMMENT} *)?<{_SPEC}>(?: *{_COMMENT})?")
_ENCODED_WORD = re.compile(r"=\?[^?]*\?[bBqQ]\?")


def mailbox(text: str) -> str:
    """The address to send to, of a text such as ``ann@example.com`` or ``Ann <ann@example.com>``.

    Raises:
        InvalidInput: The text is not one address.
    """
    found = None
    if len(text) <= _LONGEST and text.isprintable():
        text = text.strip(" ")
        found = _BARE.fullmatch(text) or _NAMED.fullmatch(text)
    # Some mail servers decode what looks like an encoded word, and then it is another address.
    if found is None or _ENCODED_WORD.search(found[1]) or (found[2] and not _is_ip(found[2])):
        # The typo is upstream's, and clients may look for it.
        raise InvalidInput("Email address in not valid", code=StatusCode.FAILED_PRECONDITION, about=text)
    return found[1]


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text
