"""What `feedbench tune` is asked, as well as images and pipelines."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from feedbench.bench.options import values as read
from feedbench.bench.options.demand_options import DEMAND_FIELDS
from feedbench.bench.options.option import Given, Option, option, options_of, values
from feedbench.bench.options.run_options import RunOptions
from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from pathlib import PurePath
    from typing import Self

    from feedbench.bench.records.tuning.tuning import Allowance

# What a tuning decides itself.
_NOT_OF_TUNING = {
    *("quick", "until_told", "margin", "trace", "against", "augment_cost"),
    *("records", "image_key", "label_key"),
    *DEMAND_FIELDS,
}
_DEFAULTS = {"seconds": "15m"}
_SPECS = ("tfdata_tuned", "tfrecord_sharded", "tfdata_saved", "threads")
_OTHERWISE = {"limit": "256, or fewer if they take long", "specs": ", ".join(_SPECS)}
_SENTENCES = {
    "specs": "A pipeline whose knobs are varied: NAME[:knob=value,...]. A knob that you give stays"
    " as it is. Give it once per pipeline. Gains are compared with the first, as you give it.",
    "seconds": "Time for everything, such as 5m or 1h. More time measures more candidates.",
    "blocks": "At most N blocks in each rung and in the final run, within --time.",
    "limit": "Measure with N images, spread evenly over all classes. Times are of all images.",
}


@dataclass(frozen=True, kw_only=True)
class TuneOptions:
    """What the winner may cost, and for how many epochs it is to be the fastest."""

    epochs: int | None = option(
        None,
        read=read.whole_number,
        metavar="N",
        help="Planned epochs. The least time for all of them wins. It includes the time to write"
        " files in advance.",
        otherwise="the highest rate wins",
    )
    disk: int | None = option(  # bytes
        None,
        read=read.size,
        metavar="SIZE",
        help="The most bytes to write in advance or as a cache, for all images. Such as 5GB.",
        otherwise="what is free",
    )
    memory: int | None = option(  # bytes
        None,
        read=read.size,
        metavar="SIZE",
        help="The most memory of the pipeline's process, with its cache of all images. Such as"
        " 4GB.",
        otherwise="no limit",
    )

    preparation: float | None = option(  # seconds
        None,
        read=read.seconds,
        metavar="TIME",
        help="The most time to write files in advance, for all images. Such as 10m.",
        otherwise="no limit",
    )

    @classmethod
    def of(cls, given: Given) -> Self:
        """Return the options as typed. Raises RequestError if they cannot be used."""
        return cls(**values(cls, given))

    def __post_init__(self) -> None:
        """Raise RequestError for no epochs, and for amounts that allow nothing."""
        read.refuse_under_1("--epochs", self.epochs, "epochs")
        if self.memory == 0:
            raise RequestError("--memory 0: expected more than 0 bytes, such as 4GB")

    def allowance(self, options: RunOptions) -> Allowance:
        """Return what the user allows."""
        from feedbench.bench.records.tuning.tuning import Allowance

        return Allowance(
            pixels=options.pixels,
            disk_bytes=self.disk,
            memory_bytes=self.memory,
            preparation_seconds=self.preparation,
            epochs=self.epochs,
        )

    def of_run(self, given: Given, folder: PurePath, *, begun: float) -> RunOptions:
        """Return the images, the pipelines and the time, as the options of a run.

        Raises RequestError if they cannot be used.
        """
        typed = {
            "pipeline": given.get("pipeline") or usual_specs(),
            "time": given.get("time") or _DEFAULTS["seconds"],
            "trace": False,
            "augment-cost": False,
        }
        return RunOptions.of({**given, **typed}, folder, begun=begun)


def usual_specs() -> tuple[str, ...]:
    """Return the pipelines of a tuning for which nobody named any; threads if it is installed."""
    has_fast = all(find_spec(name) is not None for name in ("simplejpeg", "cv2"))
    return _SPECS if has_fast else _SPECS[:-1]


def options_of_tuning() -> tuple[Option, ...]:
    """Return the options of `feedbench tune`: its own, and those of a run that it leaves open."""
    of_run = (each for each in options_of(RunOptions) if each.field not in _NOT_OF_TUNING)
    return (*options_of(TuneOptions), *map(_for_tuning, of_run))


def _for_tuning(each: Option) -> Option:
    """Return an option of a run as tuning has it."""
    if each.field in _SENTENCES:
        each = dataclasses.replace(each, help=_SENTENCES[each.field])
    if each.field in _DEFAULTS:
        return dataclasses.replace(each, default=_DEFAULTS[each.field], otherwise="")
    if each.field in _OTHERWISE:
        return dataclasses.replace(each, otherwise=_OTHERWISE[each.field])
    return each
