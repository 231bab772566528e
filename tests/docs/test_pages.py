"""README and the pages in docs: what they link to is there, and README is short."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.markdown import PAGES, README, ROOT, headings, links, sentences

# Pages that docs/generated_pages.py makes. `tox -e docs` checks the links to their headings.
GENERATED = {
    ROOT / "docs" / f"{name}.md" for name in ("cli", "pipelines", "contributing", "changelog")
}
ALSO_READ = (ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md")
MOST_WORDS = 25


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if target in GENERATED and page != README:
            continue
        assert target.exists(), link
        assert not anchor or anchor in headings(target), link


def test_the_readme_is_short() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 150
    assert len(text.encode()) < 8_000


@pytest.mark.parametrize("page", [*PAGES, *ALSO_READ], ids=lambda page: page.name)
def test_no_sentence_is_long(page: Path) -> None:
    too_long = [each for each in sentences(page) if len(each.split()) > MOST_WORDS]
    assert not too_long
