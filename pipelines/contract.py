"""The contract between Feedbench and a pipeline, all on one screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from feedbench.pipelines.augmentation.ranges import Augmentation
from feedbench.pipelines.forms import (
    DTYPE_BYTES,
    NORMALIZED,
    STRETCH,
    DataFormat,
    Fit,
    Normalization,
    ValueRange,
    uniform,
)

Batch = tuple[Any, Any]
"""`(images, labels)`: arrays or tensors in host memory, of B images, 1 <= B <= batch_size.

Images are `[B, *workload.shape]` in the workload's dtype and range. Labels follow its mode:
int: int32 `[B]`, each a place in class_names; categorical: float32 `[B, classes]`, one-hot;
binary: float32 `[B, 1]`, 0 or 1.
"""

LUMA = (0.299, 0.587, 0.114)
"""The weights of red, green and blue in grey: the luma of ITU-R BT.601-7, section 2.5.1."""

Channels = Literal[1, 3]
Part = Literal["training", "validation"]
"""A part of images that were split."""
Subset = Literal["all", "training", "validation"]
Dtype = Literal["float32", "float16", "bfloat16", "uint8"]
LabelMode = Literal["int", "categorical", "binary"]
Until = Literal["read", "decode", "resize"]
"""The step after which a diagnostic trial cuts a pipeline off, to measure each step's time."""


@dataclass(frozen=True, kw_only=True)
class Records:
    """The user's own TFRecord files, if a workload's images come from there.

    Each record is a tf.train.Example with one encoded image and one label.
    """

    files: tuple[str, ...]  # absolute paths; in a store, addresses
    compressions: tuple[str, ...]  # of each file, as TensorFlow names it: "", "GZIP" or "ZLIB"
    counts: tuple[int, ...]  # the records of each file
    image_key: str  # the name of the feature with the image
    label_key: str
    label_values: tuple[int | str, ...]  # of each class in class_names: its label in the records
    places: tuple[tuple[int, int], ...]  # of each image: the number of its file, its number there
    validation_places: tuple[tuple[int, int], ...] = ()  # of each image of validation_files


@dataclass(frozen=True, kw_only=True)
class Workload:
    """The images, and what every pipeline must deliver from them.

    A loader that walks `folder` finds exactly the images of the workload: each class's folder has
    the class's name and nothing but images. It is a view of symbolic links where the folder of the
    images holds anything else. Sorted, the names in a class's folder are in the order of `files`.
    """

    folder: str = ""  # an absolute path: one folder a class, with exactly these images
    files: tuple[str, ...]  # absolute paths of the images themselves; in a store, their addresses
    labels: tuple[int, ...]  # for each file, the place of its class in class_names
    class_names: tuple[str, ...]
    formats: tuple[str, ...] = ()  # the files' formats, by their first bytes; (): not known
    height: int  # pixels of a delivered image
    width: int
    fit: Fit = STRETCH  # how an image of other proportions becomes one of this size
    channels: Channels = 3  # 3: red, green, blue; 1: grey, by LUMA
    batch_size: int = 32
    dtype: Dtype = "float32"  # uint8: rounded to the nearest whole number, halves to even
    value_range: tuple[float, float] = (0.0, 1.0)  # black and white; (0, 255) for uint8
    normalization: Normalization = "none"  # else channels differ, and value_range is their extremes
    data_format: DataFormat = "channels_last"  # as Keras calls it; channels_first: [B, C, H, W]
    label_mode: LabelMode = "int"
    seed: int = 0
    folder_images: int  # in the whole folder, or its `subset`; `files` may be fewer of them
    subset: Subset = "all"  # which part of the images `files` are; all: they were not split
    validation_files: tuple[str, ...] = ()  # the other part, where `files` are for training
    validation_labels: tuple[int, ...] = ()
    augmentation: Augmentation | None = None  # None, always for validation: images as they are
    records: Records | None = None  # the images' own record files; `files` are copies of these
    scratch: str = ""  # an empty folder, new for each process and removed after it

    @property
    def images(self) -> int:
        """Return the number of images in an epoch."""
        return len(self.files)

    @property
    def are_classes_sorted(self) -> bool:
        """Whether the classes are in code-point order, as a loader that walks a folder has them."""
        return list(self.class_names) == sorted(self.class_names)

    @property
    def values(self) -> ValueRange:
        """Return what the values mean: the mean and std of each channel, and their order."""
        return NORMALIZED.get(self.normalization) or uniform(*self.value_range)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return the shape of one delivered image."""
        if self.data_format == "channels_first":
            return self.channels, self.height, self.width
        return self.height, self.width, self.channels

    @property
    def image_values(self) -> int:
        """Return the number of values in one delivered image."""
        return self.height * self.width * self.channels

    @property
    def image_bytes(self) -> int:
        """Return the bytes that one delivered image takes."""
        return self.image_values * DTYPE_BYTES[self.dtype]


class Feed(Protocol):
    """What a pipeline opens. One iteration is one epoch: each image once, and a last short batch.

    A feed may also have `repeat()`, which returns an endless iterable: the batches of one epoch
    after another. A tf.data.Dataset is a Feed. So is a Keras PyDataset, which Feedbench reads as
    `fit` does.
    """

    def __iter__(self) -> Iterator[Batch]:
        """Begin an epoch with a new iterator; the feed's caches stay."""
        ...


class Pipeline(Protocol):
    """One way to deliver a workload. The fields of a frozen dataclass are its knobs."""

    def open(self, workload: Workload, prepared: Path, scratch: Path) -> Feed:
        """Return a feed of the workload's batches.

        `prepared` holds the files that `prepare` wrote; do not change them. `scratch` is an empty
        folder for this trial alone. If `open` raises, the trial fails, and the exception's text is
        the reason.
        """
        ...


@runtime_checkable
class Preparing(Pipeline, Protocol):
    """A pipeline that writes files before the first trial.

    It may also have `preparation(workload)`, which returns a JSON-compatible dict: everything that
    the files depend on, apart from images and labels. Without it, they depend on all knobs and the
    whole workload.
    """

    def prepare(self, workload: Workload, prepared: Path) -> None:
        """Write the files that `open` will read into the folder `prepared`.

        Feedbench calls it for the few images of a pilot, and once for the images to measure. It
        reports the time and the bytes.
        """
        ...


class KnobOverruledWarning(UserWarning):
    """A pipeline could not use a knob's value; it says which value was used instead, and why.

    `open` passes it to `warnings.warn`; the report then shows the value in use.
    """

    def __init__(self, knob: str, asked: object, used: object, reason: str) -> None:
        super().__init__(f"{knob}={used} instead of {knob}={asked}: {reason}")
        self.knob = knob
        self.used = used
