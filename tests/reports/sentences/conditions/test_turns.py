"""What is reported of verdicts from the turns of a rotation."""

from __future__ import annotations

import pytest

from feedbench.bench.records.conditions.calm import Calm
from feedbench.bench.records.row import Withheld
from feedbench.reports.sentences.answer import answer
from feedbench.reports.sentences.conditions.calm import sentence
from feedbench.reports.sentences.notes import notes, warnings
from tests.support.builders import a_row, a_run, compared
from tests.support.runs.calms import a_calm

REASONS: dict[Withheld, tuple[str, str]] = {
    "other programs": (
        "other programs were busy in the turns of one pipeline, and not in the others'",
        (
            "b has no verdict: other programs were busy in its turns, and not in the others'. It"
            " may leave its work to those programs."
        ),
    ),
    "baseline's other programs": (
        "other programs were busy in the turns of one pipeline, and not in the others'",
        "b has no verdict: other programs were busy in the turns of a, and not in the others'.",
    ),
    "slow turns": (
        "the verdicts depend on which slow turns are left out",
        (
            "b has no verdict, because the verdict depends on which slow turns are left out. More"
            " blocks would help."
        ),
    ),
}


@pytest.mark.parametrize("reason", REASONS)
def test_a_verdict_that_the_turns_withhold_has_its_reason_in_a_sentence(reason: Withheld) -> None:
    run = a_run(a_row("a"), compared("b", 2.0, "withheld", withheld=reason))
    why, note = REASONS[reason]
    assert answer(run) == f"No verdicts: {why}."
    assert note in warnings(run)


@pytest.mark.parametrize("reason", REASONS)
def test_a_pipeline_without_a_verdict_is_not_among_those_that_were_judged(reason: Withheld) -> None:
    unsure = compared("c", 2.0, "withheld", withheld=reason)
    run = a_run(a_row("a"), compared("b", 1.0, "equivalent"), unsure, best=["a", "b"])
    assert answer(run) == "Of those that could be judged, no difference is shown between a and b."


def test_a_ratio_of_all_turns_is_noted() -> None:
    run = a_run(a_row("a"), compared("b", 0.9, "slower", counts_all_turns=True))
    assert (
        "Slow turns were mostly those of either b or a, so their ratio includes all turns."
    ) in notes(run)


@pytest.mark.parametrize(
    ("calm", "said"),
    [
        (
            a_calm(noisy=30),
            (
                "The machine was not calm: 30 of 48 trials were disturbed. The pipelines took"
                " turns, so disturbances slowed all of them. At the lowest, probes hashed"
                " at 0.97 and copied at 0.81 of the reference speed. End other programs, use a"
                " machine without neighbours, or give more --time."
            ),
        ),
        (
            a_calm(1, noisy=2),
            (
                "The machine was mostly calm: 3 of 48 trials were disturbed. 1 was left out; the"
                " others took turns, so that all were slowed. At the lowest, probes hashed at 0.97"
                " and copied at 0.81 of the reference speed."
            ),
        ),
    ],
)
def test_a_noisy_machine_is_reported_though_no_turn_was_left_out(calm: Calm, said: str) -> None:
    assert sentence(calm) == said


def test_a_run_whose_trials_took_no_turns_says_why() -> None:
    why = "all pipelines at once need more memory than is available"
    sentence = f"Trials ran one at a time: {why}."
    assert sentence in notes(a_run(a_row("a"), one_at_a_time=why))
    assert not any("one at a time" in note for note in notes(a_run(a_row("a"), one_at_a_time="")))
