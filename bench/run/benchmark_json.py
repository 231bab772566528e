"""A run in pytest-benchmark's format, which `pytest-benchmark compare` reads.

A round is a block, and its duration is the seconds per image. OPS, 1 / (mean duration), is then
the run's rate in images/s, by the same definition.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from feedbench.bench.files import write_whole
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.verdicts.rows import of_whole_blocks, rates_by_block

NAME = "benchmark.json"


def write(folder: Path, run: RunRecord, trials: Sequence[TrialRecord]) -> Path | None:
    """Write a run folder's benchmark.json anew, and return the file.

    Without a pipeline that has a rate there is no file: None.
    """
    file = folder / NAME
    saved = benchmark_of(folder, run, trials)
    if not saved["benchmarks"]:
        file.unlink(missing_ok=True)
        return None
    write_whole(file, json.dumps(saved, indent=4).encode())
    return file


def benchmark_of(folder: Path, run: RunRecord, trials: Sequence[TrialRecord]) -> dict[str, object]:
    """Return the run as pytest-benchmark would save it, without pipelines that have no rate.

    `machine_info` holds nothing that changes from run to run: pytest-benchmark warns if it differs.
    """
    rates = rates_by_block(of_whole_blocks(trials, run.blocks), "main")
    machine = run.environment
    return {
        "machine_info": {
            "node": platform.node(),
            "processor": machine.processor,
            "machine": platform.machine(),
            "python_implementation": platform.python_implementation(),
            "python_version": machine.python,
            "system": machine.system,
            "cpu": {"brand_raw": machine.processor, "count": machine.cores_online},
            "packages": machine.packages,
        },
        "commit_info": _commit(),
        "benchmarks": [
            _benchmark(row, [block.rate for block in rates[row.label].values()], folder)
            for row in run.rows
            if rates.get(row.label)
        ],
        "datetime": run.started_at,
        "version": version("pytest-benchmark"),
    }


def _commit() -> dict[str, object]:
    """Return the commit of the current folder, as pytest-benchmark does."""
    from pytest_benchmark.utils import get_commit_info

    commit: dict[str, object] = get_commit_info()
    return commit


def seconds_per_image(rates: Sequence[float]) -> list[float]:
    """Return the durations of the rounds: seconds per image of blocks at these images/s."""
    return [1 / rate for rate in rates]


def extra_info(row: Row, folder: Path) -> dict[str, object]:
    """Return a pipeline's other figures, for readers of the JSON."""
    proof = row.proof
    return {
        "pipeline": row.spec,
        "knobs": row.knobs,
        "images_per_second": row.rate,
        "images_per_second_low": row.rate_low,
        "images_per_second_high": row.rate_high,
        "ratio": row.ratio,
        "ratio_low": row.ratio_low,
        "ratio_high": row.ratio_high,
        "verdict": row.verdict,
        "cpu_seconds_per_1000_images": row.cpu_seconds_per_1000_images,
        "peak_memory_bytes": row.peak_memory_bytes,
        "work": None if proof is None else proof.work,
        "shuffle": None if proof is None else proof.shuffle.kind,
        "disturbed_share": row.disturbed / row.attempts if row.attempts else None,
        "run": str(folder.absolute()),
    }


def _benchmark(row: Row, rates: Sequence[float], folder: Path) -> dict[str, object]:
    from pytest_benchmark.stats import Stats

    stats = Stats()
    for seconds in seconds_per_image(rates):
        stats.update(seconds)
    return {
        "group": None,
        "name": row.label,
        "fullname": f"feedbench::{row.label}",
        "params": None,
        "param": None,
        "extra_info": extra_info(row, folder),
        "options": {"timer": "seconds per image", "disable_gc": False, "warmup": False},
        "stats": {**stats.as_dict(), "iterations": 1, "data": stats.data},
    }
