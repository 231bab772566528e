"""How long a run measures, how much, and what counts as equivalent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from feedbench.bench.options import values as read
from feedbench.bench.options.option import Given, flag, option
from feedbench.bench.records.pace import BRIEF, USUAL, Pace
from feedbench.pipelines.errors import RequestError

MOST_SEED = 2**31 - 1  # NumPy takes twice that, and Keras adds the number of the batch
_USUAL_SECONDS = 300.0
_QUICK_SECONDS = 60.0
_SHORT_SECONDS = 90.0  # up to which a run's windows are brief


def _usual_seconds(given: Given) -> float | None:
    if given.get("blocks") is not None:
        return None
    return _QUICK_SECONDS if given.get("quick") else _USUAL_SECONDS


@dataclass(frozen=True, kw_only=True)
class TimeOptions:
    """The time, the blocks, the images, the seed, and the margin of the verdicts."""

    quick: bool = flag(
        default=False,
        help="An answer within a minute: --time 60s, --no-trace, and of the default pipelines only"
        " image_data_generator, tfdata_tuned and, if there is time, tfrecord_sharded. --time,"
        " --blocks and --pipeline replace these. A slow or busy machine gets up to 3 minutes.",
    )
    seconds: float | None = option(  # None: without end
        None,
        name="time",
        read=read.seconds,
        metavar="TIME",
        help="Time for everything, from the command to the report, such as 90s, 5m or 1h.",
        otherwise="5m, or no limit with --blocks",
        absent=_usual_seconds,
    )
    blocks: int | None = option(
        None,
        read=read.whole_number,
        metavar="N",
        help="Measure exactly N blocks. Verdicts need at least 4.",
    )
    until_told: bool = flag(
        default=False,
        help="Measure until no verdict is inconclusive, within --time or at most --blocks. The"
        " intervals hold whenever it stops, and are wider.",
    )
    margin: float = option(  # a share
        "5%",
        read=read.share,
        metavar="SHARE",
        help="Ratios that count as equivalent: 5% is 1/1.05 to 1.05.",
    )
    limit: int | Literal["all"] | None = option(
        None,
        read=read.limit,
        metavar="N|all",
        help="Measure only N images, spread evenly over all classes.",
        otherwise="as many as the time allows",
    )
    seed: int = option(
        "0",
        read=read.whole_number,
        metavar="N",
        help="The seed of every random choice.",
    )

    @property
    def may_take_longer(self) -> bool:
        """Whether a run that is too short may take longer: the user named no time."""
        return self.quick and self.seconds == _QUICK_SECONDS

    def __post_init__(self) -> None:
        """Raise RequestError for a measurement that cannot be made."""
        read.refuse_under_1("--blocks", self.blocks, "blocks")
        if self.limit != "all":
            read.refuse_under_1("--limit", self.limit, "images, or all")
        if not 0 <= self.seed <= MOST_SEED:
            raise RequestError(f"--seed {self.seed}: expected 0 to {MOST_SEED}")
        if not 0 < self.margin < 1:
            raise RequestError(f"--margin {self.margin:.0%}: expected more than 0% and under 100%")


def pace_for(seconds: float | None) -> Pace:
    """Return the pace of a run that has this time."""
    return BRIEF if seconds is not None and seconds <= _SHORT_SECONDS else USUAL
