"""The page's part on why pipelines are as fast as they are."""

from __future__ import annotations

import html
import re

from feedbench.bench.records.diagnosis import Diagnosis, Fixed, Stage, Step, Trace, Waterfall
from feedbench.bench.records.run import RunRecord
from feedbench.reports.html import page
from tests.support.builders import SCRIPT, a_row, a_run
from tests.support.html.reader import Reader, without_own_scripts
from tests.support.runs.diagnoses import AUTOTUNE

BOUND = "Your program is HIGHLY input-bound because 96.3% of a step is waiting for input."
STAGES = [Stage(name="MatMul", ms=3.0), Stage(name="decode", ms=1.0)]
STEPS = [
    Step(name="decode", rate=2_000.0, cpu_ms=1.0),
    Step(name="the rest", rate=900.0, cpu_ms=4.0),
]


def words(run: RunRecord) -> str:
    """What the part says, in one line."""
    text = page.render(run, [])
    part = text[text.index('id="reasons"') : text.index('id="costs"')]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", part)).split())


def test_what_xprof_concludes_stands_there_with_the_caveat_and_is_no_markup() -> None:
    traces = {"a": Trace(folder="t", conclusion=f"{BOUND} &lt;script&gt;alert(1)&lt;/script&gt;")}
    run = a_run(a_row("a"), diagnosis=Diagnosis(traces=traces))
    assert f"{BOUND} {SCRIPT}" in words(run)
    assert "No model is trained here" in words(run)
    assert "<script" not in without_own_scripts(page.render(run, [])).lower()
    assert "profiler concludes" not in words(a_run(a_row("a"), diagnosis=Diagnosis()))


def test_what_autotune_chose_is_folded_away_with_a_table_for_each_pipeline() -> None:
    run = a_run(a_row("a", autotune=AUTOTUNE), a_row("b"), a_row("c", autotune=AUTOTUNE))
    text = page.render(run, [])
    assert text.count('<summary id="autotune">') == 1
    tables = Reader(text).tables
    assert tables["autotune-1"] == tables["autotune-2"]
    assert tables["autotune-1"][2] == ["MapAndBatch", "1 of 2", "\N{EN DASH}", "46.5"]
    assert words(run).count("budget: 2 cores, 11.5 GB of memory") == 2
    assert '<a href="#reasons">' in text
    assert 'id="autotune"' not in page.render(a_run(a_row("a")), [])
    assert "advice" not in words(run)  # there is none, and there were no separate trials
    assert "Separate trials" not in words(run)


def test_what_autotune_costs_stands_by_its_pipeline() -> None:
    fixed = Fixed(label="a", spec="x:parallel_calls=2", rate=1000.0, own_rate=1000.0)
    said = words(a_run(a_row("a"), diagnosis=Diagnosis(fixed=[fixed])))
    assert "With 2 parallel calls and AUTOTUNE off: as fast" in said
    assert "Each line of advice rests on a figure" in said


def test_steps_have_a_column_of_the_trace_and_the_rest_its_name() -> None:
    waterfall = Waterfall(label="a", like="tfdata_naive", steps=STEPS)
    traces = {"a": Trace(folder="t", stages=STAGES)}
    run = a_run(a_row("a"), diagnosis=Diagnosis(traces=traces, waterfalls=[waterfall]))
    assert Reader(page.render(run, [])).tables["steps-1"] == [
        [
            "step",
            "rate so far images/s",
            "CPU added ms per image",
            "share % of all steps",
            "by its trace % of all stages",
        ],
        ["decode", "2,000", "1.00", "25", "25"],
        ["the rest (MatMul)", "900", "3.00", "75", "75"],
    ]
    untraced = a_run(a_row("a"), diagnosis=Diagnosis(waterfalls=[waterfall]))
    assert len(Reader(page.render(untraced, [])).tables["steps-1"][0]) == 3
