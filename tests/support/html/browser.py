"""A page in a browser, and what the tests ask of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.support.html.contrast import luminance


@dataclass
class Opened:
    """A page, and what it did while it was opened."""

    page: Page
    said: list[str] = field(default_factory=list)  # on the console, errors included
    asked_for: list[str] = field(default_factory=list)  # addresses


Open = Callable[..., Opened]


def overflow(opened: Opened) -> int:
    """Pixels by which the page is wider than its window."""
    found = opened.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return int(found)


def faults(opened: Opened) -> list[str]:
    """What axe-core calls serious or critical, and where."""
    found = Axe().run(opened.page).response["violations"]
    return [
        f"{fault['id']}: {', '.join(str(node['target']) for node in fault['nodes'])}"
        for fault in found
        if fault["impact"] in {"serious", "critical"}
    ]


def brightness(opened: Opened, selector: str, style: str) -> float:
    """The relative luminance of a colour, 0 to 1."""
    colour = opened.page.locator(selector).first.evaluate(
        "(element, style) => getComputedStyle(element).getPropertyValue(style)", style
    )
    return luminance([int(part) for part in re.findall(r"\d+", colour)[:3]])
