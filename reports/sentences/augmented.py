"""What pipelines do to images at random, in words: the ranges of the estimated transforms. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from feedbench.bench.records.augmented import Augmented, Range, Transforms
from feedbench.bench.records.proof import Proof
from feedbench.bench.text import counted, digits
from feedbench.pipelines.augmentation.ranges import Augmentation

_PERCENT = 100


def of_transforms(proofs: Iterable[tuple[str, Proof | None]]) -> Iterator[str]:
    """Yield by which transforms each pipeline's images were recognised."""
    for label, proof in proofs:
        found = None if proof is None else proof.augmented
        if found is None:
            continue
        done = ", ".join(_clauses(found.asked, found.transforms)) if found.transforms else ""
        yield f"{label}: {_recognised(found)}."
        if done:
            yield f"{label}: its images are {done}."


def _recognised(found: Augmented) -> str:
    of = counted(found.tried, "image")
    margin = ""
    if found.margin is not None:
        margin = f"; the second-best file is {digits(found.margin, 2)} times less alike"
    return f"{found.certain:,} of {of} are recognised with certainty{margin}"


def _clauses(asked: Augmentation, found: Transforms) -> Iterator[str]:
    """Yield each part of the transforms that is asked for."""
    if asked.flip:
        yield f"{percent(found.flipped)} flipped left to right"
    if asked.vertical_flip:
        yield f"{percent(found.upside_down)} flipped upside down"
    if asked.rotate:
        yield f"rotated by {whole(found.rotation)} degrees"
    if asked.width_shift:
        yield f"shifted sideways by {percents(found.width_shift)}"
    if asked.height_shift:
        yield f"shifted up or down by {percents(found.height_shift)}"
    if asked.zoom:
        yield f"zoomed by factors of {factors(found.zoom)}"
    if asked.brightness and found.brightness is not None:
        yield f"brightened by factors of {factors(found.brightness)}"


def whole(of: Range) -> str:
    """Return a range in whole numbers: -20 to 20."""
    return f"{round(of.low)} to {round(of.high)}"


def percents(of: Range) -> str:
    """Return a range of shares in percent: -10% to 10%."""
    return f"{round(_PERCENT * of.low)}% to {round(_PERCENT * of.high)}%"


def factors(of: Range) -> str:
    """Return a range of factors: 0.80 to 1.20."""
    return f"{of.low:.2f} to {of.high:.2f}"


def percent(share: float) -> str:
    """Return a share in percent: 49%."""
    return f"{_PERCENT * share:.0f}%"
