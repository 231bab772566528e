"""The contract between the harness and a pipeline: all of it, on this one screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

Batch = tuple[Any, Any]
"""`(images, labels)`: arrays or tensors on the host, 1 <= B <= batch_size.

Images `[B, H, W, C]` of the workload's dtype. Labels by its mode: int: int32 `[B]`, the place in
class_names; categorical: float32 `[B, classes]`, 1 there and else 0; binary: float32 `[B, 1]`.
"""

LUMA = (0.299, 0.587, 0.114)
"""The weights of red, green and blue in grey: the luma of ITU-R BT.601-7, section 2.5.1."""

Channels = Literal[1, 3]
Dtype = Literal["float32", "uint8"]
LabelMode = Literal["int", "categorical", "binary"]
Until = Literal["read", "decode", "resize"]
"""The step after which a diagnostic trial cuts a pipeline off, to learn what each step takes."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """The images, and what every pipeline must deliver from them."""

    folder: str = ""  # absolute; an image's id is its path below it
    files: tuple[str, ...]  # absolute paths, in the order of the index
    labels: tuple[int, ...]  # of each file: its place in class_names
    class_names: tuple[str, ...]
    formats: tuple[str, ...] = ()  # that the files have by their first bytes; (): not known
    height: int  # pixels, delivered
    width: int
    channels: Channels = 3  # RGB; 1: grey, their LUMA
    batch_size: int = 32
    dtype: Dtype = "float32"  # uint8: rounded to the nearest, halves to the even one
    value_range: tuple[float, float] = (0.0, 1.0)  # of black and white; (0, 255) for uint8
    label_mode: LabelMode = "int"
    seed: int = 0
    folder_images: int  # images in the whole folder, of which `files` may be a part

    @property
    def images(self) -> int:
        """Images in an epoch."""
        return len(self.files)

    @property
    def image_values(self) -> int:
        """Values of one delivered image."""
        return self.height * self.width * self.channels

    @property
    def image_bytes(self) -> int:
        """Bytes of one delivered image."""
        return self.image_values * (1 if self.dtype == "uint8" else 4)  # without NumPy


class Feed(Protocol):
    """What a pipeline opens. Iterating it is one epoch: every image once, last short batch too.

    A feed may also have `repeat()`, an iterable of exactly the batches of epoch after epoch
    without end. A tf.data.Dataset is a Feed as it stands.
    """

    def __iter__(self) -> Iterator[Batch]:
        """Begin an epoch by a new iterator; caches survive from one to the next."""
        ...


class Pipeline(Protocol):
    """One way to deliver a workload. Built-in ones are frozen dataclasses: fields are knobs."""

    def open(self, workload: Workload, prepared: Path, scratch: Path) -> Feed:
        """Return a feed. `prepared` is shared, read only; `scratch` is this trial's own."""
        ...


@runtime_checkable
class Preparing(Pipeline, Protocol):
    """A pipeline with an offline part.

    It may also have `preparation(workload)`: a dict, as JSON can hold it, of what the files depend
    on beside the images and labels. Without it, that is every knob and the whole workload.
    """

    def prepare(self, workload: Workload, prepared: Path) -> None:
        """Write to the folder `prepared`, offline, what `open` will read.

        Called for the few images of a pilot, and once for those that are measured.
        """
        ...


class KnobOverruledWarning(UserWarning):
    """A pipeline could not take a knob as asked, and says what it took instead, and why."""

    def __init__(self, knob: str, asked: object, used: object, reason: str) -> None:
        super().__init__(f"{knob}={used} instead of {knob}={asked}: {reason}")
        self.knob = knob
        self.used = used
