# ruff: noqa: RUF009 - `option` and its like make fields, as dataclasses.field does
"""Whether a model waits for its input: which model, or how many images a second it takes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields

from feedbench.bench.options import values as read
from feedbench.bench.options.option import flag, option
from feedbench.bench.records.demand.demand import CostName, ModelRecord
from feedbench.bench.records.demand.feeding import LEAST_STEP_SECONDS
from feedbench.bench.records.demand.published import PUBLISHED, Published
from feedbench.bench.text import digits, listed
from feedbench.pipelines.errors import RequestError, did_you_mean

MOST_STEP_SECONDS = 10.0
"""With a longer step, a trial would take minutes."""

COSTS: dict[str, CostName] = {
    "cpu": "cpu",
    "memory": "memory",
    "disk": "disk",
    "prepare": "prepare",
}
_UNITS = {"ms": 0.001, "s": 1.0}
_NAMES = ", ".join(published.name for published in PUBLISHED)


@dataclass(frozen=True)
class Appetite:
    """An appetite as it was typed."""

    text: str
    images_per_second: float
    published: Published | None = None


def step(option: str, text: str) -> float:
    """Read what a step takes, such as 30ms or 0.5s, in seconds."""
    parts = re.fullmatch(r"(-?\d+(?:\.\d+)?)\s*(ms|s)", text)
    if parts is None:
        hint = f"write {option} {text}ms for milliseconds" if read.is_number(text) else ""
        raise RequestError(
            f"{option} {text!r}: expected a time with its unit, such as 30ms or 0.5s", hint=hint
        )
    seconds = float(parts[1]) * _UNITS[parts[2]]
    if seconds <= 0:
        raise RequestError(f"{option} {text}: expected more than 0 ms")
    return seconds


def appetite(option: str, text: str) -> Appetite:
    """Read an appetite: images a second, or the name of a published one."""
    for published in PUBLISHED:
        if text.lower() == published.name:
            return Appetite(published.name, published.images_per_second, published)
    if not read.is_number(text):
        raise RequestError(
            f"{option} {text!r}: expected images a second, such as 1786, or {_NAMES}",
            hint=did_you_mean(text.lower(), [published.name for published in PUBLISHED]),
        )
    images_per_second = float(text)
    if not 0 < images_per_second < math.inf:
        raise RequestError(f"{option} {text}: expected more than 0 images a second")
    return Appetite(text, images_per_second)


@dataclass(frozen=True, kw_only=True)
class DemandOptions:
    """The model that the pipelines feed, and which of them is the cheapest that is enough."""

    step: float | None = option(
        None,
        read=step,
        metavar="TIME",
        help="How long your model takes for a batch, such as 30ms. It is emulated by a sleep, which"
        " takes no core. The run shows for which pipelines such a model waits.",
    )
    appetite: Appetite | None = option(
        None,
        read=appetite,
        metavar="N|NAME",
        help="Like --step, but as the images that your model takes in a second, such as 1786, or"
        f" as a published figure: {_NAMES}.",
    )
    model: str | None = option(
        None,
        read=read.as_it_is,
        metavar="NAME|FILE.py:FUNCTION|FILE.keras",
        help="A real model that trains, as in feedbench train. The run shows for which pipelines it"
        " waits, and how much slower they make its steps where both want the same cores.",
    )
    demand: bool = flag(
        default=False,
        help="After the blocks, measure how busy each pipeline keeps a model, by the images that it"
        " takes in a second. This takes up to a quarter of --time.",
    )
    cores_needed: bool = flag(
        default=False,
        help="Also measure each pipeline for which the model waits, on fewer cores: 1, 2, 4 and"
        " so on. The run then shows how its rate grows, and extrapolates how many cores would be"
        " enough. This takes up to a fifth of --time.",
    )
    cost: CostName = option(
        "cpu",
        read=read.one_of(COSTS),
        metavar="cpu|memory|disk|prepare",
        help="What makes a pipeline the cheapest, among those that are fast enough for the model:"
        " CPU time per image, peak memory, files written in advance, or the time to write them.",
    )

    def __post_init__(self) -> None:
        """Raise RequestError for two models."""
        given = {"--step": self.step, "--appetite": self.appetite, "--model": self.model}
        names = [name for name, value in given.items() if value is not None]
        if len(names) > 1:
            raise RequestError(
                f"{listed(names)}: expected one of them, since each is what the pipelines feed",
                hint=f"leave out {names[-1]}",
            )
        if self.cores_needed and not names:
            raise RequestError(
                "--cores-needed: expected a model that may wait for its input",
                hint="add --step 30ms, --appetite 1786 or --model NAME",
            )
        if self.model is not None:
            from feedbench.pipelines.networks.spec import parse_model

            parse_model(self.model)  # it refuses an unknown name and a missing file

    @property
    def feeds(self) -> bool:
        """Whether pipelines feed a model."""
        return not (self.step is None and self.appetite is None and self.model is None)


def model_of(options: DemandOptions, batch_size: int) -> ModelRecord | None:
    """Return the model that pipelines feed; None: none was requested.

    Raises RequestError for a step that is too short or too long to be emulated.
    """
    if options.model is not None:
        return ModelRecord(name=options.model, is_emulated=False)
    asked = options.appetite
    if asked is not None:
        seconds, name = batch_size / asked.images_per_second, asked.text
        given = f"--appetite {name}"
    elif options.step is not None:
        seconds, name = options.step, f"{digits(1000 * options.step)} ms"
        given = f"--step {name}"
    else:
        return None
    if not LEAST_STEP_SECONDS <= seconds <= MOST_STEP_SECONDS:
        raise RequestError(
            f"{given}: a step of {1000 * seconds:.3g} ms for {batch_size} images;"
            f" expected {1000 * LEAST_STEP_SECONDS:g} ms to {MOST_STEP_SECONDS:g} s,"
            " which a sleep can emulate",
            hint="use another --batch-size, or another appetite",
        )
    return ModelRecord(
        name=name,
        is_emulated=True,
        appetite=batch_size / seconds,
        step_seconds=seconds,
        published=None if asked is None else asked.published,
    )


DEMAND_FIELDS = frozenset(each.name for each in fields(DemandOptions))
"""The options here, which other commands than `run` leave out."""
