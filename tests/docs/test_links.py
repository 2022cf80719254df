"""Every link inside the documentation leads somewhere."""

from __future__ import annotations

import pytest

from tests.docs.markdown import ROOT, Page, pages
from tools.entries import anchor

PAGES = {page.path: page for page in pages()}


@pytest.mark.parametrize("page", PAGES.values(), ids=lambda page: page.name)
def test_links_hold(page: Page) -> None:
    broken = []
    for link in page.links():
        if "://" in link:
            continue
        file, _, fragment = link.partition("#")
        target = (page.path.parent / file).resolve() if file else page.path
        here = target.exists() and target.is_relative_to(ROOT)
        if not here or (fragment and fragment not in PAGES[target].anchors()):
            broken.append(link)
    assert not broken


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached = {ROOT / "README.md"}
    waiting = list(reached)
    while waiting:
        page = PAGES[waiting.pop()]
        for link in page.links():
            target = (page.path.parent / link.partition("#")[0]).resolve()
            if "://" not in link and target in PAGES and target not in reached:
                reached.add(target)
                waiting.append(target)
    assert PAGES.keys() - reached == set()


@pytest.mark.parametrize(
    ("heading", "fragment"),
    [
        ("BucketsClient.push_path", "bucketsclientpush_path"),
        ("What it does, and what not", "what-it-does-and-what-not"),
        ("`__version__`", "__version__"),
    ],
)
def test_headings_get_the_anchors_of_code_hosts(heading: str, fragment: str) -> None:
    assert anchor(heading) == fragment
