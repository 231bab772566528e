"""Where the time of the pipeline `threads` goes. Figures to read, never asserted upon.

Threads, one a core, do a part of the work for each photo: reading, then decoding as well, then
resizing, then the float conversion. The last part is the pipeline itself, which also has its queue
of batches. So each part costs what it adds to the one before. Parts take turns within a round.
"""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from feedbench.bench.processes.workload_file import workload_of
from feedbench.pipelines import catalog
from feedbench.pipelines.built_in.threaded.decoder import Decoder
from feedbench.pipelines.built_in.threaded.image_form import ImageForm
from feedbench.pipelines.contract import Dtype, Workload
from feedbench.pipelines.images.index import index_folder
from feedbench.pipelines.remote.reading import read

pytestmark = pytest.mark.study

ROUNDS = 7
EPOCHS = 3  # of each part in a round
Part = Callable[[str], object]


def test_what_each_step_costs(flowers: Path) -> None:
    index, cores = index_folder(flowers), len(os.sched_getaffinity(0))
    count = len(index.files)
    floats = workload_of(index, folder_images=count, image_size=(224, 224), batch_size=32, seed=0)
    levels = replace(floats, dtype="uint8", value_range=(0.0, 255.0))
    cv2.setNumThreads(1)
    for file in floats.files:
        Path(file).read_bytes()
    measured: dict[str, list[tuple[float, float, float]]] = {}
    with ThreadPoolExecutor(cores) as pool:
        parts = {
            name: _by_threads(pool, part, floats, cores)
            for name, part in _parts(floats, levels).items()
        }
        parts["the pipeline, uint8"] = _by_feed(levels)
        parts["the pipeline, float32"] = _by_feed(floats)
        for _ in range(ROUNDS):
            for name, run in parts.items():
                measured.setdefault(name, []).append(_measured(run, EPOCHS * count))
    print(f"\n{count} flowers, {cores} threads, {ROUNDS} rounds:")
    for name, rounds in measured.items():
        rates, milliseconds, faults = (sorted(each) for each in zip(*rounds, strict=True))
        print(
            f"  {name:24} {statistics.median(rates):6,.0f}/s ({rates[0]:,.0f} to {rates[-1]:,.0f}),"
            f" {statistics.median(milliseconds):.3f} CPU-ms an image,"
            f" {statistics.median(faults):.1f} page faults"
        )


def _parts(floats: Workload, levels: Workload) -> dict[str, Part]:
    """Return what threads do with one file, by name; each does more than the one before."""
    decoder = Decoder(None)
    forms = {each.dtype: ImageForm(each) for each in (floats, levels)}
    shape = (floats.height, floats.width, 3)

    def resized(file: str, dtype: Dtype) -> None:
        forms[dtype].put(decoder.pixels(file), np.empty(shape, dtype))

    return {
        "read": read,
        "and decode": decoder.pixels,
        "and resize to uint8": lambda file: resized(file, "uint8"),
        "and convert to float32": lambda file: resized(file, "float32"),
    }


def _by_threads(
    pool: ThreadPoolExecutor, part: Part, workload: Workload, cores: int
) -> Callable[[], None]:
    def of(files: Any) -> None:
        for file in files:
            part(file)

    def run() -> None:
        files = workload.files * EPOCHS
        list(pool.map(of, [files[first::cores] for first in range(cores)]))

    return run


def _by_feed(workload: Workload) -> Callable[[], None]:
    pipeline: Any = catalog.load(catalog.parse("threads"))
    feed = pipeline.open(workload, Path(), Path())

    def run() -> None:
        batches: Iterator[Any] = feed.repeat()
        for _ in range(EPOCHS * -(-workload.images // workload.batch_size)):
            next(batches)
        del batches

    return run


def _measured(run: Callable[[], None], images: int) -> tuple[float, float, float]:
    """Return images/s, milliseconds of CPU time an image, and page faults an image."""
    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    run()
    seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return images / seconds, 1000 * cpu / images, (after.ru_minflt - before.ru_minflt) / images
