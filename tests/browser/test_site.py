"""The documentation site in a real browser, as `tox -e docs` builds it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.html.browser import Open, overflow
from tests.support.markdown import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
LEFT_OUT = {"404.html", "example-report.html"}  # whose addresses begin at a server; a run's page


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site. Skips where MkDocs is not installed."""
    pytest.importorskip("mkdocs", reason="MkDocs is not installed: it is in the group docs")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits_and_asks_for_nothing_else(width: int, site: Path, opened: Open) -> None:
    pages = [file for file in sorted(site.glob("*.html")) if file.name not in LEFT_OUT]
    assert len(pages) > 10
    for file in pages:
        page = opened(file, width=width)
        assert page.said == [], file.name
        assert overflow(page) <= 0, file.name
        outside = [each for each in page.asked_for if not each.startswith(site.as_uri())]
        assert outside == [], file.name
        page.page.close()
