"""How far the pixels of a pipeline may be from the reference for a verdict."""

from __future__ import annotations

from dataclasses import dataclass

from feedbench.bench.options import values as read
from feedbench.bench.options.option import option
from feedbench.pipelines.errors import RequestError

MOST_LEVELS = 255.0


@dataclass(frozen=True, kw_only=True)
class AcceptanceOptions:
    """What a user accepts in the images that are delivered."""

    pixels: float | None = option(  # grey levels; None: only equal work has a verdict
        None,
        read=read.number,
        metavar="LEVELS",
        help="Also compare pipelines whose pixels are up to LEVELS grey levels of 255 from the"
        " reference, on average, and which are right otherwise. Such as 3, for images that are"
        " stored smaller.",
        otherwise="only the same or near images",
    )

    def __post_init__(self) -> None:
        """Raise RequestError for a distance that no pixels have."""
        if self.pixels is not None and not 0 < self.pixels <= MOST_LEVELS:
            raise RequestError(
                f"--pixels {self.pixels:g}: expected more than 0 and at most {MOST_LEVELS:g} grey"
                " levels"
            )
