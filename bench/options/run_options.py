# ruff: noqa: RUF009 - `option` and its like make fields, as dataclasses.field does
"""What a run is asked to do. A new option is one more field of RunOptions, or of a group of it."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from feedbench.bench.options import values as read
from feedbench.bench.options.acceptance_options import AcceptanceOptions
from feedbench.bench.options.delivery_options import DeliveryOptions
from feedbench.bench.options.demand_options import DemandOptions, model_of
from feedbench.bench.options.option import Given, flag, option, values
from feedbench.bench.options.source_options import SourceOptions
from feedbench.bench.options.split_options import SplitOptions, refuse_two_parts
from feedbench.bench.options.time_options import TimeOptions, pace_for
from feedbench.bench.options.training_options import TrainingOptions
from feedbench.bench.records.conditions.page_cache import State
from feedbench.bench.records.pace import USUAL, Pace
from feedbench.pipelines.augmentation.ranges import Augmentation
from feedbench.pipelines.catalog import DEFAULT_SPECS, RECORDS_NAME, parse, refuse_store
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.remote.address import Address

if TYPE_CHECKING:
    from typing import Self

    from feedbench.bench.records.messages import Form

QUICK_SPECS = ("image_data_generator", "tfdata_tuned", "tfrecord_sharded")
"""The default pipelines of a quick run; the first is the baseline, as in other runs."""

STORE_SPEC = "threads"
"""The baseline of runs on images in a store for which nobody named pipelines."""

DEFAULTS = tuple(
    specs for each in (DEFAULT_SPECS, QUICK_SPECS) for specs in (each, (RECORDS_NAME, *each))
)
"""The pipelines of runs for which nobody named any, with and without record files."""


def of_store(usual: tuple[str, ...], folder: Address) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the default pipelines for images in a store, and the usual ones that cannot read it.

    `threads` is the baseline there: it reads each image from the store in each epoch.
    """
    kept, left_out = [STORE_SPEC], []
    for text in usual:
        try:
            refuse_store(parse(text), folder.scheme)
        except RequestError:
            left_out.append(text)
        else:
            kept.append(text)
    return tuple(kept), tuple(left_out)


def new_run_folder() -> Path:
    """Return the folder of a run for which none was named."""
    return Path("feedbench-runs") / datetime.now().astimezone().strftime("%Y-%m-%dT%H%M%S")


def user_cache(name: str) -> Path:
    """Return a folder of Feedbench's in the user's cache folder."""
    import platformdirs

    return platformdirs.user_cache_path("feedbench") / name


@dataclass(frozen=True, kw_only=True)
class RunOptions(
    DemandOptions,
    TimeOptions,
    AcceptanceOptions,
    TrainingOptions,
    DeliveryOptions,
    SplitOptions,
    SourceOptions,
):
    """The options of `feedbench run`, in the order of its help, and what no option sets.

    The fields of the last group come first, as in every dataclass.

    `feedbench run`, `feedbench verify`, the pytest plugin and a run's resume.json take the options
    from here. This module is imported for `--help`: it imports nothing that takes long.
    """

    out: Path = option(
        None,
        read=read.path,
        metavar="DIR",
        help="A new folder for the run.",
        otherwise="feedbench-runs/DATE-TIME",
        absent=lambda _: new_run_folder(),
    )
    prepared: Path = option(  # the store of files that pipelines write in advance
        None,
        read=read.path,
        metavar="DIR",
        help="The folder of files that pipelines write in advance. Later runs use them again.",
        otherwise="the user's cache folder",
        absent=lambda _: user_cache("prepared"),
    )
    page_cache: State = option(
        "warm",
        read=read.one_of(read.PAGE_CACHES),
        metavar="warm|cold",
        help="Whether each trial's first epoch reads its files from memory (warm) or from the"
        " device (cold). Feedbench checks this.",
    )
    trace: bool = flag(  # and all else that shows, after the blocks, why
        default=True,
        help="After the blocks, find the reasons for the rates. This takes up to a fifth of --time."
        " It gives TensorBoard traces, the machine's ceilings, each step's cost, and advice.",
    )
    augment_cost: bool = flag(
        default=True,
        help="With --augment, also measure each pipeline without it, in the same blocks. The report"
        " then shows what augmentation costs.",
    )
    fresh_interpreter: bool = flag(
        default=False,
        help="Start a new Python for each trial. By default, a trial is forked from one Python.",
    )
    one_at_a_time: bool = flag(
        default=False,
        help="Run each trial from beginning to end before the next. By default, the trials of a"
        " block take turns of half a second, and all but one are stopped.",
    )
    against: str | None = option(
        None,
        read=read.as_it_is,
        metavar="PYTHON",
        help="Also measure each pipeline in another environment, in the same blocks. PYTHON is its"
        " interpreter, and must have Feedbench.",
    )
    debug: bool = flag(
        default=False,
        help="Show the whole traceback of an error, also of one that a loader raises.",
    )
    # What no option sets.
    proofs: Path | None = None  # where proofs of equal work are remembered; None: nowhere
    spare_blocks: int = 0  # at most, after `blocks`, while a pipeline was disturbed in some of them
    command: tuple[str, ...] = ()  # the words that started it
    # Of a gate, a share: its blocks end when its answer is clear. None: it is no gate.
    tolerance: float | None = None
    pinned: dict[str, tuple[int, ...]] = field(default_factory=dict)  # cores of trials, by label
    only_ceilings: bool = False  # of all that the diagnosis measures
    left_out_specs: tuple[str, ...] = ()  # default pipelines that cannot read the images' store
    pace: Pace = USUAL  # for tests
    begun: float = field(default_factory=time.monotonic)  # CLOCK_MONOTONIC

    @classmethod
    def of(
        cls, given: Given, folder: PurePath, *, begun: float | None = None, prefix: str = "--"
    ) -> Self:
        """Return the options as typed, for a run over a folder of images.

        `prefix` is put before an option's name in an error; `begun` is a moment of CLOCK_MONOTONIC.
        Raises RequestError for a text that cannot be read, and for options that no
        run can have.
        """
        from feedbench.pipelines.images.index import image_id

        typed = values(cls, given, prefix)
        if not given.get("pipeline"):
            usual = QUICK_SPECS if typed["quick"] else DEFAULT_SPECS
            # Record files are compared with what the user has.
            typed["specs"] = usual if typed["records"] is None else (RECORDS_NAME, *usual)
            if isinstance(folder, Address):
                typed["specs"], typed["left_out_specs"] = of_store(usual, folder)
        if typed["quick"]:
            typed["trace"] = False
        pace = pace_asked_for(pace_for(typed["seconds"]))
        return cls(
            **typed,
            folder=folder,
            proofs=user_cache("proofs"),
            findings=user_cache("checked"),
            command=tuple(image_id(word) for word in sys.argv),
            pace=replace(pace, rounds=0) if typed["one_at_a_time"] else pace,
            begun=time.monotonic() if begun is None else begun,
        )

    @property
    def augmentation(self) -> Augmentation | None:
        """The augmentation of the images; None for those for validation."""
        return None if self.subset == "validation" else self.augment

    @property
    def form(self) -> Form:
        """What a built-in pipeline may refuse to deliver."""
        from feedbench.bench.records.messages import Form

        return Form(fit=self.fit, size=self.image_size, augmentation=self.augmentation)

    @property
    def measures_unaugmented(self) -> bool:
        """Whether each pipeline is also measured without the augmentation."""
        is_brief = self.quick or self.tolerance is not None
        return self.augmentation is not None and self.augment_cost and not is_brief

    def __post_init__(self) -> None:
        """Raise RequestError for options that no run can have."""
        groups = (SourceOptions, DeliveryOptions, AcceptanceOptions, TimeOptions, DemandOptions)
        for group in groups:
            group.__post_init__(self)
        model_of(self, self.batch_size)  # it refuses a step that cannot be emulated
        refuse_two_parts(self, self.part)
        if self.until_told and len(self.specs) == 1 and self.against is None:
            raise RequestError(
                "--until-told: expected at least two pipelines, since a verdict compares two",
                hint="add a pipeline with -p, or leave out --until-told",
            )
        for name, folder in (("--out", self.out), ("--prepared", self.prepared)):
            if not _is_utf8(str(folder.absolute())):
                raise RequestError(
                    f"{name} {str(folder)!r}: expected a name in valid UTF-8",
                    hint="name another folder",
                )


def pace_asked_for(usual: Pace = USUAL) -> Pace:
    """Return the pace in the variable FEEDBENCH_PACE, which is JSON and for tests; else the usual.

    Raises RequestError if it is anything else.
    """
    text = os.environ.get("FEEDBENCH_PACE")
    if text is None:
        return usual
    try:
        return msgspec.json.decode(text, type=Pace)
    except msgspec.MsgspecError as error:
        raise RequestError(
            f"FEEDBENCH_PACE={text}: expected a pace as JSON, such as"
            f' {{"least_seconds": 0.1}}: {error}'
        ) from None


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
