"""A known mistake: a name, and the image that it makes of a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from feedbench.bench.equal_work.references import Levels
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.forms import Fit

Deliver = Callable[[str, Image.Image, Workload], Levels]
"""A file, its picture as Pillow decodes it, and the workload -> the image that a mistake gives."""


@dataclass(frozen=True)
class Mistake:
    """A known mistake."""

    name: str
    deliver: Deliver
    is_fault: bool = True
    needs_colour: bool = False  # grey images cannot show it
    is_reduced: bool = False  # decoded at a reduced scale that is large enough: all pixels count
    fit: Fit | None = None  # it is no mistake in a workload that asks for this fit

    def levels(self, workload: Workload, place: int, image: Image.Image) -> Levels | None:
        """Return the image that it makes of a decoded file; None if it is none there."""
        if (self.needs_colour and workload.channels == 1) or self.fit == workload.fit:
            return None
        try:
            return self.deliver(workload.files[place], image, workload)
        except Exception:  # noqa: BLE001 - whatever a user's file makes a decoder raise
            return None
