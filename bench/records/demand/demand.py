"""What a run concludes of a model and its input."""

from __future__ import annotations

from typing import Literal

import msgspec

from feedbench.bench.records.conditions.usage import GpuUsage, NoGpu
from feedbench.bench.records.demand.published import Published

Waiting = Literal["waits", "does not wait", "cannot tell"]

CostName = Literal["cpu", "memory", "disk", "prepare"]
"""By what the cheapest pipeline is chosen: CPU time an image, peak memory, bytes that it wrote in
advance, or the time that this took."""


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The model that the pipelines feed."""

    name: str  # as the user gave it: 30ms, 1786, resnet50@h100, mnist_cnn
    is_emulated: bool  # it sleeps for its step, and takes no core
    appetite: float | None = None  # images/s of the emulated one, as requested
    step_seconds: float | None = None  # of the emulated one, for a full batch
    published: Published | None = None  # where the appetite comes from


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A mean over blocks and its interval; null ends: too few blocks for one."""

    value: float
    low: float | None = None
    high: float | None = None
    blocks: int  # in which it was measured
    level: float | None = None  # of the interval


class FedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One pipeline that feeds the model. Rates in images/s; shares from 0 to 1; null: not known."""

    label: str
    verdict: Waiting | None = None  # null: it was not measured
    # The share of time that the model waits: 1 - rate / appetite, in the same block. Below zero if
    # the model was faster than over a ready batch, by chance.
    wait: Estimate | None = None
    rate: Estimate | None = None  # that the model takes while this pipeline feeds it
    utilisation: float | None = None  # of the model: the share of time in its steps
    # That the model would take if it never waited, while the pipeline works next to it: below the
    # appetite where both want the same cores.
    busy_rate: float | None = None
    taken: float | None = None  # the share of the appetite that this costs: 1 - busy_rate/appetite
    cpu_seconds_per_1000_images: float | None = None  # of the pipeline and the model
    gpus: list[GpuUsage] | NoGpu | None = None
    more_blocks: int | None = None  # that a verdict would take, about
    unsteady: int = 0  # trials whose steps did not become steady
    disturbed: int = 0  # trials around which the machine was not calm: left out
    failures: list[str] = []  # how its failed trials ended


class CurvePoint(msgspec.Struct, frozen=True, kw_only=True):
    """A measured point of a demand curve."""

    appetite: float  # images/s of the emulated model
    utilisation: float  # 0 to 1
    block: int


class DemandCurve(msgspec.Struct, frozen=True, kw_only=True):
    """How well a pipeline feeds an emulated model, by the model's appetite."""

    label: str
    points: list[CurvePoint] = []  # ascending by appetite
    # The largest appetite, in images/s, at which the model is busy for this share of the time.
    fed_at_90: Estimate | None = None
    fed_at_99: Estimate | None = None
    failures: list[str] = []


class CorePoint(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured on some of the cores, to which all of a trial's processes were pinned."""

    cores: int
    rate: Estimate  # images/s that the model takes
    # The share of time that the model waits, by its appetite on as many cores.
    wait: float | None = None


class CoresNeeded(msgspec.Struct, frozen=True, kw_only=True):
    """How many cores would be enough. Extrapolated by Amdahl's law, never measured."""

    rate: float  # images/s that would be enough: the appetite less the margin
    serial_seconds: float  # of an image: the part in sequence, by the law
    spread_seconds: float  # of an image: the part that can be spread
    value: float | None = None  # cores; null: no number is enough
    # The interval from blocks; a null end: no number is enough there.
    low: float | None = None
    high: float | None = None
    level: float | None = None  # of the interval; null: too few blocks for one
    blocks: int
    # The largest share by which the law misses a measured time; null: two points, which always fit.
    misfit: float | None = None


class CoreScaling(msgspec.Struct, frozen=True, kw_only=True):
    """One pipeline that is not enough, on fewer cores and on all: measured, and extrapolated."""

    label: str
    points: list[CorePoint] = []  # ascending by cores
    needed: CoresNeeded | None = None
    why_not: str = ""  # a clause: why nothing is extrapolated
    failures: list[str] = []


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What a pipeline costs, as measured in the main blocks; null: not known."""

    label: str
    cpu_seconds_per_1000_images: float | None = None
    peak_memory_bytes: int | None = None
    written_bytes: int = 0  # in advance
    prepare_seconds: float = 0.0


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a model waits for its input, and which pipeline is enough."""

    model: ModelRecord | None = None  # null: only demand curves were requested
    blocks: int = 0  # that are completed, of trials that feed the model
    appetite: Estimate | None = None  # measured: the model over one batch that is ready
    step_seconds: float | None = None  # measured likewise, of an average batch
    unsteady: int = 0  # trials over a ready batch whose steps did not become steady
    rows: list[FedRow] = []  # in the order of the run's rows
    enough: list[Cost] = []  # pipelines for which the model does not wait, the cheapest first
    cost: CostName = "cpu"  # by which they are ordered
    curves: list[DemandCurve] = []
    curve_blocks: int = 0  # that are completed, of trials for the curves
    cores: list[CoreScaling] = []  # pipelines that are not enough, on fewer cores
    core_blocks: int = 0  # that are completed, of trials on fewer cores
    accelerators: list[Published] = []  # marks of the chart
    skipped: list[str] = []  # sentences: what is missing, and why
    seconds: float = 0.0  # that all of this took

    @property
    def cheapest(self) -> Cost | None:
        """The cheapest pipeline that is enough; None if none is."""
        return self.enough[0] if self.enough else None
