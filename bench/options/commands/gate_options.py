"""What a gate is asked, as well as a run."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from feedbench.bench.options import values as read
from feedbench.bench.options.demand_options import DEMAND_FIELDS
from feedbench.bench.options.option import Given, Option, flag, option, options_of, values
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.records.checks.gate import BASE, NEW
from feedbench.bench.records.pace import BRIEF, USUAL, Pace
from feedbench.pipelines.catalog import parse_all
from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from pathlib import PurePath
    from typing import Self

# What a gate decides itself: its pipelines, and when its blocks end.
_NOT_OF_A_GATE = {
    *("quick", "blocks", "until_told", "margin", "specs", "trace", "against"),
    *DEMAND_FIELDS,
    "augment_cost",
}
DEFAULTS = {"seconds": "10m", "limit": "256"}
_MOST_ROUNDS = 8  # of turns in a block


@dataclass(frozen=True, kw_only=True)
class GateOptions:
    """The two versions of a loader, and when the new one counts as slower."""

    base: str | None = option(
        None,
        read=read.as_it_is,
        metavar="SPEC",
        help="The pipeline to compare with, such as base/loader.py:photos. Required.",
    )
    new: str | None = option(
        None,
        read=read.as_it_is,
        metavar="SPEC",
        help="The pipeline that must not be slower, such as loader.py:photos. Required.",
    )
    tolerance: float = option(
        "5%",
        read=read.share,
        metavar="SHARE",
        help="How much longer the new pipeline may take: 5% is a ratio of 0.952.",
    )
    strict: bool = flag(
        default=False, help="Fail if it cannot tell: exit with code 1 instead of 3."
    )
    confirm: bool = flag(
        default=False,
        help="If the new pipeline is slower, measure both once more. Fail only if it is slower"
        " again. --time is for each of the two runs.",
    )

    @classmethod
    def of(cls, given: Given) -> Self:
        """Return the options as typed. Raises RequestError if they cannot be used."""
        return cls(**values(cls, given))

    def __post_init__(self) -> None:
        """Raise RequestError if a pipeline is missing."""
        for name, spec in (("--base", self.base), ("--new", self.new)):
            if not spec:
                raise RequestError(
                    f"expected two pipelines; there is no {name}",
                    hint="such as --base base/loader.py:photos --new loader.py:photos",
                )

    def of_run(self, given: Given, folder: PurePath, *, begun: float) -> RunOptions:
        """Return the options of the gate's run over a folder of images.

        Raises RequestError if they cannot be used.
        """
        assert self.base is not None
        assert self.new is not None
        specs = [
            f"{BASE}={_text('--base', self.base)}",
            f"{NEW}={_text('--new', self.new)}",
        ]
        asked = RunOptions.of({**given, "pipeline": specs, "trace": False}, folder, begun=begun)
        return dataclasses.replace(asked, tolerance=self.tolerance, pace=_pace(asked.pace))


def _text(name: str, spec: str) -> str:
    """Return a SPEC without its label.

    Raises RequestError, which names the option, if there is no such pipeline.
    """
    try:
        (parsed,) = parse_all((spec,))
    except RequestError as error:
        what = error.sentence.removeprefix(f"--pipeline {spec}: ")
        raise RequestError(f"{name} {spec}: {what}", hint=error.hint) from None
    return parsed.text


def _pace(pace: Pace) -> Pace:
    """Return the pace of a gate: many short blocks answer sooner than a few long ones."""
    if not pace.rounds:  # the trials take no turns
        return pace
    short = BRIEF if pace == USUAL else pace
    most = min(short.most_rounds, _MOST_ROUNDS)
    return replace(short, rounds=short.least_rounds, most_rounds=most)


def options_of_gate() -> tuple[Option, ...]:
    """Return the options of `feedbench gate`: its own, and those of a run that it leaves open."""
    of_run = (each for each in options_of(RunOptions) if each.field not in _NOT_OF_A_GATE)
    return (*options_of(GateOptions), *map(_for_gate, of_run))


def _for_gate(option: Option) -> Option:
    """Return an option of a run as a gate has it."""
    if option.field not in DEFAULTS:
        return option
    return dataclasses.replace(option, default=DEFAULTS[option.field], otherwise="")
