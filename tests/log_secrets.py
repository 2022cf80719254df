"""No log shows a secret: a pytest plugin that reads all that is logged while tests run, DEBUG included.

It reads what hubs in processes of their own write to standard error as well. Secrets are known by their
shapes, so that no test has to tell of those it makes. What looks like one fails the test's setup, call or
teardown, whichever wrote it. Refuses to know what is tested.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Generator

import pytest

_BASE32 = "[a-z2-7]"
SHAPES = {
    "a session, or the link or invitation of a mail": rf"b{_BASE32}{{71}}",
    "an API secret": rf"b{_BASE32}{{39}}",
    "an API key": rf"b{_BASE32}{{26}}",
    "the signature of an API key, or a service key": rf"b{_BASE32}{{52}}",
    "a thread's keys": rf"b{_BASE32}{{103}}",
    "a private key": rf"bbaareq{_BASE32}{{103}}|bbaarey{_BASE32}{{154}}",
    "a token": r"eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}",
}
"""Multibase texts of as many bytes as the hub's secrets have (spec: identity-and-auth §2, §5, §6, §8)."""

TESTS_OWN = frozenset({"websockets.client"})
"""Loggers of what only tests use, to call the hub."""

# One pattern, and a word as a whole: content addresses and public keys have other lengths.
_SECRET = re.compile(r"(?<![\w-])(?:" + "|".join(f"({shape})" for shape in SHAPES.values()) + r")(?![\w-])")


def secret_in(text: str) -> str:
    """What kind of secret a text shows; empty for none."""
    found = _SECRET.search(text)
    return list(SHAPES)[found.lastindex - 1] if found is not None and found.lastindex else ""


class Watcher(logging.Handler):
    """Reads what is logged and remembers where a secret was in it, but not the secret."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))
        self.shown: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Look at the message as it would be written, tracebacks included."""
        if record.name in TESTS_OWN:
            return
        kind = secret_in(self.format(record))
        if kind:
            where = f"{record.pathname}:{record.lineno}"
            self.shown.append(f"the logger {record.name!r} showed {kind} ({where}, {record.levelname})")

    def check(self) -> None:
        """Fail for what was shown since the last time."""
        shown, self.shown = self.shown, []
        if shown:
            pytest.fail("\n".join(dict.fromkeys(shown)), pytrace=False)


_WATCHER = pytest.StashKey[Watcher]()


def pytest_configure(config: pytest.Config) -> None:
    # What tests themselves capture stays what it is without this plugin: warnings.
    if config.getoption("log_level", None) is None and not config.getini("log_level"):
        config.option.log_level = "WARNING"
    watcher = config.stash[_WATCHER] = Watcher()
    root = logging.getLogger()
    root.addHandler(watcher)
    root.setLevel(logging.DEBUG)


def pytest_unconfigure(config: pytest.Config) -> None:
    logging.getLogger().removeHandler(config.stash[_WATCHER])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    yield
    item.config.stash[_WATCHER].check()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    yield
    item.config.stash[_WATCHER].check()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    yield
    item.config.stash[_WATCHER].check()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    written = (text for name, text in report.sections if name == f"Captured stderr {report.when}")
    kind = secret_in("".join(written))
    if kind and report.passed:
        report.outcome = "failed"
        report.longrepr = f"standard error showed {kind}"
    return report
