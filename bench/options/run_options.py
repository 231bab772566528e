# ruff: noqa: RUF009 - `option` and its like make fields, as dataclasses.field does
"""What a run is asked to do. A new option is one more field of RunOptions."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from feedbench.bench.options import values as read
from feedbench.bench.options.option import Given, flag, option, repeated, values
from feedbench.bench.records.conditions.page_cache import State
from feedbench.bench.records.pace import USUAL, Pace
from feedbench.pipelines.catalog import DEFAULT_SPECS
from feedbench.pipelines.contract import Channels, Dtype, LabelMode
from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from typing import Self

    from feedbench.bench.images.check import Checks
    from feedbench.pipelines.images.layouts import Layout

MOST_SEED = 2**31 - 1  # NumPy takes twice that, and Keras adds the number of the batch
MOST_PIXELS = 4096  # a side; a batch of 32 is 6 GB then
_USUAL_SECONDS = 300.0


def new_run_folder() -> Path:
    """Return where a run goes that was given no folder."""
    return Path("feedbench-runs") / datetime.now().astimezone().strftime("%Y-%m-%dT%H%M%S")


def user_cache(name: str) -> Path:
    """Return a folder of Feedbench's in the user's cache folder."""
    import platformdirs

    return platformdirs.user_cache_path("feedbench") / name


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """The options of `feedbench run`, in the order of its help, and what else a run is told.

    `feedbench run`, `feedbench verify`, the pytest plugin and a run's resume.json take the options
    from here. This module is imported for `--help`: it imports nothing that takes long.
    """

    folder: Path
    specs: tuple[str, ...] = repeated(  # the first is the baseline
        DEFAULT_SPECS,
        name="pipeline",
        letter="p",
        metavar="[LABEL=]SPEC",
        help="NAME[:knob=value,...] or FILE.py:FUNCTION; give it once for each. The first is the"
        " baseline.",
    )
    labels: str | None = option(
        None,
        read=read.as_it_is,
        metavar="CSV|REGEX",
        help="Where the labels stand if not in sub-folders: a file of lines FILE,LABEL, or what to"
        " find in the photos' own names: '^(\\w+)\\.' reads cat in cat.0.jpg.",
    )
    classes: tuple[str, ...] | None = option(
        None,
        read=read.names,
        metavar="A,B",
        help="The classes to take, in this order.",
        otherwise="all",
    )
    part: str | None = option(
        None,
        read=read.as_it_is,
        metavar="train|validation|test",
        help="Which part of a folder that has these inside, each with sub-folders of its own.",
        otherwise="train",
    )
    check: Literal["none", "header", "decode"] = option(
        "decode",
        read=read.one_of(read.CHECKS),
        metavar="none|header|decode",
        help="How images are looked at beforehand: by name only, by what their headers say, or"
        " decoded by TensorFlow and Pillow, which is remembered.",
    )
    bad_images: Literal["error", "skip"] = option(
        "error",
        read=read.one_of(read.BAD_IMAGES),
        metavar="error|skip",
        help="Refuse a folder with bad images, or leave them out.",
    )
    max_pixels: int | None = option(
        None,
        read=read.whole_number,
        metavar="N",
        help="Pixels above which an image is bad, and not decoded.",
        otherwise="Pillow's own limit, 89,478,485",
    )
    image_size: tuple[int, int] = option(  # height, width
        "224",
        read=read.image_size,
        metavar="N|HxW",
        help="Pixels, or HEIGHTxWIDTH, that are delivered.",
    )
    channels: Channels = option(
        "3",
        read=read.one_of(read.CHANNELS),
        metavar="1|3",
        help="3: RGB. 1: grey, 0.299 R + 0.587 G + 0.114 B of the resized image.",
    )
    dtype: Dtype = option(
        "float32",
        read=read.one_of(read.DTYPES),
        metavar="float32|uint8",
        help="Of the images. uint8: 0..255, rounded, halves to the even number.",
    )
    value_range: tuple[float, float] = option(  # of black and white
        None,
        name="range",
        read=read.one_of(read.RANGES),
        metavar="0..1|-1..1|0..255",
        help="Black and white. -1..1: as MobileNet's preprocess_input; 0..255: for a model that"
        " has a Rescaling layer.",
        otherwise="0..1, or 0..255 for uint8",
        absent=lambda given: read.RANGES["0..255" if given.get("dtype") == "uint8" else "0..1"],
    )
    label_mode: LabelMode = option(
        "int",
        read=read.one_of(read.LABEL_MODES),
        metavar="int|categorical|binary",
        help="Labels [B] int32; [B, classes] float32, one-hot; or, of 2 classes, [B, 1] float32.",
    )
    batch_size: int = option("32", read=read.whole_number, metavar="N", help="Images in a batch.")
    seconds: float | None = option(  # None: without end
        None,
        name="time",
        read=read.seconds,
        metavar="TIME",
        help="For everything, from the command to the report: 90s, 5m, 1h.",
        otherwise="5m, or without end where --blocks is given",
        absent=lambda given: _USUAL_SECONDS if given.get("blocks") is None else None,
    )
    blocks: int | None = option(
        None,
        read=read.whole_number,
        metavar="N",
        help="Exactly so many blocks (verdicts need 4).",
    )
    margin: float = option(  # a share
        "5%",
        read=read.share,
        metavar="SHARE",
        help="What counts as equivalent: 5% is 1/1.05 to 1.05.",
    )
    limit: int | Literal["all"] | None = option(
        None,
        read=read.limit,
        metavar="N|all",
        help="Images to measure, over all classes evenly.",
        otherwise="as many as the time allows",
    )
    seed: int = option(
        "0",
        read=read.whole_number,
        metavar="N",
        help="What every random choice follows from.",
    )
    out: Path = option(
        None,
        read=read.path,
        metavar="DIR",
        help="A new folder for the run.",
        otherwise="feedbench-runs/DATE-TIME",
        absent=lambda _: new_run_folder(),
    )
    prepared: Path = option(  # the store of what pipelines have written beforehand
        None,
        read=read.path,
        metavar="DIR",
        help="Where what pipelines write beforehand is kept, and found again.",
        otherwise="the user's cache folder",
        absent=lambda _: user_cache("prepared"),
    )
    page_cache: State = option(
        "warm",
        read=read.one_of(read.PAGE_CACHES),
        metavar="warm|cold",
        help="Whether the first epoch of each trial finds its files in memory. cold sends the files"
        " that a pipeline reads out of the page cache first; both are checked.",
    )
    trace: bool = flag(  # and whatever else tells, after the blocks, why it is so
        default=True,
        help="After the blocks, within a fifth of --time: traces for TensorBoard, the machine's"
        " ceilings, each step's cost, and advice.",
    )
    fresh_interpreter: bool = flag(
        default=False, help="A whole new Python a trial, not a forked one."
    )
    against: str | None = option(
        None,
        read=read.as_it_is,
        metavar="PYTHON",
        help="The Python of another environment that has Feedbench: each pipeline is measured there"
        " too, in the same blocks.",
    )
    # What no option says.
    proofs: Path | None = None  # where proofs of equal work are remembered; None: nowhere
    findings: Path | None = None  # where it is remembered which images are bad; None: nowhere
    command: tuple[str, ...] = ()  # the words that started it
    pace: Pace = USUAL  # for tests
    begun: float = field(default_factory=time.monotonic)  # CLOCK_MONOTONIC

    @classmethod
    def of(
        cls, given: Given, folder: Path, *, begun: float | None = None, prefix: str = "--"
    ) -> Self:
        """Return what was typed for this process, over a folder of images.

        `prefix` stands before the name of an option that an error names; `begun` is a moment of
        CLOCK_MONOTONIC. Raises RequestError for what cannot be read, and what no run is made of.
        """
        from feedbench.pipelines.images.index import image_id

        return cls(
            **values(cls, given, prefix),
            folder=folder,
            proofs=user_cache("proofs"),
            findings=user_cache("checked"),
            command=tuple(image_id(word) for word in sys.argv),
            pace=pace_asked_for(),
            begun=time.monotonic() if begun is None else begun,
        )

    @property
    def layout(self) -> Layout:
        """How the images are labelled. Raises RequestError for what cannot be meant."""
        from feedbench.pipelines.images.layouts import Layout

        return Layout(labels=self.labels, classes=self.classes, part=self.part)

    @property
    def checks(self) -> Checks:
        """How the images are looked at. Raises RequestError for what cannot be done."""
        from feedbench.bench.images.check import Checks
        from feedbench.pipelines.images.image_check import MOST_PIXELS as USUAL_PIXELS

        return Checks(
            how=self.check,
            bad_images=self.bad_images,
            most_pixels=USUAL_PIXELS if self.max_pixels is None else self.max_pixels,
            cache=self.findings,
        )

    def __post_init__(self) -> None:
        """Raise RequestError for what no run can be made of."""
        self.layout, self.checks  # noqa: B018 - each refuses what it cannot be made of
        height, width = self.image_size
        if not (1 <= height <= MOST_PIXELS and 1 <= width <= MOST_PIXELS):
            raise RequestError(
                f"--image-size {height}x{width}: expected 1 to {MOST_PIXELS} pixels a side"
            )
        if self.dtype == "uint8" and self.value_range != (0, 255):
            low, high = self.value_range
            raise RequestError(
                f"--range {low:g}..{high:g}: expected 0..255, which is what uint8 means; leave it"
                " out, or take --dtype float32"
            )
        _positive("--batch-size", self.batch_size, "images")
        _positive("--blocks", self.blocks, "blocks")
        if self.limit != "all":
            _positive("--limit", self.limit, "images, or all")
        if not 0 <= self.seed <= MOST_SEED:
            raise RequestError(f"--seed {self.seed}: expected 0 to {MOST_SEED}")
        for name, folder in (("--out", self.out), ("--prepared", self.prepared)):
            if not _is_utf8(str(folder.absolute())):
                raise RequestError(f"{name} {str(folder)!r}: expected a name in valid UTF-8")
        if not 0 < self.margin < 1:
            raise RequestError(
                f"--margin {self.margin:.0%}: expected more than 0 % and under 100 %"
            )


def pace_asked_for() -> Pace:
    """Return the pace that FEEDBENCH_PACE holds as JSON; it is a variable for tests.

    Raises RequestError where it holds something else.
    """
    text = os.environ.get("FEEDBENCH_PACE", "{}")
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


def _positive(option: str, value: int | None, unit: str) -> None:
    if value is not None and value < 1:
        raise RequestError(f"{option} {value}: expected 1 or more {unit}")
