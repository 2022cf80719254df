"""The stored form, whichever way it is made, against a second description of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from tests.threaddb.oddjson import compact, documents, members
from textile_aio.errors import InvalidInput
from textile_aio.threaddb import rawjson
from textile_aio.threaddb.documents import Incoming, load, read_instance, stored_form

MOD = 1_617_981_234_567_890_123


def incoming(text: bytes) -> Incoming:
    try:
        return read_instance(text)
    except InvalidInput as error:  # an _id that is no string
        assert "._id of type string" in error.message  # noqa: PT017
        return Incoming(text, load(text), "")


def form(text: bytes) -> bytes:
    return stored_form(incoming(text), id="i", mod=MOD)


def expected(text: bytes) -> str:
    """The rule of the specification, word for word."""
    kept = {json.loads(name): value for name, value in members(compact(text.decode()))}
    kept |= {"_id": '"i"', "_mod": str(MOD)}
    written = ",".join(f"{json.dumps(name, ensure_ascii=False)}:{kept[name]}" for name in sorted(kept))
    for character in "<>&\u2028\u2029":
        written = written.replace(character, f"\\u{ord(character):04x}")
    return f"{{{written}}}"


def whole(text: bytes) -> bool:
    """Whether no half of a surrogate pair is escaped in a text: those are replaced."""
    rest = text.replace(rb"\\", b"").replace(rb"\ud83d\ude00", b"")
    return rb"\ud" not in rest


@given(documents())
def test_the_stored_form_is_what_the_specification_says(text: bytes) -> None:
    if whole(text):
        assert form(text).decode() == expected(text)


@given(documents(plain=True))
def test_plain_documents_are_no_exception(text: bytes) -> None:
    assert form(text).decode() == expected(text)


@pytest.mark.parametrize("plain", [False, True])
def test_the_fast_way_and_the_exact_way_agree(plain: bool) -> None:
    ways: set[bool] = set()

    @given(documents(plain=plain))
    def agree(text: bytes) -> None:
        ways.add(rawjson.is_plain(load(text), text))
        quick = form(text)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rawjson, "is_plain", lambda _value, _data: False)
            assert form(text) == quick

    agree()
    assert True in ways


@given(documents())
def test_storing_again_changes_nothing(text: bytes) -> None:
    once = form(text)
    assert form(once) == once


@given(documents())
def test_the_stored_form_means_what_was_sent(text: bytes) -> None:
    sent = load(text) | {"_id": "i", "_mod": MOD}
    assert repr(load(form(text))) == repr({name: sent[name] for name in sorted(sent)})


@given(documents())
def test_the_stored_form_is_readable_to_everybody(text: bytes) -> None:
    assert json.loads(form(text).decode()) == load(form(text))


@given(documents())
def test_a_rendered_text_is_the_compact_one(text: bytes) -> None:
    if whole(text):
        assert rawjson.render(rawjson.parse(text)).decode() == compact(text.decode())
