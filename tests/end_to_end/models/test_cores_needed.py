"""Pipelines on fewer cores, from end to end: one with a thread a core, and one with one thread."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.machine.cores import usable_cores
from tests.support.programs.command import SMALL, Feedbench

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end]

# As many images at once as there are cores: 10 ms each, which no other program makes longer.
WORKING = """
import os, time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

def photos(workload):
    class Feed:
        def __iter__(self):
            ahead = deque()
            with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
                for batch in batches(workload):
                    ahead.append((batch, [pool.submit(time.sleep, 0.01) for _ in batch[1]]))
                    if len(ahead) > 2:
                        yield done(ahead)
                while ahead:
                    yield done(ahead)
    return Feed()

def done(ahead):
    batch, works = ahead.popleft()
    for each in works:
        each.result()
    return batch
"""
SLEEPING = """
import time

def photos(workload):
    class Feed:
        def __iter__(self):
            for images, labels in batches(workload):
                time.sleep(0.04 * len(images) / 8)
                yield images, labels
    return Feed()
"""


@pytest.mark.skipif(usable_cores() < 2, reason="needs two cores")
def test_what_has_a_thread_a_core_is_faster_on_more_cores_and_what_has_one_is_not(
    feedbench: Feedbench, photos: Path
) -> None:
    words = [
        word
        for name, text in (("works", WORKING), ("sleeps", SLEEPING))
        for word in ("-p", f"{name}={feedbench.loader(text, f'{name}.py')}")
    ]
    done = feedbench.run(
        "run", photos, *SMALL, *words, "--step", "8ms", "--cores-needed", "--blocks", "1",
        "--limit", "24", "--out", "R",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    run: dict[str, Any] = json.loads((feedbench.folder / "R" / "run.json").read_bytes())
    demand = run["demand"]
    assert demand["core_blocks"] == 1
    rates = {
        each["label"]: {point["cores"]: point["rate"]["value"] for point in each["points"]}
        for each in demand["cores"]
    }
    assert rates["works"][2] > 1.4 * rates["works"][1]
    assert rates["sleeps"][2] < 1.2 * rates["sleeps"][1]
    fitted = {each["label"]: each["needed"] for each in demand["cores"]}
    assert fitted["works"]["spread_seconds"] > fitted["works"]["serial_seconds"]
    assert fitted["sleeps"] is None or fitted["sleeps"]["value"] is None
    assert "works, measured: " in done.stdout
    assert "Extrapolated by Amdahl's law" in done.stdout
