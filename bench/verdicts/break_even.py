"""After how many epochs a preparation has paid for itself. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from feedbench.bench.records.row import Row
from feedbench.bench.records.trial import BreakEven, Preparation
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS, Rates, level_of, log_ratio, paired


def with_preparations(
    rows: Sequence[Row],
    preparations: Mapping[str, Preparation],
    rates: Rates,
    *,
    share: float,
    threshold: float | None,
) -> list[Row]:
    """Return the rows with what their preparations cost, and when that is paid back.

    `share` is that of the folder's images which were prepared and measured: what is paid, like
    the epoch, is told for all of them. `threshold` is what a log ratio of rates must exceed to
    show anything; None where nothing can be shown, and then no break-even is told either.
    """
    plain = [row for row in rows if row.label not in preparations and row.rate is not None]
    shown = _Shown(rates, level_of(len(plain) * len(preparations)), threshold)
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
    """Return the preparation's seconds over what each epoch saves; None where none does."""
    if row.folder_epoch_seconds is None or other.folder_epoch_seconds is None:
        return None
    saved = other.folder_epoch_seconds - row.folder_epoch_seconds
    return seconds / saved if saved > 0 else None


@dataclass(frozen=True)
class _Shown:
    """What the blocks show about two pipelines."""

    rates: Rates
    level: float
    threshold: float | None

    def faster(self, label: str, other: str) -> bool | None:
        """Tell whether a pipeline is shown to be faster; None where too little is known."""
        ours, theirs = paired(self.rates.get(label, {}), self.rates.get(other, {}))
        if self.threshold is None or len(ours) < LEAST_BLOCKS:
            return None
        return log_ratio(ours, theirs, self.level).low > self.threshold
