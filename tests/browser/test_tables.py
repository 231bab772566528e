"""Tables that are wider than their window, in a real browser."""

from __future__ import annotations

import io
import time
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator

from feedbench.reports.html import page
from tests.support.html.browser import Open
from tests.support.html.pages import full_run

pytestmark = pytest.mark.browser


@cache
def text() -> str:
    return page.render(*full_run())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "page.html"
    written.write_text(text(), encoding="utf-8")
    return written


def edges(box: Locator) -> tuple[float, float]:
    """How far a table's ground is from the page's, to the left of its figures and at its right."""
    with Image.open(io.BytesIO(box.screenshot())) as image:
        greys = np.asarray(image.convert("L"), float)[4]  # above the titles
    ground = greys[len(greys) // 2]
    column = 136  # pixels, of the pipelines, which stay in their place
    return abs(greys[column + 2] - ground), abs(greys[-2] - ground)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_shade_shows_on_which_side_a_table_has_more_columns(
    scheme: Literal["light", "dark"], opened: Open, file: Path
) -> None:
    box = opened(file, 390, scheme).page.locator("#resources + .scroll")
    seen = []
    for place in (0, 100, 10_000):
        box.evaluate("(box, place) => { box.scrollLeft = place }", place)
        seen.append([edge > 30 for edge in edges(box)])
    assert seen == [[False, True], [True, True], [True, False]]


def test_no_title_is_so_tall_that_a_band_above_the_others_is_empty(
    opened: Open, file: Path
) -> None:
    heads = opened(file, 390).page.locator(".scroll thead")
    heights = heads.evaluate_all("heads => heads.map(head => head.clientHeight)")
    assert 40 < max(heights) <= 84  # pixels: two lines, and one of the unit


def test_a_table_scrolls_by_the_keyboard(opened: Open, file: Path) -> None:
    box = opened(file, 390).page.locator("#resources + .scroll")
    box.press("ArrowRight")
    # Not by wait_for_function: it evaluates text in the page, which the page's policy forbids.
    deadline = time.monotonic() + 5
    while not (left := box.evaluate("box => box.scrollLeft")) and time.monotonic() < deadline:
        box.page.wait_for_timeout(50)
    assert left > 0
