"""The ranges of an augmentation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What is drawn anew for every image in every epoch, each evenly from its range.

    The names and meanings are those of Keras' ImageDataGenerator. 0 or False: not done.
    """

    flip: bool = False  # left to right, every other image on average (horizontal_flip)
    vertical_flip: bool = False  # upside down, as often
    rotate: float = 0.0  # degrees: -rotate to rotate (rotation_range)
    width_shift: float = 0.0  # of the width: -width_shift to width_shift
    height_shift: float = 0.0  # of the height
    zoom: float = 0.0  # scale of each side: 1 - zoom to 1 + zoom (zoom_range)
    brightness: float = 0.0  # factor of all values: 1 - brightness to 1 + brightness

    @property
    def is_affine(self) -> bool:
        """Whether it moves pixels by more than flips, so that values are interpolated."""
        return any((self.rotate, self.width_shift, self.height_shift, self.zoom))

    def __str__(self) -> str:
        """Return it as `--augment` takes it."""
        return ",".join(self._parts())

    def _parts(self) -> Iterator[str]:
        shift = self.width_shift if self.width_shift == self.height_shift else 0
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if shift and name.endswith("_shift"):
                if name == "width_shift":
                    yield f"shift={_number(shift)}"
            elif value:
                yield name if value is True else f"{name}={_number(value)}"


def _number(value: float) -> str:
    return repr(value).removesuffix(".0")
