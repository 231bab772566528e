"""Which pipelines' turns in a rotation were accompanied by other programs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from feedbench.bench.records.pace import USUAL
from feedbench.bench.records.trial import TrialRecord


def accompanied(trials: Sequence[TrialRecord], labels: Iterable[str]) -> set[str]:
    """Return the labels with which other programs come: busy in its turns, not in the others'.

    The median share of the cores that they used in its turns exceeds the median over all other
    turns by more than the share that disturbs a trial. In the other turns they used no more than
    that share. Otherwise they are always busy, and use more where a pipeline needs fewer cores.
    Turns for which it is unknown are left out.
    """
    rotated = [trial for trial in trials if trial.ended == "measured" and trial.turns]
    most = min(
        (trial.around.most_others_share for trial in rotated if trial.around is not None),
        default=USUAL.most_others_share,
    )
    return {
        label
        for label in labels
        if (ours := _shares(trial for trial in rotated if trial.label == label))
        and (others := _shares(trial for trial in rotated if trial.label != label))
        and median(ours) > median(others) + most
        and median(others) <= most
    }


def _shares(trials: Iterable[TrialRecord]) -> list[float]:
    return [
        turn.others_share
        for trial in trials
        for turn in trial.turns
        if turn.others_share is not None
    ]
