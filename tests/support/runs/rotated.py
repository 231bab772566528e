"""Trials of a rotation, as the tests of verdicts need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.records.turns import Turn
from tests.support.runs.summaries import a_trial

TURN_SECONDS = 0.5


def turns_of(rates: Sequence[float], **given: Any) -> list[Turn]:
    """Turns at these rates in images/s, a round each."""
    return [
        Turn(
            round=number, at=100.0 + number, images=round(10_000 * rate), seconds=10_000.0, **given
        )
        for number, rate in enumerate(rates, 1)
    ]


def rotation(
    rates: Mapping[str, Sequence[Sequence[float]]],
    others: Mapping[str, float] | None = None,
    **given: Any,
) -> list[TrialRecord]:
    """Trials whose turns have these rates, by label, block and round; the first is the baseline.

    `others` is the share of the cores that other programs used in a label's turns. The second copy
    has the baseline's own turns.
    """
    baseline = next(iter(rates))
    shares = {label: (others or {}).get(label, 0.0) for label in rates}
    sides = [*((label, "main") for label in rates), (baseline, "control")]
    return [
        a_trial(
            label,
            block,
            7,  # images/s before the rotation, which is no rate of the rotation
            purpose=purpose,
            turns=turns_of(of_block, others_share=shares[label]),
            **given,
        )
        for label, purpose in sides
        for block, of_block in enumerate(rates[label], 1)
    ]
