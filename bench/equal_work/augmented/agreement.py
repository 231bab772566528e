"""Whether estimated transforms are those that `--augment` asks for. Pure.

The percentiles of a few hundred draws are near those of their distribution: the distance between
the 5th and the 95th of `n` even draws has a standard deviation of 0.3 / sqrt(n) of the range. A
range agrees if its width differs by at most 15 % and four such deviations, and by what an estimate
may be off. A share of flips agrees if it is within four binomial deviations of one half.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from feedbench.bench.records.augmented import Range, Transforms
from feedbench.pipelines.augmentation.ranges import Augmentation

_SHARE = 0.15  # of the range
_DEVIATIONS = 4.0
_OF_WIDTH = 0.3 / 0.9  # of the range, times 1 / sqrt(n)
_FLIP_SLACK = 0.03  # of images, whose mirror image is nearly the same
_FLIPPED = (0.2, 0.8)  # of images: between them, a flip is one at random
_TURNED = 6.0  # degrees from one end of a range to the other: no resizing does that
_MOVED = 0.6  # of a shift, that a rotation before it turns to the other side

_DISTANT, _OF_CONTRAST = 6.0, 0.12  # grey levels; or a part of the contrast, where that is more


@dataclass(frozen=True)
class Part:
    """One part of a transform: what was asked for, what was estimated, and how to write it."""

    name: str  # a participle
    by: str  # with the two ends of a range
    estimate: Range
    centre: float
    reach: float  # from the centre to either end
    slack: float  # of an end, by which an estimate may be off
    unit: float = 1.0
    decimals: int = 0

    def ends(self, of: Range) -> str:
        """Return a range as text: -20 to 20."""
        low, high = (
            f"{round(end * self.unit, self.decimals) + 0.0:.{self.decimals}f}"
            for end in (of.low, of.high)
        )
        return f"{low} to {high}"

    @property
    def asked(self) -> Range:
        """The range that was asked for."""
        return Range(low=self.centre - self.reach, high=self.centre + self.reach)

    @property
    def is_absent(self) -> bool:
        """Whether nothing of it was found."""
        middle = (self.estimate.low + self.estimate.high) / 2
        is_centred = abs(middle - self.centre) <= self.slack
        return self.estimate.width <= 2 * self.slack and is_centred

    def agrees(self, images: int) -> bool:
        """Whether the estimate from so many images is what was asked for."""
        if not self.reach:
            return self.is_absent
        share = _SHARE + _DEVIATIONS * _OF_WIDTH / math.sqrt(images)
        most = 2 * self.reach * share + 2 * self.slack
        middle = (self.estimate.low + self.estimate.high) / 2
        is_as_wide = abs(self.estimate.width - 2 * self.reach) <= most
        return is_as_wide and abs(middle - self.centre) <= most / 2

    def done(self) -> str:
        """Return what was done, as a clause."""
        return f"{self.name} {self.by.format(self.ends(self.estimate))}"

    def difference(self) -> str:
        """Return how it differs from what was asked for, as a clause."""
        measured = f"not {self.name}" if self.is_absent else self.done()
        if not self.reach:
            return f"{measured} (expected: not at all)"
        return f"{measured} (expected {self.ends(self.asked)})"


def parts(asked: Augmentation, transforms: Transforms) -> Iterator[Part]:
    """Yield all parts of a transform that were estimated, but its flips."""
    turned = _MOVED * math.sin(math.radians(min(asked.rotate, 90.0)))
    moved = 0.012 + turned * abs(asked.width_shift - asked.height_shift)
    yield Part("rotated", "by {} degrees", transforms.rotation, 0.0, asked.rotate, 1.2)
    for way, estimate, reach in (
        ("sideways", transforms.width_shift, asked.width_shift),
        ("up or down", transforms.height_shift, asked.height_shift),
    ):
        yield Part(f"shifted {way}", "by {}%", estimate, 0.0, reach, moved, unit=100.0)
    yield Part("zoomed", "by factors of {}", transforms.zoom, 1.0, asked.zoom, 0.025, decimals=2)
    if transforms.brightness is not None:
        yield Part(
            "brightened",
            "by factors of {}",
            transforms.brightness,
            1.0,
            asked.brightness,
            0.04,
            decimals=2,
        )


def differences(asked: Augmentation, transforms: Transforms) -> list[str]:
    """Return how transforms differ from what was asked for, as clauses; none if they agree."""
    clauses = [
        *_of_flip(
            "flipped left to right", transforms.flipped, transforms.images, is_asked=asked.flip
        ),
        *_of_flip(
            "flipped upside down",
            transforms.upside_down,
            transforms.images,
            is_asked=asked.vertical_flip,
        ),
    ]
    wrong = [part for part in parts(asked, transforms) if not part.agrees(transforms.images)]
    return [*clauses, *(part.difference() for part in wrong)]


def most_distant(transforms: Transforms) -> float:
    """Return how far images may be from their transformed references: grey levels, the median.

    Keras' own pipelines are 2 to 3 away on photos, and 7 on thin white digits.
    """
    return max(_DISTANT, _OF_CONTRAST * transforms.contrast)


def is_plain(transforms: Transforms) -> bool:
    """Whether images are as they are in their files."""
    is_flipped = max(transforms.flipped, transforms.upside_down) > _FLIP_SLACK
    return not is_flipped and all(part.is_absent for part in parts(Augmentation(), transforms))


def _of_flip(name: str, share: float, images: int, *, is_asked: bool) -> Iterator[str]:
    deviation = _DEVIATIONS * math.sqrt(0.25 / images) if is_asked else 0.0
    expected = 0.5 if is_asked else 0.0
    if abs(share - expected) > deviation + _FLIP_SLACK:
        share_text = f"{100 * share:.0f}% {name}" if share > _FLIP_SLACK else f"not {name}"
        yield f"{share_text} (expected {'50%' if is_asked else 'not at all'})"


def varies(transforms: Transforms, share: float) -> bool:
    """Whether images are transformed each in another way, and not all alike.

    `share` is the part of all images in which the transforms were estimated; the others are as they
    are in the files. Then a flip of each of these is one at random.
    """
    flips = (transforms.flipped * share, transforms.upside_down * share)
    is_flipped = any(_FLIPPED[0] < flipped < _FLIPPED[1] for flipped in flips)
    return is_flipped or transforms.rotation.width > _TURNED


def description(transforms: Transforms) -> str:
    """Return what was done to images, as a list in a sentence."""
    clauses = []
    for name, share in (
        ("left to right", transforms.flipped),
        ("upside down", transforms.upside_down),
    ):
        if share > _FLIP_SLACK:
            clauses.append(f"{100 * share:.0f}% flipped {name}")
    clauses += [part.done() for part in parts(Augmentation(), transforms) if not part.is_absent]
    return ", ".join(clauses)
