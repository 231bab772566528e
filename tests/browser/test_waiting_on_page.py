"""The part of a run's page on a model and its input, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from feedbench.reports.html import page
from tests.support.builders import KOREAN, SCRIPT
from tests.support.html.browser import Open, faults, overflow
from tests.support.runs.demands import RATES, a_demand_run, trials_of_it

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

MANY = RATES | {SCRIPT: 410.0, KOREAN: 250.0, "tfdata_tuned:" + "y" * 90: 777.0}


def written(folder: Path) -> Path:
    file = folder / "report.html"
    file.write_text(page.render(a_demand_run(MANY), trials_of_it(MANY)))
    return file


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_opens_without_a_word_and_never_scrolls_sideways(
    width: int, scheme: Literal["light", "dark"], opened: Open, tmp_path: Path
) -> None:
    found = opened(written(tmp_path), width, scheme)
    assert found.said == []
    assert overflow(found) <= 0
    assert found.page.locator("section:has(#waits) svg:visible").count() == 1


def test_axe_finds_no_serious_fault(opened: Open, tmp_path: Path) -> None:
    assert faults(opened(written(tmp_path))) == []
