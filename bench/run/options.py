"""What a run is asked to do."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Literal

import msgspec

from feedbench.bench.images.check import Checks
from feedbench.bench.records.pace import USUAL, Pace
from feedbench.bench.records.page_cache import State
from feedbench.pipelines.contract import Channels, Dtype, LabelMode
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.layouts import Layout

MOST_SEED = 2**31 - 1  # NumPy takes twice that, and Keras adds the number of the batch
MOST_PIXELS = 4096  # a side; a batch of 32 is 6 GB then


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `feedbench run`."""

    folder: Path
    layout: Layout = Layout()
    checks: Checks = Checks()
    specs: tuple[str, ...]  # the first is the baseline
    image_size: tuple[int, int] = (224, 224)  # height, width
    channels: Channels = 3
    batch_size: int = 32
    dtype: Dtype = "float32"
    value_range: tuple[float, float] = (0.0, 1.0)
    label_mode: LabelMode = "int"
    seconds: float | None = 300.0  # for everything, from the command to the report
    blocks: int | None = None  # exactly so many
    margin: float = 0.05  # a share
    limit: int | Literal["all"] | None = None  # images; None: as many as the time allows
    seed: int = 0
    out: Path
    prepared: Path  # the store of what pipelines have written beforehand
    proofs: Path | None = None  # where proofs of equal work are remembered; None: nowhere
    page_cache: State = "warm"
    trace: bool = True  # and whatever else tells, after the blocks, why it is so
    fresh_interpreter: bool = False
    against: str | None = None  # the interpreter of another environment
    command: list[str] = []
    pace: Pace = USUAL  # for tests
    begun: float = msgspec.field(default_factory=time.monotonic)  # CLOCK_MONOTONIC

    def __post_init__(self) -> None:
        """Raise RequestError for what no run can be made of."""
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
        for option, folder in (("--out", self.out), ("--prepared", self.prepared)):
            if not _is_utf8(str(folder.absolute())):
                raise RequestError(f"{option} {str(folder)!r}: expected a name in valid UTF-8")
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
