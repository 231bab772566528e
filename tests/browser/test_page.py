"""The report in a real browser, as a person opens it from the disk."""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.reports.html import page
from feedbench.reports.text.figures import MISSING
from tests.support.builders import (
    SCRIPT,
    a_proof,
    a_row,
    a_run,
    a_run_folder,
    a_shuffle,
    a_strip,
    with_samples,
)
from tests.support.html import picture
from tests.support.html.browser import Open, Opened, brightness, faults, overflow
from tests.support.html.pages import LABELS, NAMES, SHEET, full_run, odd_runs

pytestmark = pytest.mark.browser

# Each width and each scheme once; the full tests have all four.
WIDTHS_AND_SCHEMES = [
    (390, "light"),
    pytest.param(390, "dark", marks=pytest.mark.thorough),
    pytest.param(1280, "light", marks=pytest.mark.thorough),
    (1280, "dark"),
]
# What fits into a narrow window mostly fits into a wide one.
WIDTHS = [390, pytest.param(1280, marks=pytest.mark.thorough)]
MORE_TABLES = ("What each delivers", "Shuffle", "Total time")
TABLES = ["Speed", *(pytest.param(name, marks=pytest.mark.thorough) for name in MORE_TABLES)]


def written(folder: Path, run: RunRecord, trials: list[TrialRecord]) -> Path:
    """The page of a run, whose figures no JSON has changed yet."""
    file = folder / "a page.html"
    file.write_text(page.render(run, trials), encoding="utf-8")
    return file


@cache  # most tests open it
def full_text() -> str:
    return page.render(*full_run())


@cache
def odd_text(name: str) -> str:
    return page.render(*odd_runs()[name])


def odd(folder: Path, name: str) -> Path:
    """The page of a run that holds less."""
    file = folder / "a page.html"
    file.write_text(odd_text(name), encoding="utf-8")
    return file


def full(folder: Path) -> Path:
    """The page of the full run."""
    file = folder / "a page.html"
    file.write_text(full_text(), encoding="utf-8")
    return file


@cache
def text_with_sheets(folder: Path) -> str:
    """The page of the full run with contact sheets, one of them also in full."""
    run, trials = full_run()
    folder = with_samples(a_run_folder(folder, run, trials), run)
    a_strip(folder / "samples" / f"{run.pipelines[1].slug}_full.webp", len(SHEET))
    return page.read(folder)


@pytest.fixture
def with_sheets(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Path:
    text = text_with_sheets(tmp_path_factory.getbasetemp() / "with sheets")
    file = tmp_path / "R" / "report.html"
    file.parent.mkdir()
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(("width", "scheme"), WIDTHS_AND_SCHEMES)
def test_a_page_opens_without_a_word_or_a_request_and_never_scrolls_sideways(
    width: int, scheme: Literal["light", "dark"], opened: Open, with_sheets: Path
) -> None:
    file = with_sheets
    found = opened(file, width, scheme)
    assert found.said == []
    assert [url for url in found.asked_for if not url.startswith("data:")] == [file.as_uri()]
    assert overflow(found) <= 0


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.thorough] if name == "fifty pipelines" else [])
        for name in odd_runs()
    ],
)
def test_a_run_with_less_to_show_is_a_whole_page_too(
    name: str, width: int, opened: Open, tmp_path: Path
) -> None:
    found = opened(odd(tmp_path, name), width)
    assert (found.said, overflow(found)) == ([], 0)
    text = found.page.inner_text("body")
    assert "How to read it" in text
    assert not re.search(r"\b(nan|inf|undefined|None(?! of these))\b", text)


def test_on_a4_paper_nothing_is_cut_off_and_the_ground_is_white(
    opened: Open, with_sheets: Path
) -> None:
    found = opened(with_sheets, 680, "dark")
    found.page.emulate_media(media="print")
    assert overflow(found) <= 0
    assert brightness(found, "body", "background-color") == 1


def test_figures_that_are_no_numbers_show_as_a_dash(opened: Open, tmp_path: Path) -> None:
    run, trials = odd_runs()["figures that are no numbers"]
    row = opened(written(tmp_path, run, trials)).page.locator("#speed + .scroll tbody tr").nth(1)
    assert row.locator("td").all_inner_texts() == [MISSING] * 7


def test_a_label_is_shown_as_text_and_runs_nothing(opened: Open, tmp_path: Path) -> None:
    found = opened(full(tmp_path))
    assert found.said == []
    assert found.page.locator("script").count() == 2  # the data, and what sorts
    names = found.page.locator("#speed + .scroll tbody th").all_inner_texts()
    assert names == LABELS
    assert found.page.get_by_role("img").first.get_by_text(SCRIPT, exact=True).is_visible()


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_in_a_chart_is_cut_off_or_lies_over_another_text(
    width: int, opened: Open, tmp_path: Path
) -> None:
    found = opened(full(tmp_path), width)
    charts = found.page.locator("svg:visible")
    assert charts.count() == 6
    for chart in charts.all():
        frame = chart.bounding_box()
        assert frame is not None
        boxes = [text.bounding_box() for text in chart.locator("text").all()]
        known = [box for box in boxes if box is not None]
        assert len(known) > 6
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


@pytest.mark.parametrize("name", TABLES)
def test_a_wide_table_scrolls_in_a_box_of_its_own_that_the_keyboard_reaches(
    name: str, opened: Open, tmp_path: Path
) -> None:
    box = opened(full(tmp_path), 390).page.get_by_role("region", name=name, exact=True)
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    box.focus()
    assert box.evaluate("box => box === document.activeElement")


@pytest.mark.parametrize("width", WIDTHS)
def test_contact_sheets_are_seen_and_their_captions_stand_below_their_pictures(
    width: int, opened: Open, with_sheets: Path
) -> None:
    figures = opened(with_sheets, width).page.locator("figure").all()
    assert len(figures) == 1 + len(LABELS)
    for figure in figures:
        image = figure.locator("img")
        assert image.evaluate("image => image.complete && image.naturalWidth > 0")
        frame = image.bounding_box()
        assert frame is not None
        boxes = [caption.bounding_box() for caption in figure.locator("li").all()]
        captions = [box for box in boxes if box is not None]
        assert len(captions) == len(SHEET)
        for place, box in enumerate(captions):
            tile = frame["x"] + place * frame["width"] / len(SHEET)
            assert box["y"] >= frame["y"] + frame["height"] - 1
            assert box["x"] == pytest.approx(tile, abs=6)
            assert box["width"] <= frame["width"] / len(SHEET)
            assert box["x"] + box["width"] <= width


FULL = "full size: samples/script-alert-1-script_full.webp"


def test_a_contact_sheet_says_whose_it_is_what_work_it_shows_and_what_is_wrong(
    opened: Open, with_sheets: Path
) -> None:
    figures = opened(with_sheets).page.locator("figure")
    heads = [" ".join(head.split()) for head in figures.locator("figcaption").all_inner_texts()]
    assert heads[:3] == ["the reference", "naive same", f"{SCRIPT} different {FULL}"]
    captions = figures.nth(2).locator("li").all_inner_texts()
    assert captions == [*NAMES[1:-1], f"{SCRIPT}, not rose", "daisy: not delivered"]
    wrong = figures.nth(2).locator("li strong").all_inner_texts()
    assert wrong == captions[-2:]
    alt = f"Above, {', '.join(captions)} as {SCRIPT} delivers them. Below, how they differ."
    assert figures.nth(2).get_by_role("img").get_attribute("alt") == alt


def test_the_link_to_a_sheet_in_full_leads_to_the_file_beside_the_page(
    opened: Open, with_sheets: Path, tmp_path: Path
) -> None:
    found = opened(with_sheets).page.get_by_role("link", name=FULL)
    address = found.evaluate("link => link.href")
    assert address == (tmp_path / "R" / "samples" / "script-alert-1-script_full.webp").as_uri()


def test_no_picture_is_enlarged_where_a_sheet_has_few(opened: Open, tmp_path: Path) -> None:
    run = a_run(a_row("mine", proof=a_proof(sheet=SHEET[:1])))
    file = page.write(with_samples(a_run_folder(tmp_path / "R", run, []), run))
    frame = opened(file).page.locator("figure img").first.bounding_box()
    assert frame is not None
    assert frame["width"] <= 84


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground_in_light_and_in_dark(
    scheme: Literal["light", "dark"], opened: Open, with_sheets: Path
) -> None:
    """By the ratio that WCAG 2 asks for: 4.5."""
    found = opened(with_sheets, scheme=scheme)
    ground = brightness(found, "body", "background-color")
    places = [("h1", "color"), (".how", "color"), ("td", "color"), ("svg text", "fill")]
    places += [(f"figure {part}", "color") for part in ("li", "li strong", "a", "figcaption")]
    for selector, style in places:
        text = brightness(found, selector, style)
        low, high = sorted((text, ground))
        assert (high + 0.05) / (low + 0.05) > 4.5, selector
    assert (ground < 0.5) == (scheme == "dark")


def test_the_readmes_pictures_end_behind_the_ratios(browser: Browser, tmp_path: Path) -> None:
    folder = a_run_folder(tmp_path / "R", *full_run())
    context = browser.new_context(viewport={"width": picture.WIDTH, "height": 800})
    found = context.new_page()
    found.goto(page.write(folder).as_uri())
    heading = found.locator("#rates").bounding_box()
    context.close()
    assert heading is not None
    file = picture.taken(browser, folder / "report.html", "dark", tmp_path / "dark.webp")
    with Image.open(file) as image:
        assert image.width == picture.WIDTH * picture.SCALE
        assert 0.9 * heading["y"] < image.height / picture.SCALE <= heading["y"]
    assert {each.name for each in tmp_path.iterdir()} == {"dark.webp", "R"}


def cells_of(found: Opened, table: str, column: int) -> list[str]:
    """A column's cells from top to bottom, 0 the pipelines."""
    rows = found.page.locator(f"#{table} + .scroll tbody tr").all()
    return [row.locator("th, td").nth(column).inner_text() for row in rows]


def test_a_click_on_a_title_sorts_by_that_figure_and_another_one_the_other_way(
    opened: Open, tmp_path: Path
) -> None:
    rates = {"b": 900.0, "a": 12_000.0, "odd": math.nan, "c": 1000.0}
    run = a_run(*(a_row(label, rate) for label, rate in rates.items()))
    found = opened(written(tmp_path, run, []))
    title = found.page.locator("#speed + .scroll thead").get_by_role("button", name="rate")
    title.click()
    assert cells_of(found, "speed", 1) == ["12,000", "1,000", "900", MISSING]
    assert cells_of(found, "speed", 0) == ["a", "c", "b", "odd"]
    title.press("Enter")
    assert cells_of(found, "speed", 1) == ["900", "1,000", "12,000", MISSING]  # what is not: last
    head = found.page.locator("#speed + .scroll thead th").nth(1)
    assert head.get_attribute("aria-sort") == "ascending"
    title.click()
    assert cells_of(found, "speed", 0) == ["b", "a", "odd", "c"]  # as it was
    assert head.get_attribute("aria-sort") is None
    title.click()
    found.page.locator("#speed + .scroll thead").get_by_role("button", name="pipeline").click()
    assert cells_of(found, "speed", 0) == ["a", "b", "c", "odd"]
    assert head.get_attribute("aria-sort") is None
    assert found.said == []


def test_words_among_figures_come_behind_them_and_steps_stay_in_their_order(
    opened: Open, tmp_path: Path
) -> None:
    kinds = {"a": a_shuffle(), "b": a_shuffle("partial"), "c": a_shuffle("none")}
    run = a_run(*(a_row(label, proof=a_proof(shuffle=kind)) for label, kind in kinds.items()))
    found = opened(written(tmp_path, run, []))
    found.page.locator("#speed + .scroll thead").get_by_role("button", name="shuffle").click()
    assert cells_of(found, "speed", 7) == ["100", "none", "full"]
    steps = opened(full(tmp_path)).page.locator("#steps-1 ~ .scroll").first
    assert steps.locator("th button").count() == 0


def test_what_is_copied_is_the_code_and_the_button_says_so_for_a_while(
    browser: Browser, tmp_path: Path
) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    found = context.new_page()
    found.goto(full(tmp_path).as_uri())
    button = found.locator(".code .copy").first
    button.click()
    expect(button).to_have_text("Copied")
    copied = found.evaluate("navigator.clipboard.readText()")
    assert copied == found.locator(".code pre").first.text_content() == "feedbench run"
    expect(button).to_have_text("Copy")
    context.close()


def test_only_what_can_be_scrolled_is_a_stop_for_the_keyboard(opened: Open, tmp_path: Path) -> None:
    run, trials = odd_runs()["one pipeline"]
    wide = opened(written(tmp_path, run, trials)).page.locator(".scroll")
    assert {box.get_attribute("tabindex") for box in wide.all()} == {"-1"}


def test_sizes_and_times_sort_by_what_they_are_not_by_their_digits(
    opened: Open, tmp_path: Path
) -> None:
    bytes_ = {"a": 900_000_000, "b": 1_200_000_000, "c": 95_000, "d": 95_000_000_000}
    rows = [
        a_row(label, peak_memory_bytes=size, first_epoch_seconds=size / 1e6, folder_epoch_seconds=1)
        for label, size in bytes_.items()
    ]
    found = opened(written(tmp_path, a_run(*rows), []))
    heads = found.page.locator("#resources + .scroll thead")
    heads.get_by_role("button", name="peak memory").click()
    assert cells_of(found, "resources", 3) == ["95.0 GB", "1.20 GB", "900 MB", "95.0 kB"]
    found.page.locator("#cost + .scroll thead").get_by_role("button", name="1 epoch").click()
    assert cells_of(found, "cost", 1) == ["26 h 23 min", "20 min 0 s", "15 min 0 s", "0.095 s"]


def test_a_table_with_one_row_has_nothing_to_be_sorted(opened: Open, tmp_path: Path) -> None:
    run, trials = odd_runs()["one pipeline"]
    assert opened(written(tmp_path, run, trials)).page.locator("th button").count() == 0


def test_without_javascript_the_page_is_whole(browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    found = context.new_page()
    found.goto(full(tmp_path).as_uri())
    speed = found.locator("#speed + .scroll")
    assert speed.locator("tbody th").all_inner_texts() == LABELS
    assert speed.locator("thead th").first.inner_text() == "pipeline"
    assert found.locator("button").count() == 0
    context.close()


def test_a_script_that_the_policy_does_not_name_does_not_run(opened: Open, tmp_path: Path) -> None:
    file = full(tmp_path)
    planted = file.read_text(encoding="utf-8").replace("<main>", "<main><script>alert(1)</script>")
    file.write_text(planted, encoding="utf-8")
    (said,) = opened(file).said  # a dialog would have said 1
    assert "Content Security Policy" in said


def test_the_data_of_the_page_can_be_read_there(opened: Open, tmp_path: Path) -> None:
    found = opened(full(tmp_path))
    labels = found.page.evaluate(
        'JSON.parse(document.getElementById("data").textContent).run.rows.map(row => row.label)'
    )
    assert labels == LABELS


@pytest.mark.parametrize(("width", "scheme"), WIDTHS_AND_SCHEMES)
def test_axe_finds_no_serious_fault(
    width: int, scheme: Literal["light", "dark"], opened: Open, with_sheets: Path
) -> None:
    found = opened(with_sheets, width, scheme)
    assert faults(found) == []


@pytest.mark.parametrize("name", ["one pipeline", "all failed", "nothing at all"])
def test_axe_finds_no_serious_fault_where_there_is_less_to_show(
    name: str, opened: Open, tmp_path: Path
) -> None:
    assert faults(opened(odd(tmp_path, name))) == []
