"""Compares two runs of one workload, or two environments or two pipelines of one run. Pure.

Blocks of one run are paired. Blocks of different runs are not, since a disturbance of one run does
not slow the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from feedbench.bench.records.proof import is_equal
from feedbench.bench.records.row import Row, Withheld
from feedbench.bench.records.run import RunRecord
from feedbench.bench.verdicts import intervals
from feedbench.bench.verdicts.block_counts.certainty import certainty_of
from feedbench.bench.verdicts.block_counts.more import block_seconds, more_of_each
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS, LEVEL, Certainty, Interval
from feedbench.bench.verdicts.rows import of_whole_blocks, rates_by_block
from feedbench.bench.verdicts.turns.block_rates import BlockRates, Rates, log_ratios
from feedbench.bench.verdicts.two_runs import Run, differences, refuse_other_workload
from feedbench.pipelines.errors import RequestError, did_you_mean

Word = Literal["slower", "not slower", "cannot tell"]
# Clauses on a pipeline whose own figures are doubtful; {} is the run.
_UNSURE: dict[Withheld, str] = {
    "exclusions": "its verdict {} depends on which disturbed trials are left out",
    "other programs": "other programs were busy in its turns {}, and not in the others'",
    "rate": "{}, its rate is one that no pipeline can have",
    "slow turns": "its verdict {} depends on which slow turns are left out",
}

Sides = Literal["runs", "environments", "pipelines"]
"""What is compared: two runs, or two environments or two pipelines of one run."""


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
    why: str | None = None  # a clause: why the comparison cannot tell
    more_blocks: int | None = None  # of each run, that would decide, about


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison of two runs, or of two parts of one."""

    schema: int = 1
    base: str
    new: str
    tolerance: float  # a share
    level: float  # of each interval
    is_paired: bool = False  # both in the same blocks
    is_sequential: bool = False  # paired, and the interval holds after all blocks at once
    sides: Sides = "runs"
    pipelines: list[Compared]
    block_seconds: tuple[float | None, float | None] = (None, None)  # of base and new
    differences: list[str] = []  # of machines and versions, as clauses
    remarks: list[str] = []  # sentences

    @property
    def word(self) -> Word:
        """The answer over all pipelines: the worst of them."""
        words = {pipeline.word for pipeline in self.pipelines}
        if "slower" in words:
            return "slower"
        return "not slower" if words == {"not slower"} else "cannot tell"


class _Side(msgspec.Struct, frozen=True):
    """A pipeline in one of the two runs, or in one of the two environments."""

    row: Row
    rates: BlockRates  # of undisturbed blocks
    place: str  # such as "in the base run"
    objection: str | None  # a clause: why the run has no verdicts at all


def compare(base: Run, new: Run, tolerance: float) -> Comparison:
    """Compare each pipeline that both runs have.

    Raises RequestError if they measured different workloads, or have no pipeline in common.
    """
    refuse_other_workload(base, new)
    base_sides = _sides(base, "in the base run", "in the base run")
    new_sides = _sides(new, "in the new run", "in the new run")
    shared = [label for label in base_sides if label in new_sides]
    if not shared:
        raise RequestError(
            f"{base.name} and {new.name} have no pipeline in common: expected equal labels; they"
            f" have {', '.join(base_sides)} and {', '.join(new_sides)}",
            hint="give both the same label, with --pipeline LABEL=SPEC",
        )
    certainty = certainty_of(base.record, new.record)
    level = certainty.level_of(len(shared))
    border = -math.log1p(tolerance)
    pipelines = []
    for label in shared:
        before, after = base_sides[label], new_sides[label]
        pipeline = _without_ratio(before, after, (len(before.rates), len(after.rates)))
        if pipeline.why is None:
            ours, theirs = (
                [block.rate for block in side.rates.values()] for side in (after, before)
            )
            pipeline = _with_ratio(pipeline, intervals.unpaired(ours, theirs, level), tolerance)
            if pipeline.word == "cannot tell":
                more = more_of_each(ours, theirs, certainty.next_level(level), border)
                pipeline = replace(pipeline, more_blocks=more)
        pipelines.append(pipeline)
    return Comparison(
        base=base.name,
        new=new.name,
        tolerance=tolerance,
        level=level,
        pipelines=pipelines,
        block_seconds=(_block_seconds(base), _block_seconds(new)),
        differences=list(differences(base.record, new.record)),
        remarks=list(_remarks(base, new, shared)),
    )


def within(run: Run, tolerance: float) -> Comparison:
    """Compare each pipeline of a run with itself in the other environment, over shared blocks.

    Raises RequestError if the run has no other environment.
    """
    against = run.record.against
    if against is None:
        raise RequestError(
            f"{run.name}: expected two runs, or a run with two environments; it has only one",
            hint="name a second run, or two of its pipelines with --base and --new",
        )
    there = _sides(run, f"in {against.name}", "in this run")
    here = _sides(run, "here", "in this run")
    pairs = [
        (there[pipeline.label], here[pipeline.beside])
        for pipeline in run.record.pipelines
        if pipeline.beside is not None and {pipeline.label, pipeline.beside} <= here.keys()
    ]
    certainty = certainty_of(run.record)
    level = certainty.level_of(len(pairs))
    pipelines = [_paired(*pair, tolerance, level, certainty) for pair in pairs]
    other = replace(run.record, environment=against.environment, code=against.code)
    return Comparison(
        base=against.name,
        new="this environment",
        tolerance=tolerance,
        level=level,
        is_paired=True,
        is_sequential=certainty.is_sequential,
        sides="environments",
        pipelines=pipelines,
        block_seconds=(_block_seconds(run), _block_seconds(run)),
        differences=list(differences(other, run.record)),
        remarks=list(_unfinished(run)),
    )


def between(run: Run, base: str, new: str, tolerance: float) -> Comparison:
    """Compare two pipelines of a run, by their labels, over the blocks that both have.

    Raises RequestError if the run has no such pipelines, or if both are the same one.
    """
    bases = _sides(run, "as the base", "in this run")
    news = _sides(run, "as the new one", "in this run")
    for name, label in (("--base", base), ("--new", new)):
        if label not in bases:
            raise RequestError(
                f"{name} {label}: {run.name} has no such pipeline; it has {', '.join(bases)}",
                hint=did_you_mean(label, bases),
            )
    if base == new:
        raise RequestError(
            f"--base and --new are both {base}: expected two pipelines of {run.name}"
        )
    certainty = certainty_of(run.record)
    level = certainty.level_of(1)
    return Comparison(
        base=base,
        new=new,
        tolerance=tolerance,
        level=level,
        is_paired=True,
        is_sequential=certainty.is_sequential,
        sides="pipelines",
        pipelines=[_paired(bases[base], news[new], tolerance, level, certainty)],
        block_seconds=(_block_seconds(run), _block_seconds(run)),
        remarks=list(_unfinished(run)),
    )


def _paired(
    base: _Side, new: _Side, tolerance: float, level: float, certainty: Certainty
) -> Compared:
    """Compare two rows of one run over the blocks that both have."""
    ratios = [*log_ratios(new.rates, base.rates).values()]
    pipeline = _without_ratio(base, new, (len(ratios), len(ratios)))
    if pipeline.why is not None:
        is_lacking = ratios and pipeline.why == _too_few(pipeline.blocks)
        return replace(pipeline, more_blocks=LEAST_BLOCKS - len(ratios) if is_lacking else None)
    interval = intervals.by_mean(ratios, level, certainty.radius)
    pipeline = _with_ratio(pipeline, interval, tolerance)
    if pipeline.word != "cannot tell":
        return pipeline
    distance = abs(interval.estimate + math.log1p(tolerance))
    more = intervals.more_blocks(interval, distance, certainty)
    return replace(pipeline, more_blocks=more)


def judged(interval: Interval, tolerance: float) -> Word:
    """Return whether a pipeline is slower by more than the tolerance, or is not, or cannot tell."""
    most = -math.log1p(tolerance)
    if interval.high < most:
        return "slower"
    return "not slower" if interval.low > most else "cannot tell"


def _block_seconds(run: Run) -> float | None:
    return block_seconds(run.trials, run.record.blocks)


def _sides(run: Run, place: str, run_place: str) -> dict[str, _Side]:
    """Return each pipeline of a run by its label; `place` and `run_place` are for clauses."""
    rates: Rates = rates_by_block(of_whole_blocks(run.trials, run.record.blocks), "main")
    objection = _objection(run.record, run_place)
    return {
        row.label: _Side(row, rates.get(row.label, {}), place, objection) for row in run.record.rows
    }


def _objection(run: RunRecord, place: str) -> str | None:
    """Return a clause if a run has no verdicts at all: what changed, or that it was not calm."""
    if run.changed is not None:
        return f"{place}, {run.changed.clause}"
    if run.control is None:
        return None
    estimate, low, high = map(math.log, run.control)
    if not intervals.differs_from_itself(Interval(estimate, low, high, run.blocks, LEVEL)):
        return None
    return f"the machine was not calm {place}: the baseline differed from its own second copy"


def _without_ratio(base: _Side, new: _Side, blocks: tuple[int, int]) -> Compared:
    """Return a pipeline without a ratio; `why` says why it cannot be compared, if so."""
    return Compared(
        label=new.row.label,
        word="cannot tell",
        base_rate=base.row.rate,
        rate=new.row.rate,
        blocks=blocks,
        why=_why_not(base, new, blocks) or base.objection or new.objection,
    )


def _with_ratio(pipeline: Compared, interval: Interval, tolerance: float) -> Compared:
    """Return the pipeline with its ratio and the answer; `interval` is of the log ratio."""
    return replace(
        pipeline,
        word=judged(interval, tolerance),
        ratio=math.exp(interval.estimate),
        ratio_low=math.exp(interval.low),
        ratio_high=math.exp(interval.high),
    )


def _why_not(base: _Side, new: _Side, blocks: tuple[int, int]) -> str | None:
    """Return why a pipeline cannot be compared, as a clause; None if it can."""
    why = _why_not_alone(base) or _why_not_alone(new)
    if why is not None:
        return why
    if (few := _too_few(blocks)) is not None:
        return few
    rows = base.row, new.row
    words = [row.proof.work for row in rows if row.proof is not None]
    if len(set(words)) > 1:
        return f"its work has changed: {words[0]} and {words[1]}"
    if any(row.withheld == "work" or (row.proof and not is_equal(row.proof)) for row in rows):
        return "equal work is not proven"
    if base.row.continuous != new.row.continuous:
        return "in only one of the two, it repeats without a restart"
    return None


def _too_few(blocks: tuple[int, int]) -> str | None:
    if min(blocks) >= LEAST_BLOCKS:
        return None
    return f"it has {blocks[0]} and {blocks[1]} undisturbed blocks; both need {LEAST_BLOCKS}"


def _why_not_alone(side: _Side) -> str | None:
    """Return why one side alone cannot be compared, as a clause; None if it can."""
    row = side.row
    if row.rate is None and row.failures:
        return f"it failed {side.place}: {row.failures[-1].rstrip('.')}"
    if row.rate is None:
        return f"it was not measured {side.place}"
    why = None if row.withheld is None else _UNSURE.get(row.withheld)
    return None if why is None else why.format(side.place)


def _remarks(base: Run, new: Run, shared: Sequence[str]) -> Iterator[str]:
    """Yield remarks on the two runs' pipelines that a reader of the comparison needs."""
    before, after = ({row.label: row for row in run.record.rows} for run in (base, new))
    for run, rows in ((base, before), (new, after)):
        others = [label for label in rows if label not in shared]
        if others:
            yield f"Only in {run.name}: {', '.join(others)}."
    for label in shared:
        if before[label].spec != after[label].spec:
            yield f"{label} was {before[label].spec} and is now {after[label].spec}."
    yield from _unfinished(base)
    yield from _unfinished(new)


def _unfinished(run: Run) -> Iterator[str]:
    if run.record.status != "complete":
        yield f"{run.name} is not complete; its completed blocks are compared."
