"""A run's rows from its trials: rates, ratios, verdicts, phases. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from statistics import fmean

import msgspec
from msgspec.structs import replace

from feedbench.bench.records.row import UNSURE, Row
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.records.turns import Turn
from feedbench.bench.verdicts import intervals
from feedbench.bench.verdicts.against_baseline import Estimate, Terms, with_verdict
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS, ONCE, Certainty, Interval
from feedbench.bench.verdicts.phases import measurements, with_phases
from feedbench.bench.verdicts.possible import is_possible
from feedbench.bench.verdicts.resources import with_resources
from feedbench.bench.verdicts.turns.block_rates import (
    BlockRate,
    BlockRates,
    Rates,
    compared,
    log_ratios,
    without_copies,
)
from feedbench.bench.verdicts.turns.other_programs import accompanied


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """All rows, the baseline's first."""

    rows: list[Row]
    best: list[str]
    control: tuple[float, float, float] | None = None  # ratio of the baseline's second copy to it
    control_interval: Interval | None = None  # of the log of that ratio
    threshold: float = 0.0  # that a log ratio must exceed
    intervals: dict[str, Interval] = {}  # log ratios to the baseline
    unpaired: frozenset[str] = frozenset()  # measured, but in no undisturbed block of the baseline

    def is_precise(self, margin: float, labels: Collection[str]) -> bool:
        """Return whether the intervals of these pipelines are narrow enough for the margin.

        They are not if one of these pipelines, or the control, has no interval yet.
        """
        if self.control_interval is None or not self.unpaired.isdisjoint(labels):
            return False
        of_labels = [interval for label, interval in self.intervals.items() if label in labels]
        return intervals.precise_enough([*of_labels, self.control_interval], margin)


def summarise(
    trials: Sequence[TrialRecord],
    specs: Mapping[str, str],
    *,
    margin: float,
    folder_images: int,
    unequal: Collection[str] = (),
    certainty: Certainty = ONCE,
    unaugmented: Collection[str] = (),
    is_changed: bool = False,
    ready: float | None = None,
) -> Summary:
    """Return the rows of a run; `specs` maps labels to SPECs, the baseline first.

    `unequal` are the labels whose equal work is not proven: they have rates, but no verdict. If
    the files that pipelines read changed after the proof (`is_changed`), no pipeline has a verdict.
    `unaugmented` are the labels whose images are not augmented, in a run with augmentation.
    `ready` is the rate of batches that are ready in memory, in images/s.
    """
    baseline = next(iter(specs))
    rates = rates_by_block(trials, "main")
    copies = rates_by_block(trials, "control").get(baseline, {})
    control = _control(copies, rates.get(baseline, {}), certainty)
    has_both = all(each.copy for each in rates.get(baseline, {}).values())
    threshold = 0.0 if has_both else intervals.threshold_of(control)
    level, radius = certainty.level_of(len(specs) - 1), certainty.radius
    interval_of = partial(intervals.rate, level=level, radius=radius)
    rows = [
        replace(
            _row(label, spec, [t for t in trials if t.label == label], folder_images, interval_of),
            is_augmented=label not in unaugmented,
        )
        for label, spec in specs.items()
    ]
    terms = Terms(
        baseline=baseline,
        control=control,
        margin=margin,
        threshold=threshold,
        unequal=frozenset(unequal),
        accompanied=frozenset(accompanied(trials, specs)),
        impossible=frozenset(row.label for row in rows if not is_possible(row, ready)),
        certainty=certainty,
        unaugmented=frozenset(unaugmented),
        is_changed=is_changed,
    )
    estimates = _estimates(trials, specs, level, certainty)
    rows = [
        with_verdict(row, estimates[row.label], terms) if row.label in estimates else row
        for row in rows
    ]
    ratios = {
        label: estimate.ratio
        for label, estimate in estimates.items()
        if estimate.ratio is not None and label not in unequal
    }
    measured = rates_by_block(trials, "main", with_disturbed=True)
    return Summary(
        rows=rows,
        best=_best(rows, rates, terms),
        control=_ratio(control),
        control_interval=control,
        threshold=threshold,
        intervals=ratios,
        unpaired=frozenset(measured) - {baseline, *ratios, *unequal},
    )


def _estimates(
    trials: Sequence[TrialRecord], labels: Iterable[str], level: float, certainty: Certainty
) -> dict[str, Estimate]:
    """Return the comparison of each label with the first one, the baseline."""

    def ratio_of(ratios: Sequence[float]) -> Interval | None:
        return intervals.by_mean(ratios, level, certainty.radius) if ratios else None

    baseline, *others = labels
    undisturbed = rates_by_block(trials, "main")
    of_all = rates_by_block(trials, "main", with_disturbed=True)
    uneven = _unevenly_disturbed(trials, (baseline, *others))
    estimates = {}
    for label in others:
        ratios = compared(undisturbed.get(label, {}), undisturbed.get(baseline, {}))
        everything = compared(of_all.get(label, {}), of_all.get(baseline, {})).of_all_turns
        by_block = [*ratios.by_block.values()]
        estimates[label] = Estimate(
            ratio=ratio_of(by_block),
            first_width=intervals.first_width(by_block),
            ranks=None if certainty.is_sequential else intervals.by_ranks(by_block, level),
            everything=ratio_of([*everything.values()]),
            is_unevenly_disturbed=not uneven.isdisjoint({label, baseline}),
            is_rotated=ratios.is_rotated,
            counts_all_turns=ratios.is_one_sided,
        )
    return estimates


def _unevenly_disturbed(trials: Sequence[TrialRecord], labels: Iterable[str]) -> set[str]:
    """Return the labels whose trials were disturbed more or less often than the others'."""
    measured = [t for t in trials if t.ended == "measured" and t.around is not None]
    uneven = set()
    for label in labels:
        ours = [trial.is_disturbed for trial in measured if trial.label == label]
        others = [trial.is_disturbed for trial in measured if trial.label != label]
        if intervals.shares_differ((sum(ours), len(ours)), (sum(others), len(others))):
            uneven.add(label)
    return uneven


def _best(rows: Sequence[Row], rates: Rates, terms: Terms) -> list[str]:
    """Return the best set of the pipelines with equal work; empty if there is only one."""
    if terms.is_changed or not any(row.verdict is not None for row in rows):
        return []
    excluded = terms.unequal | terms.impossible
    candidates = {
        row.label: rates[row.label]
        for row in rows
        if row.label in rates
        and row.label not in excluded
        and row.withheld not in UNSURE
        and row.withheld != "augmentation"
    }
    if intervals.differs_from_itself(terms.control) or len(candidates) < 2:  # noqa: PLR2004
        return []
    # A verdict is at the level of fewer pairs. What one shows is not taken back here.
    slower = {row.label for row in rows if row.verdict == "slower"}
    if any(row.verdict == "faster" and row.label in candidates for row in rows):
        slower.add(terms.baseline)
    best = intervals.best_set(candidates, terms.threshold, terms.certainty)
    return [label for label in best if label not in slower]


def of_whole_blocks(trials: Sequence[TrialRecord], blocks: int) -> list[TrialRecord]:
    """Return the trials of the completed blocks, `blocks` in all; all trials if there are none."""
    return [trial for trial in trials if trial.block <= blocks or not blocks]


def rates_by_block(
    trials: Sequence[TrialRecord], purpose: str, *, with_disturbed: bool = False
) -> dict[str, dict[int, BlockRate]]:
    """Return each label's rate in each block, from the measured trials of one purpose.

    Uses the undisturbed trials; `with_disturbed` all trials, with a block's attempts averaged. The
    baseline's own trials come with the turns of its second copies.
    """
    measured: dict[str, dict[int, list[TrialRecord]]] = {}
    copies: dict[tuple[str, int], dict[int, Turn]] = {}
    for trial in trials:
        counts = with_disturbed or not trial.is_disturbed
        if trial.purpose == purpose and trial.ended == "measured" and counts:
            measured.setdefault(trial.label, {}).setdefault(trial.block, []).append(trial)
        elif trial.purpose == "control" and trial.ended == "measured" and counts:
            copies[trial.label, trial.block] = _by_round(trial)
    return {
        label: {
            block: BlockRate(
                _mean_rate(trial.rate for trial in attempts),
                _by_round(attempts[-1]),
                copies.get((label, block), {}),
            )
            for block, attempts in blocks.items()
        }
        for label, blocks in measured.items()
    }


def _by_round(trial: TrialRecord) -> dict[int, Turn]:
    return {turn.round: turn for turn in trial.turns}


def _mean_rate(rates: Iterable[float]) -> float:
    """Return 1 / (mean of seconds per image), in images/s."""
    return 1 / fmean(1 / rate for rate in rates)


def _row(
    label: str,
    spec: str,
    trials: Sequence[TrialRecord],
    folder_images: int,
    interval_of: Callable[[Sequence[float]], Interval],
) -> Row:
    """Return a pipeline's row from its own trials, without what the baseline says of it."""
    measured = [t for t in trials if t.purpose == "main" and t.ended == "measured"]
    calm = [trial for trial in measured if not trial.is_disturbed]
    main = calm or measured  # if the machine was never calm, disturbed trials rather than no rate
    # One rate per block: if the machine was never calm, a block may have two trials.
    rates = rates_by_block(main, "main", with_disturbed=not calm).get(label, {})
    row = Row(
        label=label,
        spec=spec,
        blocks=len(rates),
        attempts=len(measured),
        disturbed=len(measured) - len(calm),
        failures=[t.why or "" for t in trials if t.is_failure],
        remarks=_remarks(trials, main),
    )
    if not main:
        return row
    row = _with_rate(row, [block.rate for block in rates.values()], interval_of)
    pilots = [trial for trial in trials if trial.purpose == "pilot"]
    return with_resources(with_phases(row, main, pilots, folder_images), main)


def _remarks(trials: Sequence[TrialRecord], main: Sequence[TrialRecord]) -> list[str]:
    remarks = [remark for measured in measurements(trials) for remark in measured.remarks]
    remarks = list(dict.fromkeys(remarks))
    knobs = [measured.knobs for measured in measurements(main)]
    if any(others != knobs[0] for others in knobs):
        remarks.append("its trials had different knobs in effect")
    return remarks


def _with_rate(
    row: Row, rates: Sequence[float], interval_of: Callable[[Sequence[float]], Interval]
) -> Row:
    interval = interval_of(rates)
    row = replace(row, level=interval.level, rate=_mean_rate(rates))
    if len(rates) < LEAST_BLOCKS:
        return row
    high = interval.high if math.isfinite(interval.high) else None
    return replace(row, rate=interval.estimate, rate_low=interval.low, rate_high=high)


def _control(rates: BlockRates, others: BlockRates, certainty: Certainty) -> Interval | None:
    ratios = [*log_ratios(rates, without_copies(others)).values()]
    if len(ratios) < LEAST_BLOCKS:
        return None
    return intervals.by_mean(ratios, certainty.level_of(1), certainty.radius)


def _ratio(interval: Interval | None) -> tuple[float, float, float] | None:
    if interval is None:
        return None
    return math.exp(interval.estimate), math.exp(interval.low), math.exp(interval.high)
