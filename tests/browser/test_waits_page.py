"""The page of a watched training in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from feedbench.reports.html import waits_page
from tests.support.builders import SCRIPT
from tests.support.html.browser import Open, faults, overflow
from tests.support.runs.waits import a_watch

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


def written(folder: Path, batches: int = 4000) -> Path:
    file = folder / "watch.html"
    record = a_watch(batches, epochs=3, name=SCRIPT)
    file.write_text(waits_page.render(record, folder / "watch.json"))
    return file


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_opens_without_a_word_or_a_request_and_never_scrolls_sideways(
    width: int, scheme: Literal["light", "dark"], opened: Open, tmp_path: Path
) -> None:
    file = written(tmp_path)
    found = opened(file, width, scheme)
    assert found.said == []
    assert found.asked_for == [file.as_uri()]
    assert overflow(found) <= 0
    assert found.page.locator("svg:visible").count() == 1


@pytest.mark.parametrize("batches", [0, 1, 4000])
def test_axe_finds_no_serious_fault(batches: int, opened: Open, tmp_path: Path) -> None:
    assert faults(opened(written(tmp_path, batches))) == []
