"""The plugin that watches the logs of the test run fails where a secret is planted, and nowhere else."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

import pytest

from tests.log_secrets import secret_in
from textile_aio import Cid, Identity, ThreadID, ThreadKey, create_api_sig
from textile_aio._codec import multibase
from textile_aio.localhub.tokens import Tokens

IDENTITY = Identity.from_seed(bytes(32))


def token(size: int) -> str:
    return multibase.encode(secrets.token_bytes(size))


SECRETS = {
    "session": token(44),
    "api secret": token(24),
    "api key": token(16),
    "api signature": create_api_sig(token(24)).sig,
    "thread key": ThreadKey.random().to_string(),
    "private key": IDENTITY.to_string(),
    "token": Tokens(IDENTITY, lambda: 10**18).issue(IDENTITY.public),
}


@pytest.mark.parametrize("kind", SECRETS)
def test_each_kind_of_secret_is_known_by_its_shape(kind: str) -> None:
    secret = SECRETS[kind]
    for text in (secret, f"x-session={secret}", f"({secret!r}, 1)", f"bearer {secret}\r\n", f"/{secret}?a"):
        assert secret_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        str(IDENTITY.public),
        str(ThreadID.from_bytes(b"\x01\x55" + bytes(range(32)))),
        str(Cid.sha256(0x55, hashlib.sha256(b"x").digest())),
        "localhub.storage.sqlite.writer",
        "01hq3v5e6z7a8b9c0d1e2f3g4h",
    ],
)
def test_what_everybody_may_know_is_none(text: str) -> None:
    assert secret_in(text) == ""


PLANTED = """
import logging
import subprocess
import sys

import pytest

SECRETS = {secrets!r}
SHOWS = "import sys; print(sys.argv[1], file=sys.stderr)"
log = logging.getLogger("textile_aio.localhub")

@pytest.fixture
def around(place, secret):
    log.debug("opening %s", secret if place == "setup" else "it")
    yield
    log.debug("closing %s", secret if place == "teardown" else "it")

@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("place", ["nowhere", "setup", "call", "traceback", "process", "teardown"])
def test_planted(around, place, secret):
    if place == "call":
        log.debug("calling with %r", [secret])
    if place == "process":
        subprocess.run([sys.executable, "-S", "-c", SHOWS, secret], check=True)
    if place == "traceback":
        try:
            raise ValueError(secret)
        except ValueError:
            log.exception("failed")
"""


def test_a_planted_leak_fails_the_test_that_has_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(PLANTED.format(secrets=list(SECRETS.values())))
    # In a process of its own: the plugin of this run would see the leaks as well.
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "tests.log_secrets", "--tb=line")
    count = len(SECRETS)
    # Where a teardown shows something, the test itself has passed.
    result.assert_outcomes(passed=2 * count, failed=3 * count, errors=2 * count)
    shown = result.stdout.str()
    assert "the logger 'textile_aio.localhub' showed" in shown
    assert "standard error showed" in shown
