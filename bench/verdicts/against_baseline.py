"""A pipeline compared with the baseline: estimate, reasons to withhold, verdict. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from feedbench.bench.records.row import Row, Withheld
from feedbench.bench.verdicts.intervals import (
    LEAST_BLOCKS,
    ONCE,
    Certainty,
    Interval,
    Verdict,
    contradicts,
    differs_from_itself,
    verdict,
)


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions of all verdicts of a run."""

    baseline: str  # label
    control: Interval | None  # of the second copy's log ratio to the baseline; None: too few blocks
    margin: float  # a share
    threshold: float = 0.0  # that a log ratio must exceed
    certainty: Certainty = ONCE
    unequal: frozenset[str]  # labels whose equal work is not proven
    accompanied: frozenset[str] = frozenset()  # labels with which other programs come
    impossible: frozenset[str] = frozenset()  # labels with a rate that no pipeline can have
    unaugmented: frozenset[str] = frozenset()  # labels of images as they are, with --augment
    is_changed: bool = False  # the files that pipelines read, after equal work was proven


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """Log ratios of a pipeline's rates to the baseline's, over the blocks that both have."""

    ratio: Interval | None  # of undisturbed trials; None: they share no block
    ranks: Interval | None  # the same by signed ranks; None: too few blocks for the level
    first_width: float | None = None  # half of the ratio's 95 % interval, as a share
    everything: Interval | None  # the same of all trials and turns, disturbed ones included
    is_unevenly_disturbed: bool = False  # it or the baseline, more or less often than the others
    is_rotated: bool = False  # both, in at least one block
    counts_all_turns: bool = False  # the ratio is that of `everything`


def with_verdict(row: Row, estimate: Estimate, terms: Terms) -> Row:
    """Return the row with its ratio to the baseline, and the verdict or why it is withheld."""
    if (row.label in terms.unaugmented) != (terms.baseline in terms.unaugmented):
        return replace(row, verdict="withheld", withheld="augmentation")  # no ratio of other work
    judged = verdict_of(estimate.ratio, terms)
    row = _with_ratio(row, estimate, terms)
    if judged is None and not _lacks_undisturbed(estimate):
        return row
    reason = next(reasons_to_withhold(row.label, estimate, terms), None)
    if reason is not None:
        return replace(row, verdict="withheld", withheld=reason)
    assert judged is not None  # a row that lacks undisturbed trials has a reason
    return replace(
        row,
        verdict=judged.word,
        within_margin=judged.within_margin,
        more_blocks=judged.more_blocks,
    )


def verdict_of(ratio: Interval | None, terms: Terms) -> Verdict | None:
    """Return the verdict, before any reason to withhold it; None if there are too few blocks."""
    if ratio is None or ratio.n < LEAST_BLOCKS:
        return None
    return verdict(ratio, terms.control, terms.margin, terms.certainty, terms.threshold)


def reasons_to_withhold(label: str, estimate: Estimate, terms: Terms) -> Iterator[Withheld]:
    """Yield the reasons to withhold a pipeline's verdict; the first is the one to report."""
    if terms.is_changed:
        yield "photos changed"
    yield from _in_either(label, terms, terms.unequal, ("work", "baseline's work"))
    yield from _in_either(label, terms, terms.impossible, ("rate", "baseline's rate"))
    if differs_from_itself(terms.control):
        yield "control"
    programs: tuple[Withheld, Withheld] = ("other programs", "baseline's other programs")
    yield from _in_either(label, terms, terms.accompanied, programs)
    if estimate.is_unevenly_disturbed:
        yield "exclusions"
    if _is_contradicted(estimate, terms):
        yield "slow turns" if estimate.is_rotated else "exclusions"


def _in_either(
    label: str, terms: Terms, labels: frozenset[str], reasons: tuple[Withheld, Withheld]
) -> Iterator[Withheld]:
    """Yield the first reason if the pipeline is among the labels, the second for the baseline."""
    if label in labels:
        yield reasons[0]
    if terms.baseline in labels:
        yield reasons[1]


def _is_contradicted(estimate: Estimate, terms: Terms) -> bool:
    """Return whether the estimate with nothing left out contradicts the verdict."""
    judged = verdict_of(estimate.ratio, terms)
    if judged is None or estimate.everything is None:
        return False
    return contradicts(estimate.everything.estimate, judged.word, terms.margin)


def _lacks_undisturbed(estimate: Estimate) -> bool:
    """Return whether exclusions alone leave too few blocks for a verdict."""
    everything = estimate.everything
    if everything is None or everything.n < LEAST_BLOCKS:
        return False
    return estimate.is_unevenly_disturbed


def _with_ratio(row: Row, estimate: Estimate, terms: Terms) -> Row:
    """Return the row with its ratio, and with the ratio's interval if there is one."""
    ratio, ranks = estimate.ratio, estimate.ranks
    if ratio is None:
        return row
    row = replace(row, ratio=math.exp(ratio.estimate), counts_all_turns=estimate.counts_all_turns)
    if ratio.n < LEAST_BLOCKS:
        return replace(row, ratio_width=estimate.first_width)
    row = replace(row, ratio_low=math.exp(ratio.low), ratio_high=math.exp(ratio.high))
    by_ranks = verdict_of(ranks, terms)
    if ranks is None or by_ranks is None:
        return row
    return replace(
        row,
        ranks_low=math.exp(ranks.low),
        ranks_high=math.exp(ranks.high),
        ranks_verdict=by_ranks.word,
    )
