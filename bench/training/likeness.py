"""Whether pipelines train alike: final accuracies that differ by no more than chance.

The final accuracy is that of the last epoch, over the validation part if there is one. Each
pipeline is compared with the first. With k comparisons, each interval has the level 1 - 0.05 / k,
so that all of them hold together at 95 % (Bonferroni).

With one seed, how far seeds would differ is not measured. It is estimated from the binomial error
of the accuracy: that of a share of n images. The interval of the difference of two shares is
Newcombe's hybrid score interval: R. G. Newcombe, Interval estimation for the difference between
independent proportions, Statistics in Medicine 17 (1998), 873-890, method 10. It is made of two
Wilson intervals. Both pipelines are validated on the same images, so it is rather too wide.

With N seeds, the interval is Student's for the difference of two means of N accuracies, whose
standard deviation is pooled within the pipelines, with 2 (N - 1) degrees of freedom: Snedecor and
Cochran, Statistical Methods, 8th edition, section 6.7. The standard deviation counts as one image
at least: an accuracy is not known more finely.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, variance

from feedbench.bench.records.trainings.training import Agreement, Likeness, Training, TrainingRecord

LEVEL = 0.95  # of all intervals together


def likeness_of(record: TrainingRecord) -> Likeness | None:
    """Return whether the pipelines train alike; None with fewer than two, or without accuracies.

    Only completed trainings count.
    """
    is_validated = record.validation_images > 0
    images = record.validation_images if is_validated else record.workload.images
    accuracies = {
        label: _accuracies(record.of(label), is_validated=is_validated) for label in record.labels
    }
    trained = {label: of_seeds for label, of_seeds in accuracies.items() if of_seeds}
    if len(trained) < 2:  # noqa: PLR2004 - a comparison has two
        return None
    baseline, *others = trained
    seeds = min(len(trained[baseline].keys() & trained[other].keys()) for other in others)
    if not seeds:
        return None
    level = 1 - (1 - LEVEL) / len(others)
    return Likeness(
        part="validation" if is_validated else "training",
        images=images,
        method="seeds" if seeds > 1 else "binomial",
        level=LEVEL,
        seeds=seeds,
        pipelines=[
            _agreement(baseline, other, trained[baseline], trained[other], images, level)
            for other in others
        ],
    )


def binomial_interval(new: float, base: float, images: int, level: float) -> tuple[float, float]:
    """Return the interval of `new - base`, two shares of `images` each: Newcombe's method 10."""
    new_low, new_high = _wilson(new, images, level)
    base_low, base_high = _wilson(base, images, level)
    difference = new - base
    return (
        difference - math.hypot(new - new_low, base_high - base),
        difference + math.hypot(new_high - new, base - base_low),
    )


def seeds_interval(
    new: Sequence[float], base: Sequence[float], images: int, level: float
) -> tuple[float, float]:
    """Return Student's interval of the difference of two means over at least two seeds each."""
    from scipy.stats import t

    count = len(new)
    deviation = max(math.sqrt((variance(new) + variance(base)) / 2), 1 / images)
    half = t.ppf((1 + level) / 2, 2 * (count - 1)) * deviation * math.sqrt(2 / count)
    difference = fmean(new) - fmean(base)
    return difference - half, difference + half


def _agreement(
    baseline: str,
    label: str,
    of_baseline: Mapping[int, float],
    of_other: Mapping[int, float],
    images: int,
    level: float,
) -> Agreement:
    seeds = sorted(of_baseline.keys() & of_other.keys())
    base = [of_baseline[seed] for seed in seeds]
    new = [of_other[seed] for seed in seeds]
    if len(seeds) > 1:
        low, high = seeds_interval(new, base, images, level)
    else:
        low, high = binomial_interval(new[0], base[0], images, level)
    return Agreement(
        label=label,
        baseline=baseline,
        accuracy=fmean(new),
        baseline_accuracy=fmean(base),
        low=low,
        high=high,
    )


def _accuracies(trainings: Sequence[Training], *, is_validated: bool) -> dict[int, float]:
    """Return the final accuracy of each completed training, by its seed."""
    accuracies = {}
    for training in trainings:
        if training.status != "trained" or training.last is None:
            continue
        last = training.last
        accuracy = last.val_accuracy if is_validated else last.accuracy
        if accuracy is not None:
            accuracies[training.seed] = accuracy
    return accuracies


def _wilson(share: float, images: int, level: float) -> tuple[float, float]:
    """Return Wilson's score interval of a share of images."""
    from scipy.stats import binomtest

    interval = binomtest(round(share * images), images).proportion_ci(level, method="wilson")
    return float(interval.low), float(interval.high)
