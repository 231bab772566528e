"""`feedbench scale` from end to end: workers and cores in the blocks of one run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.records.storage import read_run, read_trials
from feedbench.pipelines.images.sample_photos import write_photos
from tests.support.programs.command import SMALL, Feedbench

pytestmark = pytest.mark.tensorflow
CORES = min(2, len(os.sched_getaffinity(0)))


def scaled(feedbench: Feedbench, *words: str) -> tuple[dict[str, Any], str]:
    """Measure 40 photos; return the curves by axis with the whole record, and what is printed."""
    write_photos(feedbench.folder / "photos", 40)
    ended = feedbench.run(
        "scale", "photos", *words, *SMALL, "--blocks", "1", "--out", "S", "--quiet"
    )
    assert ended.returncode == 0, ended.stderr
    record = json.loads((feedbench.folder / "S" / "scaling.json").read_text())
    return record | {curve["axis"]: curve for curve in record["curves"]}, ended.stdout


@pytest.mark.end_to_end
@pytest.mark.skipif(CORES == 1, reason="the machine has one core")
def test_cores_are_measured_in_one_run_and_what_is_computed_is_marked(
    feedbench: Feedbench,
) -> None:
    record, printed = scaled(feedbench, "--cores", "1,2", "--appetite", "3999")
    assert all(point["rate"] > 0 for point in record["cores"]["points"])
    assert "(4 cores)" in printed
    page = (feedbench.folder / "S" / "scaling.html").read_text()
    assert "extrapolated, Amdahl" in page
    assert limits(feedbench.folder / "S") == {"1 core": 1, "2 cores": 2}


@pytest.mark.study
def test_workers_have_cpu_time_and_bytes_of_their_own_and_the_client_a_ceiling(
    feedbench: Feedbench,
) -> None:
    record, printed = scaled(feedbench, "--workers", "1,2")
    for point in record["workers"]["points"]:
        assert point["client_cpu_seconds"] > 0
        assert point["workers_cpu_seconds"] > 0
        assert point["received_bytes"] > 100
    assert record["client_rate"] > 0
    print(printed)


def limits(folder: Path) -> dict[str, int]:
    """How many cores the trials of each label were limited to."""
    assert read_run(folder).status == "complete"
    return {
        trial.label: trial.usage.pinned
        for trial in read_trials(folder)
        if trial.purpose == "main" and trial.usage is not None and trial.usage.pinned
    }
