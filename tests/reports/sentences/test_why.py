from __future__ import annotations

import pytest
from msgspec.structs import replace

from feedbench.bench.records.diagnosis import (
    Advice,
    Autotune,
    Ceiling,
    Choice,
    Diagnosis,
    Stage,
    Step,
    Trace,
    Waterfall,
)
from feedbench.reports.markdown import render
from feedbench.reports.sentences import why
from feedbench.reports.tables.full import tables
from feedbench.reports.text.figures import MISSING
from tests.support.builders import a_row, a_run
from tests.support.runs.diagnoses import FIXED

TRACE = Trace(
    folder="traces/a",
    images=100,
    cpu_ms=1.5,
    input_bound=0.961,
    stages=[
        Stage(name="decode", ms=0.9),
        Stage(name="resize", ms=0.3),
        Stage(name="the rest", ms=0.2),
        Stage(name="read", ms=0.1),
    ],
)
STEPS = Waterfall(
    label="a",
    steps=[
        Step(name="read", rate=20_000.0, cpu_ms=0.1),
        Step(name="decode", rate=2_000.0, cpu_ms=1.0),
        Step(name="resize", rate=1_500.0, cpu_ms=1.3),
        Step(name="the rest", rate=1_400.0, cpu_ms=1.5),
    ],
)
AUTOTUNE = Autotune(
    cpu_budget=2,
    ram_budget=2**30,
    choices=[
        Choice(stage="Prefetch", buffer=8, ms=0.1),
        Choice(stage="MapAndBatch", parallelism=1, most_parallelism=2, ms=40.0),
    ],
)
ADVICE = [
    Advice(label="a", sentence="do this.", figure="x", gain=0.5),
    Advice(label="b", sentence="do that.", figure="x", gain=0.4),
    Advice(label="a", sentence="then this.", figure="x", gain=0.1),
]


def test_where_nothing_was_looked_at_nothing_is_said() -> None:
    run = a_run(a_row("a"))
    assert (why.by_pipeline(run), why.limits(run), why.in_brief(run)) == ([], [], [])
    assert "why" not in [table.name for table in tables(run)]


def test_all_advice_is_in_the_report_and_the_first_line_of_each_on_the_terminal() -> None:
    run = a_run(a_row("a"), a_row("b"), diagnosis=Diagnosis(advice=ADVICE, skipped=["No time."]))
    assert why.by_pipeline(run) == [("a", ["Do this.", "Then this."]), ("b", ["Do that."])]
    assert why.limits(run) == ["No time."]
    assert why.in_brief(run) == ["a: do this.", "b: do that."]
    assert "- a: do this." in render(run)


def test_the_terminal_has_five_lines_of_advice_at_most() -> None:
    labels = "abcdefg"
    advice = [Advice(label=label, sentence="do it.", figure="x", gain=0.5) for label in labels]
    run = a_run(*map(a_row, labels), diagnosis=Diagnosis(advice=advice))
    assert why.in_brief(run) == [f"{label}: do it." for label in "abcde"]


def test_pipelines_that_need_the_same_remedy_share_a_line_in_brief() -> None:
    advice = [
        Advice(label="a", sentence="decode less.", figure="x", gain=0.5, remedy="smaller"),
        Advice(label="b", sentence="do that.", figure="x", gain=0.4),
        Advice(label="c", sentence="decode less.", figure="x", gain=0.3, remedy="smaller"),
    ]
    run = a_run(*map(a_row, "abc"), diagnosis=Diagnosis(advice=advice))
    lines = ["a: decode less. The same holds for c.", "b: do that."]
    assert why.in_brief(run) == lines


def test_how_many_more_blocks_would_decide_comes_before_the_advice() -> None:
    rows = [a_row("a"), a_row("b", more_blocks=3), a_row("c", more_blocks=12)]
    run = a_run(*rows, diagnosis=Diagnosis(advice=ADVICE))
    adds = "feedbench run --resume RUN --blocks"
    more = f"About 12 more blocks would decide b and c: {adds} +12"
    assert why.in_brief(run) == [more, "a: do this.", "b: do that."]
    one = a_run(a_row("a"), a_row("b", more_blocks=1))
    assert why.in_brief(one) == [f"About 1 more block would decide b: {adds} +1"]


def test_a_trace_that_cannot_be_used_says_why() -> None:
    found = Diagnosis(traces={"a": Trace(folder="t", why_not="the profiler wrote no trace")})
    assert why.limits(a_run(a_row("a"), diagnosis=found)) == [
        "a: its trace cannot be used: the profiler wrote no trace."
    ]


def test_a_trace_and_steps_that_agree_are_not_spoken_of_and_others_are() -> None:
    assert why.disagreement(STEPS, TRACE) is None
    other = Waterfall(
        label="a", steps=[*STEPS.steps[:-1], Step(name="the rest", rate=900.0, cpu_ms=3.0)]
    )
    assert why.disagreement(other, TRACE) == (
        "a: decode takes 60% of its CPU time by the trace, and 30% by leaving the step out. Treat"
        " both as rough."
    )
    assert why.disagreement(other, None) is None
    stood_in = Waterfall(label="a", like="tfdata_naive", steps=other.steps)
    assert why.disagreement(stood_in, TRACE) is None
    python = Trace(folder="t", stages=[Stage(name="Python", ms=2.0)])
    assert why.disagreement(other, python) is None


def test_the_table_has_stages_ceiling_and_what_autotune_chose() -> None:
    found = Diagnosis(traces={"a": TRACE}, ceilings=[Ceiling(name="decode", rate=1_250.0)])
    run = a_run(a_row("a", autotune=AUTOTUNE), a_row("b"), diagnosis=found)
    (table,) = [table for table in tables(run) if table.name == "why"]
    cells = [list(row) for row in table.cells.values()]
    assert cells[0] == [
        *("80% of decode", "decode 60%, resize 20%, the rest 13%", "1.50", "1 of 2 calls, 8 ahead"),
        "96.1",
    ]
    assert cells[1][1:4] == ["–", "–", "–"]  # noqa: RUF001 - what stands for a missing figure


def test_ceilings_are_one_sentence() -> None:
    ceilings = [
        Ceiling(name="read", rate=15_266.0),
        Ceiling(name="decode", rate=1_997.0),
        Ceiling(name="ready", rate=7e6),
    ]
    assert why.ceilings(Diagnosis(ceilings=ceilings)) == (
        "This machine reads 15,266 images/s, reads and decodes 1,997"
        " and delivers 7,000,000 from a batch in memory (one separate trial each)."
    )
    assert why.ceilings(Diagnosis()) is None


def test_steps_are_shown_with_what_each_adds() -> None:
    titles, cells = why.steps(STEPS, None)
    assert [title for title, _, _ in titles] == ["step", "rate so far", "CPU added"]
    assert cells[1] == ("decode", "2,000", "0.900")


def test_beside_each_step_stands_what_its_trace_says_of_it() -> None:
    titles, cells = why.steps(STEPS, TRACE)
    assert [title for title, _, _ in titles][3:] == ["share", "by its trace"]
    assert [(cell[0], *cell[3:]) for cell in cells] == [
        ("read", "7", "7"),
        ("decode", "60", "60"),
        ("resize", "20", "20"),
        ("the rest", "13", "13"),
    ]
    lean = replace(TRACE, stages=[stage for stage in TRACE.stages if stage.name != "resize"])
    assert why.steps(STEPS, lean)[1][2][3:] == ("20", MISSING)
    python = Trace(folder="t", stages=[Stage(name="Python", ms=2.0)])  # which tells no step
    assert why.steps(STEPS, python) == why.steps(STEPS, None)


def test_a_step_that_adds_less_than_trials_differ_by_adds_a_dash() -> None:
    less = Step(name="the rest", rate=1_600.0, cpu_ms=1.2)
    steps = Waterfall(label="a", steps=[*STEPS.steps[:-1], less])
    assert why.steps(steps, None)[1][-1] == ("the rest", "1,600", MISSING)
    assert why.steps(steps, TRACE)[1][-1] == ("the rest", "1,600", MISSING, MISSING, "13")


def test_where_another_stood_in_the_rest_is_called_by_the_largest_stage_of_its_own() -> None:
    stood_in = replace(STEPS, like="tfdata_naive")
    small, large = Stage(name="Shape", ms=0.01), Stage(name="MatMul", ms=5.0)
    trace = replace(TRACE, stages=[small, *TRACE.stages, large])
    assert why.steps(stood_in, trace)[1][-1][0] == "the rest (MatMul)"
    assert why.steps(STEPS, trace)[1][-1][0] == "the rest"
    hardly = replace(TRACE, stages=[*TRACE.stages, small])
    for known in (hardly, TRACE, None):
        assert why.steps(stood_in, known)[1][-1][0] == "the rest"


def test_advice_stands_by_its_pipeline_and_says_what_a_cache_holds() -> None:
    plain = a_row("plain", spec="tfdata_tuned:cache=none", knobs={"cache": "none", "x": 1})
    cached = a_row("cached", 9000.0, spec="tfdata_tuned", knobs={"cache": "memory", "x": 1})
    found = Diagnosis(advice=[replace(line, label="plain") for line in ADVICE])
    kept = "it caches all 3,670 images as delivered (1.90 GB) in memory"
    without = "Without the cache (plain) it reaches 1,000 images/s"
    assert why.by_pipeline(a_run(plain, cached, diagnosis=found)) == [
        ("plain", ["Do this.", "Do that.", "Then this."]),
        ("cached", [f"After its first epoch it decodes nothing: {kept}. {without}."]),
    ]


@pytest.mark.parametrize(
    ("cache_at", "words"),
    [
        (
            "encoded",
            (
                "reads no file: it caches the files' bytes of all 3,670 images in a file. It"
                " decodes and resizes them in every epoch."
            ),
        ),
        (
            "decoded",
            (
                "decodes nothing: it caches all 3,670 images in full size as uint8 (2.20 GB;"
                " float32 would take 8.81 GB) in a file. It resizes them in every epoch."
            ),
        ),
        (
            "batched",
            (
                "decodes nothing: it caches all 3,670 images as batches (1.90 GB) in a file. Every"
                " epoch has the batches of the first one."
            ),
        ),
    ],
)
def test_a_cache_is_described_by_its_place(cache_at: str, words: str) -> None:
    row = a_row("a", knobs={"cache": "file", "cache_at": cache_at})
    found = Diagnosis(source_pixels=200_000.0)
    ((_, (sentence,)),) = why.by_pipeline(a_run(row, diagnosis=found))
    assert sentence == f"After its first epoch it {words}"


def test_what_graph_rewrites_have_put_in_is_said_to_be_theirs() -> None:
    assert why.chosen(AUTOTUNE, is_rewritten=True) == "1 of 2 calls, 8 ahead, by graph rewrites"
    odd = Autotune(cpu_budget=2, ram_budget=1, choices=[Choice(stage="Map", parallelism=2, ms=1.0)])
    assert why.chosen(odd) == "2 calls"


def test_a_ceiling_of_nothing_is_none() -> None:
    found = Diagnosis(ceilings=[Ceiling(name="decode", rate=0.0)])
    assert why.of_ceiling(a_row("a", knobs={"cache": "none"}), found) == MISSING


def test_a_rate_over_its_ceiling_says_that_the_ceiling_is_one_trials_and_lower() -> None:
    found = Diagnosis(ceilings=[Ceiling(name="decode", rate=1000.0)])

    def reaches(rate: float) -> str:
        return why.of_ceiling(a_row("a", rate, knobs={"cache": "none"}), found)

    assert reaches(1120.0) == "112% of decode: the ceiling is one trial's rate, lower than this one"
    assert reaches(1004.0) == "100% of decode"


def test_what_autotune_costs_is_said_of_its_pipeline_where_no_advice_comes_of_it() -> None:
    run = a_run(a_row("a"), a_row("b"), diagnosis=Diagnosis(fixed=[FIXED]))
    ((label, (line,)),) = why.by_pipeline(run)
    assert label == "a"
    assert line.startswith("With 2 parallel calls and AUTOTUNE off: +3%")
    assert why.by_pipeline(a_run(a_row("a"))) == []


INPUT_BOUND = (
    "Your program is HIGHLY input-bound because 96.3% of the total step time sampled is waiting for"
    " input."
)


def concluded(conclusion: str | None) -> list[tuple[str, str]]:
    trace = replace(TRACE, conclusion=conclusion)
    return why.conclusions(a_run(a_row("a"), a_row("b"), diagnosis=Diagnosis(traces={"a": trace})))


def test_what_xprof_concludes_is_told_of_each_pipeline_of_which_it_concludes_something() -> None:
    assert concluded(INPUT_BOUND) == [("a", INPUT_BOUND)]
    assert concluded(None) == concluded(" ") == why.conclusions(a_run(a_row("a"))) == []


def test_markup_in_what_xprof_concludes_is_left_out_and_a_long_text_cut_short() -> None:
    marked = '<b>96.3%</b> is  waiting: see <a href="x">there</a>, where 1 < 2 &amp; 3 > 2.<br/>'
    assert concluded(marked) == [("a", "96.3% is waiting: see there , where 1 < 2 & 3 > 2.")]
    ((_, said),) = concluded(f"{INPUT_BOUND} " * 20)
    assert len(said) <= 300
    assert said.endswith(" \N{HORIZONTAL ELLIPSIS}")
