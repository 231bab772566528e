"""The stages of pipelines without tf.data, by py-spy: which are sampled, and what it shows."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from msgspec.structs import replace

from feedbench.bench.measured.sampling.sampler import STACKS
from feedbench.bench.records.diagnosis import Trace
from feedbench.bench.records.measurement import Profile
from feedbench.bench.records.row import Row
from feedbench.bench.text import listed
from feedbench.bench.why.stacks import are_of_one_thread, stages_of_stacks
from feedbench.pipelines import catalog
from feedbench.pipelines.catalog import Spec

SECONDS = 10.0  # of a trial besides its own epochs
_PROGRAM = "py-spy"


def py_spy() -> str:
    """Return the path of py-spy in this environment, or else on the path; "" if there is none."""
    here = Path(sys.executable).with_name(_PROGRAM)
    return str(here) if here.exists() else shutil.which(_PROGRAM) or ""


def is_sampled(spec: Spec, row: Row) -> bool:
    """Return whether stacks show more of a pipeline than a trace of TensorFlow's ops.

    Its trace has not shown that it is tf.data: there is none, or the iterator is not a dataset's.
    """
    if row.autotune is not None:  # a dataset is behind it
        return False
    return spec.is_foreign or "tensorflow" not in catalog.needs(spec)


def with_samples(before: Trace | None, taken: Profile, folder: Path, shown: str) -> Trace | None:
    """Return the trace with the stages of the sampled stacks in a folder; None without stages.

    `before` is TensorFlow's trace, if there is one; its Python functions are kept.
    """
    per_image = 1000 / taken.images if taken.images else 0.0
    cpu_ms = None if taken.cpu_seconds is None else per_image * taken.cpu_seconds
    try:
        lines = (folder / STACKS).read_text(errors="replace").splitlines()
    except OSError:
        return None
    native_ms = per_image * taken.native_seconds
    stages = stages_of_stacks(lines, cpu_ms=cpu_ms, native_ms=native_ms)
    if not stages:
        return None
    return Trace(
        folder=shown,
        images=taken.images,
        steps=taken.steps,
        seconds=taken.seconds,
        cpu_ms=cpu_ms,
        stages=stages,
        functions=[] if before is None else before.functions,
        is_sampled=True,
        is_one_thread=are_of_one_thread(lines),
    )


def unsampled(spec: Spec, before: Trace | None) -> Trace | None:
    """Return the trace of a pipeline whose stacks were not sampled.

    One of Feedbench's own has no stages then: TensorFlow's trace shows it as nothing but Python,
    and most of that is C. A user's loader keeps its stages, and the Python functions in them.
    """
    if before is None or spec.is_foreign:
        return before
    return replace(before, stages=[], functions=[])


def without_py_spy(labels: list[str]) -> str:
    """Return the sentence on pipelines that could not be sampled."""
    return (
        f"The stages of {listed(labels)} are not known, since py-spy is not installed: install it"
        " with pip install py-spy."
    )
