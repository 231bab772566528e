"""Measures how well an epoch is shuffled, by the order of its images. Pure.

A worse shuffle is less work and can cost accuracy, so reports show it next to the rate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from feedbench.bench.records.proof import FixedIn, Kind, Shuffle

Order = npt.NDArray[np.intp]
"""The place in the list of files of each delivered image, in the order of delivery."""

MOST_NEIGHBOURS_KEPT = 0.5
"""Of more images the one before is as it was: they are moved in groups, such as whole batches.

By chance it is about one image of an epoch, however many there are."""

_LEAST_IMAGES = 12
_DEVIATIONS = 4.0  # chance exceeds them in 6 of 100,000 epochs


def shuffle_of(
    first: Order,
    second: Order | None,
    labels: npt.NDArray[Any],
    batch_sizes: Sequence[int],
    third: Order | None = None,
) -> Shuffle:
    """Return how the first of two epochs was shuffled.

    The second comes from a new iterator, and `third` follows it in the same iterator, that of
    `repeat()`. Both may be a part of their epochs. `labels` are those of the first epoch's images
    in the order of delivery, and `batch_sizes` those of its batches.
    """
    if len(first) < _LEAST_IMAGES:
        return Shuffle(kind="unknown")
    fixed_in = _fixed_in(first, second, third)
    after = third if fixed_in == "new iterators" else second
    with_list = _correlation(np.arange(len(first)), first)
    with_neighbour = _correlation(first[:-1], first[1:])
    with_next = None if after is None else _with_next(first, after)
    kept = None if after is None else _neighbours_kept(first, after)
    classes, by_chance = batch_classes(labels, batch_sizes)
    is_fixed = fixed_in == "repeat"
    kind: Kind = (
        "fixed" if is_fixed else _kind(first, after, [with_list, with_neighbour, with_next])
    )
    if kind == "full" and kept is not None and kept > MOST_NEIGHBOURS_KEPT:
        kind = "partial"
    return Shuffle(
        kind=kind,
        fixed_in=fixed_in,
        with_list=with_list,
        with_neighbour=with_neighbour,
        with_next_epoch=with_next,
        neighbours_kept=kept,
        ahead=max(int((first - np.arange(len(first))).max()), 0),
        batch_classes=classes,
        batch_classes_by_chance=by_chance,
    )


def is_same(order: Order, other: Order) -> bool:
    """Whether two epochs have the same order, as far as both are given."""
    count = min(len(order), len(other))
    return np.array_equal(order[:count], other[:count])


def _fixed_in(first: Order, second: Order | None, third: Order | None) -> FixedIn | None:
    """Return which of the two repeats one order, where only one of them does."""
    if second is None or third is None or min(len(second), len(third)) < _LEAST_IMAGES:
        return None
    match is_same(first, second), is_same(second, third):
        case True, False:
            return "new iterators"
        case False, True:
            return "repeat"
    return None


def batch_classes(
    labels: npt.NDArray[Any], batch_sizes: Sequence[int]
) -> tuple[float | None, float | None]:
    """Return how many classes a batch has on average, and how many chance would give it.

    `labels` are in the order of delivery. The number by chance is the sum, over the classes, of the
    probability that a batch drawn without replacement holds the class (hypergeometric). Both are
    None if there are fewer than two classes.
    """
    _, counts = np.unique(labels, return_counts=True)
    edges = np.cumsum([0, *batch_sizes])
    if len(counts) < 2 or edges[-1] != len(labels):  # noqa: PLR2004 - nothing to mix
        return None, None
    in_batches = [len(np.unique(labels[start:end])) for start, end in pairwise(edges)]
    sizes, times = np.unique(np.asarray(batch_sizes), return_counts=True)
    chance = [np.sum(stats.hypergeom.sf(0, len(labels), counts, size)) for size in sizes]
    return float(np.mean(in_batches)), float(np.average(chance, weights=times))


def _kind(first: Order, second: Order | None, correlations: Sequence[float | None]) -> Kind:
    is_one = second is not None and is_same(first, second)
    if np.array_equal(first, np.arange(len(first))) and (is_one or second is None):
        return "none"
    if is_one:
        return "fixed"
    by_chance = _DEVIATIONS / math.sqrt(len(first) - 1)  # the deviation is 1 / sqrt(n - 1)
    if second is not None and len(second) < len(first):
        by_chance = _DEVIATIONS / math.sqrt(max(len(second) - 1, 1))
    return "partial" if any(abs(r) > by_chance for r in correlations if r is not None) else "full"


def _with_next(first: Order, second: Order) -> float | None:
    """Return how the order of the second epoch correlates with that of the first."""
    turn = np.full(max(int(first.max()), int(second.max(initial=0))) + 1, -1)
    turn[first] = np.arange(len(first))
    turns = turn[second]
    turns = turns[turns >= 0]
    if len(turns) < _LEAST_IMAGES:
        return None
    return _correlation(np.arange(len(turns)), turns)


def _neighbours_kept(first: Order, second: Order) -> float | None:
    """Return of how many images of the second epoch the one before is as in the first: a share."""
    if len(second) < _LEAST_IMAGES:
        return None
    before = np.full(max(int(first.max()), int(second.max())) + 1, -1)
    before[first[1:]] = first[:-1]
    return float((before[second[1:]] == second[:-1]).mean())


def _correlation(ranks: npt.NDArray[Any], others: npt.NDArray[Any]) -> float:
    """Return Spearman's rank correlation (Spearman 1904, Am. J. Psychol. 15(1))."""
    return float(stats.spearmanr(ranks, others).statistic)
