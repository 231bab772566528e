"""The measurements of one trial, from within its process."""

from __future__ import annotations

from typing import Any

import msgspec

from feedbench.bench.records.conditions.usage import Latency
from feedbench.bench.records.demand.feeding import Feeding
from feedbench.bench.records.diagnosis import Autotune
from feedbench.bench.records.windows import Window, counted


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """The measurements of one trial. Seconds; an empty list if a phase was not reached."""

    prepare_seconds: float = 0.0  # of a pilot, over its own few images
    open_seconds: float
    first_batch_seconds: float  # after open returned
    first_epoch_seconds: float  # after open returned, to the arrival of the last batch
    first_epoch_images: int
    received_bytes: int | None = None  # by TCP in the first epoch; null: by none, or not known
    image_seconds: float | None = None  # of a pilot: an image's, estimated for a whole epoch
    first_batch_at: float | None = None  # CLOCK_MONOTONIC; null: not known (schema 1)
    epoch_seconds: list[float] = []  # from one epoch's last batch to the next one's last
    turnover_seconds: list[float] = []  # from one epoch's last batch to the next one's first
    continuous: bool = True  # one iterator over all windows; else restarted epochs
    windows: list[Window] = []
    latency: Latency | None = None
    peak_memory_bytes: int | None = None  # resident, of the trial and its workers; null: unknown
    run_delay_seconds: float | None = None  # threads were ready but had no core; null: unknown
    consumer_seconds: float | None = None  # the harness's own time per batch
    threads: int = 0  # of the process, at the end
    autotune: Autotune | None = None  # its final choices; null: it is off, or there is no tf.data
    feedings: list[Feeding] = []  # of a trial that feeds a model: one for each appetite
    knobs: dict[str, Any] = {}  # in effect
    remarks: list[str] = []

    @property
    def rate(self) -> float:
        """Images/s: the images of the windows that count over their seconds.

        Raises ZeroDivisionError if there is no window.
        """
        windows = counted(self.windows)
        return sum(w.images for w in windows) / sum(w.seconds for w in windows)


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What a pipeline delivered during its trace, and the time that took."""

    images: int
    steps: int
    seconds: float
    cpu_seconds: float | None  # of the whole process tree; null: not known
    is_tf_data: bool
    functions: list[tuple[str, float]] = []  # of Python, by seconds of their own
    native_seconds: float = 0.0  # CPU time of threads that no stack was sampled of
