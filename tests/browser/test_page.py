"""The report in a real browser, as a person opens it from the disk."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Literal

import pytest

from feedbench.bench.results import RunRecord, TrialRecord
from feedbench.bench.usage import GpuUsage, Latency
from feedbench.reports import page
from feedbench.reports.figures import MISSING
from tests.browser.conftest import Open, Opened
from tests.builders import (
    KOREAN,
    SCRIPT,
    a_preparation,
    a_row,
    a_run,
    a_run_folder,
    a_trial,
    compared,
    empty_row,
    trials_of,
)
from tests.reports.contrast import luminance

pytestmark = pytest.mark.browser

LONG = (
    "tfdata_tuned:cache=none,shuffle=full,prefetch=autotune,parallel_calls=autotune,dct=x"
    + "y" * 20
)
LABELS = ["naive", SCRIPT, "$x_1$ & <b>", KOREAN, LONG, "x" * 100]


def full_run() -> tuple[RunRecord, list[TrialRecord]]:
    """Every table, with figures and labels as wide as they get."""
    used = {
        "latency": Latency(batches=90, p50=0.00131, p95=0.02, p99=0.03, longest=12.5),
        "cpu_seconds_per_1000_images": 1.056,
        "cpu_utilisation": 0.91,
        "peak_memory_bytes": 833_000_000,
        "read_bytes_per_image": 0.0,
        "gpus": [GpuUsage(name=SCRIPT, utilisation=0.34, memory_bytes=1e9, watts="not supported")],
        "preparation": a_preparation(**{LONG: 142.3, SCRIPT: None}),
        "knobs": {"cache": "none", "a_knob_of_ours": "y" * 90},
        "failures": [f"it raised {SCRIPT}"],
    }
    rows = [a_row("naive"), *(compared(label, 1.5, "inconclusive", **used) for label in LABELS[1:])]
    trials = trials_of({label: [1000, 1100, 900, 1000] for label in LABELS})
    failed = a_trial(5, SCRIPT, ended="failed", why=SCRIPT, last_words="z" * 300, windows=[])
    return a_run(*rows, best=LABELS), [*trials, failed]


def odd_runs() -> dict[str, tuple[RunRecord, list[TrialRecord]]]:
    """Runs that hold less than a page could show."""
    nothing = a_run(empty_row("a", "it raised"), empty_row("b", "it hung"), control=None, blocks=0)
    failed = [a_trial(0, label, ended="failed", windows=[]) for label in "ab"]
    few = a_run(a_row("a", level=None), a_row("b", ratio=2.0), blocks=2, control=None)
    not_a_number = a_row("odd", math.nan, ratio=math.inf, ratio_low=math.nan, ratio_high=math.inf)
    return {
        "one pipeline": (a_run(a_row("mine")), trials_of({"mine": [1000] * 4})),
        "all failed": (nothing, failed),
        "under four blocks": (few, trials_of({"a": [1000, 900], "b": [2000, 2100]})),
        "figures that are no numbers": (a_run(a_row("a"), not_a_number), trials_of({"a": [1000]})),
        "nothing at all": (a_run(blocks=0, control=None), []),
    }


def written(folder: Path, run: RunRecord, trials: list[TrialRecord]) -> Path:
    """The page of a run, whose figures no JSON has changed yet."""
    file = folder / "a page.html"
    file.write_text(page.render(run, trials), encoding="utf-8")
    return file


def overflow(opened: Opened) -> int:
    """Pixels by which the page is wider than its window."""
    found = opened.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return int(found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_opens_without_a_word_or_a_request_and_never_scrolls_sideways(
    width: int, scheme: Literal["light", "dark"], opened: Open, tmp_path: Path
) -> None:
    run, trials = full_run()
    file = page.write(a_run_folder(tmp_path / "R", run, trials))
    found = opened(file, width, scheme)
    assert found.said == []
    assert found.asked_for == [file.as_uri()]
    assert overflow(found) <= 0


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", list(odd_runs()))
def test_a_run_with_less_to_show_is_a_whole_page_too(
    name: str, width: int, opened: Open, tmp_path: Path
) -> None:
    run, trials = odd_runs()[name]
    found = opened(written(tmp_path, run, trials), width)
    assert (found.said, overflow(found)) == ([], 0)
    text = found.page.inner_text("body")
    assert "How to read it" in text
    assert not re.search(r"\b(nan|inf|undefined|None(?! of these))\b", text)


def test_on_a4_paper_nothing_is_cut_off_and_the_ground_is_white(
    opened: Open, tmp_path: Path
) -> None:
    found = opened(written(tmp_path, *full_run()), 680, "dark")
    found.page.emulate_media(media="print")
    assert overflow(found) <= 0
    assert brightness(found, "body", "background-color") == 1


def test_figures_that_are_no_numbers_show_as_a_dash(opened: Open, tmp_path: Path) -> None:
    run, trials = odd_runs()["figures that are no numbers"]
    row = opened(written(tmp_path, run, trials)).page.locator("section:has(#speed) tbody tr").nth(1)
    assert row.locator("td").all_inner_texts() == [MISSING] * 5


def test_a_label_is_shown_as_text_and_runs_nothing(opened: Open, tmp_path: Path) -> None:
    found = opened(written(tmp_path, *full_run()))
    assert found.said == []
    assert found.page.locator("script").count() == 0
    names = found.page.locator("section:has(#speed) tbody th").all_inner_texts()
    assert names == LABELS
    assert found.page.get_by_role("img").first.get_by_text(SCRIPT, exact=True).is_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_in_a_chart_is_cut_off_or_lies_over_another_text(
    width: int, opened: Open, tmp_path: Path
) -> None:
    found = opened(written(tmp_path, *full_run()), width)
    charts = found.page.locator("svg:visible")
    assert charts.count() == 2
    for chart in charts.all():
        frame = chart.bounding_box()
        assert frame is not None
        boxes = [text.bounding_box() for text in chart.locator("text").all()]
        known = [box for box in boxes if box is not None]
        assert len(known) > len(LABELS)
        for place, box in enumerate(known):
            assert box["x"] >= frame["x"] - 1
            assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
            for other in known[:place]:
                apart_x = max(box["x"], other["x"]) - min(
                    box["x"] + box["width"], other["x"] + other["width"]
                )
                apart_y = max(box["y"], other["y"]) - min(
                    box["y"] + box["height"], other["y"] + other["height"]
                )
                assert max(apart_x, apart_y) > -4


def test_a_wide_table_scrolls_in_a_box_of_its_own_that_the_keyboard_reaches(
    opened: Open, tmp_path: Path
) -> None:
    box = opened(written(tmp_path, *full_run()), 390).page.get_by_role("region", name="Speed")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    box.focus()
    assert box.evaluate("box => box === document.activeElement")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground_in_light_and_in_dark(
    scheme: Literal["light", "dark"], opened: Open, tmp_path: Path
) -> None:
    """By the ratio that WCAG 2 asks for: 4.5."""
    found = opened(written(tmp_path, *full_run()), scheme=scheme)
    ground = brightness(found, "body", "background-color")
    places = [("h1", "color"), (".how", "color"), ("td", "color"), ("svg text", "fill")]
    for selector, style in places:
        text = brightness(found, selector, style)
        low, high = sorted((text, ground))
        assert (high + 0.05) / (low + 0.05) > 4.5, selector
    assert (ground < 0.5) == (scheme == "dark")


def brightness(opened: Opened, selector: str, style: str) -> float:
    """The relative luminance of a colour, 0 to 1."""
    colour = opened.page.locator(selector).first.evaluate(
        "(element, style) => getComputedStyle(element).getPropertyValue(style)", style
    )
    return luminance([int(part) for part in re.findall(r"\d+", colour)[:3]])
