"""The page of trainings in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from msgspec.structs import replace

from feedbench.bench.training.likeness import likeness_of
from feedbench.reports.html import training_page
from tests.support.builders import SCRIPT
from tests.support.html.browser import Open, faults, overflow
from tests.support.runs.trainings import a_record, a_training

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


def written(folder: Path) -> Path:
    labels = ["image_data_generator", "tfdata_tuned:cache=none,shuffle=1000", SCRIPT, "x" * 60]
    trainings = [
        a_training(label, [0.2 + 0.1 * n for n in range(8)], tensorboard=f"tensorboard/{place}")
        for place, label in enumerate(labels)
    ]
    failed = a_training("mine", (), status="failed", why="it raised ValueError: no", model="")
    record = a_record(*trainings, failed, epochs=8, repeats=1)
    file = folder / "report.html"
    file.write_text(training_page.render(replace(record, likeness=likeness_of(record))))
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
    assert found.page.locator("svg:visible").count() == 2 * 4 + 1


def test_axe_finds_no_serious_fault(opened: Open, tmp_path: Path) -> None:
    found = opened(written(tmp_path))
    found.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert faults(found) == []
