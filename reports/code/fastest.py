"""The fastest pipelines as code to paste into a training script."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import msgspec

from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.text import listed as in_words
from feedbench.pipelines.catalog import spec_of
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.system.regular_files import read_regular
from feedbench.reports.code.training_code import training_code
from feedbench.reports.sentences import equal_work
from feedbench.reports.text.figures import is_known

_LISTED = ("-labels", "-classes-from", "-follow-links")  # pytest's are --feedbench-labels etc.
"""Options of a run whose files a walk of the class folders alone does not find."""

_FILE = "images.json"  # in a run's folder
_MOST_BYTES = 1_000_000_000  # a million files take about 100 MB
_ALIKE = (  # in the list and in the run's record, or they are of two runs
    "images",
    "folder_images",
    "height",
    "width",
    "channels",
    "dtype",
    "data_format",
    "batch_size",
    "value_range",
    "normalization",
    "label_mode",
    "seed",
)


@dataclass(frozen=True)
class Images:
    """The list of images that a run measured, and its file."""

    workload: Workload
    file: Path


def listed(folder: Path, run: RunRecord) -> Images | None:
    """Return the list of images in a run's folder; None if there is none for this run.

    Its author may be unknown, and its content goes into code that users paste.
    """
    file = folder / _FILE
    try:
        if not file.is_file() or file.stat().st_size > _MOST_BYTES:
            return None
        # The standard library's: it keeps names that are not valid UTF-8.
        workload = msgspec.convert(json.loads(read_regular(file)), Workload)
    except (OSError, ValueError, RecursionError):  # msgspec's own errors are ValueErrors
        return None
    return Images(workload, file.absolute()) if _is_sound(workload, run) else None


def _is_sound(workload: Workload, run: RunRecord) -> bool:
    classes = range(len(workload.class_names))
    return (
        all(getattr(workload, name) == getattr(run.workload, name) for name in _ALIKE)
        and str(workload.fit) == run.workload.fit
        and len(workload.files) == len(workload.labels)
        and all(label in classes for label in workload.labels)
        and _is_split_alike(workload, run)
        and min(workload.images, workload.height, workload.width, workload.batch_size) > 0
        and all(map(math.isfinite, workload.value_range))
        and not (workload.normalization != "none" and workload.channels == 1)
        and workload.value_range[0] < workload.value_range[1]
    )


def _is_split_alike(workload: Workload, run: RunRecord) -> bool:
    split = run.workload.split
    classes = range(len(workload.class_names))
    return (
        workload.subset == ("all" if split is None else split.subset)
        and len(workload.validation_files) == len(workload.validation_labels)
        and all(label in classes for label in workload.validation_labels)
        and (split is None or split.share is None or 0 < split.share < 1)
    )


def codes(run: RunRecord, images: Images | None) -> list[tuple[str, str]]:
    """Return each built-in pipeline's label and code, the fastest first."""
    if images is None:
        return []
    left_out = [each.file for each in run.workload.left_out]
    # Then the list gives the files, even if folders are called like the classes.
    is_labelled = any(word.partition("=")[0].endswith(_LISTED) for word in run.command)
    cores = {pipeline.label: pipeline.cores for pipeline in run.pipelines}
    texts = []
    for row in _by_speed(run):
        code = training_code(
            row,
            images.workload,
            left_out,
            images_json=images.file,
            is_labelled=is_labelled,
            share=None if run.workload.split is None else run.workload.split.share,
        )
        if code is not None:
            texts.append((row.label, _limited(code, cores.get(row.label, ()))))
    return texts


def _limited(code: str, cores: Collection[int]) -> str:
    """Return code that limits its process to these cores before it does anything else."""
    if not cores:
        return code
    limit = f"os.sched_setaffinity(0, {{{', '.join(map(str, cores))}}})"
    return f"import os\n\n{limit}  # before TensorFlow counts the cores\n\n{code}"


def sentence(run: RunRecord, texts: list[tuple[str, str]]) -> str:
    """Return what a user must know about the code; "" without a rate."""
    rows = _by_speed(run)
    if not rows:
        return ""
    first = rows[0]
    if first.label not in [label for label, _ in texts]:
        if "." in spec_of(first.label, first.spec).name:
            first_words = (
                f"{first.label} is your own loader, {first.spec}: you have its code already."
            )
        else:
            first_words = f"The code of {first.label} is not available."
        return first_words if not texts else f"{first_words} This is the code of the others:"
    of = "Of those that deliver the same images, " if equal_work.unequal(run) else ""
    why = f"{of}{first.label} has the highest rate, but it is not shown to be the fastest."
    if run.best == [first.label]:
        why = f"{first.label} is the fastest."
    elif first.label in run.best:
        why = f"Of {in_words(run.best)}, {first.label} has the highest rate."
    return (
        f"{why} Paste this code into a training script; it does not need Feedbench."
        f"{_extent(run, texts[0][1])}"
    )


def _extent(run: RunRecord, code: str) -> str:
    """Return which images the code delivers, compared with those that were measured."""
    given = run.workload
    if not given.is_part or "IMAGES_JSON" in code:
        return " It delivers the batches that were measured."
    return (
        f" It uses all {given.folder_images:,} images of the folder{given.purpose};"
        f" {given.images:,} of them were measured, and the others were not checked."
    )


def _by_speed(run: RunRecord) -> list[Row]:
    """Return the rows that have a rate: the best first, then by rate; unequal work comes last."""
    unequal = equal_work.unequal(run)
    measured = [row for row in run.rows if is_known(row.rate)]
    return sorted(
        measured,
        key=lambda row: (row.label in unequal, row.label not in run.best, -(row.rate or 0.0)),
    )
