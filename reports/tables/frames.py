"""A run as tidy pandas frames: one of its pipelines, one of its blocks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from feedbench.bench.records.conditions.usage import GpuUsage
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.storage import read_run, read_trials, refuse_lost
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.verdicts.rows import of_whole_blocks, rates_by_block
from feedbench.bench.verdicts.turns import block_rates
from feedbench.pipelines.errors import RequestError
from feedbench.reports.sentences.preparation import epochs
from feedbench.reports.sentences.why import chosen
from feedbench.reports.tables import sanity
from feedbench.reports.text.figures import is_known, knobs

_NAMES = {  # of a row's fields, where the column's name says more than the field's
    "rate": "images_per_second",
    "rate_low": "images_per_second_low",
    "rate_high": "images_per_second_high",
    "attempts": "trials",
    "disturbed": "disturbed_trials",
}
_SEVERAL = {"label", "spec", "latency", "gpus", "preparation", "proof", "page_cache", "autotune"}
_SEVERAL |= {"knobs", "remarks", "failures"}  # fields that are more than one figure, or text
_Value = str | int | float | None
_Record = dict[str, _Value]
"""A line of the table: one value a column, None if it is not known."""

_FIGURES = {  # a row's field -> its column; a new one has its own name
    field: _NAMES.get(field, field) for field in Row.__struct_fields__ if field not in _SEVERAL
}
_UNAUGMENTED = {
    "rate": "unaugmented_images_per_second",
    "rate_low": "unaugmented_images_per_second_low",
    "rate_high": "unaugmented_images_per_second_high",
    "share": "augmentation_share",  # of that rate, which augmentation takes away
    "share_low": "augmentation_share_low",
    "share_high": "augmentation_share_high",
}
_LATENCY = ("batches", "p50", "p95", "p99", "longest")
_PREPARATION = ("seconds", "bytes", "source_bytes", "files", "images", "made_at", "was_found")
_COUNTS = ("images", "missing", "doubled", "unknown", "wrong_labels")
_SHUFFLE = (
    "kind",
    "fixed_in",
    "ahead",
    "with_list",
    "with_neighbour",
    "with_next_epoch",
    "neighbours_kept",
    "batch_classes",
    "batch_classes_by_chance",
)
_GPU = ("name", "utilisation", "memory_bytes", "watts")


def read(folder: Path) -> tuple[RunRecord, list[TrialRecord]]:
    """Read a run folder. Raises RequestError if it is not one, or is broken."""
    try:
        run = read_run(folder)
        trials = read_trials(folder)
        sanity.refuse_broken(folder, run, trials)
        refuse_lost(folder, run, trials)
    except RecursionError as error:
        raise RequestError(f"{folder} is broken: one of its files nests too deep") from error
    except OSError as error:
        raise RequestError(
            f"{folder} is not a complete run folder: cannot read {folder / 'trials.jsonl'}"
            f" ({error.strerror})"
        ) from error
    return run, trials


def pipelines(run: RunRecord) -> pd.DataFrame:
    """Return one row a pipeline, in the run's order, with all its figures.

    Units are in the columns' names; ratios, levels and utilisations are shares. A figure that is
    missing, or that a sensor did not give, is NA.
    """
    frame = pd.DataFrame.from_records([_pipeline(row) for row in run.rows])
    return frame.convert_dtypes()  # or counts with one missing would be floats


def blocks(run: RunRecord, trials: Sequence[TrialRecord]) -> pd.DataFrame:
    """Return one row a label and completed block; the baseline's second copy has `control` true.

    Columns: label, block, control, images_per_second, and ratio: to the baseline in that block.
    """
    kept = of_whole_blocks(trials, run.blocks)
    main = rates_by_block(kept, "main")
    baseline = main.get(run.pipelines[0].label, {}) if run.pipelines else {}
    records = [
        {
            "label": label,
            "block": block,
            "control": control,
            "images_per_second": rate.rate,
            "ratio": ratios.get(block),
        }
        for control, rates, others in (
            (False, main, baseline),
            (True, rates_by_block(kept, "control"), block_rates.without_copies(baseline)),
        )
        for label, by_block in rates.items()
        for ratios in [block_rates.ratios(by_block, others)]
        for block, rate in by_block.items()
    ]
    frame = pd.DataFrame(
        records, columns=["label", "block", "control", "images_per_second", "ratio"]
    )
    return frame.astype({"images_per_second": float, "ratio": float})


def as_data(run: RunRecord, trials: Sequence[TrialRecord]) -> dict[str, object]:
    """Return the run's record, and each block's rate and ratio, for JSON; NaN becomes null."""
    return {"run": run, "blocks": blocks(run, trials).to_dict(orient="records")}


def _pipeline(row: Row) -> _Record:
    record: _Record = {"label": row.label, "spec": row.spec}
    record |= {column: _known(getattr(row, field)) for field, column in _FIGURES.items()}
    for field in _LATENCY:
        unit = "" if field == "batches" else "_seconds"
        record[f"latency_{field}{unit}"] = _figure(row.latency, field)
    for field, column in _UNAUGMENTED.items():
        record[column] = _figure(row.unaugmented, field)
    record |= _gpus(row) | _proof(row) | _page_cache(row)
    for field in _PREPARATION:
        record[f"preparation_{field}"] = _figure(row.preparation, field)
    pays_off = row.preparation.break_even if row.preparation else []
    return record | {
        "pays_off_after": "; ".join(
            f"{break_even.against}: {epochs(break_even)}" for break_even in pays_off
        )
        or None,
        "autotune": chosen(row.autotune) if row.autotune is not None else None,
        "knobs": ", ".join(knobs(row)) or None,
        "remarks": "; ".join(row.remarks) or None,
        "failed_trials": len(row.failures),
    }


def _page_cache(row: Row) -> _Record:
    fields = ("asked", "files", "bytes", "resident", "read_bytes", "trials", "certified", "why_not")
    return {f"page_cache_{name}": _figure(row.page_cache, name) for name in fields}


def _proof(row: Row) -> _Record:
    proof = row.proof
    counts = None if proof is None else proof.counts
    shuffle = None if proof is None else proof.shuffle
    record: _Record = {"work": _figure(proof, "work"), "work_reason": _figure(proof, "reason")}
    for field in _COUNTS:
        name = "delivered" if field == "images" else field
        record[f"images_{name}"] = _figure(counts, field)
    record |= {"images_compared": _figure(proof, "compared"), "images_off": _figure(proof, "off")}
    for reference in ("from_sampled", "from_filtered"):
        distance = getattr(proof, reference, None)
        for figure in ("mean", "p99", "worst"):
            record[f"levels_{reference}_{figure}"] = _figure(distance, figure)
    for field in _SHUFFLE:
        record[f"shuffle_{field}"] = _figure(shuffle, field)
    return record


def _figure(of: object | None, field: str) -> _Value:
    """Return a struct's field; None without a struct, or without that figure."""
    value: _Value = None if of is None else getattr(of, field)
    return _known(value)


def _gpus(row: Row) -> _Record:
    if not isinstance(row.gpus, list):
        return {"gpus": row.gpus}
    record: _Record = {"gpus": str(len(row.gpus))}
    for place, gpu in enumerate(row.gpus):
        record |= {f"gpu_{place}_{field}": _sensor(gpu, field) for field in _GPU}
    return record


def _sensor(gpu: GpuUsage, field: str) -> _Value:
    value: _Value = getattr(gpu, field)
    return value if field == "name" or not isinstance(value, str) else None


def _known(value: _Value) -> _Value:
    return None if isinstance(value, float) and not is_known(value) else value
