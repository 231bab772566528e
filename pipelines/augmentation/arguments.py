"""An augmentation as the arguments of Keras' ImageDataGenerator."""

from __future__ import annotations

from feedbench.pipelines.augmentation.ranges import Augmentation

Arguments = dict[str, bool | float | tuple[float, float]]


def arguments_of(augmentation: Augmentation | None) -> Arguments:
    """Return the arguments that differ from the defaults; none for None."""
    if augmentation is None:
        return {}
    bright = augmentation.brightness
    arguments: Arguments = {
        "horizontal_flip": augmentation.flip,
        "vertical_flip": augmentation.vertical_flip,
        "rotation_range": augmentation.rotate,
        "width_shift_range": augmentation.width_shift,
        "height_shift_range": augmentation.height_shift,
        "zoom_range": augmentation.zoom,
        "brightness_range": (1 - bright, 1 + bright) if bright else 0.0,
    }
    return {name: value for name, value in arguments.items() if value}
