"""Which pipelines a run measures, and over which images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Literal

from feedbench.bench.options import values as read
from feedbench.bench.options.option import flag, option, repeated
from feedbench.bench.options.records_options import refuse_with_records, refuse_without_records
from feedbench.pipelines.catalog import DEFAULT_SPECS, names

if TYPE_CHECKING:
    from feedbench.bench.images.check import Checks
    from feedbench.pipelines.images.layouts import Layout


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """The pipelines, the images, their labels and how they are checked."""

    folder: PurePath  # an Address if the images are in a store
    specs: tuple[str, ...] = repeated(  # the first is the baseline
        DEFAULT_SPECS,
        name="pipeline",
        letter="p",
        words=names,
        metavar="[LABEL=]SPEC",
        help="A pipeline: NAME[:knob=value,...], FILE.py:FUNCTION or PACKAGE.MODULE:FUNCTION. Give"
        " it once per pipeline. The first is the baseline. SPEC@PYTHON runs one in another Python,"
        " which needs neither Feedbench nor TensorFlow.",
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
    findings: Path | None = None  # where it is remembered which images are bad; None: nowhere

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
