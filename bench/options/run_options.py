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
from feedbench.bench.options.records_options import refuse_with_records, refuse_without_records
from feedbench.bench.records.conditions.page_cache import State
from feedbench.bench.records.pace import USUAL, Pace
from feedbench.pipelines.catalog import DEFAULT_SPECS, RECORDS_NAME, names
from feedbench.pipelines.contract import Channels, Dtype, LabelMode
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.forms import RANGES, DataFormat, Fit, ValueRange

if TYPE_CHECKING:
    from typing import Self

    from feedbench.bench.images.check import Checks
    from feedbench.pipelines.images.layouts import Layout

MOST_SEED = 2**31 - 1  # NumPy takes twice that, and Keras adds the number of the batch
MOST_PIXELS = 4096  # a side; a batch of 32 is 6 GB then
_USUAL_SECONDS = 300.0


def new_run_folder() -> Path:
    """Return the folder of a run for which none was named."""
    return Path("feedbench-runs") / datetime.now().astimezone().strftime("%Y-%m-%dT%H%M%S")


def user_cache(name: str) -> Path:
    """Return a folder of Feedbench's in the user's cache folder."""
    import platformdirs

    return platformdirs.user_cache_path("feedbench") / name


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """The options of `feedbench run`, in the order of its help, and what no option sets.

    `feedbench run`, `feedbench verify`, the pytest plugin and a run's resume.json take the options
    from here. This module is imported for `--help`: it imports nothing that takes long.
    """

    folder: Path
    specs: tuple[str, ...] = repeated(  # the first is the baseline
        DEFAULT_SPECS,
        name="pipeline",
        letter="p",
        words=names,
        metavar="[LABEL=]SPEC",
        help="A pipeline: NAME[:knob=value,...], FILE.py:FUNCTION or PACKAGE.MODULE:FUNCTION. Give"
        " it once per pipeline. The first is the baseline.",
    )
    records: str | None = option(  # the folder is then where their images are extracted to
        None,
        read=read.as_it_is,
        metavar="PATTERN",
        help="Your TFRecord files, in place of FOLDER. Quote the pattern: 'train-*.tfrecord'. The"
        " files themselves are one more pipeline, tfrecord_existing.",
    )
    image_key: str | None = option(
        None,
        read=read.as_it_is,
        metavar="NAME",
        help="The feature of the records that holds the encoded image.",
        otherwise="the only one that does",
    )
    label_key: str | None = option(
        None,
        read=read.as_it_is,
        metavar="NAME",
        help="The feature of the records that holds the label, a number or a text.",
        otherwise="label, image/class/label, or the only candidate",
    )
    labels: str | None = option(
        None,
        read=read.as_it_is,
        metavar="CSV|REGEX",
        help="Where the labels are, if not in sub-folders: a CSV file of FILE,LABEL, or a regular"
        " expression for paths below FOLDER. '^(\\w+)\\.' finds cat in cat.0.jpg.",
    )
    label_column: str | None = option(
        None,
        read=read.as_it_is,
        metavar="NAME|N",
        help="The column of the labels in the CSV file, by its title or its number from 1.",
        otherwise="label, class, category or target",
    )
    classes: tuple[str, ...] | None = option(
        None,
        read=read.names,
        metavar="A,B",
        help="Use only these classes, in this order. If the labels of --records are numbers: the"
        " names of 0, 1, and so on.",
        otherwise="all",
    )
    part: str | None = option(
        None,
        read=read.as_it_is,
        metavar="train|validation|test",
        help="The part to use, if the folder has sub-folders for train, validation or test.",
        otherwise="train",
    )
    classes_from: Literal["top", "leaf"] = option(
        "top",
        read=read.one_of(read.CLASSES_FROM),
        metavar="top|leaf",
        help="The folders that are classes. top: those in FOLDER; leaf: each folder below it that"
        " holds images.",
    )
    follow_links: bool = flag(
        default=False,
        help="Follow links to folders below a class folder; without it, only links to files and to"
        " class folders count, as in Keras.",
    )
    check: Literal["none", "header", "decode"] = option(
        "decode",
        read=read.one_of(read.CHECKS),
        metavar="none|header|decode",
        help="How to check the images first: by file name only, by header, or by decoding them with"
        " TensorFlow and Pillow. Results are kept for later runs.",
    )
    bad_images: Literal["error", "skip"] = option(
        "error",
        read=read.one_of(read.BAD_IMAGES),
        metavar="error|skip",
        help="Stop if there are bad images, or skip them.",
    )
    max_pixels: int | None = option(
        None,
        read=read.whole_number,
        metavar="N",
        help="An image with more pixels is bad, and is not decoded.",
        otherwise="Pillow's limit, 89,478,485",
    )
    image_size: tuple[int, int] = option(  # height, width
        "224",
        read=read.image_size,
        metavar="N|HxW",
        help="Size of the delivered images in pixels: N for a square, or HEIGHTxWIDTH.",
    )
    fit: Fit = option(
        "stretch",
        read=read.fit,
        metavar="stretch|crop|crop=SHARE|pad",
        help="How images of other proportions become this size. crop: as Keras'"
        " crop_to_aspect_ratio; crop=0.875: as torchvision's Resize(256) and CenterCrop(224); pad:"
        " with black, as tf.image.resize_with_pad.",
    )
    channels: Channels = option(
        "3",
        read=read.one_of(read.CHANNELS),
        metavar="1|3",
        help="3 is RGB. 1 is grey: 0.299 R + 0.587 G + 0.114 B of the resized image.",
    )
    dtype: Dtype = option(
        "float32",
        read=read.one_of(read.DTYPES),
        metavar="float32|float16|bfloat16|uint8",
        help="Type of the delivered images. uint8 is 0..255, rounded half to even.",
    )
    data_format: DataFormat = option(
        "channels_last",
        name="layout",
        read=read.one_of(read.DATA_FORMATS),
        metavar="channels_last|channels_first",
        help="Layout of the images: [B, height, width, channels] or [B, channels, height, width].",
    )
    value_range: ValueRange = option(
        None,
        name="range",
        read=read.one_of(RANGES),
        metavar="0..1|-1..1|0..255|imagenet|tf|caffe|torch",
        help="Black and white, or how channels are normalized. -1..1 and tf: as MobileNet's"
        " preprocess_input; 0..255: for a model with a Rescaling layer; imagenet and torch: by the"
        " mean and std of ImageNet; caffe: BGR minus the mean, as ResNet50's preprocess_input.",
        otherwise="0..1, or 0..255 for uint8",
        absent=lambda given: RANGES["0..255" if given.get("dtype") == "uint8" else "0..1"],
    )
    label_mode: LabelMode = option(
        "int",
        read=read.one_of(read.LABEL_MODES),
        metavar="int|categorical|binary",
        help="int is [B] int32. categorical is one-hot, [B, classes] float32. binary is [B, 1]"
        " float32, for 2 classes.",
    )
    batch_size: int = option("32", read=read.whole_number, metavar="N", help="Images per batch.")
    seconds: float | None = option(  # None: without end
        None,
        name="time",
        read=read.seconds,
        metavar="TIME",
        help="Time for everything, from the command to the report, such as 90s, 5m or 1h.",
        otherwise="5m, or no limit with --blocks",
        absent=lambda given: _USUAL_SECONDS if given.get("blocks") is None else None,
    )
    blocks: int | None = option(
        None,
        read=read.whole_number,
        metavar="N",
        help="Measure exactly N blocks. Verdicts need at least 4.",
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
    fresh_interpreter: bool = flag(
        default=False,
        help="Start a new Python for each trial. By default, a trial is forked from one Python.",
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
        help="Show the whole traceback with an error, and of a loader that raises.",
    )
    # What no option sets.
    proofs: Path | None = None  # where proofs of equal work are remembered; None: nowhere
    findings: Path | None = None  # where it is remembered which images are bad; None: nowhere
    command: tuple[str, ...] = ()  # the words that started it
    pace: Pace = USUAL  # for tests
    begun: float = field(default_factory=time.monotonic)  # CLOCK_MONOTONIC

    @classmethod
    def of(
        cls, given: Given, folder: Path, *, begun: float | None = None, prefix: str = "--"
    ) -> Self:
        """Return the options as typed, for a run over a folder of images.

        `prefix` is put before an option's name in an error; `begun` is a moment of CLOCK_MONOTONIC.
        Raises RequestError for a text that cannot be read, and for options that no
        run can have.
        """
        from feedbench.pipelines.images.index import image_id

        typed = values(cls, given, prefix)
        if typed["records"] is not None and not given.get("pipeline"):
            typed["specs"] = (RECORDS_NAME, *DEFAULT_SPECS)  # compared with what the user has
        return cls(
            **typed,
            folder=folder,
            proofs=user_cache("proofs"),
            findings=user_cache("checked"),
            command=tuple(image_id(word) for word in sys.argv),
            pace=pace_asked_for(),
            begun=time.monotonic() if begun is None else begun,
        )

    @property
    def layout(self) -> Layout:
        """How the images are labelled. Raises RequestError for options that contradict."""
        from feedbench.pipelines.images.layouts import Layout

        return Layout(
            labels=self.labels,
            label_column=self.label_column,
            classes=self.classes,
            part=self.part,
            classes_from=self.classes_from,
            follow_links=self.follow_links,
        )

    @property
    def checks(self) -> Checks:
        """How the images are checked. Raises RequestError for what cannot be done."""
        from feedbench.bench.images.check import Checks
        from feedbench.pipelines.images.image_check import MOST_PIXELS as USUAL_PIXELS

        return Checks(
            how=self.check,
            bad_images=self.bad_images,
            most_pixels=USUAL_PIXELS if self.max_pixels is None else self.max_pixels,
            cache=self.findings,
        )

    def __post_init__(self) -> None:
        """Raise RequestError for options that no run can have."""
        if self.records is None:
            refuse_without_records(self.image_key, self.label_key, self.specs)
        else:
            refuse_with_records(self.layout)
        self.layout, self.checks  # noqa: B018 - each refuses what it cannot be made of
        height, width = self.image_size
        if not (1 <= height <= MOST_PIXELS and 1 <= width <= MOST_PIXELS):
            raise RequestError(
                f"--image-size {height}x{width}: expected 1 to {MOST_PIXELS} pixels a side"
            )
        self._refuse_range()
        _positive("--batch-size", self.batch_size, "images")
        _positive("--blocks", self.blocks, "blocks")
        if self.limit != "all":
            _positive("--limit", self.limit, "images, or all")
        if not 0 <= self.seed <= MOST_SEED:
            raise RequestError(f"--seed {self.seed}: expected 0 to {MOST_SEED}")
        for name, folder in (("--out", self.out), ("--prepared", self.prepared)):
            if not _is_utf8(str(folder.absolute())):
                raise RequestError(
                    f"{name} {str(folder)!r}: expected a name in valid UTF-8",
                    hint="name another folder",
                )
        if not 0 < self.margin < 1:
            raise RequestError(
                f"--margin {self.margin:.0%}: expected more than 0 % and under 100 %"
            )

    def _refuse_range(self) -> None:
        """Raise RequestError for a range that the dtype or the channels cannot have."""
        name = self.value_range.name
        if self.dtype == "uint8" and name != "0..255":
            raise RequestError(
                f"--range {name}: expected 0..255 with --dtype uint8",
                hint="leave --range out, or use --dtype float32",
            )
        if self.channels == 1 and self.value_range.normalization != "none":
            raise RequestError(
                f"--range {name}: its mean is of red, green and blue, and --channels is 1",
                hint="use --channels 3, or --range 0..1",
            )


def pace_asked_for() -> Pace:
    """Return the pace in the variable FEEDBENCH_PACE, which is JSON and for tests.

    Raises RequestError if it is anything else.
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
