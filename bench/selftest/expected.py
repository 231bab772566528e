"""What the self-test expects of its pipelines, compared with what was measured. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median

from feedbench.bench.records.checks.selftest import Expectation
from feedbench.bench.records.row import Row
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.selftest import pipelines
from feedbench.bench.text import digits
from feedbench.bench.verdicts import intervals
from feedbench.bench.verdicts.resources import consumer_share
from feedbench.bench.verdicts.rows import Summary, rates_by_block, summarise
from feedbench.bench.why.ceilings.ready_feed import ready
from feedbench.pipelines.contract import Feed, Workload

REAL = "tfdata_tuned"  # the fastest pipeline that reads images
# The pipelines by label: those measured alone, and those measured in blocks.
ALONE: dict[str, Callable[[Workload], Feed]] = {
    "prefetcher": pipelines.prefetcher,
    "teardown": pipelines.teardown,
    "ramp": pipelines.ramp,
    "bursts": pipelines.bursts,
    "ready": ready,
}
IN_BLOCKS: dict[str, Callable[[Workload], Feed]] = {
    "metronome": pipelines.metronome,
    "copy": pipelines.metronome,
    "slower": pipelines.slower,
    "neighbour": pipelines.with_neighbour,
    "ahead": pipelines.prefetcher,
}
LEAST_BLOCKS, MOST_BLOCKS = intervals.LEAST_BLOCKS, 8
MARGIN = 0.05
_CLOSE = 0.01  # of a rate
# A rate counts as steady where its third window is within 5 % of the first: those of an even ramp's
# end are 2.3 % low on average, at most.
_CLOSE_AFTER_RAMP = 0.03
_LATE_SECONDS = 0.02  # how late a sleep or a process switch may be on a busy machine
_HALF = 0.5
# Every page of a batch is read: 1.5 % of what a cached batch of 19 MB takes, the fastest there is.
_MOST_OF_REAL = 0.03


def lines(trials: Sequence[TrialRecord], batch_size: int) -> list[Expectation]:
    """Return a line for every known property; the trials have the labels above."""
    summary = summarise(
        trials, dict.fromkeys(IN_BLOCKS, ""), margin=MARGIN, folder_images=batch_size
    )
    alone = {trial.label: trial for trial in trials if trial.ended == "measured"}
    return [*_of_rates(trials, alone, batch_size), *_of_verdicts(summary), *_of_consumer(alone)]


def is_enough(trials: Sequence[TrialRecord]) -> bool:
    """Return whether there are enough blocks for every verdict. Ignores the rates."""
    rates = rates_by_block(trials, "main")
    shared = [
        len(rates.get("metronome", {}).keys() & rates.get(label, {}).keys())
        for label in ("copy", "slower")
    ]
    control = rates_by_block(trials, "control").get("metronome", {})
    shared.append(len(rates.get("metronome", {}).keys() & control.keys()))
    blocks = max((trial.block for trial in trials), default=0)
    return blocks >= MOST_BLOCKS or min(shared) >= LEAST_BLOCKS


def _of_rates(
    trials: Sequence[TrialRecord], alone: Mapping[str, TrialRecord], batch_size: int
) -> Iterator[Expectation]:
    rate = batch_size / pipelines.PERIOD
    yield _rate("a known rate", _in_blocks(trials, "metronome"), rate, _CLOSE)
    # While it is stopped, it seems to work ahead: it works by the clock.
    ahead = f"in turns, a loader that works {pipelines.BUFFER} batches ahead"
    yield _rate(ahead, _in_blocks(trials, "ahead"), rate, _CLOSE)
    for label, name, close in (
        ("prefetcher", f"a loader that works {pipelines.BUFFER} batches ahead", _CLOSE),
        ("bursts", f"a loader of bursts of {pipelines.BURST} batches", _CLOSE),
        ("ramp", "a loader that becomes faster for 4 s: its last rate", _CLOSE_AFTER_RAMP),
        ("teardown", "a loader whose iterator ends slowly: its rate", _CLOSE),
    ):
        trial = alone.get(label)
        yield _rate(name, None if trial is None else trial.rate, rate, close)
    bursts = alone.get("bursts")
    latency = None if bursts is None or bursts.measured is None else bursts.measured.latency
    longest = None if latency is None else latency.p99
    yield _seconds("the wait between bursts (p99)", longest, pipelines.BURST * pipelines.PERIOD)
    ended = alone.get("teardown")
    turnover = None
    if ended is not None and ended.measured is not None:
        turnover = median(ended.measured.turnover_seconds)
    yield _seconds(
        "the slow end, as turnover", turnover, pipelines.TEARDOWN_SECONDS + pipelines.PERIOD
    )


def _in_blocks(trials: Sequence[TrialRecord], label: str) -> float | None:
    """Return the median rate of a pipeline's trials in blocks; None if there is none."""
    rates = [
        trial.rate
        for trial in trials
        if trial.label == label and trial.ended == "measured" and not trial.is_disturbed
    ]
    return median(rates) if rates else None


def _of_verdicts(summary: Summary) -> Iterator[Expectation]:
    rows = {row.label: row for row in summary.rows}
    yield _verdict("a copy of a pipeline", rows["copy"], "equivalent", 1.0)
    slower = f"one that takes {pipelines.SLOWER - 1:.0%} longer"
    yield _verdict(slower, rows["slower"], "slower", 1 / pipelines.SLOWER)
    row = rows["neighbour"]
    verdict = f"{row.verdict or 'no verdict'}"
    if row.withheld is not None:
        verdict += f": depends on {row.withheld}"
    yield Expectation(
        name="one that brings a neighbour",
        expected="withheld: depends on other programs, or on exclusions",
        measured=f"{verdict} ({row.disturbed} of {row.attempts} disturbed)",
        passed=row.withheld in {"other programs", "exclusions"},
    )


def _of_consumer(alone: Mapping[str, TrialRecord]) -> Iterator[Expectation]:
    real, ready = (_consumer(alone.get(label)) for label in (REAL, "ready"))
    most = f"{_MOST_OF_REAL:.0%}"
    yield Expectation(
        name=f"the harness's own share of {REAL}'s time",
        expected=f"under {most}",
        measured=_share(real),
        passed=real is not None and real < _MOST_OF_REAL,
    )
    yield Expectation(
        name="the harness's own share with ready batches",
        expected=f"over {_HALF:.0%}, and marked",
        measured=_share(ready),
        passed=ready is not None and ready > _HALF,
    )


def _consumer(trial: TrialRecord | None) -> float | None:
    if trial is None or trial.measured is None:
        return None
    return consumer_share([trial.measured])


def _rate(name: str, measured: float | None, expected: float, close: float) -> Expectation:
    shown = "not measured"
    if measured is not None:
        shown = f"{measured:,.1f} images/s ({100 * (measured / expected - 1):+.2f}%)"
    return Expectation(
        name=name,
        expected=f"{expected:,.0f} images/s within {100 * close:.0f}%",
        measured=shown,
        passed=measured is not None and abs(measured / expected - 1) <= close,
    )


def _seconds(name: str, measured: float | None, expected: float) -> Expectation:
    most = expected + _LATE_SECONDS
    return Expectation(
        name=name,
        expected=f"{1000 * expected:.0f} to {1000 * most:.0f} ms",
        measured="not measured" if measured is None else f"{1000 * measured:.1f} ms",
        # A batch that is late makes the wait for the next one shorter.
        passed=measured is not None and 0.99 * expected <= measured <= most,
    )


def _verdict(name: str, row: Row, word: str, ratio: float) -> Expectation:
    verdict: str = row.verdict or "no verdict"
    if row.ratio is not None and row.ratio_low is not None and row.ratio_high is not None:
        verdict += f", {row.ratio:.4f} ({row.ratio_low:.4f} to {row.ratio_high:.4f})"
    is_close = row.ratio is not None and abs(row.ratio / ratio - 1) <= _CLOSE
    return Expectation(
        name=name,
        expected=f"{word}, {digits(ratio)} within {100 * _CLOSE:.0f}%",
        measured=verdict,
        passed=row.verdict == word and is_close,
    )


def _share(share: float | None) -> str:
    return "not measured" if share is None else f"{100 * share:.2g}%"
