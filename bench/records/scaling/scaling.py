"""scaling.json: what `feedbench scale` measured, the laws that fit it, and what they forecast."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from feedbench.bench.files import write_whole
from feedbench.bench.records.demand.demand import Estimate

SCHEMA = 1
FILE = "scaling.json"

Axis = Literal["workers", "cores"]
"""workers: those of tf.data service, one core each; cores: those that one process may use."""

Sharing = Literal["none", "client", "workers"]
"""What shares a core: nothing; the client with a worker; workers with each other."""


class Arm(msgspec.Struct, frozen=True, kw_only=True):
    """One pipeline of the run: a number of workers or cores."""

    label: str
    spec: str
    axis: Axis
    count: int
    cores: list[int] = []  # that its processes are limited to; of workers, theirs; []: all
    sharing: Sharing = "none"


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of an arm. Rates in images/s; null: not known."""

    arm: Arm
    blocks: int = 0
    rate: float | None = None
    rate_low: float | None = None
    rate_high: float | None = None
    client_cpu_seconds: float | None = None  # per 1,000 images: of the process that takes batches
    workers_cpu_seconds: float | None = None  # per 1,000 images: of all other processes
    received_bytes: float | None = None  # an image, by TCP
    others_share: float | None = None  # of the cores that other programs used, 0 to 1
    why: str = ""  # a clause: why there is no rate


class FittedLaw(msgspec.Struct, frozen=True, kw_only=True):
    """A law as it fits the measured counts that share no core."""

    name: Literal["Amdahl", "USL"]
    counts: list[int]  # that it was fitted to
    one: Estimate  # images/s of one
    contention: Estimate
    crosstalk: Estimate
    largest_error: float | None  # of a measured rate; null: nothing checks it


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """A rate that no arm has measured."""

    count: int
    rate: Estimate  # images/s
    law: Literal["Amdahl", "USL"]
    is_beyond: bool  # the largest measured count: it is extrapolated


class Needed(msgspec.Struct, frozen=True, kw_only=True):
    """How many are enough for an appetite. null: no number up to `most_tried`."""

    images_per_second: float  # that are enough: the appetite less the margin
    count: int | None
    low: int | None = None  # if the rates are at the high end of their intervals
    high: int | None = None  # if they are at the low end
    has_interval: bool = False  # low and high are known: there were enough blocks
    is_measured: bool  # an arm of that count was measured
    law: Literal["Amdahl", "USL"] | None = None  # by which it is computed; null: it was measured
    most_tried: int


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """One axis: what was measured, and what follows from it."""

    axis: Axis
    points: list[Point]
    laws: list[FittedLaw] = []
    forecasts: list[Forecast] = []
    needed: Needed | None = None  # null: no appetite was given, or nothing can be said
    unfitted: list[str] = []  # sentences: which law is not fitted, and why


class ScalingRecord(msgspec.Struct, frozen=True, kw_only=True):
    """scaling.json. Rates in images/s."""

    schema: int = SCHEMA
    status: Literal["running", "complete", "interrupted"]
    command: list[str]
    started_at: str  # UTC, ISO 8601
    seconds: float
    folder: str  # of the photos
    images: int  # that were measured
    image_bytes: int  # of one delivered image in memory
    pipeline: str  # as it was given
    cores: float  # that Feedbench may use
    blocks: int
    curves: list[Curve]
    model: str = ""  # what the appetite is of; "": none was asked for
    appetite: Estimate | None = None
    margin: float
    client_rate: float | None = None  # the most that a client took from workers with one batch
    client_workers: int = 0  # that sent it


def write_scaling(folder: Path, record: ScalingRecord) -> None:
    """Replace scaling.json in one step, so that a reader always finds a complete file."""
    content = msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"
    write_whole(folder / FILE, content)
