"""Delivered images as a file, from the process that collects them to the one that draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pathlib import Path

Pixels = npt.NDArray[np.uint8]
"""`[height, width, channels]` in grey levels, red first."""


@dataclass(frozen=True)
class Delivered:
    """Images in the order in which they were delivered."""

    pixels: npt.NDArray[np.uint8]  # [N, height, width, channels]
    labels: npt.NDArray[Any]  # [N], places in class_names
    notes: tuple[str, ...] = ()  # clauses: what is wrong with the values

    def write(self, file: Path) -> None:
        """Write it to a file, whose name ends in .npz."""
        np.savez(file, pixels=self.pixels, labels=self.labels, notes=np.asarray(self.notes, str))

    @classmethod
    def read(cls, file: Path) -> Delivered:
        """Read what `write` wrote."""
        with np.load(file) as arrays:
            notes = tuple(str(note) for note in arrays["notes"])
            return cls(arrays["pixels"], arrays["labels"], notes)
