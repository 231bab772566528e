"""The table of estimated transforms: what was asked for, and what each pipeline does. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from feedbench.bench.records.augmented import Augmented, Range, Transforms
from feedbench.bench.records.proof import Proof
from feedbench.pipelines.augmentation.ranges import Augmentation
from feedbench.reports.sentences import equal_work
from feedbench.reports.sentences.augmentation.augmented import factors, percent, percents, whole
from feedbench.reports.tables.columns import Column
from feedbench.reports.text.figures import MISSING

_Estimate = Callable[[Transforms], str]


def columns(asked: Augmentation) -> Iterator[Column[Proof]]:
    """Yield the columns: how many images are recognised, and each part of the transforms.

    Below a column's title is what was asked for.
    """
    yield _of(
        "recognised", "images", lambda augmented: f"{augmented.certain:,} of {augmented.tried:,}"
    )
    if asked.flip:
        yield _part("flipped", "asked: 50%", lambda it: percent(it.flipped))
    if asked.vertical_flip:
        yield _part("upside down", "asked: 50%", lambda it: percent(it.upside_down))
    for title, estimate, form, reach, centre in (
        ("rotation, degrees", lambda it: it.rotation, whole, asked.rotate, 0.0),
        ("shift, width", lambda it: it.width_shift, percents, asked.width_shift, 0.0),
        ("shift, height", lambda it: it.height_shift, percents, asked.height_shift, 0.0),
        ("zoom", lambda it: it.zoom, factors, asked.zoom, 1.0),
        ("brightness", lambda it: it.brightness, factors, asked.brightness, 1.0),
    ):
        expected = f"asked: {form(Range(low=centre - reach, high=centre + reach))}"
        if reach:
            yield _part(title, expected, _written(estimate, form))
    yield _part("pixels", "grey levels", lambda it: equal_work.distance(it.distance))


def _written(
    estimate: Callable[[Transforms], Range | None], form: Callable[[Range], str]
) -> _Estimate:
    def written(transforms: Transforms) -> str:
        of = estimate(transforms)
        return MISSING if of is None else form(of)

    return written


def _part(title: str, below: str, cell: _Estimate) -> Column[Proof]:
    def of(augmented: Augmented) -> str:
        return MISSING if augmented.transforms is None else cell(augmented.transforms)

    return _of(title, below, of)


def _of(title: str, below: str, cell: Callable[[Augmented], str]) -> Column[Proof]:
    def of(proof: Proof) -> str:
        return MISSING if proof.augmented is None else cell(proof.augmented)

    return Column(title, below, of)
