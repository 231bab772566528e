"""A large run: 20 pipelines with all that a page can show of them, 30 blocks."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

from msgspec.structs import replace

from feedbench.bench.processes.workload_file import write_workload
from feedbench.bench.records.conditions.calm import BlockCalm, Calm, Share
from feedbench.bench.records.conditions.usage import Latency
from feedbench.bench.records.diagnosis import (
    Advice,
    Autotune,
    Ceiling,
    Choice,
    Diagnosis,
    Stage,
    Step,
    Trace,
    Waterfall,
)
from feedbench.bench.records.proof import Shown
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.storage import write_trials
from feedbench.bench.records.trial import TrialRecord
from feedbench.pipelines.contract import Workload
from tests.support.builders import (
    WORKLOAD,
    a_preparation,
    a_proof,
    a_run,
    a_run_folder,
    compared,
    trials_of,
)

PIPELINES, BLOCKS = 20, 30
STRIP_BYTES = 20_000  # as those of real photos: of 600 flowers they take 8 to 20 kB
LABELS = [f"tfdata_tuned:cache=none,parallel_calls={number}" for number in range(1, PIPELINES + 1)]
STAGES = ("decode", "resize", "the rest", "read", "scale", "shuffle", "list", "batch")
SHEET = [Shown(file=f"roses/{n}.jpg", class_name="roses", delivered_as="roses") for n in range(6)]


def a_large_run_folder(folder: Path) -> Path:
    """The run's folder, with contact sheets as large as real ones and a list of 2,000 files."""
    run, trials = a_large_run()
    a_run_folder(folder, run, [])
    write_trials(folder / "trials.jsonl", trials)
    (folder / "samples").mkdir()
    noise = random.Random(0)
    for name in ["_reference", *(one.slug for one in run.pipelines)]:
        content = b"RIFF\0\0\0\0WEBP" + noise.randbytes(STRIP_BYTES - 12)
        (folder / "samples" / f"{name}.webp").write_bytes(content)
    write_workload(a_workload(), folder / "images.json")
    return folder


def a_large_run() -> tuple[RunRecord, list[TrialRecord]]:
    """The run and its trials, whose rates vary by some percents."""
    noise = random.Random(0)
    rates = {
        label: [round(1000 * (1 + place / 20) * noise.gauss(1, 0.04)) for _ in range(BLOCKS)]
        for place, label in enumerate(LABELS)
    }
    rows = [a_full_row(place, label) for place, label in enumerate(LABELS)]
    work = a_workload()
    run = a_run(
        *rows,
        best=LABELS[-1:],
        blocks=BLOCKS,
        calm=a_calm(noise),
        diagnosis=a_diagnosis(),
        workload=replace(
            WORKLOAD,
            images=work.images,
            folder_images=work.folder_images,
            height=work.height,
            width=work.width,
        ),
    )
    return run, trials_of(rates)


def a_full_row(place: int, label: str) -> Row:
    choice = Choice(stage="ParallelMapV2", parallelism=1, most_parallelism=2, buffer=2, ms=1.2)
    return compared(
        label,
        1 + place / 20,
        "faster",
        latency=Latency(batches=90, p50=0.0131, p95=0.02, p99=0.03, longest=0.5),
        cpu_seconds_per_1000_images=1.1,
        cpu_utilisation=0.9,
        peak_memory_bytes=400_000_000,
        preparation=a_preparation(**{LABELS[0]: 12.5}),
        proof=a_proof(sheet=SHEET),
        autotune=Autotune(cpu_budget=2, ram_budget=10**9, choices=[choice] * 6),
        knobs={"cache": "none", "parallel_calls": place + 1, "shuffle": "full"},
        remarks=["a remark on what was not as it was asked for"],
    )


def a_calm(noise: random.Random) -> Calm:
    whole = Share(1.0, 1.0)

    def a_block(number: int) -> BlockCalm:
        between = [Share(noise.gauss(1, 0.03), noise.gauss(1, 0.1)) for _ in range(PIPELINES + 2)]
        # The one after a trial is the one before the next.
        probes = [share for pair in pairwise(between) for share in pair]
        return BlockCalm(
            block=number, seconds=100.0, probes=probes, disturbed=[LABELS[0]],
            stolen_seconds=0.1, throttled_seconds=0.0, cpu_pressure_seconds=1.0,
            io_pressure_seconds=0.0, memory_pressure_seconds=0.0,
        )  # fmt: skip

    return Calm(
        low=Share(0.85, 0.5), lowest=whole, middle=whole, attempts=630, disturbed=30, retaken=30,
        waited_seconds=3.0, probe_seconds=60.0,
        blocks=[a_block(number) for number in range(1, BLOCKS + 1)],
    )  # fmt: skip


def a_diagnosis() -> Diagnosis:
    stages = [Stage(name=name, ms=1 / 2**place) for place, name in enumerate(STAGES)]
    steps = [Step(name="read", rate=20_000.0, cpu_ms=0.1)]
    steps += [Step(name="the rest", rate=1000.0, cpu_ms=1.1)]
    advice = "decode takes 62% of its CPU time: store them smaller, or cache what was decoded."
    trace = Trace(folder="", stages=stages, cpu_ms=1.2, conclusion="It is input-bound. " * 15)
    return Diagnosis(
        traces=dict.fromkeys(LABELS, trace),
        ceilings=[Ceiling(name="read", rate=9000.0), Ceiling(name="decode", rate=2400.0)],
        waterfalls=[Waterfall(label=LABELS[0], steps=steps)],
        advice=[Advice(label=label, sentence=advice, figure="", gain=0.5) for label in LABELS],
    )


def a_workload() -> Workload:
    files = tuple(f"/photos/roses/{number:05d}.jpg" for number in range(2000))
    return Workload(
        folder="/photos", files=files, labels=(0,) * len(files), class_names=("roses",),
        formats=("JPEG",), height=224, width=224, folder_images=len(files),
    )  # fmt: skip
