"""Two runs of one workload, or two environments of one run, pipeline by pipeline. Pure.

Blocks of different runs are not paired: what slowed a block of one run slowed nothing of the other.
Those of one run are.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np

from feedbench.bench.records.calm import Calm, Share
from feedbench.bench.records.environment import Environment
from feedbench.bench.records.proof import is_equal
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.verdicts import intervals
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS, LEVEL, Interval
from feedbench.bench.verdicts.rows import of_whole_blocks, rates_by_block
from feedbench.pipelines.errors import RequestError

Word = Literal["slower", "not slower", "cannot tell"]

_OF_WORKLOAD = (
    *("images", "classes", "height", "width", "channels", "batch_size", "dtype"),
    *("value_range", "label_mode"),
)
_OF_MACHINE = ("system", "processor", "cores", "cores_online", "python")
_LONGEST = 80  # characters of a value
_DAY = len("2026-01-31")  # of a time in ISO 8601
_MEMORY_SHARE = 0.05  # by which two readings of one machine's memory may differ
# Of each other, which the good levels of one machine keep; speed_probe.py has what is low.
_LEAST_SHARE = Share(hashed=0.85, copied=0.5)


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One pipeline in both runs. Rates in images/s, ratios new / base."""

    label: str
    word: Word
    base_rate: float | None = None
    rate: float | None = None
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    blocks: tuple[int, int] = (0, 0)  # undisturbed ones, of base and new
    why: str | None = None  # a clause: why it cannot be told


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two runs side by side."""

    schema: int = 1
    base: str
    new: str
    tolerance: float  # a share
    level: float  # of each interval
    is_paired: bool = False  # both in the same blocks
    pipelines: list[Compared]
    differences: list[str] = []  # of machines and versions, as clauses
    remarks: list[str] = []  # sentences

    @property
    def word(self) -> Word:
        """The answer over all pipelines: the worst of them."""
        words = {one.word for one in self.pipelines}
        if "slower" in words:
            return "slower"
        return "not slower" if words == {"not slower"} else "cannot tell"


Run = tuple[str, RunRecord, Sequence[TrialRecord]]
"""A run's folder as it was named, its record, and its trials."""


def compare(base: Run, new: Run, tolerance: float) -> Comparison:
    """Compare each pipeline that both runs have.

    Raises RequestError where they measured different workloads, or have no pipeline in common.
    """
    refuse_other_workload(base, new)
    theirs, ours = ({row.label: row for row in run.rows} for _, run, _ in (base, new))
    shared = [label for label in theirs if label in ours]
    if not shared:
        raise RequestError(
            f"{base[0]} and {new[0]} have no pipeline in common: labels must match; there are"
            f" {', '.join(theirs)} and {', '.join(ours)}"
        )
    level = intervals.level_of(len(shared))
    rates = tuple(_rates(run, trials) for _, run, trials in (base, new))
    pipelines = [
        _compared(
            theirs[label],
            ours[label],
            rates[0].get(label, {}),
            rates[1].get(label, {}),
            (_off(base[1], "in the base run"), _off(new[1], "in the new run")),
            level,
            tolerance,
        )
        for label in shared
    ]
    return Comparison(
        base=base[0],
        new=new[0],
        tolerance=tolerance,
        level=level,
        pipelines=pipelines,
        differences=list(differences(base[1], new[1])),
        remarks=list(_remarks(base, new, shared, theirs, ours)),
    )


def within(run: Run, tolerance: float) -> Comparison:
    """Compare each pipeline of a run with itself in the other environment, over blocks of both.

    Raises RequestError where the run has no other environment.
    """
    folder, record, trials = run
    if record.against is None:
        raise RequestError(
            f"{folder} holds one environment: expected a second run to compare it with, or a run"
            " with --against, which holds two"
        )
    rows = {row.label: row for row in record.rows}
    pairs = [
        (rows[there.label], rows[there.beside])
        for there in record.pipelines
        if there.beside is not None and {there.label, there.beside} <= rows.keys()
    ]
    level = intervals.level_of(len(pairs))
    rates = _rates(record, trials)
    pipelines = []
    for base, new in pairs:
        ours, theirs = (rates.get(row.label, {}) for row in (new, base))
        both = [block for block in ours if block in theirs]
        places = f"in {record.against.name}", "here"
        found = _side_by_side(base, new, (len(both), len(both)), places, (_off(record), None))
        if found.why is None:
            interval = intervals.log_ratio(
                [ours[block] for block in both], [theirs[block] for block in both], level
            )
            found = _told(found, interval, tolerance)
        pipelines.append(found)
    other = msgspec.structs.replace(
        record, environment=record.against.environment, code=record.against.code
    )
    return Comparison(
        base=record.against.name,
        new="this environment",
        tolerance=tolerance,
        level=level,
        is_paired=True,
        pipelines=pipelines,
        differences=list(differences(other, record)),
        remarks=list(_unfinished(run)),
    )


def refuse_other_workload(base: Run, new: Run) -> None:
    """Raise RequestError where the runs did not measure the same work."""
    theirs, ours = base[1].workload, new[1].workload
    for field in _OF_WORKLOAD:
        before, after = getattr(theirs, field), getattr(ours, field)
        if before != after:
            raise RequestError(
                f"{base[0]} and {new[0]} measured different workloads: {field.replace('_', ' ')}"
                f" {_shown(before)} and {_shown(after)}; compare runs of the same images in the"
                " same form (--limit N or all takes the same however fast a machine is)"
            )
    if (theirs.is_part or ours.is_part) and theirs.folder_images != ours.folder_images:
        raise RequestError(
            f"{base[0]} and {new[0]} measured parts of different folders: of"
            f" {theirs.folder_images:,} and {ours.folder_images:,} images"
        )
    if theirs.is_part and theirs.seed != ours.seed:
        raise RequestError(
            f"{base[0]} and {new[0]} measured different images of the folder: seed {theirs.seed}"
            f" and {ours.seed}; give both the same --seed, or --limit all"
        )
    if len({theirs.images_digest, ours.images_digest} - {""}) > 1:
        raise RequestError(
            f"{base[0]} and {new[0]} measured different images: as many of each class, and other"
            " files by name or size; compare runs of the same images"
        )


def differences(base: RunRecord, new: RunRecord) -> Iterator[str]:
    """Yield what differs between two machines and their software."""
    theirs, ours = base.environment, new.environment
    for field in _OF_MACHINE:
        before, after = getattr(theirs, field), getattr(ours, field)
        if before != after:
            both = [f"{it:g}" if isinstance(it, float) else str(it) for it in (before, after)]
            yield f"{field.replace('_', ' ')}: {' and '.join(both)}"
    if abs(theirs.memory_bytes / max(ours.memory_bytes, 1) - 1) > _MEMORY_SHARE:
        yield f"memory: {theirs.memory_bytes:,} and {ours.memory_bytes:,} bytes"
    for name in sorted({*theirs.packages, *ours.packages}):
        before, after = theirs.packages.get(name, "none"), ours.packages.get(name, "none")
        if before != after:
            yield f"{name}: {before} and {after}"
    if len({base.code, new.code} - {""}) > 1 and _version(theirs) == _version(ours):
        yield "Feedbench's own code, in two states of one version"
    days = base.started_at[:_DAY], new.started_at[:_DAY]
    if days[0] != days[1]:
        yield f"day: {' and '.join(days)}"
    if base.page_cache != new.page_cache:
        yield f"page cache: {base.page_cache} and {new.page_cache}"
    yield from _of_speed(base.calm, new.calm)


def _version(environment: Environment) -> str:
    return environment.packages.get("feedbench", "")


def _of_speed(base: Calm | None, new: Calm | None) -> Iterator[str]:
    """Yield by how much the good levels of the probe differ, of cores that look alike."""
    if base is None or new is None or base.good is None or new.good is None:
        return
    for kind, least in (("hashed", _LEAST_SHARE.hashed), ("copied", _LEAST_SHARE.copied)):
        share = getattr(new.good, kind) / getattr(base.good, kind)
        if not least <= share <= 1 / least:
            yield f"speed when calm: {share:.2f} times as many bytes {kind} a second as in the base"


def unpaired(rates: Sequence[float], others: Sequence[float], level: float) -> Interval:
    """Return the difference of the means of ln(rate), over blocks of two runs.

    Welch (1947), "The generalization of 'Student's' problem when several different population
    variances are involved", Biometrika 34. Needs two blocks of each.
    """
    from scipy import stats

    ours, theirs = np.log(np.asarray(rates)), np.log(np.asarray(others))
    estimate = float(ours.mean() - theirs.mean())
    n = min(len(rates), len(others))
    if not ours.std() and not theirs.std():  # scipy divides by the variance
        return Interval(estimate, estimate, estimate, n, level)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of blocks that hardly differ
        found = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(level)
    return Interval(estimate, float(found.low), float(found.high), n, level)


def judged(interval: Interval, tolerance: float) -> Word:
    """Return whether a pipeline is slower by more than the tolerance, is not, or neither."""
    most = -math.log1p(tolerance)
    if interval.high < most:
        return "slower"
    return "not slower" if interval.low > most else "cannot tell"


def _rates(run: RunRecord, trials: Sequence[TrialRecord]) -> Mapping[str, Mapping[int, float]]:
    return rates_by_block(of_whole_blocks(trials, run.blocks), "main")


def _compared(
    base: Row,
    new: Row,
    base_rates: Mapping[int, float],
    rates: Mapping[int, float],
    off: tuple[str | None, str | None],
    level: float,
    tolerance: float,
) -> Compared:
    blocks = len(base_rates), len(rates)
    found = _side_by_side(base, new, blocks, ("in the base run", "in the new run"), off)
    if found.why is not None:
        return found
    interval = unpaired([*rates.values()], [*base_rates.values()], level)
    return _told(found, interval, tolerance)


def _off(run: RunRecord, place: str = "in this run") -> str | None:
    """Return that a run has no verdicts, since its baseline differed from its own second copy."""
    if run.control is None:
        return None
    estimate, low, high = map(math.log, run.control)
    if not intervals.differs_from_itself(Interval(estimate, low, high, run.blocks, LEVEL)):
        return None
    return f"{place} the machine was not calm: the baseline differed from its own second copy"


def _side_by_side(
    base: Row,
    new: Row,
    blocks: tuple[int, int],
    where: tuple[str, str],
    off: tuple[str | None, str | None],
) -> Compared:
    """Return a pipeline of which it is told at most why it cannot be compared.

    `off` is what a run as a whole has against it.
    """
    return Compared(
        label=new.label,
        word="cannot tell",
        base_rate=base.rate,
        rate=new.rate,
        blocks=blocks,
        why=_why_not(base, new, blocks, where) or off[0] or off[1],
    )


def _told(found: Compared, interval: Interval, tolerance: float) -> Compared:
    return msgspec.structs.replace(
        found,
        word=judged(interval, tolerance),
        ratio=math.exp(interval.estimate),
        ratio_low=math.exp(interval.low),
        ratio_high=math.exp(interval.high),
    )


def _why_not_alone(row: Row, place: str) -> str | None:
    if row.rate is None and row.failures:
        return f"it failed {place}: {row.failures[-1].rstrip('.')}"
    if row.rate is None:
        return f"it was not measured {place}"
    if row.withheld == "exclusions":
        return f"{place} it depends on which disturbed trials are left out"
    return None


def _why_not(base: Row, new: Row, blocks: tuple[int, int], where: tuple[str, str]) -> str | None:
    own = _why_not_alone(base, where[0]) or _why_not_alone(new, where[1])
    if own is not None:
        return own
    if min(blocks) < LEAST_BLOCKS:
        return f"it has {blocks[0]} and {blocks[1]} undisturbed blocks; {LEAST_BLOCKS} are needed"
    words = [row.proof.work for row in (base, new) if row.proof is not None]
    if len(set(words)) > 1:
        return f"its work is not that of before: {words[0]} and {words[1]}"
    if any(row.proof is not None and not is_equal(row.proof) for row in (base, new)):
        return "what it delivers is not what was asked for"
    if base.continuous != new.continuous:
        return "it could be restarted only, in one of the two"
    return None


def _remarks(
    base: Run, new: Run, shared: Sequence[str], theirs: Mapping[str, Row], ours: Mapping[str, Row]
) -> Iterator[str]:
    for name, rows in ((base[0], theirs), (new[0], ours)):
        others = [label for label in rows if label not in shared]
        if others:
            yield f"Only in {name}: {', '.join(others)}."
    for label in shared:
        if theirs[label].spec != ours[label].spec:
            yield f"{label} was {theirs[label].spec}, and is {ours[label].spec}."
    yield from _unfinished(base)
    yield from _unfinished(new)


def _unfinished(run: Run) -> Iterator[str]:
    name, record, _ = run
    if record.status != "complete":
        yield f"{name} was not completed: what there is of it is compared."


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
