"""A run's traces as a person sees them: TensorBoard's profile page in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Route, expect

pytestmark = [pytest.mark.browser, pytest.mark.tensorflow, pytest.mark.end_to_end]


def test_the_profile_page_has_a_session_a_pipeline_and_names_the_one_that_it_shows(
    browser: Browser, profile_server: str
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    # Nothing but this machine answers: the page must not need anybody else.
    context.route("**/*", _from_here_only)
    page = context.new_page()
    page.goto(f"{profile_server}/#profile")
    frame = page.frame_locator("iframe").first
    expect(frame.locator("body")).to_contain_text("Sessions (2)", timeout=60_000)
    expect(frame.locator("body")).to_contain_text("tfrecord-sharded/")  # the last one is shown
    context.close()


def _from_here_only(route: Route) -> None:
    if route.request.url.startswith(("http://127.0.0.1", "data:", "blob:")):
        route.continue_()
    else:
        route.abort()
