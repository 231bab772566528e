"""The page of several runs in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from feedbench.reports.html import runs_page
from tests.support.builders import SCRIPT
from tests.support.html.browser import Open, faults, overflow
from tests.support.html.pages import full_run, odd_runs

pytestmark = pytest.mark.browser


def written(folder: Path) -> Path:
    runs = [(SCRIPT, *full_run()), ("x" * 80, *full_run())]
    runs += [(name, *run) for name, run in odd_runs().items() if name != "fifty pipelines"]
    file = folder / "runs.html"
    file.write_text(runs_page.render(runs), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (390, "light"),
        pytest.param(390, "dark", marks=pytest.mark.thorough),
        pytest.param(1280, "light", marks=pytest.mark.thorough),
        (1280, "dark"),
    ],
)
def test_it_opens_without_a_word_a_request_or_a_serious_fault_and_never_scrolls_sideways(
    width: int, scheme: Literal["light", "dark"], opened: Open, tmp_path: Path
) -> None:
    file = written(tmp_path)
    found = opened(file, width, scheme)
    assert (found.said, found.asked_for) == ([], [file.as_uri()])
    assert overflow(found) <= 0
    assert faults(found) == []
