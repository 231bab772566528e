"""The fastest pipelines as code to be pasted into a training script."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from feedbench.bench.results import Row, RunRecord
from feedbench.bench.say import listed as in_words
from feedbench.bench.workload import read_workload
from feedbench.pipelines.contract import Workload
from feedbench.reports.figures import is_known
from feedbench.reports.trainingcode import training_code

_FILE = "images.json"  # in a run's folder


@dataclass(frozen=True)
class Images:
    """The list of images that a run measured, and its file."""

    workload: Workload
    file: Path


def listed(folder: Path) -> Images | None:
    """Return the list of a run's folder; None where there is none, or something else."""
    file = folder / _FILE
    try:
        return Images(read_workload(file), file.absolute())
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def codes(run: RunRecord, images: Images | None) -> list[tuple[str, str]]:
    """Return each built-in pipeline's label and code, those that are the fastest first."""
    if images is None:
        return []
    left_out = [each.file for each in run.workload.left_out]
    # Then the list says which files there are, even where they lie in folders of the same names.
    is_labelled = any(word.partition("=")[0] == "--labels" for word in run.command)
    found = []
    for row in _by_speed(run):
        code = training_code(
            row, images.workload, left_out, images_json=images.file, is_labelled=is_labelled
        )
        if code is not None:
            found.append((row.label, code))
    return found


def sentence(run: RunRecord, found: list[tuple[str, str]]) -> str:
    """Return what is to be known of the code; nothing where there is nothing to be said."""
    rows = _by_speed(run)
    if not rows:
        return ""
    first = rows[0]
    if first.label not in [label for label, _ in found]:
        if "." in first.spec.partition(":")[0]:
            own = f"{first.label} is a loader of your own, {first.spec}: its code is yours already."
        else:
            own = f"The code of {first.label} is not known here."
        return own if not found else f"{own} The others, as code:"
    why = f"{first.label} has the highest rate; that it is the fastest is not shown."
    if run.best == [first.label]:
        why = f"{first.label} is the fastest."
    elif run.best:
        why = f"Of {in_words(run.best)}, {first.label} has the highest rate."
    return (
        f"{why} As code it delivers the same batches; it needs TensorFlow only, and stands in a"
        " training script as it is."
    )


def _by_speed(run: RunRecord) -> list[Row]:
    """Return the rows that have a rate: the best first, then by rate, unequal work last."""
    known = [row for row in run.rows if is_known(row.rate)]
    return sorted(
        known,
        key=lambda row: (row.withheld == "work", row.label not in run.best, -(row.rate or 0.0)),
    )
