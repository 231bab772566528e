"""A headless Chromium without a network, and pages opened in it from their files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.html.browser import Open, Opened

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """The program, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium or the like. Skips where there is none; fails then, where CI is set."""
    found = chromium()
    if found is None:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"no Chromium: none of {', '.join(NAMES)} is on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    """Open a file in a window of so many pixels, in light or in dark, without a network."""
    contexts = []

    def open_file(
        file: Path, width: int = 1280, scheme: Literal["light", "dark"] = "light"
    ) -> Opened:
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        contexts.append(context)
        context.set_offline(offline=True)
        found = Opened(context.new_page())
        found.page.on("console", lambda message: found.said.append(message.text))
        found.page.on("pageerror", lambda error: found.said.append(str(error)))
        found.page.on("dialog", lambda dialog: found.said.append(dialog.message))
        found.page.on("request", lambda request: found.asked_for.append(request.url))
        found.page.goto(file.as_uri())
        return found

    yield open_file
    for context in contexts:
        context.close()
