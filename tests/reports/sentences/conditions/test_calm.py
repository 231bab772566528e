from __future__ import annotations

import pytest

from feedbench.bench.records.conditions.calm import Calm, Share
from feedbench.bench.records.row import Withheld
from feedbench.reports.html.page import render
from feedbench.reports.sentences.answer import answer
from feedbench.reports.sentences.conditions.calm import by_block, cost, sentence
from feedbench.reports.sentences.notes import notes, warnings
from feedbench.reports.text.figures import MISSING
from tests.support.builders import a_row, a_run, compared, trials_of
from tests.support.runs.calms import PROBED, a_calm


def test_of_a_machine_that_was_not_probed_nothing_is_said() -> None:
    assert sentence(None) is None
    assert not any("calm" in note for note in notes(a_run(a_row("a"))))


def test_what_the_probes_took_is_told_and_what_was_waited_where_it_was() -> None:
    calm = a_calm(probe_seconds=6.1, waited_seconds=12.0)
    assert cost(a_run(a_row("a"), seconds=321.0, calm=calm)) == (
        "Probes took 6.10 s, 1.9% of the run. Waiting for calm took 12.0 s."
    )
    assert cost(a_run(a_row("a"), seconds=250.0, calm=a_calm())) == (
        "Probes took 5.00 s, 2.0% of the run."
    )
    assert cost(a_run(a_row("a"), seconds=0.0, calm=a_calm())) == "Probes took 5.00 s."


def test_the_page_tells_what_it_took_to_look_at_the_machine() -> None:
    run = a_run(a_row("a"), seconds=250.0, calm=a_calm())
    assert f"{sentence(run.calm)} {cost(run)}</p>" in render(run, [])
    assert "None" not in render(a_run(a_row("a")), []).partition('id="calm"')[2][:200]


def test_of_a_machine_that_was_not_probed_nothing_was_taken() -> None:
    assert cost(a_run(a_row("a"))) is None
    assert cost(a_run(a_row("a"), calm=a_calm(attempts=0))) is None


def test_a_calm_machine_is_said_to_be_calm() -> None:
    assert sentence(a_calm()) == (
        "The machine was calm: none of 48 trials was disturbed. At the lowest, probes hashed at"
        " 0.97 and copied at 0.81 of the reference speed."
    )


def test_a_few_disturbed_trials_are_counted() -> None:
    assert sentence(a_calm(3, retaken=3, lowest=Share(0.5, 0.4))) == (
        "The machine was mostly calm: 3 of 48 trials were disturbed and left out, and 3"
        " repeated. At the lowest, probes hashed at 0.50 and copied at 0.40 of the reference speed."
    )


def test_where_many_were_disturbed_it_is_said_what_would_help() -> None:
    said = str(sentence(a_calm(20)))
    assert said.startswith(
        "The machine was not calm: 20 of 48 trials were disturbed and left out. "
    )
    assert said.endswith(
        " End other programs, use a machine without neighbours, or give more --time."
    )


def test_where_all_were_disturbed_none_is_left_out_and_it_is_said_what_that_means() -> None:
    said = str(sentence(a_calm(48, retaken=16)))
    assert said.startswith(
        "The machine was not calm: each of 48 trials was disturbed. The rates come from disturbed"
        " trials and cannot be compared. At the lowest, probes hashed at 0.97"
    )
    assert said.endswith("use a machine without neighbours, or give more --time.")


def test_a_quota_and_a_hypervisor_are_named_where_they_took_something() -> None:
    assert "a larger CPU quota (the cgroup's was used up for 30 s)" in str(
        sentence(a_calm(20, throttled=30.0))
    )
    assert "without neighbours (its hypervisor took 12 s of CPU time)" in str(
        sentence(a_calm(20, stolen=12.0))
    )


def test_a_calibration_that_was_disturbed_itself_is_told() -> None:
    assert str(sentence(a_calm(middle=Share(1.4, 1.0)))).startswith(
        "The machine was disturbed when its reference speed was measured: half of the later probes"
        " hashed at 1.40 times that speed"
    )


def test_the_sentence_is_the_last_note_of_a_run() -> None:
    calm = a_calm()
    assert notes(a_run(a_row("a"), calm=calm))[-1] == sentence(calm)


@pytest.mark.parametrize(
    ("calm", "withheld", "is_warning"),
    [
        (a_calm(), None, False),
        (a_calm(3), None, False),
        (a_calm(3), "work", False),
        (a_calm(3), "control", True),
        (a_calm(3), "exclusions", True),
        (a_calm(20), None, True),
        (a_calm(middle=Share(1.4, 1.0)), None, True),
    ],
)
def test_it_is_a_warning_only_where_the_machine_was_noisy_or_verdicts_are_withheld_for_that(
    calm: Calm, withheld: Withheld | None, is_warning: bool
) -> None:
    run = a_run(a_row("a"), a_row("b", withheld=withheld), calm=calm)
    assert (sentence(calm) in warnings(run)) is is_warning


def test_a_verdict_that_depends_on_exclusions_is_withheld_and_told() -> None:
    baseline = a_row("a", attempts=9, disturbed=1)
    row = compared("b", 2.0, "withheld", withheld="exclusions", attempts=12, disturbed=5)
    run = a_run(baseline, row, calm=a_calm(6, attempts=21))
    assert answer(run) == (
        "No verdicts: 6 of 21 trials were disturbed, and the verdicts depend on which of them are"
        " excluded."
    )
    assert (
        "b has no verdict, because the verdict depends on exclusions (5 of its 12 trials were"
        " disturbed, and 1 of a's 9)."
    ) in notes(run)


def test_those_that_depend_on_exclusions_are_no_answer_and_no_others() -> None:
    unsure = compared("c", 2.0, "withheld", withheld="exclusions", attempts=12, disturbed=5)
    run = a_run(a_row("a"), compared("b", 1.0, "equivalent"), unsure, best=["a", "b"])
    assert answer(run) == ("Of those that could be judged, no difference is shown between a and b.")


def test_block_by_block_the_lowest_probes_stand_beside_what_the_kernel_counted() -> None:
    run = a_run(a_row("a"), blocks=2, calm=PROBED)
    titles, rows = by_block(run, trials_of({"a": [1000, 1000]}))
    heads = [title for title, _, _ in titles]
    assert heads == ["block", "hashing", "copying", "second copy", "CPU pressure", "disturbed"]
    assert rows == [
        ("1", "0.900", "0.600", "1.00", "5.0", MISSING),
        ("2", "0.700", "1.00", "1.00", "5.0", "b"),
    ]
