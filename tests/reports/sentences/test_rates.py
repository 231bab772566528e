from __future__ import annotations

from feedbench.bench.records.conditions.calm import Speed
from feedbench.bench.records.diagnosis import Ceiling, Diagnosis
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.reports.sentences.answer import answer
from feedbench.reports.sentences.notes import notes, warnings
from tests.support.builders import a_row, a_run, compared
from tests.support.runs.calms import a_calm

READY = Diagnosis(ceilings=[Ceiling(name="ready", rate=100_000.0)])


def sentences(run: RunRecord, label: str) -> list[str]:
    return [note for note in notes(run) if note.startswith(label)]


def measured(*rows: Row) -> RunRecord:
    calm = a_calm(good=Speed(1e4, 600.0))  # 20 GB/s
    return a_run(a_row("naive"), *rows, diagnosis=READY, calm=calm)


def test_a_rate_beyond_the_ceiling_is_called_impossible_in_the_head_and_in_a_note() -> None:
    run = measured(compared("mine", 700.0, "withheld", withheld="rate"))
    (note,) = sentences(run, "mine")
    assert note == (
        "mine cannot be this fast: its rate is 7.00 times the rate of batches that are ready in"
        " memory. So what was timed is in doubt, and the rate is not compared."
    )
    assert note in warnings(run)
    assert answer(run) == "No verdicts: a pipeline seems faster than any can be."


def test_a_rate_beyond_what_feedbench_takes_is_called_impossible_without_a_ceiling() -> None:
    row = compared("mine", 7.0, "withheld", withheld="rate", consumer_share=3.5)
    assert (
        "mine cannot be this fast: its rate is 3.50 times what Feedbench itself can take."
        in "".join(sentences(a_run(a_row("naive"), row), "mine"))
    )


def test_what_is_compared_with_an_impossible_baseline_says_so() -> None:
    baseline, other = a_row("naive", 7e5), a_row("b", withheld="baseline's rate")
    run = a_run(baseline, other, diagnosis=READY)
    assert sentences(run, "b") == [
        "b has no verdict: no pipeline can be as fast as naive seems to be."
    ]
    assert len(sentences(run, "naive")) == 1


def test_a_list_of_arrays_keeps_its_verdict_and_a_note_says_what_it_does() -> None:
    run = measured(compared("list", 200.0, "faster", consumer_share=0.01), a_row("b", 150_000.0))
    (note,) = sentences(run, "list")
    assert note == (
        "list hands out the same arrays again: nothing is read or written. It delivers 104 GB/s,"
        " and this machine's memory can take about 20.1 GB/s. No model can read the images that"
        " fast."
    )
    assert sentences(run, "b") == []  # 77.8 GB/s: a core's cache may take that
