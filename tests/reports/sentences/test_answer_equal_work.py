"""The answer of a run whose pipelines do not all do the same work, and of one not calm enough.

The rows are those that `summarise` makes of trials, so that its words and the answer's go together.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import pytest

from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.verdicts.rows import summarise
from feedbench.reports.sentences.answer import answer
from tests.support.builders import a_proof, a_run, a_trial

NO_VERDICTS = "No verdicts: the pipelines do not deliver the same images."


def trials(label: str, rates: Collection[int], purpose: str = "main") -> list[TrialRecord]:
    timed = {"first_batch_seconds": 0.5, "first_epoch_seconds": 4.4}
    timed_all = {**timed, "turnover_seconds": [0.01], "epoch_seconds": [3.7]}
    return [
        a_trial(block, label, rate, purpose=purpose, **timed_all)
        for block, rate in enumerate(rates, 1)
    ]


def measured(
    unequal: Collection[str] = (), control: Collection[int] = (), **rates: int
) -> RunRecord:
    """A run of eight blocks at about these rates, the baseline first; these do other work."""
    found = [
        trial
        for label, rate in rates.items()
        for trial in trials(label, [rate + block % 3 for block in range(8)])
    ]
    baseline, rate = next(iter(rates.items()))
    found += trials(baseline, control or [rate + block % 3 for block in range(8)], "control")
    specs = {label: label for label in rates}
    summary = summarise(found, specs, margin=0.05, folder_images=3670, unequal=unequal)
    rows = [
        msgspec.structs.replace(row, proof=a_proof("different" if row.label in unequal else "same"))
        for row in summary.rows
    ]
    return a_run(*rows, best=summary.best, control=summary.control)


def row_of(run: RunRecord, label: str) -> Row:
    (row,) = [row for row in run.rows if row.label == label]
    return row


def test_the_fastest_is_not_named_where_its_work_is_different() -> None:
    run = measured(unequal={"cheat"}, naive=1000, tuned=2000, cheat=9000)
    cheat = row_of(run, "cheat")
    assert (cheat.verdict, cheat.withheld) == ("withheld", "work")
    assert cheat.ratio == pytest.approx(9, rel=0.01)
    assert answer(run).startswith("tuned is the fastest: 2.00 times the rate of naive (99% inter")


def test_its_ratio_is_not_that_of_the_next_one() -> None:
    run = measured(unequal={"cheat"}, naive=1000, slow=500, cheat=900)
    assert answer(run) == "naive is the fastest: the next has 0.500 times its rate."


def test_it_is_not_counted_among_those_of_which_none_is_shown_slower() -> None:
    run = measured(unequal={"cheat"}, naive=1000, tuned=1000, cheat=9000)
    assert answer(run) == "No difference is shown between naive and tuned."


def test_of_several_fastest_it_is_none() -> None:
    run = measured(unequal={"cheat"}, naive=1000, b=2000, c=2000, cheat=9000)
    assert answer(run) == "b and c are the fastest; no difference is shown between them."


def test_where_all_but_the_baseline_do_other_work_there_is_no_verdict() -> None:
    run = measured(unequal={"b", "c"}, naive=1000, b=2000, c=3000)
    assert [row.withheld for row in run.rows] == [None, "work", "work"]
    assert answer(run) == NO_VERDICTS


def test_where_the_baselines_work_is_different_all_verdicts_are_withheld() -> None:
    run = measured(unequal={"naive"}, naive=1000, b=2000)
    b = row_of(run, "b")
    assert (b.verdict, b.withheld) == ("withheld", "baseline's work")
    assert answer(run) == NO_VERDICTS


def test_beside_a_baseline_of_other_work_the_fastest_of_the_others_is_named_by_its_rate() -> None:
    run = measured(unequal={"naive"}, naive=1000, b=2000, c=4000)
    assert [row.withheld for row in run.rows] == [None, "baseline's work", "baseline's work"]
    assert answer(run) == "c is the fastest: 4,001 images/s."


def test_beside_a_baseline_of_other_work_none_of_the_others_may_be_shown_slower() -> None:
    run = measured(unequal={"naive"}, naive=1000, b=2000, c=2000)
    assert answer(run) == "No difference is shown between b and c."


@pytest.mark.parametrize("rate", [2000, 4000])
def test_a_baseline_that_was_not_compared_is_none_of_them_either(rate: int) -> None:
    run = measured(unequal={"naive"}, naive=1000, b=2000, c=rate)
    bare = msgspec.structs.replace(run.rows[0], proof=None)
    run = msgspec.structs.replace(run, rows=[bare, *run.rows[1:]])
    expected = {
        2000: "No difference is shown between b and c.",
        4000: "c is the fastest: 4,001 images/s.",
    }
    assert answer(run) == expected[rate]


def replaced(run: RunRecord, **given: object) -> RunRecord:
    """The run with these fields in its last row."""
    last = msgspec.structs.replace(run.rows[-1], **given)
    return msgspec.structs.replace(run, rows=[*run.rows[:-1], last])


def test_one_that_was_not_compared_is_not_counted_among_those_that_were() -> None:
    run = measured(unequal={"c"}, naive=1000, b=1000, c=1000)
    assert row_of(run, "c").withheld == "work"
    said = "No difference is shown between naive and b."
    assert answer(replaced(run, proof=None)) == said


def test_other_work_is_not_counted_where_it_was_in_too_few_blocks_for_a_verdict_either() -> None:
    run = measured(unequal={"c"}, naive=1000, b=1000, c=1000)
    said = "No difference is shown between naive and b."
    assert answer(replaced(run, verdict=None, withheld=None)) == said


def test_near_work_has_its_verdict_and_can_be_the_fastest() -> None:
    run = measured(naive=1000, keras=2000)
    near = msgspec.structs.replace(run.rows[1], proof=a_proof("near"))
    run = msgspec.structs.replace(run, rows=[run.rows[0], near])
    assert (near.verdict, near.withheld) == ("faster", None)
    assert answer(run).startswith("keras is the fastest: 2.00 times the rate of naive")


UNSTEADY = [1100 + block % 3 for block in range(8)]


def test_where_the_baseline_differs_from_itself_the_control_is_why() -> None:
    run = measured(control=UNSTEADY, naive=1000, b=2000)
    b = row_of(run, "b")
    assert (b.verdict, b.withheld) == ("withheld", "control")
    assert answer(run).startswith("No verdicts: naive and its own second copy differ (ratio 1.10")


def test_where_the_machine_was_not_calm_and_work_is_different_the_control_is_told_first() -> None:
    run = measured(unequal={"cheat"}, control=UNSTEADY, naive=1000, b=2000, cheat=9000)
    assert row_of(run, "cheat").withheld == "work"
    assert row_of(run, "b").withheld == "control"
    assert answer(run).startswith("No verdicts: naive and its own second copy differ (")


def test_a_single_pipeline_of_other_work_is_answered_with_its_rate() -> None:
    assert answer(measured(unequal={"mine"}, mine=1000)) == "mine delivers 1,001 images/s."
