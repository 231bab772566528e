"""The charts as people get them: SVG whose text is text."""

from __future__ import annotations

import math
import re
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
import pytest

from feedbench.bench.records.diagnosis import Ceiling, Diagnosis
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.reports.charts import rates as plots
from feedbench.reports.tables import frames
from tests.support.builders import (
    KOREAN,
    SCRIPT,
    a_row,
    a_run,
    a_trial,
    compared,
    empty_row,
    trials_of,
)
from tests.support.html.contrast import contrast
from tests.support.html.drawings import SVG, dots, numbers, texts

LABELS = [SCRIPT, "$x_1$ & 'a' \"b\" --> ]]>", f"{KOREAN} \x1b\n", "x" * 100]


def rates(run: RunRecord, trials: list[TrialRecord], width: int = plots.WIDE) -> str:
    svg = plots.rates(run, frames.blocks(run, trials), width)
    assert svg is not None
    return svg


def two(fast: int) -> tuple[RunRecord, list[TrialRecord]]:
    run = a_run(a_row("a"), compared("b", fast / 1000, "faster"))
    return run, trials_of({"a": [1000] * 4, "b": [fast] * 4})


def test_a_chart_of_rates_names_each_pipeline_with_its_rate_and_spread() -> None:
    found = texts(rates(*two(22_934)))
    for text in ("a", "1,000 ± 2.0%", "b", "22,934 ± 2.0%", "a, its second copy", "control"):
        assert text in found


def test_rates_that_are_far_apart_stand_on_a_logarithmic_scale_and_others_from_zero() -> None:
    far, near = rates(*two(22_934)), rates(*two(3_000))
    assert "images/s, on a logarithmic scale" in texts(far)
    assert {1000, 2000, 5000, 10_000, 20_000} <= set(numbers(far))
    assert "images/s" in texts(near)
    assert min(numbers(near)) == 0


def test_every_block_has_a_dot_and_every_interval_its_bar() -> None:
    run, trials = two(2000)
    fewer = [trial for trial in trials if trial.block <= 3]
    found = [dots(rates(run, some)) for some in (trials, fewer)]
    assert found[0] - found[1] == 4  # one less of a, of b, and of a's second copy: a ring of two
    bare = a_run(a_row("a", rate_low=None, rate_high=None), run.rows[1])
    assert rates(run, trials).count("opacity: 0.35") == 2
    assert rates(bare, trials).count("opacity: 0.35") == 1


def test_an_interval_without_an_upper_end_is_drawn_to_the_end_of_the_scale() -> None:
    run = a_run(a_row("a", rate_high=None), a_row("b"))
    assert rates(run, trials_of({"a": [1000, 900, 1100, 1000]})).count("opacity: 0.35") == 2


def test_a_chart_of_ratios_names_ratio_and_verdict_and_shows_the_margin() -> None:
    run, trials = two(2000)
    svg = plots.ratios(run, frames.blocks(run, trials))
    assert svg is not None
    found = texts(svg)
    for text in ("b", "2.00, faster", "a, its second copy"):
        assert text in found
    assert svg.count("var(--band") == 2  # one a line
    assert 1 in numbers(svg)


def test_the_second_copy_stands_over_the_baseline_as_all_others_do() -> None:
    run, trials = two(2000)
    run = a_run(*run.rows, control=(0.8, 0.5, 1.25))
    svg = plots.ratios(run, frames.blocks(run, trials))
    assert svg is not None
    assert "0.800, control" in texts(svg)


def test_a_pipeline_keeps_its_colour_in_all_charts() -> None:
    run, trials = two(2000)
    svg = plots.ratios(run, frames.blocks(run, trials))
    assert svg is not None
    assert plots.colours(run)["b"] in svg
    assert plots.colours(run)["b"] in rates(run, trials)
    alone = a_run(a_row("a"), empty_row("x"), run.rows[1])
    assert len(set(plots.colours(alone).values())) == 3


@pytest.mark.parametrize("width", [plots.WIDE, plots.NARROW])
def test_a_label_is_text_and_never_markup_or_mathematics_nor_is_any_of_it_lost(width: int) -> None:
    run = a_run(*(a_row(label) for label in LABELS))
    svg = rates(run, trials_of({label: [1000] for label in LABELS}), width)
    found = "".join("".join(texts(svg)).split())
    for label in LABELS:
        assert "".join(label.replace("\x1b", r"\x1b").split()) in found
    assert {element.tag for element in ET.fromstring(svg).iter()}.isdisjoint({f"{SVG}script"})


def test_a_long_label_is_broken_before_a_knob_and_leaves_room_for_the_rate() -> None:
    label = "tfdata_tuned:cache=none,shuffle=full,prefetch=autotune,parallel_calls=2"
    found = texts(rates(a_run(a_row(label)), trials_of({label: [1000]}), plots.NARROW))
    assert found[:2] != [label]
    assert [text for text in found if text in {"tfdata_tuned:cache=none,", "shuffle=full,"}]
    assert all(len(text) < 45 for text in found)


def test_the_same_run_gives_the_same_characters() -> None:
    assert rates(*two(2000)) == rates(*two(2000))


def test_a_users_own_matplotlibrc_changes_nothing_and_stays_in_force_elsewhere() -> None:
    expected = rates(*two(2000))
    theirs: dict[Any, Any] = {
        "text.usetex": True,
        "savefig.bbox": "tight",
        "axes.grid": True,
        "lines.linestyle": "--",
        "lines.marker": "x",
        "svg.fonttype": "path",
    }
    with mpl.rc_context(theirs):
        assert rates(*two(2000)) == expected
        assert {name: mpl.rcParams[name] for name in theirs} == theirs


@pytest.mark.parametrize("ground", ["--paper: #fefefe", "--paper: #15181c"])
def test_every_pipelines_colour_stands_out_from_a_light_and_from_a_dark_page(ground: str) -> None:
    """By the ratio that WCAG 2 asks of graphics: 3."""
    style = files("feedbench.reports.html") / "templates" / "page.css"
    assert ground in style.read_text()
    rows = [a_row(str(number)) for number in range(20)]
    for colour in set(plots.colours(a_run(*rows)).values()):
        assert contrast(*map(parts, (colour, ground[-7:]))) >= 3, colour


def parts(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))


def test_two_charts_share_no_id_and_every_reference_has_its_target() -> None:
    run, trials = two(2000)
    blocks = frames.blocks(run, trials)
    charts = [chart(run, blocks) or "" for chart in (plots.rates, plots.ratios)]
    ids = [re.findall(r' id="([^"]+)"', svg) for svg in charts]
    assert not set(ids[0]) & set(ids[1])
    for svg, known in zip(charts, ids, strict=True):
        assert len(known) == len(set(known))
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg)) <= set(known)


def test_a_chart_is_an_image_with_a_title_and_a_description_and_brings_no_style_for_others() -> (
    None
):
    svg = rates(*two(2000))
    root = ET.fromstring(svg)
    assert root.get("role") == "img"
    named = [root.find(f"{SVG}title"), root.find(f"{SVG}desc")]
    assert root.get("aria-labelledby") == " ".join(
        e.get("id") or "" for e in named if e is not None
    )
    assert named[1] is not None
    assert named[1].text == "a: 1,000 ± 2.0%; b: 2,000 ± 2.0%"
    assert "<style" not in svg
    assert "<metadata" not in svg


def test_there_is_no_chart_of_what_was_not_measured() -> None:
    failed = a_run(empty_row("a", "it raised"), empty_row("b", "it raised"), control=None)
    blocks = frames.blocks(failed, [])
    assert plots.rates(failed, blocks) is None
    assert plots.ratios(failed, blocks) is None
    alone = a_run(a_row("a"))
    assert plots.ratios(alone, frames.blocks(alone, trials_of({"a": [1000]}))) is None
    assert plots.rates(a_run(), frames.blocks(a_run(), [])) is None


def test_figures_that_are_no_numbers_are_left_out_of_a_chart() -> None:
    rows = [a_row("a"), a_row("b", math.nan), compared("c", 2, "faster", ratio_high=math.inf)]
    run = a_run(*rows)
    trials = [a_trial(1, "a"), a_trial(1, "c", 2000)]
    for chart in (plots.rates, plots.ratios):
        svg = chart(run, frames.blocks(run, trials))
        assert svg is not None
        assert not re.search(r"\b(nan|inf|None)\b", svg)
    assert "not measured" in texts(rates(run, trials))


CACHES = {"a": "none", "b": "memory"}


def with_ceilings(**rates: float) -> str:
    found = [Ceiling(name=name, rate=rate) for name, rate in rates.items()]  # type: ignore[arg-type]
    plain, cached = (a_row(label, knobs={"cache": kept}) for label, kept in CACHES.items())
    run = a_run(plain, cached, diagnosis=Diagnosis(ceilings=found))
    svg = plots.rates(run, frames.blocks(run, trials_of({"a": [1000], "b": [1100]})))
    assert svg is not None
    return svg


def test_rates_stand_beside_the_ceilings_that_bind_them_and_beside_no_other() -> None:
    svg = with_ceilings(read=9000.0, decode=2400.0, ready=8000.0)
    assert {"reading and decoding: 2,400", "a ready batch: 8,000"} <= set(texts(svg))
    assert "reading only" not in svg  # higher than what binds
    assert "; ceiling of reading and decoding: 2,400" in svg
    (group,) = re.findall(r"<g [^>]*stroke-dasharray[^>]*>(.*?)</g>", svg)
    assert group.count("<path") == 4  # each beside its name, and in one row


@pytest.mark.parametrize("rate", [1e7, math.nan, math.inf, 0.0])
def test_a_ceiling_that_is_far_beyond_every_rate_or_no_number_is_not_drawn(rate: float) -> None:
    svg = with_ceilings(decode=rate, ready=1e7)
    assert "reading" not in svg
    assert "ready" not in svg
