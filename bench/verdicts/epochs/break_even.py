"""After how many epochs a preparation pays for itself. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from feedbench.bench.records.row import Row
from feedbench.bench.records.trial import BreakEven, Preparation
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS, ONCE, Certainty, Radius, by_mean
from feedbench.bench.verdicts.turns.block_rates import Rates, log_ratios


def with_preparations(
    rows: Sequence[Row],
    preparations: Mapping[str, Preparation],
    rates: Rates,
    *,
    share: float,
    threshold: float | None,
    certainty: Certainty = ONCE,
) -> list[Row]:
    """Return the rows with their preparations' costs and break-evens.

    `share` is the share of the folder's images that were prepared and measured; both the cost and
    the epoch are extrapolated to the whole folder. A log ratio of rates must exceed `threshold` to
    show a difference; with None nothing can be shown, so there is no break-even.
    """
    plain = [row for row in rows if row.label not in preparations and row.rate is not None]
    level = certainty.level_of(len(plain) * len(preparations))
    shown = _Shown(rates, level, certainty.radius, threshold)
    with_costs = []
    for row in rows:
        made = preparations.get(row.label)
        if made is None:
            with_costs.append(row)
            continue
        pays = [
            BreakEven(
                against=other.label,
                epochs=_epochs(made.seconds / share, row, other) if faster else None,
                is_faster=faster,
            )
            for other in plain
            if (faster := shown.faster(row.label, other.label)) is not None
        ]
        with_costs.append(replace(row, preparation=replace(made, break_even=pays)))
    return with_costs


def _epochs(seconds: float, row: Row, other: Row) -> float | None:
    """Return the preparation's seconds over the seconds saved per epoch; None if none are."""
    if row.folder_epoch_seconds is None or other.folder_epoch_seconds is None:
        return None
    saved = other.folder_epoch_seconds - row.folder_epoch_seconds
    return seconds / saved if saved > 0 else None


@dataclass(frozen=True)
class _Shown:
    """Which of two pipelines is faster, according to the blocks."""

    rates: Rates
    level: float
    radius: Radius
    threshold: float | None

    def faster(self, label: str, other: str) -> bool | None:
        """Return whether a pipeline is shown to be faster; None if there are too few blocks."""
        ratios = [*log_ratios(self.rates.get(label, {}), self.rates.get(other, {})).values()]
        if self.threshold is None or len(ratios) < LEAST_BLOCKS:
            return None
        return by_mean(ratios, self.level, self.radius).low > self.threshold
