"""The page of a comparison in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from msgspec.structs import replace

from feedbench.bench.verdicts.comparison import Comparison
from feedbench.reports.html import comparison_page
from tests.support.builders import KOREAN, SCRIPT
from tests.support.html.browser import Open, faults
from tests.support.runs.comparisons import FINE, SLOWER, UNSURE, a_comparison

pytestmark = pytest.mark.browser

LONG = "tfdata_tuned:cache=none,shuffle=full,prefetch=autotune,parallel_calls=autotune," + "y" * 60
BOTH = replace(
    a_comparison(
        FINE,
        replace(SLOWER, label=LONG),
        replace(SLOWER, label=SCRIPT),
        replace(UNSURE, label=KOREAN),
    ),
    base=f"runs/{'x' * 80}",
    differences=["tensorflow: 2.20.0 and 2.21.0", f"processor: {'y' * 90}"],
)


def written(folder: Path, found: Comparison = BOTH) -> Path:
    return comparison_page.write(found, folder / "compared.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_opens_without_a_word_or_a_request_and_never_scrolls_sideways(
    width: int, scheme: Literal["light", "dark"], opened: Open, tmp_path: Path
) -> None:
    file = written(tmp_path)
    found = opened(file, width, scheme)
    assert found.said == []
    assert found.asked_for == [file.as_uri()]
    root = "document.documentElement"
    assert found.page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")


def test_its_chart_shows_one_picture_and_says_what_it_shows(opened: Open, tmp_path: Path) -> None:
    page = opened(written(tmp_path)).page
    (chart,) = page.locator("svg:visible").all()
    assert chart.locator("title").text_content() == "Ratio of the new run to the base"
    said = chart.locator("desc").text_content() or ""
    assert said.startswith("a: 1.01, not slower; ")
    assert page.locator("h1").inner_text().startswith(LONG)


def test_axe_finds_no_serious_fault(opened: Open, tmp_path: Path) -> None:
    assert faults(opened(written(tmp_path))) == []
