"""The exception tree: its drawing, its pickles, its texts."""

from __future__ import annotations

import copy
import inspect
import pickle
import re

import pytest

from textile_aio import errors
from textile_aio.errors import NonFastForward, StatusCode, TextileError

CLASSES = [
    value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, TextileError)
]


def drawn() -> dict[str, tuple[str, ...]]:
    """Each class in the module's drawing, with its parent there and the built-ins in brackets."""
    found: dict[str, tuple[str, ...]] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.fullmatch(r"    ((?:[│ ]   )*)(?:[├└]── )?(\w+)(?: \((\w+)\))?", line)
        if match is None or not match[2][0].isupper():
            continue
        depth = 0 if match[2] == "TextileError" else len(match[1]) // 4 + 1
        path[depth:] = [match[2]]
        found[match[2]] = tuple(
            name for name in (path[depth - 1] if depth else "Exception", match[3]) if name
        )
    return found


def test_the_drawing_shows_the_tree_as_it_is() -> None:
    real = {cls.__name__: tuple(base.__name__ for base in cls.__bases__) for cls in CLASSES}
    assert drawn() == real


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_pickles_and_copies_with_all_it_carries(cls: type[TextileError]) -> None:
    error = cls("what happened", code=StatusCode.ABORTED, method="/a.B/C", about="images/a.jpg")
    error.add_note("a note")
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(other) is cls
        assert (other.message, other.code, other.method, other.about) == (
            "what happened",
            StatusCode.ABORTED,
            "/a.B/C",
            "images/a.jpg",
        )
        assert other.args == error.args
        assert other.__notes__ == ["a note"]
        assert str(other) == str(error)
        assert other.retryable == error.retryable


def test_what_others_wrote_neither_fills_a_log_nor_forges_its_lines() -> None:
    error = errors.NotFound('no link named "a\nERROR all is lost"', about="b\r\n" + "x" * 5_000_000)
    assert len(str(error)) < 1_200
    assert str(error).isprintable()
    assert "a\nERROR" in error.message, "for programs it stays as it is"


def test_a_refused_update_says_on_what_it_was_based() -> None:
    error = NonFastForward(expected="/ipfs/a", actual="/ipfs/b", about="bucket")
    other = pickle.loads(pickle.dumps(error))
    assert (other.expected, other.actual, other.message) == (
        "/ipfs/a",
        "/ipfs/b",
        "update is non-fast-forward",
    )


@pytest.mark.parametrize(
    ("cls", "builtin"),
    [
        (errors.InvalidPath, ValueError),
        (errors.Unavailable, ConnectionError),
        (errors.DeadlineExceeded, TimeoutError),
        (errors.WriteDenied, PermissionError),
        (errors.BucketNotFound, LookupError),
        (errors.PathNotFound, FileNotFoundError),
        (errors.IsADirectory, IsADirectoryError),
        (errors.NotADirectory, NotADirectoryError),
    ],
)
def test_errors_are_caught_as_the_built_in_that_callers_expect(
    cls: type[TextileError], builtin: type[Exception]
) -> None:
    with pytest.raises(builtin, match="what happened"):
        raise cls("what happened")


def test_only_what_repeating_can_cure_is_retryable() -> None:
    assert {cls.__name__ for cls in CLASSES if cls.retryable} == {"Unavailable", "Aborted"}


def test_the_text_names_the_thing_the_answer_and_the_remedy() -> None:
    error = errors.BadSignature("Bad API key signature", code=StatusCode.UNAUTHENTICATED, method="/a.B/C")
    assert str(error).startswith("Bad API key signature [UNAUTHENTICATED from /a.B/C]; ")
    assert str(errors.InvalidPath("no", about="a//b")) == "a//b: no"


def test_the_codes_are_those_of_grpc() -> None:
    assert [code.value for code in StatusCode] == list(range(17))
