"""What pipelines do to images at random, in words: the ranges of the estimated transforms. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from feedbench.bench.records.augmented import Augmented, Range, Transforms
from feedbench.bench.records.proof import Proof
from feedbench.bench.text import counted, digits
from feedbench.pipelines.augmentation.ranges import Augmentation

_PERCENT = 100


def of_transforms(proofs: Iterable[tuple[str, Proof | None]]) -> Iterator[str]:
    """Yield by which transforms each pipeline's images were recognised."""
    for label, proof in proofs:
        augmented = None if proof is None else proof.augmented
        if augmented is None:
            continue
        done = (
            ", ".join(_clauses(augmented.asked, augmented.transforms))
            if augmented.transforms
            else ""
        )
        yield f"{label}: {_recognised(augmented)}."
        if done:
            yield f"{label}: its images are {done}."


def _recognised(augmented: Augmented) -> str:
    of = counted(augmented.tried, "image")
    margin = ""
    if augmented.margin is not None:
        margin = f"; the second-best file is {digits(augmented.margin, 2)} times less alike"
    return f"{augmented.certain:,} of {of} are recognised with certainty{margin}"


def of_all(pipelines: Sequence[Augmented]) -> str:
    """Return how the images of several pipelines are transformed, all together, as a list."""
    estimates = [each.transforms for each in pipelines if each.transforms is not None]
    return ", ".join(_clauses(pipelines[0].asked, *estimates)) if estimates else ""


def _clauses(asked: Augmentation, *transforms: Transforms) -> Iterator[str]:
    """Yield each part of the transforms that is asked for; its range is that of all pipelines."""
    if asked.flip:
        yield f"{_shares([it.flipped for it in transforms])} flipped left to right"
    if asked.vertical_flip:
        yield f"{_shares([it.upside_down for it in transforms])} flipped upside down"
    if asked.rotate:
        yield f"rotated by {whole(_widest([it.rotation for it in transforms]))} degrees"
    if asked.width_shift:
        yield f"shifted sideways by {percents(_widest([it.width_shift for it in transforms]))}"
    if asked.height_shift:
        yield f"shifted up or down by {percents(_widest([it.height_shift for it in transforms]))}"
    if asked.zoom:
        yield f"zoomed by factors of {factors(_widest([it.zoom for it in transforms]))}"
    bright = [it.brightness for it in transforms if it.brightness is not None]
    if asked.brightness and bright:
        yield f"brightened by factors of {factors(_widest(bright))}"


def _widest(of: Sequence[Range]) -> Range:
    return Range(low=min(it.low for it in of), high=max(it.high for it in of))


def _shares(of: Sequence[float]) -> str:
    low, high = percent(min(of)), percent(max(of))
    return low if low == high else f"{low} to {high}"


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
