"""Random interleaved blocks: which pipelines still run, and in which order. Pure."""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from feedbench.bench.records.messages import FEEDING
from feedbench.bench.records.trial import Fault, TrialRecord
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.system.signals import LOST_EXIT_CODE

_STRIKES = 2  # a pipeline with this many failed trials is left out of the blocks that follow

Turn = tuple[str, Literal["main", "control"]]
"""A label, and whether it is the pipeline's own trial or the baseline's second one."""


@dataclass(frozen=True)
class Lineup:
    """The pipelines of a run by label, the baseline first, and about how long their trials take.

    `after` returns the lineup that trials leave: pipelines that fail too often no longer run.
    """

    specs: Mapping[str, Spec]
    trial_seconds: Mapping[str, float]
    strikes: Mapping[str, int] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the pipelines that still run."""
        return tuple(label for label in self.specs if self.strikes.get(label, 0) < _STRIKES)

    @property
    def block_seconds(self) -> float:
        """About how long the next block takes; the baseline runs twice."""
        each = [self.trial_seconds[label] for label in self.labels]
        return sum(each) + (each[0] if each else 0.0)

    def after(self, records: Sequence[TrialRecord]) -> Lineup:
        """Return the lineup after these trials."""
        strikes = Counter(self.strikes)
        seconds = dict(self.trial_seconds)
        for record in records:
            if record.purpose in FEEDING:  # of blocks of their own
                continue
            strikes[record.label] += _strikes_of(record)
            if record.ended == "measured" and record.block and record.label in seconds:
                seconds[record.label] = max(seconds[record.label], record.seconds)
        return replace(self, trial_seconds=seconds, strikes=strikes)


def _strikes_of(record: TrialRecord) -> int:
    """Return how many strikes a trial counts; a killed process, or a clock, may be an accident."""
    if not record.is_failure:
        return 0
    accidents = (Fault.FORKSERVER_DIED, Fault.CLOCK)
    is_accident = (
        record.signal == signal.SIGKILL
        or record.exit_code == LOST_EXIT_CODE
        or record.fault in accidents
    )
    return 1 if is_accident else _STRIKES


def block_order(labels: tuple[str, ...], seed: int, block: int) -> tuple[Turn, ...]:
    """Return the trials of a block in order; the first label is the baseline, and runs twice.

    The order depends only on the seed and the block's number, so that a run can be resumed.
    """
    turns: list[Turn] = [(label, "main") for label in labels]
    turns.append((labels[0], "control"))
    # A string seeds by its digest: the same on every machine, and blocks have nothing in common.
    random.Random(f"{seed}/{block}").shuffle(turns)  # noqa: S311 - an order, not a secret
    return tuple(turns)
