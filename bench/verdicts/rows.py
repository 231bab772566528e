"""From a run's trials to its rows: rates, ratios, verdicts, phases. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import Any

import msgspec

from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.row import Row, Withheld
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.records.windows import steady_from
from feedbench.bench.verdicts import intervals as statistics
from feedbench.bench.verdicts.intervals import Interval
from feedbench.bench.verdicts.resources import page_cache_use, resources

Rates = Mapping[str, Mapping[int, float]]
"""label -> block -> images/s"""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """All rows, the baseline's first."""

    rows: list[Row]
    best: list[str]
    control: tuple[float, float, float] | None = None  # ratio of the baseline's second copy to it
    control_interval: Interval | None = None  # of the log of that ratio
    intervals: dict[str, Interval] = {}  # log ratios to the baseline
    unpaired: frozenset[str] = frozenset()  # measured, and never undisturbed beside the baseline

    def is_precise(self, margin: float, labels: Collection[str]) -> bool:
        """Tell whether more blocks would add little: no interval of these is over the margin.

        They would where one of these, or the control, has no interval yet.
        """
        if self.control_interval is None or not self.unpaired.isdisjoint(labels):
            return False
        found = [interval for label, interval in self.intervals.items() if label in labels]
        return statistics.precise_enough([*found, self.control_interval], margin)


def summarise(
    trials: Sequence[TrialRecord],
    specs: Mapping[str, str],
    *,
    margin: float,
    folder_images: int,
    unequal: Collection[str] = (),
) -> Summary:
    """Return the rows of a run; `specs` maps labels to SPECs, the baseline first.

    `unequal` are the labels whose work is not shown to be that of the others: they have rates, and
    no verdict.
    """
    rates = rates_by_block(trials, "main")
    whole = rates_by_block(trials, "main", with_disturbed=True)
    baseline = next(iter(specs))
    control = _control(rates_by_block(trials, "control").get(baseline, {}), rates.get(baseline, {}))
    differing = _differing(trials, specs)
    level = statistics.level_of(len(specs) - 1)
    rows: list[Row] = []
    intervals: dict[str, Interval] = {}
    for label, spec in specs.items():
        interval = ranks = None
        if label != baseline:
            both = rates.get(label, {}), rates.get(baseline, {})
            interval, ranks = _paired(*both, level), _by_ranks(*both, level)
        if interval is not None:
            intervals[label] = interval
        found = _Found(label, spec, [t for t in trials if t.label == label], level)
        row = _checked(found.row(interval, control, margin, folder_images), ranks, control, margin)
        depends = bool({label, baseline} & differing)
        everything = None
        if label != baseline:
            everything = _paired(whole.get(label, {}), whole.get(baseline, {}), level)
        if everything is not None and row.verdict is not None:
            depends |= statistics.contradicts(everything.estimate, row.verdict, margin)
        elif everything is not None and depends and everything.n >= statistics.LEAST_BLOCKS:
            row = msgspec.structs.replace(row, verdict="withheld")  # too few were undisturbed
        rows.append(_withheld(row, control, unequal, baseline, depends=depends))
    best: tuple[str, ...] = ()
    if any(row.verdict is not None for row in rows):
        unsure = {row.label for row in rows if row.withheld == "exclusions"}
        best = _best(rates, specs, control, {*unequal, *unsure})
    return Summary(
        rows=rows,
        best=list(best),
        control=_ratio(control),
        control_interval=control,
        intervals={label: found for label, found in intervals.items() if label not in unequal},
        unpaired=frozenset(whole) - {baseline, *intervals, *unequal},
    )


def _differing(trials: Sequence[TrialRecord], labels: Iterable[str]) -> set[str]:
    """Return the labels whose trials were disturbed more or less often than the others'."""
    measured = [t for t in trials if t.ended == "measured" and t.around is not None]
    counts = {
        label: (
            sum(t.is_disturbed for t in measured if t.label == label),
            sum(t.label == label for t in measured),
        )
        for label in labels
    }
    disturbed, attempts = (sum(count[at] for count in counts.values()) for at in (0, 1))
    return {
        label
        for label, own in counts.items()
        if statistics.shares_differ(own, (disturbed - own[0], attempts - own[1]))
    }


def _withheld(
    row: Row,
    control: Interval | None,
    unequal: Collection[str],
    baseline: str,
    *,
    depends: bool,
) -> Row:
    """Return the row, its verdict withheld where there is a reason to."""
    if row.verdict is None:
        return row
    why: Withheld | None = "control" if statistics.differs_from_itself(control) else None
    if why is None and depends:
        why = "exclusions"
    if row.label in unequal:
        why = "work"
    elif baseline in unequal:
        why = "baseline's work"
    if why is None:
        return row
    return msgspec.structs.replace(
        row, verdict="withheld", withheld=why, within_margin=False, more_blocks=None
    )


def _best(
    rates: Rates, specs: Iterable[str], control: Interval | None, unequal: Collection[str]
) -> tuple[str, ...]:
    """Return the best set of those whose work is equal; of one alone nothing is shown."""
    equal = {label: rates[label] for label in specs if label in rates and label not in unequal}
    if statistics.differs_from_itself(control) or len(equal) < 2:  # noqa: PLR2004
        return ()
    return statistics.best_set(equal, statistics.threshold_of(control))


def of_whole_blocks(trials: Sequence[TrialRecord], blocks: int) -> list[TrialRecord]:
    """Return the trials of the whole blocks, of which there are so many; of none, all."""
    return [trial for trial in trials if trial.block <= blocks or not blocks]


def rates_by_block(
    trials: Sequence[TrialRecord], purpose: str, *, with_disturbed: bool = False
) -> dict[str, dict[int, float]]:
    """Return each label's rate in each block, of the trials of one purpose that were measured.

    Of undisturbed ones; or `with_disturbed` of all, a block's attempts taken together.
    """
    found: dict[str, dict[int, list[float]]] = {}
    for trial in trials:
        counts = with_disturbed or not trial.is_disturbed
        if trial.purpose == purpose and trial.ended == "measured" and counts:
            found.setdefault(trial.label, {}).setdefault(trial.block, []).append(trial.rate)
    return {
        label: {block: 1 / fmean(1 / rate for rate in rates) for block, rates in blocks.items()}
        for label, blocks in found.items()
    }


class _Found(msgspec.Struct, frozen=True):
    """The trials of one label."""

    label: str
    spec: str
    trials: list[TrialRecord]
    level: float

    def row(
        self,
        interval: Interval | None,
        control: Interval | None,
        margin: float,
        folder_images: int,
    ) -> Row:
        measured = [t for t in self.trials if t.purpose == "main" and t.ended == "measured"]
        calm = [trial for trial in measured if not trial.is_disturbed]
        main = calm or measured  # a rate from a machine that was never calm, rather than none
        # One a block: of a machine that was never calm, a block may have two trials.
        rates = rates_by_block(main, "main", with_disturbed=not calm).get(self.label, {})
        row = Row(
            label=self.label,
            spec=self.spec,
            blocks=len(rates),
            attempts=len(measured),
            disturbed=len(measured) - len(calm),
            failures=[t.why or "" for t in self.trials if t.ended == "failed"],
            remarks=self._remarks(main),
        )
        if not main:
            return row
        fields = self._rate([*rates.values()]) | self._phases(main, folder_images)
        fields |= resources(main, [trial.rate for trial in main])
        fields["page_cache"] = page_cache_use([t.page_cache for t in main if t.page_cache])
        if interval is not None:
            fields |= _compared(interval, control, margin)
        return msgspec.structs.replace(row, **fields)

    def _remarks(self, main: list[TrialRecord]) -> list[str]:
        remarks = list(dict.fromkeys(it for m in _measured(self.trials) for it in m.remarks))
        knobs = [m.knobs for m in _measured(main)]
        if any(others != knobs[0] for others in knobs):
            remarks.append("the knobs in effect were not the same in all of its trials")
        return remarks

    def _rate(self, rates: list[float]) -> dict[str, Any]:
        if len(rates) < statistics.LEAST_BLOCKS:
            return {"rate": 1 / fmean(1 / rate for rate in rates)}
        found = statistics.rate(rates, self.level)
        high = found.high if math.isfinite(found.high) else None
        return {"rate": found.estimate, "rate_low": found.low, "rate_high": high}

    def _phases(self, main: list[TrialRecord], folder_images: int) -> dict[str, Any]:
        measured = _measured(main)
        turnover = fmean(median(_settled(m.turnover_seconds)) for m in measured)
        epoch = fmean(fmean(_settled(m.epoch_seconds)) for m in measured)
        rate = 1 / fmean(1 / m.rate for m in measured)
        delivery = folder_images / rate
        is_continuous = all(m.continuous for m in measured)
        images = measured[0].first_epoch_images
        if not is_continuous:  # such a rate has the turnover in it
            delivery = (epoch - turnover) * folder_images / (images or folder_images)
        # Extrapolated only where it must be: a restart and the end of an epoch overlap.
        is_whole = images == folder_images
        return _first(main) | {
            "level": self.level,
            "turnover_seconds": turnover,
            "epoch_seconds": epoch,
            "folder_epoch_seconds": epoch if is_whole else delivery + turnover,
            "continuous": is_continuous,
            "unsteady_trials": sum(steady_from(m.windows) is None for m in measured),
            "knobs": measured[-1].knobs,
            "autotune": measured[-1].autotune,
        }


def _first(main: list[TrialRecord]) -> dict[str, Any]:
    """Return the first batch and the first epoch, from open's call.

    Of a trial whose page cache was not what it is said to be they would be another's.
    """
    sound = [t for t in main if t.page_cache is None or not t.page_cache.is_contradicted]
    if not sound:
        return {}
    measured = _measured(sound)
    opened = fmean(m.open_seconds for m in measured)
    return {
        "first_batch_seconds": opened + fmean(m.first_batch_seconds for m in measured),
        "first_epoch_seconds": opened + fmean(m.first_epoch_seconds for m in measured),
    }


def _measured(trials: Iterable[TrialRecord]) -> list[Measurement]:
    return [trial.measured for trial in trials if trial.measured is not None]


def _settled(seconds: list[float]) -> list[float]:
    """Leave out the first restart where there are others: it ends the epoch that filled caches."""
    return seconds[1:] or seconds


def _compared(interval: Interval, control: Interval | None, margin: float) -> dict[str, Any]:
    ratio = _ratio(interval)
    assert ratio is not None
    if interval.n < statistics.LEAST_BLOCKS:
        return {"ratio": ratio[0]}
    found = statistics.verdict(interval, control, margin)
    return {
        "ratio": ratio[0],
        "ratio_low": ratio[1],
        "ratio_high": ratio[2],
        "verdict": found.word,
        "within_margin": found.within_margin,
        "more_blocks": found.more_blocks,
    }


def _checked(row: Row, ranks: Interval | None, control: Interval | None, margin: float) -> Row:
    """Return the row with what signed ranks say of its ratio."""
    ratio = _ratio(ranks)
    if ranks is None or ratio is None or row.verdict is None:
        return row
    word = statistics.verdict(ranks, control, margin).word
    return msgspec.structs.replace(row, ranks_low=ratio[1], ranks_high=ratio[2], ranks_verdict=word)


def _by_ranks(
    rates: Mapping[int, float], others: Mapping[int, float], level: float
) -> Interval | None:
    shared = sorted(rates.keys() & others.keys())
    return statistics.by_ranks([rates[b] for b in shared], [others[b] for b in shared], level)


def _paired(
    rates: Mapping[int, float], others: Mapping[int, float], level: float
) -> Interval | None:
    """Return the interval of the log ratio over the blocks that both have; None without any."""
    shared = sorted(rates.keys() & others.keys())
    if not shared:
        return None
    if len(shared) == 1:  # an estimate, and no interval
        estimate = math.log(rates[shared[0]] / others[shared[0]])
        return Interval(estimate, -math.inf, math.inf, 1, level)
    return statistics.log_ratio([rates[b] for b in shared], [others[b] for b in shared], level)


def _control(rates: Mapping[int, float], others: Mapping[int, float]) -> Interval | None:
    interval = _paired(rates, others, statistics.LEVEL)
    return interval if interval is not None and interval.n >= statistics.LEAST_BLOCKS else None


def _ratio(interval: Interval | None) -> tuple[float, float, float] | None:
    if interval is None:
        return None
    return math.exp(interval.estimate), math.exp(interval.low), math.exp(interval.high)
