"""How many times as fast one pipeline is as another. Pure.

Without planned epochs, it is the ratio of the rates. With them, it is the ratio of the times for
all of them over the whole folder:

    preparation + first epoch + (epochs - 1) * (images / rate + restart)

Rates, first epochs and restarts are those of each block, so that the interval of the ratio has the
noise of all. A preparation happens once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.row import Row
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.records.tuning.tuning import Gain, Total
from feedbench.bench.verdicts.intervals import by_mean
from feedbench.bench.verdicts.phases import turnover_of
from feedbench.bench.verdicts.rows import rates_by_block
from feedbench.bench.verdicts.turns.block_rates import BlockRates, log_ratios


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What one pipeline costs: seconds over the whole folder, and rates by block."""

    prepare_seconds: float = 0.0
    first_seconds: float = 0.0
    restart_seconds: float = 0.0
    images: int  # of the whole folder
    rate: float  # images/s
    rates: BlockRates = field(default_factory=dict)
    # Of each block: its first epoch over the mean of all.
    first_factors: Mapping[int, float] = field(default_factory=dict)
    restarts: Mapping[int, float] = field(default_factory=dict)  # of each block: seconds

    def total(self, epochs: int) -> Total:
        """Return the seconds of these planned epochs."""
        return Total(
            prepare=self.prepare_seconds,
            first_epoch=self.first_seconds,
            other_epochs=(epochs - 1) * (self.images / self.rate + self.restart_seconds),
        )

    def seconds_in(self, block: int, rate: float, epochs: int) -> float:
        """Return the seconds of these epochs by one block, in which its rate was this."""
        first = self.first_seconds * self.first_factors.get(block, 1.0)
        restart = self.restarts.get(block, self.restart_seconds)
        others = (epochs - 1) * (self.images / rate + restart)
        return self.prepare_seconds + first + others


def costs_of(
    rows: Sequence[Row], trials: Sequence[TrialRecord], *, images: int, folder_images: int
) -> dict[str, Costs]:
    """Return the costs of the rows that have a rate, by label.

    `images` of the folder's were measured.
    """
    share = images / folder_images
    rates = rates_by_block(trials, "main")
    rates = {**rates_by_block(trials, "main", with_disturbed=True), **rates}
    costs = {}
    for row in rows:
        if row.rate is None or row.label not in rates:
            continue
        made = row.preparation
        costs[row.label] = Costs(
            prepare_seconds=made.seconds / share if made is not None else 0.0,
            first_seconds=_first_seconds(row, trials, images, folder_images),
            restart_seconds=row.turnover_seconds or 0.0,
            images=folder_images,
            rate=row.rate,
            rates=rates[row.label],
            first_factors=_first_factors(row, trials),
            restarts={
                block: turnover_of(measured)
                for block, measured in _measured(row, trials)
                if measured.turnover_seconds
            },
        )
    return costs


def gain_of(ours: Costs, theirs: Costs, epochs: int | None, level: float) -> Gain | None:
    """Return how many times as fast the first one is; None if they share no block."""
    ratios = log_ratios(ours.rates, theirs.rates)
    if not ratios:
        return None
    if epochs is not None:
        ratios = {
            block: _log_times(ours, theirs, block, ratio, epochs) for block, ratio in ratios.items()
        }
    interval = by_mean([*ratios.values()], level)
    is_known = math.isfinite(interval.low)
    return Gain(
        times=math.exp(interval.estimate),
        low=math.exp(interval.low) if is_known else None,
        high=math.exp(interval.high) if is_known else None,
        blocks=len(ratios),
    )


def speed(costs: Costs, epochs: int | None) -> float:
    """Return what is compared: images/s, or the planned epochs over their seconds."""
    return costs.rate if epochs is None else epochs / costs.total(epochs).seconds


def _log_times(ours: Costs, theirs: Costs, block: int, ratio: float, epochs: int) -> float:
    """Return ln(their time / our time) in one block, from ln(our rate / their rate)."""
    rate = theirs.rates[block].rate
    our_seconds = ours.seconds_in(block, rate * math.exp(ratio), epochs)
    return math.log(theirs.seconds_in(block, rate, epochs) / our_seconds)


def _first_seconds(
    row: Row, trials: Sequence[TrialRecord], images: int, folder_images: int
) -> float:
    """Return the seconds of the first epoch of the whole folder.

    A run gives none if it cannot tell what begins the epoch from what each image takes. Then an
    image takes what it took in the pilot, and at most what it took in the first epochs.
    """
    if row.folder_first_epoch_seconds is not None:
        return row.folder_first_epoch_seconds
    ours = [trial for trial in trials if trial.label == row.label]
    first = [m for trial in ours if trial.purpose == "main" and (m := trial.measured) is not None]
    most = fmean(m.first_epoch_seconds for m in first) / images if first else 0.0
    pilots = [m.image_seconds for trial in ours if (m := trial.measured) and m.image_seconds]
    each = min([most, *pilots])
    return (row.first_epoch_seconds or 0.0) + (folder_images - images) * each


def _first_factors(row: Row, trials: Sequence[TrialRecord]) -> dict[int, float]:
    mean = row.first_epoch_seconds
    return {
        block: (measured.open_seconds + measured.first_epoch_seconds) / mean
        for block, measured in _measured(row, trials)
        if mean
    }


def _measured(row: Row, trials: Sequence[TrialRecord]) -> Iterator[tuple[int, Measurement]]:
    """Yield the blocks of a row's trials that were measured, and what they measured."""
    for trial in trials:
        is_ours = trial.label == row.label and trial.purpose == "main"
        if is_ours and trial.measured is not None and trial.ended == "measured":
            yield trial.block, trial.measured
