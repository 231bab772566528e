"""The augmentation of a workload in the code to paste. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from feedbench.pipelines.augmentation.arguments import arguments_of
from feedbench.pipelines.augmentation.ranges import Augmentation
from feedbench.pipelines.built_in.image_data_generator import ImageDataGenerator
from feedbench.pipelines.built_in.tail_knobs import TailKnobs
from feedbench.pipelines.built_in.threaded.threads import Threads


def is_coded(pipeline: object, augmentation: Augmentation) -> bool:
    """Whether the pipeline or its model augments, and so does the code of its template."""
    if getattr(pipeline, "augment_in", "") == "model":
        return not augmentation.brightness  # Keras has no layer for that
    return isinstance(pipeline, TailKnobs | ImageDataGenerator | Threads)


def layers(augmentation: Augmentation | None) -> Iterator[str]:
    """Yield the constructors of Keras' layers, in the order of `augmentation.layers`.

    Brightness has none: Keras' layer adds, and does not multiply.
    """
    if augmentation is None:
        return
    ranges = augmentation
    edge = 'fill_mode="nearest"'
    if ranges.rotate:
        yield f"RandomRotation({ranges.rotate:g} / 360, {edge}, seed=SEED)"
    if ranges.height_shift or ranges.width_shift:
        shifts = f"{ranges.height_shift:g}, {ranges.width_shift:g}"
        yield f"RandomTranslation({shifts}, {edge}, seed=SEED + 1)"
    if ranges.zoom:
        yield f"RandomZoom({ranges.zoom:g}, {ranges.zoom:g}, {edge}, seed=SEED + 2)"
    modes = {"horizontal": ranges.flip, "vertical": ranges.vertical_flip}
    if mode := "_and_".join(name for name, is_flipped in modes.items() if is_flipped):
        yield f'RandomFlip("{mode}", seed=SEED + 3)'


def arguments(augmentation: Augmentation | None) -> list[str]:
    """Return the arguments of ImageDataGenerator."""
    return [f"{name}={_source(value)}" for name, value in arguments_of(augmentation).items()]


def _source(value: float | tuple[float, float]) -> str:
    if isinstance(value, tuple):
        return f"({value[0]:g}, {value[1]:g})"
    return str(value) if isinstance(value, bool) else f"{value:g}"
