"""Take the README's pictures of a report, in light and in dark: tox -e picture -- RUN."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from feedbench.reports.html import page
from tests.browser.conftest import chromium

FOLDER = Path(__file__).parents[3] / "docs"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTH, SCALE = 1000, 1.5  # pixels of the page, and of the picture for one of these
LAST = "ratios"  # the section that is the last to be seen


def pictures(run: Path, to: Path) -> Iterator[Path]:
    """Write the pictures of a run's page and yield their files."""
    to.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        file = page.write(run, Path(scratch) / "report.html")
        browser = playwright.chromium.launch(executable_path=chromium())
        for scheme in SCHEMES:
            yield taken(browser, file, scheme, to / f"report-{scheme}.webp")
        browser.close()


def taken(browser: Browser, file: Path, scheme: Literal["light", "dark"], to: Path) -> Path:
    """Take one picture of a page."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": 800}, color_scheme=scheme, device_scale_factor=SCALE
    )
    opened = context.new_page()
    opened.goto(file.as_uri())
    box = opened.locator(f"section:has(#{LAST})").bounding_box()
    assert box is not None
    whole = to.with_suffix(".png")
    height = box["y"] + box["height"] + 16
    opened.screenshot(
        path=whole, full_page=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": height}
    )
    Image.open(whole).save(to, quality=88, method=6)
    whole.unlink()
    context.close()
    return to


def main() -> None:
    """Take them of the run that is named."""
    if len(sys.argv) != 2:
        sys.exit("expected the folder of one run: tox -e picture -- RUN")
    for written in pictures(Path(sys.argv[1]), FOLDER):
        print(written)


if __name__ == "__main__":
    main()
