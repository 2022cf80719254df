"""How the plugin shows itself, and how it is left out."""

from __future__ import annotations

from importlib.metadata import entry_points

from tests.plugin.conftest import Suite

FIXTURES = {
    "textile_hub [session scope]": "An in-memory Textile hub",
    "textile_target [session scope]": "HOST:PORT",
    "textile_auth": "A textile_aio.AuthContext of this test's own",
    "textile_thread": "The textile_aio.ThreadID of a new thread",
    "textile_bucket": "A new public bucket",
}


def test_the_plugin_is_found_by_its_entry_point() -> None:
    (found,) = entry_points(group="pytest11", name="textile_aio")
    assert found.value == "textile_aio.pytest_plugin"


def test_pytest_lists_the_fixtures_with_their_documentation(suite: Suite) -> None:
    result = suite.run("--fixtures", "-k", "none")
    for name, text in FIXTURES.items():
        result.stdout.fnmatch_lines([f"{name.replace('[', '[[]')} -- *pytest_plugin.py:*", f"    {text}*"])


def test_without_the_plugin_there_are_no_fixtures(suite: Suite) -> None:
    suite.file("test_it", "def test_it(textile_hub):\n    pass\n")
    result = suite.run("-p", "no:textile_aio")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'textile_hub' not found*"])
