"""Mistakes in the range of values: pictures that are right but for a factor and a shift. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from feedbench.bench.equal_work.identity.fingerprints import UNKNOWN, Floats, Matcher
from feedbench.bench.records.proof import Likeness
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.forms import RANGES, ValueRange, uniform

_MOST = 255.0
_MOST_OF = 0.5  # the images that a mistake must explain
_ONE_COLOUR = 0.05  # grey levels, the standard deviation of a fingerprint


@dataclass(frozen=True)
class _Undoing:
    """What a mistake did to grey levels, and how to undo it: `factor * levels + shift`."""

    name: str
    factor: float
    shift: float = 0.0


def of_range(workload: Workload, unknown: Floats, matcher: Matcher) -> Likeness | None:
    """Return the mistake in the values of images that match no file; None if it is none of these.

    `unknown` are their fingerprints `[images, cells]`. These are means of grey levels, so that a
    factor can be undone in them.
    """
    for mistake in _undoings(workload):
        matches = matcher.match(mistake.factor * unknown + np.float32(mistake.shift))
        is_known = matches.places != UNKNOWN
        # Enlarged noise can match one file. Images that were undone match as many as they are.
        files = len(np.unique(matches.places[is_known]))
        if files > _MOST_OF * len(unknown):
            distance = float(matches.distances[is_known].mean())
            return Likeness(
                name=mistake.name, is_fault=True, images=int(is_known.sum()), distance=distance
            )
    if float(unknown.std(axis=1).max()) <= _ONE_COLOUR:
        return Likeness(
            name="images of one colour each", is_fault=True, images=len(unknown), distance=0.0
        )
    return None


def _undoings(workload: Workload) -> Iterator[_Undoing]:
    """Yield how to undo each usual range other than the workload's, and negatives."""
    asked = workload.values
    usual = {each.bounds: each for each in RANGES.values()}  # some have two names
    for each in usual.values():
        if each.bounds != asked.bounds:
            yield _undoing(f"values of {each.name} (--range {each.name})", asked, each)
    yield _undoing("values divided by 255 twice", asked, uniform(0, 1 / _MOST))
    yield _Undoing("negatives: black and white are exchanged", -1.0, _MOST)


def _undoing(name: str, asked: ValueRange, delivered: ValueRange) -> _Undoing:
    """Return how to get the grey levels of values that were read as those of another range.

    A fingerprint is the mean of the channels, so the ranges' means over the channels are used.
    """
    factor = fmean(delivered.std) / fmean(asked.std)
    return _Undoing(name, factor, fmean(delivered.mean) - factor * fmean(asked.mean))
