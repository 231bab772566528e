"""The story of `feedbench scale`: one run of all arms, the laws that fit it, and scaling.json."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence

from feedbench.bench.machine.cores import usable_cores, whole_cores_first
from feedbench.bench.options.commands.scale_options import ScaleOptions
from feedbench.bench.options.demand_options import model_of
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.run_folder import refuse_used
from feedbench.bench.records.demand.demand import Estimate
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.scaling.scaling import Arm, Axis, Curve, ScalingRecord, write_scaling
from feedbench.bench.records.storage import read_trials
from feedbench.bench.run.images_source import list_images
from feedbench.bench.run.plan import refuse_unsuitable
from feedbench.bench.run.run import perform
from feedbench.bench.scaling.arms import arms_of
from feedbench.bench.verdicts.rows import of_whole_blocks
from feedbench.bench.verdicts.scaling.curves import curve_of
from feedbench.pipelines import catalog
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.forms import DTYPE_BYTES
from feedbench.pipelines.system.affinity import CAN_PIN

_AXES: tuple[Axis, ...] = ("workers", "cores")


def scale(options: RunOptions, asked: ScaleOptions, listener: Listener) -> ScalingRecord:
    """Measure a pipeline with each number of workers and cores; return what is in scaling.json.

    Raises RequestError if the request is wrong, and leaves nothing on disk.
    """
    (spec,) = catalog.parse_all(options.specs)
    usable = whole_cores_first() if CAN_PIN else ()
    arms = arms_of(spec, asked.workers, asked.cores, usable)
    refuse_unsuitable([spec], options)
    refuse_used(options.out)
    _refuse_few_images(options, asked, listener)
    of_run = dataclasses.replace(
        options,
        specs=tuple(f"{arm.label}={arm.spec}" for arm in arms),
        pinned={arm.label: tuple(arm.cores) for arm in arms if arm.axis == "cores"},
        only_ceilings=True,
        step=None,  # an emulated model need not be fed: its appetite is known
        appetite=None,
    )
    run = perform(of_run, listener)
    record = _record(options, run, arms, spec.text)
    write_scaling(options.out, record)
    return record


def _refuse_few_images(options: RunOptions, asked: ScaleOptions, listener: Listener) -> None:
    """Raise RequestError if there is no full batch for each worker."""
    most = max(asked.workers, default=1)
    least = most * options.batch_size
    images = len(list_images(options, listener).files)
    if isinstance(options.limit, int):
        images = min(images, options.limit)
    if images < least:
        raise RequestError(
            f"expected {least:,} images at least, a batch of {options.batch_size} for each of"
            f" {most} workers; found {images:,}",
            hint="use a larger folder or --limit, a smaller --batch-size, or fewer workers",
        )


def _record(
    options: RunOptions, run: RunRecord, arms: Sequence[Arm], pipeline: str
) -> ScalingRecord:
    model, work = model_of(options, options.batch_size), run.workload
    appetite = None
    if model is not None and model.appetite is not None:
        appetite = Estimate(value=model.appetite, blocks=0)
    elif run.demand is not None:
        appetite = run.demand.appetite
    needed = None if appetite is None else appetite.value * (1 - options.margin)
    client = _client_rate(run)
    return ScalingRecord(
        status=run.status,
        command=list(options.command),
        started_at=run.started_at,
        seconds=time.monotonic() - options.begun,
        folder=work.folder,
        images=work.images,
        image_bytes=work.height * work.width * work.channels * DTYPE_BYTES[work.dtype],
        pipeline=pipeline,
        cores=usable_cores(),
        blocks=run.blocks,
        curves=_curves(options, run, arms, needed),
        model="" if model is None else model.name,
        appetite=appetite,
        margin=options.margin,
        client_rate=client,
        client_workers=0 if client is None else max(math.ceil(usable_cores()), 1),
    )


def _curves(
    options: RunOptions, run: RunRecord, arms: Sequence[Arm], needed: float | None
) -> list[Curve]:
    """Return the curve of each axis that was asked for."""
    rows = {row.label: row for row in run.rows}
    trials = of_whole_blocks(read_trials(options.out), run.blocks)
    return [
        curve_of(axis, of_axis, rows, trials, needed)
        for axis in _AXES
        if (of_axis := [arm for arm in arms if arm.axis == axis])
    ]


def _client_rate(run: RunRecord) -> float | None:
    ceilings = [] if run.diagnosis is None else run.diagnosis.ceilings
    return next((each.rate for each in ceilings if each.name == "client"), None)
