"""E-mail addresses are those that Go's ``mail.ParseAddress`` takes (spec: hub-accounts §4.2).

What it says was recorded with Go 1.26. Where we say something else, the case says why.
"""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio.errors import InvalidInput, StatusCode
from textile_aio.localhub.accounts.addresses import mailbox

VALID = {
    "ann@example.com": "ann@example.com",
    "Ann <ann@example.com>": "ann@example.com",
    "<ann@example.com>": "ann@example.com",
    " ann@example.com ": "ann@example.com",
    "ann@localhost": "ann@localhost",
    "a.b.c@x.y": "a.b.c@x.y",
    "a+tag@x.y": "a+tag@x.y",
    "!#$%&'*+-/=?^_`{|}~@x.y": "!#$%&'*+-/=?^_`{|}~@x.y",
    # To send to it, its quotes are needed; Go's result has none.
    '"quoted"@x.y': '"quoted"@x.y',
    '"with space"@x.y': '"with space"@x.y',
    '"a@b"@x.y': '"a@b"@x.y',
    '"a\\"b"@x.y': '"a\\"b"@x.y',
    '"a,b"@x.y': '"a,b"@x.y',
    "Ann B. C <a@x.y>": "a@x.y",
    '"Ann, B" <a@x.y>': "a@x.y",
    'Ann "B" C <a@x.y>': "a@x.y",
    '"" <a@x.y>': "a@x.y",
    "A.. <a@x.y>": "a@x.y",
    "Ann<a@x.y>": "a@x.y",
    "a@x.y (Ann)": "a@x.y",
    "a@x.y ()": "a@x.y",
    "Ann (c) <a@x.y>": "a@x.y",
    "Ann <a@x.y> (c)": "a@x.y",
    "=?utf-8?q?J=C3=B6rg?= <j@x.y>": "j@x.y",
    "ü@x.y": "ü@x.y",
    "a@bücher.example": "a@bücher.example",
    "Jörg <j@x.y>": "j@x.y",
    "用户@例子.广告": "用户@例子.广告",
    '"aü"@x.y': '"aü"@x.y',
    "a@[127.0.0.1]": "a@[127.0.0.1]",
    "a@-x": "a@-x",
    "a@x_y": "a@x_y",
    "a%b@x.y": "a%b@x.y",
    "a'b@x.y": "a'b@x.y",
}

INVALID = [
    '""@x.y',
    "(c) a@x.y",
    "a@[IPv6:::1]",
    "a@[]",
    "a@[a]b",
    "a@x.y.",
    "a@.x",
    "a@x..y",
    "",
    " ",
    "@",
    "a@",
    "@x.y",
    "a",
    "a b@x.y",
    "a @x.y",
    "a@x y",
    "a@b@c",
    "a@x.y,b@x.y",
    "a@x.y, b@x.y",
    "a@x.y;",
    "g: a@x.y, b@x.y;",
    "g:;",
    ".a@x.y",
    "a.@x.y",
    "a..b@x.y",
    "<a@x.y",
    "a@x.y>",
    "<<a@x.y>>",
    "Ann <>",
    "<>",
    "<a@x.y> b",
    "<a@x.y>,",
    "a(c)@x.y",
    "a@(c)x.y",
    "a@x(c).y",
    "a\\b@x.y",
    "a[b@x.y",
    "a:b@x.y",
    "a<b@x.y",
    "a@x.y (unclosed",
    "(",
    '"a',
    '"a\\',
    "mailto:a@x.y",
    "a,b@x.y",
    "<@hop:a@x.y>",
    "a@x.y <a@x.y>",
    "Ann [x] <a@x.y>",
    "Ann; <a@x.y>",
    "Ann@x <a@x.y>",
    "a\t@x.y",
]

INJECTIONS = [
    "a@x.y\n", "a\n@x.y", "a@x.y\r\nBcc: b@x.y", "Ann\r\n <a@x.y>", "a@x.y\r\n\r\nbody", '"a\r\nBcc: b"@x.y',
    "a@x.y\x00", "a\x00@x.y", "a@x.y\x7f", "a@x.y\x85", "a@x.y>\r\nRCPT TO:<b@x.y", "a@x.y\x0bb",
]  # fmt: skip

OURS = {
    "a@x.y (Ann (inner))": "comments in comments",
    "g: a@x.y;": "a group",
    "a@ x.y": "white space inside the address",
    "=?utf-8?q?a=40evil.com?=@x.y": "some servers would decode it to another address",
    "a@x.y\u2028": "a character that nobody sees",
    "a\u202e@x.y": "a character that turns the text around",
    "\ufeffa@x.y": "a character that nobody sees",
    '"a\tb"@x.y': "a tab",
}
"""What Go takes and we do not, and why."""


HOSTILE = [
    "(" * 999,
    "(" * 400 + "a@b" + ")" * 400,
    '"' * 999,
    "<" * 999,
    "a@" + "[" * 900,
    " " * 999,
    "a" * 1000,
    "a@b" + " " * 900 + "x",
    "a@b" + " " * 400 + "(x)" + " " * 400 + "y",
    '"\\' * 490,
    '"a" ' * 240 + "x",
    "=?" * 490,
    "a <" + "a." * 480,
    "a@b (" * 190,
    ":" * 999,
    "a" * 5_000_000 + "@x.y",
]


@pytest.mark.parametrize("text", VALID)
def test_an_address_is_found_in_what_go_takes(text: str) -> None:
    assert mailbox(text) == VALID[text]


@pytest.mark.parametrize("text", [*INVALID, *INJECTIONS, *OURS])
def test_what_is_no_address_is_refused_in_upstream_words(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        mailbox(text)
    assert refused.value.message == "Email address in not valid"
    assert refused.value.code is StatusCode.FAILED_PRECONDITION


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_text_costs_no_more_than_any_other(text: str) -> None:
    started = time.process_time()
    with pytest.raises(InvalidInput):
        mailbox(text)
    assert time.process_time() - started < 0.1


@given(st.text(max_size=60) | st.text(alphabet='a@.<>()[]" \\,:;=?\r\n', max_size=60))
def test_whatever_is_taken_can_stand_in_a_header_and_a_command(text: str) -> None:
    try:
        address = mailbox(text)
    except InvalidInput:
        return
    assert address.isprintable()
    assert address in text
    assert mailbox(address) == address
    assert mailbox(f"Somebody <{address}>") == address
