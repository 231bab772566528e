"""What `feedbench scale` is asked, as well as images and one pipeline."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feedbench.bench.options.option import Given, Option, Typed, option, options_of, values
from feedbench.bench.options.run_options import RunOptions
from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from pathlib import PurePath
    from typing import Self

MOST_WORKERS, MOST_CORES, MOST_COUNTS = 64, 1024, 8
"""The largest numbers that are accepted, and how many of them: each is a trial of every block."""

# What it decides itself.
_NOT_OF_SCALING = {
    *("quick", "until_told", "trace", "against", "augment_cost"),
    *("records", "image_key", "label_key", "demand", "cost"),
}
_DEFAULTS = {"seconds": "10m", "limit": "512"}
_SENTENCES = {
    "specs": "The pipeline: tfdata_service[:knob=value,...], or with --cores any pipeline.",
    "step": "How long your model takes for a batch, such as 30ms. The result says how many workers"
    " and cores it takes so that such a model does not wait.",
    "model": "A real model that trains, as in feedbench train. Its appetite is measured, and so is"
    " how fast each number of workers and cores feeds it.",
}
_USUAL = "tfdata_service with --workers, else tfdata_tuned:cache=none"


def counts(option: str, text: str) -> tuple[int, ...]:
    """Read numbers such as 1,2,4, in ascending order."""
    parts = [part.strip() for part in text.split(",")]
    most = MOST_WORKERS if option.endswith("workers") else MOST_CORES
    for part in parts:
        if not part.isdecimal() or not 1 <= int(part) <= most:
            raise RequestError(
                f"{option} {text}: expected numbers from 1 to {most} such as 1,2,4; found {part!r}"
            )
    numbers = sorted({int(part) for part in parts})
    if len(numbers) < 2:  # noqa: PLR2004 - a line has two points
        raise RequestError(
            f"{option} {text}: expected two different numbers at least, since one shows no growth",
            hint=f"such as {option} {numbers[0]},{2 * numbers[0]}",
        )
    if len(numbers) > MOST_COUNTS:
        raise RequestError(
            f"{option} {text}: expected {MOST_COUNTS} numbers at most, since each is a trial of"
            f" every block; found {len(numbers)}",
            hint=f"leave some out, such as {option} 1,2,4,8,16",
        )
    return tuple(numbers)


@dataclass(frozen=True, kw_only=True)
class ScaleOptions:
    """The numbers of workers and cores that are measured."""

    workers: tuple[int, ...] = option(
        None,
        read=counts,
        metavar="N,N,...",
        help="Numbers of workers of tf.data service, such as 1,2,4. Each worker has one core, as"
        " far as there are cores; more workers share them.",
        absent=lambda _: (),
    )
    cores: tuple[int, ...] = option(
        None,
        read=counts,
        metavar="N,N,...",
        help="Numbers of cores that a pipeline's processes may use, such as 1,2. For"
        " tfdata_service, its pipeline is measured without the service.",
        absent=lambda _: (),
    )

    @classmethod
    def of(cls, given: Given) -> Self:
        """Return the options as typed. Raises RequestError if they cannot be used."""
        return cls(**values(cls, given))

    def __post_init__(self) -> None:
        """Raise RequestError if there is nothing to count."""
        if not self.workers and not self.cores:
            raise RequestError(
                "expected numbers of workers or cores; there is neither --workers nor --cores",
                hint="such as --workers 1,2,4 or --cores 1,2",
            )

    def of_run(self, given: Given, folder: PurePath, *, begun: float) -> RunOptions:
        """Return the images, the pipeline and the time, as the options of a run.

        Raises RequestError if they cannot be used.
        """
        usual = "tfdata_service" if self.workers else "tfdata_tuned:cache=none"
        pipelines = given.get("pipeline") or [usual]
        assert not isinstance(pipelines, bool | str)
        if len(pipelines) > 1:
            raise RequestError(
                f"expected one pipeline, whose workers or cores vary; found {len(pipelines)}",
                hint=f"measure the others separately: feedbench scale -p {pipelines[1]}",
            )
        typed: dict[str, Typed] = {"pipeline": pipelines, "augment-cost": False}
        typed |= {name: given.get(name) or default for name, default in _TYPED.items()}
        return RunOptions.of({**given, **typed}, folder, begun=begun)


_TYPED = {"time": _DEFAULTS["seconds"], "limit": _DEFAULTS["limit"]}


def options_of_scaling() -> tuple[Option, ...]:
    """Return the options of `feedbench scale`: its own, and those of a run that it leaves open."""
    of_run = (each for each in options_of(RunOptions) if each.field not in _NOT_OF_SCALING)
    return (*options_of(ScaleOptions), *map(_for_scaling, of_run))


def _for_scaling(each: Option) -> Option:
    """Return an option of a run as scaling has it."""
    if each.field in _SENTENCES:
        each = dataclasses.replace(each, help=_SENTENCES[each.field])
    if each.field in _DEFAULTS:
        return dataclasses.replace(each, default=_DEFAULTS[each.field], otherwise="")
    if each.field == "specs":
        return dataclasses.replace(each, otherwise=_USUAL)
    return each
