"""Mistakes in the range of values: pictures that are right but for a factor and a shift. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from feedbench.bench.equal_work.fingerprints import UNKNOWN, Floats, Matcher
from feedbench.bench.records.proof import Likeness
from feedbench.pipelines.contract import Workload

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


def _undoings(workload: Workload) -> list[_Undoing]:
    low, _ = workload.value_range
    name = (
        "values of 0 to 1" if workload.value_range == (0, _MOST) else "values divided by 255 twice"
    )
    return [
        _Undoing(name, _MOST),
        *([_Undoing("values of 0 to 1", 2.0, -_MOST)] if low == -1 else ()),
        _Undoing("negatives: black and white are exchanged", -1.0, _MOST),
    ]
