"""The chart of stages: what it says as text, and draws."""

from __future__ import annotations

import math
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from feedbench.bench.records.diagnosis import Diagnosis, Stage, Trace
from feedbench.bench.records.run import RunRecord
from feedbench.reports.charts import stages as stageplots
from feedbench.reports.charts.tracks import NARROW, WIDE
from tests.support.builders import HOSTILE, SCRIPT, a_row, a_run
from tests.support.html.drawings import numbers, texts


def traced(**of: dict[str, float]) -> RunRecord:
    """A run of these pipelines, each with these stages in ms."""
    traces = {
        label: Trace(folder="", stages=[Stage(name=name, ms=ms) for name, ms in stages.items()])
        for label, stages in of.items()
    }
    return a_run(*(a_row(label) for label in of), diagnosis=Diagnosis(traces=traces))


def stages(run: RunRecord, width: int = WIDE) -> str:
    svg = stageplots.stages(run, width)
    assert svg is not None
    return svg


def test_each_pipeline_has_a_bar_with_its_sum_and_its_largest_stage() -> None:
    found = texts(stages(traced(a={"decode": 0.6, "resize": 0.3, "the rest": 0.1}, b={"read": 2})))
    for text in ("a", "1.00 ms, decode 60%", "b", "2.00 ms, read 100%", "decode", "resize"):
        assert text in found
    assert "CPU ms per image, summed over threads" in found


def test_a_bar_is_as_long_as_what_was_measured_and_its_shares_are_the_traces() -> None:
    run = traced(a={"Python": 3.0, "batch": 1.0})
    found = texts(
        stages(replace(run, rows=[replace(run.rows[0], cpu_seconds_per_1000_images=2.0)]))
    )
    assert "2.00 ms, Python 75%" in found
    assert max(numbers(stages(run))) == 4


def test_a_stage_without_room_for_its_name_has_none_and_the_description_has_it() -> None:
    svg = stages(traced(a={"decode": 0.99, "shuffle": 0.01}))
    assert "shuffle" not in texts(svg)
    assert "shuffle 0.0100 ms" in svg


def test_where_no_trace_tells_stages_there_is_no_such_chart() -> None:
    assert stageplots.stages(a_run(a_row("a"))) is None
    odd = traced(a={}, b={"decode": math.nan, "read": 0.0})
    assert stageplots.stages(odd) is None


@pytest.mark.parametrize("length", [20, 33, 40, 60])
def test_a_long_note_leaves_the_label_where_it_is_seen(length: int) -> None:
    run = traced(a_label={"x" * length: 1.0})
    found = texts(stages(run, NARROW))
    assert "a_label" in found
    assert [text for text in found if text.startswith("1.00 ms, xxx")]


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_label_is_text_here_too(width: int) -> None:
    svg = stages(traced(**{label: {SCRIPT: 1.0} for label in HOSTILE}), width)
    assert svg is not None
    assert SCRIPT not in svg
    assert not any(element.tag.endswith("script") for element in ET.fromstring(svg).iter())


def test_the_same_run_gives_the_same_characters() -> None:
    run = traced(a={"decode": 1.0})
    assert stages(run) == stages(run)
