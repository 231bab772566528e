"""Which known mistake gives the images that a pipeline delivered.

"Swapped red and blue" helps a user, "34.9 grey levels" does not. Each mistake is applied to a
few files, and the result is compared with the images that the pipeline delivered.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
from PIL import Image

from feedbench.bench.equal_work import references
from feedbench.bench.equal_work.identity.fingerprints import Floats, Matcher, fingerprints
from feedbench.bench.equal_work.mistakes.in_pixels import IN_PIXELS
from feedbench.bench.equal_work.mistakes.in_range import of_range
from feedbench.bench.equal_work.mistakes.in_view import IN_VIEW
from feedbench.bench.equal_work.mistakes.mistake import Deliver, Mistake
from feedbench.bench.equal_work.references import Levels
from feedbench.bench.records.proof import Likeness
from feedbench.pipelines.contract import Workload

FILES = 12  # files that each mistake is tried on
# Of large photos fewer: with 12 of 3.9 million pixels, a proof took 20 s, which may be its limit.
_LEAST_FILES, _ENOUGH_PIXELS = 4, 16_000_000
_CLEARLY = 3.0  # a mistake must be so many times nearer than the reference
_LEAST_ALIKE = 2  # images that a mistake must explain among the unknown ones
_PIXEL_OFF = 2.0  # grey levels between fingerprints, of a crop that is a pixel off
_ROUNDED_TWICE = 0.5  # mean grey levels, of a filter that rounds after each axis


def of_pixels(
    workload: Workload, delivered: Mapping[int, Levels], distance: float
) -> Likeness | None:
    """Return the mistake that gives these pixels, by place; None if no known one does.

    `distance` is their mean distance from the nearer reference, in grey levels. Of several
    mistakes, it is the nearest one.
    """
    distances: dict[Mistake, list[float]] = {}
    for place, each, levels in _results(IN_PIXELS, workload, delivered, _ENOUGH_PIXELS):
        distances.setdefault(each, []).append(_distance(delivered[place], levels))
    means = {each: float(np.mean(apart)) for each, apart in distances.items()}
    mistake = min(means, key=means.__getitem__, default=None)
    if mistake is None or means[mistake] > min(_ROUNDED_TWICE, distance / _CLEARLY):
        return _of_view(workload, delivered)
    return Likeness(
        name=mistake.name,
        is_fault=mistake.is_fault,
        images=len(distances[mistake]),
        distance=means[mistake],
        is_resampling=not mistake.needs_colour,
        is_reduced=mistake.is_reduced,
    )


def of_unknown(
    workload: Workload, places: Sequence[int], unknown: Floats, matcher: Matcher
) -> Likeness | None:
    """Return the mistake that gives images that match no file; None if no known one does.

    `unknown` are their fingerprints `[images, cells]`. `places` are the files that no delivered
    image matches. Of several mistakes, it is the one that explains most.
    """
    if not len(unknown) or not places:
        return None
    likeness = of_range(workload, unknown, matcher)
    if likeness is not None:
        return likeness
    prints: dict[Mistake, list[Floats]] = {}
    for _, mistake, levels in _results(IN_VIEW, workload, places):
        prints.setdefault(mistake, []).append(fingerprints(levels[np.newaxis]))
    best: Likeness | None = None
    for mistake, each in prints.items():
        nearest = _nearest(np.concatenate(each), unknown)
        alike = nearest[nearest <= _PIXEL_OFF]
        if len(alike) < min(_LEAST_ALIKE, len(places), len(unknown)):
            continue
        found = Likeness(
            name=mistake.name, is_fault=True, images=len(alike), distance=float(alike.mean())
        )
        if best is None or (found.images, -found.distance) > (best.images, -best.distance):
            best = found
    return best


def _of_view(workload: Workload, delivered: Mapping[int, Levels]) -> Likeness | None:
    """Return the mistake in what images show that are still matched with their files.

    By fingerprints, so that the filter does not matter.
    """
    distances: dict[Mistake, list[float]] = {}
    nearest: dict[int, float] = {}
    mistakes = (*IN_VIEW, *(Mistake("", _reference(each)) for each in references.BOTH))
    for place, each, levels in _results(mistakes, workload, delivered, _ENOUGH_PIXELS):
        prints = fingerprints(np.stack([levels, delivered[place]]))
        apart = float(np.sqrt(np.square(prints[0] - prints[1]).mean()))
        if each.name:
            distances.setdefault(each, []).append(apart)
        else:
            nearest[place] = min(apart, nearest.get(place, apart))
    means = {each: float(np.mean(apart)) for each, apart in distances.items()}
    mistake = min(means, key=means.__getitem__, default=None)
    if mistake is None or not nearest:
        return None
    reach = min(_PIXEL_OFF, float(np.mean(list(nearest.values()))) / _CLEARLY)
    if means[mistake] > reach:
        return None
    return Likeness(
        name=mistake.name,
        is_fault=True,
        images=len(distances[mistake]),
        distance=means[mistake],
    )


def _reference(reference: Callable[[Image.Image, Workload], Levels]) -> Deliver:
    return lambda _, image, workload: reference(image, workload)


def _results(
    mistakes: Sequence[Mistake],
    workload: Workload,
    places: Iterable[int],
    enough_pixels: float = math.inf,
) -> Iterator[tuple[int, Mistake, Levels]]:
    """Yield what each mistake makes of each file. A file is decoded once.

    So many pixels of at least _LEAST_FILES files are enough.
    """
    files, pixels = 0, 0
    for place in places:
        if files >= _LEAST_FILES and pixels >= enough_pixels:
            return
        try:
            image = references.decoded(workload.files[place])
        except Exception:  # noqa: BLE001, S112 - whatever a user's file makes a decoder raise
            continue
        files, pixels = files + 1, pixels + image.width * image.height
        for mistake in mistakes:
            levels = mistake.levels(workload, place, image)
            if levels is not None:
                yield place, mistake, levels


def _distance(delivered: Levels, expected: Levels) -> float:
    """Return the mean difference in grey levels; a pipeline may have rounded, or not."""
    exact = np.abs(delivered - expected).mean()
    return float(min(exact, np.abs(delivered - np.rint(expected)).mean()))


def _nearest(candidates: Floats, unknown: Floats) -> Floats:
    """Return the distance of each candidate fingerprint from the nearest unknown one."""
    squares = [np.square(unknown - candidate).mean(axis=1).min() for candidate in candidates]
    return np.sqrt(np.asarray(squares, np.float32))
