"""How calm the machine was during a run, computed from its trials. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median

from feedbench.bench.records.conditions.calm import BlockCalm, Calm, Share, Speed
from feedbench.bench.records.trial import TrialRecord

_FIELDS = ("stolen", "throttled", "cpu_pressure", "io_pressure", "memory_pressure")


def calm_of(
    trials: Sequence[TrialRecord], probe_seconds: float, control: Mapping[int, float] | None = None
) -> Calm | None:
    """Return how calm the machine was, by its probes and counters; None if nothing was probed.

    `probe_seconds` is the time of all probes, and `control` is the ratio of the baseline's second
    copy to the baseline, by block.
    """
    probed = [trial for trial in trials if trial.around is not None]
    if not probed:
        return None
    arounds = [trial.around for trial in probed if trial.around is not None]
    shares = [share for around in arounds for share in (around.before, around.after)]
    others = [share for trial in probed if (share := trial.others_share) is not None]
    return Calm(
        others=round(max(others), 4) if others else None,
        most_others_share=min(around.most_others_share for around in arounds),
        good=_good([around.good for around in arounds]),
        low=_each(min, [around.low for around in arounds]),
        lowest=_each(min, shares),
        middle=_each(median, shares),
        attempts=len(probed),
        disturbed=sum(trial.is_disturbed for trial in probed),
        noisy=sum(trial.was_noisy and not trial.is_disturbed for trial in probed),
        retaken=sum(trial.attempt > 1 for trial in probed),
        waited_seconds=sum(around.waited_seconds for around in arounds),
        probe_seconds=probe_seconds,
        blocks=[
            _block(
                number,
                [trial for trial in probed if trial.block == number],
                (control or {}).get(number),
            )
            for number in sorted({trial.block for trial in probed})
        ],
    )


def _each(of: Callable[[list[float]], float], shares: Sequence[Share]) -> Share:
    """Return the minimum, or another statistic, of each kind of work."""
    hashed, copied = ([getattr(share, kind) for share in shares] for kind in ("hashed", "copied"))
    return Share(round(of(hashed), 4), round(of(copied), 4))


def _good(levels: Sequence[Speed | None]) -> Speed | None:
    recorded = [level for level in levels if level is not None]
    if not recorded:
        return None
    return Speed(
        hashed=median(level.hashed for level in recorded),
        copied=median(level.copied for level in recorded),
    )


def _block(number: int, trials: Sequence[TrialRecord], control: float | None) -> BlockCalm:
    arounds = [trial.around for trial in trials if trial.around is not None]
    counted = {
        f"{name}_seconds": _sum([getattr(around.counters, name) for around in arounds])
        for name in _FIELDS
    }
    return BlockCalm(
        block=number,
        seconds=sum(trial.seconds for trial in trials),
        probes=[share for around in arounds for share in (around.before, around.after)],
        disturbed=[
            f"{trial.label} ({trial.purpose})" if trial.purpose == "control" else trial.label
            for trial in trials
            if trial.was_noisy
        ],
        run_delay_seconds=_sum(
            [t.measured.run_delay_seconds for t in trials if t.measured is not None]
        ),
        control=control,
        **counted,
    )


def _sum(values: Sequence[float | None]) -> float | None:
    """Return the sum of the available values; None if there are none."""
    available = [value for value in values if value is not None]
    return sum(available) if available else None
