"""The charts of blocks in time: what they say as text, and draw."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from feedbench.bench.records.conditions.calm import Around, Counters, Share
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.reports.charts import time_order
from feedbench.reports.charts.tracks import NARROW, WIDE
from feedbench.reports.sentences.conditions import calm
from feedbench.reports.text.figures import MISSING
from tests.support.builders import HOSTILE, SCRIPT, a_row, a_run, a_trial, trials_of
from tests.support.html.drawings import dots, numbers, texts
from tests.support.runs.calms import PROBED


def disturbed(block: int, label: str, rate: int) -> TrialRecord:
    low = Share(0.5, 1.0)
    limit = Share(0.85, 0.5)
    around = Around(before=low, after=low, low=limit, waited_seconds=0.0, counters=Counters())
    return a_trial(block, label, rate, around=around)


def blocks(run: RunRecord, trials: Sequence[TrialRecord], width: int = WIDE) -> str:
    svg = time_order.blocks(run, trials, width)
    assert svg is not None
    return svg


def test_every_trial_of_a_block_has_its_point_and_disturbed_ones_are_hollow_and_counted() -> None:
    run = a_run(a_row("a"), a_row("b"), blocks=4)
    trials = trials_of({"a": [1000] * 4, "b": [1000, 1100, 950, 1000]})
    calm_svg = blocks(run, trials)
    noisy = blocks(run, [*trials, disturbed(2, "b", 500)])
    assert dots(noisy) - dots(calm_svg) == 2  # a ring
    assert "-5.0% to +10.0%" in texts(calm_svg)
    assert "-5.0% to +10.0%, 1 disturbed trial" in texts(noisy)
    assert "stroke: var(--paper" in noisy
    assert "stroke: var(--paper" not in calm_svg


def test_a_block_that_is_not_whole_is_left_out_there_too() -> None:
    run = a_run(a_row("a"), blocks=3)
    four, three = ({"a": [1000] * count} for count in (4, 3))
    assert blocks(run, trials_of(four)) == blocks(run, trials_of(three))


@pytest.mark.parametrize("count", [1, 2, 4, 30])
def test_blocks_are_counted_in_whole_numbers(count: int) -> None:
    run = a_run(a_row("a"), blocks=count)
    found = numbers(blocks(run, trials_of({"a": [1000] * count})))
    assert found
    assert all(number == int(number) and 1 <= number <= count for number in found)


def test_the_edges_are_as_far_as_the_farthest_point_within_reason() -> None:
    run = a_run(a_row("a"), blocks=3)
    assert time_order.reach(run, trials_of({"a": [1000] * 3})) == pytest.approx(1.05)
    assert time_order.reach(run, trials_of({"a": [1000, 800, 1000]})) == pytest.approx(1.25)
    assert time_order.reach(run, trials_of({"a": [1000, 1, 1000]})) == pytest.approx(2.0)


def test_the_probes_and_the_second_copy_have_their_tracks_with_how_far_they_went() -> None:
    run = a_run(a_row("a"), blocks=2, calm=PROBED)
    trials = trials_of({"a": [1000, 1000]})
    svg = time_order.calm(run, trials)
    assert svg is not None
    found = texts(svg)
    for name, note in (
        ("the probe's hashing", "0.700 to 1.00"),
        ("the probe's copying", "0.600 to 1.10"),
        ("the baseline's second copy", "1.00 to 1.00"),
    ):
        assert name in found
        assert note in found
    without = time_order.calm(run, [trial for trial in trials if trial.purpose == "main"])
    assert without is not None
    assert "the baseline's second copy" not in texts(without)
    assert time_order.calm(replace(run, calm=None), trials) is None


def test_the_second_copy_is_that_which_was_recorded_and_run_delay_has_its_column() -> None:
    first, second = PROBED.blocks
    blocks = [replace(first, control=1.25, run_delay_seconds=15.0), second]
    run = a_run(a_row("a"), blocks=2, calm=replace(PROBED, blocks=blocks))
    titles, rows = calm.by_block(run, trials_of({"a": [1000, 1000]}))
    heads = [title for title, _, _ in titles]
    assert [row[heads.index("second copy")] for row in rows] == ["1.25", MISSING]
    assert [row[heads.index("run delay")] for row in rows] == ["150.0", MISSING]
    svg = time_order.calm(run, trials_of({"a": [1000, 1000]}))
    assert svg is not None
    assert "1.25 to 1.25" in texts(svg)


def test_a_probe_under_its_limit_stands_under_a_broken_line() -> None:
    run = a_run(a_row("a"), blocks=2, calm=PROBED)
    svg = time_order.calm(run, trials_of({"a": [1000, 1000]}))
    assert svg is not None
    assert svg.count("stroke-dasharray") == 1  # hashing's; copying's is beyond the edge


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_label_is_text_here_too(width: int) -> None:
    run = a_run(*(a_row(label) for label in HOSTILE), blocks=2)
    svg = blocks(run, trials_of({label: [1000, 900] for label in HOSTILE}), width)
    assert svg is not None
    assert SCRIPT not in svg
    assert not any(element.tag.endswith("script") for element in ET.fromstring(svg).iter())


def test_the_same_run_gives_the_same_characters() -> None:
    run, trials = a_run(a_row("a"), blocks=2, calm=PROBED), trials_of({"a": [1000, 900]})
    assert blocks(run, trials) == blocks(run, trials)
    assert time_order.calm(run, trials) == time_order.calm(run, trials)
