"""Runs, rows and trials as the tests need them; each takes what a test wants otherwise."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from PIL import Image

from feedbench.bench.equal_work.judgement import judged
from feedbench.bench.processes.run_folder import slugs
from feedbench.bench.processes.workload_file import workload_of
from feedbench.bench.records.conditions.environment import Environment
from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.proof import (
    Counts,
    Distance,
    Kind,
    Likeness,
    Proof,
    Shown,
    Shuffle,
    Work,
)
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import PipelineRecord, RunRecord, WorkloadRecord
from feedbench.bench.records.storage import append_trial, write_run
from feedbench.bench.records.trial import BreakEven, Preparation, TrialRecord
from feedbench.bench.records.windows import Window
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.images.index import index_folder
from feedbench.pipelines.images.sample_photos import write_photos

WORKLOAD = WorkloadRecord(
    folder="/photos",
    folder_images=3670,
    images=3670,
    ignored_files=1,
    classes={"daisy": 1670, "rose": 1000, "tulip": 1000},
    height=180,
    width=240,
    channels=3,
    batch_size=32,
    dtype="float32",
    value_range=(0.0, 1.0),
    label_mode="int",
    seed=0,
)
ENVIRONMENT = Environment("Linux", "a processor", 2.0, 2, 2**33, "3.11.7", {"numpy": "2.4.6"})
NOT_COMPARED = "The images that the pipelines deliver were not compared."
SCRIPT = "<script>alert(1)</script>"
KOREAN = "한국어 🐈"
HOSTILE = ["\uffff\ufdd0", SCRIPT, "$x_1$ & 'a' \"b\" --> ]]>", KOREAN, "x" * 100]


def a_row(label: str, rate: float | None = 1000.0, **given: Any) -> Row:
    """A row with all its phases, measured in eight blocks."""
    fields: dict[str, Any] = {
        "label": label,
        "spec": label,
        "blocks": 8,
        "rate": rate,
        "rate_low": rate and rate * 0.98,
        "rate_high": rate and rate * 1.02,
        "level": 0.99,
        "first_batch_seconds": 0.532,
        "first_epoch_seconds": 4.4,
        "folder_first_epoch_seconds": 31.5,
        "turnover_seconds": 0.0123,
        "epoch_seconds": 3.67,
        "folder_epoch_seconds": 36.7,
    }
    return Row(**fields | given)


def compared(label: str, ratio: float, word: str, **given: Any) -> Row:
    """A row beside a baseline of 1,000 images/s, its interval 2 % to either side."""
    interval = {"ratio": ratio, "ratio_low": ratio * 0.98, "ratio_high": ratio * 1.02}
    return a_row(label, 1000 * ratio, **{**interval, "verdict": word, **given})


def empty_row(label: str, *failures: str) -> Row:
    return Row(label=label, spec=label, blocks=0, failures=list(failures))


def a_preparation(**epochs: float | None) -> Preparation:
    """37.1 MB of records beside 37.6 MB of photos; `epochs` until they have paid, by label."""
    return Preparation(
        folder="/prepared",
        made_at="2026-01-01T22:10:00+00:00",
        was_found=False,
        images=3670,
        seconds=2.1,
        bytes=37_100_000,
        source_bytes=37_590_000,
        files=8,
        break_even=[
            BreakEven(against=label, epochs=until_paid, is_faster=until_paid is not None)
            for label, until_paid in epochs.items()
        ],
    )


DISTANCES: dict[Work, tuple[float, float]] = {  # from TensorFlow's sampling, Pillow's filter
    "same": (0.001, 1.87),
    "near": (1.87, 0.0),
    "different": (34.9, 35.7),
}
SWAPPED = Likeness(name="swapped red and blue channels", is_fault=True, images=16, distance=0.001)
SHEET = [
    Shown(file=f"{name}/1.jpg", class_name=name, delivered_as=name) for name in ("daisy", "rose")
]


def a_distance(mean: float) -> Distance:
    """A distance whose other figures go with the mean."""
    return Distance(mean=mean, p99=12 * mean, worst=5 * mean, worst_file="daisy/7.jpg")


def a_shuffle(kind: Kind = "full", **given: Any) -> Shuffle:
    """A shuffle of 600 images in batches of 32; a partial one is through a buffer of 100."""
    order: dict[Kind, tuple[float, float, float, int]] = {
        "full": (0.02, -0.01, 0.03, 571),
        "partial": (0.98, 0.91, 0.97, 99),
        "none": (1.0, 1.0, 1.0, 0),
        "fixed": (0.02, -0.01, 1.0, 571),
    }
    if kind == "unknown":
        return Shuffle(kind=kind)
    with_list, with_neighbour, with_next_epoch, ahead = order[kind]
    fields: dict[str, Any] = {
        "with_list": with_list,
        "with_neighbour": with_neighbour,
        "with_next_epoch": with_next_epoch,
        "ahead": ahead,
        "batch_classes": 3.0 if kind in {"full", "fixed"} else 1.11,
        "batch_classes_by_chance": 3.0,
    }
    return Shuffle(kind=kind, **fields | given)


def a_proof(work: Work = "same", **given: Any) -> Proof:
    """A proof over 600 images whose figures are those of the word, judged by what is given."""
    sampled, filtered = DISTANCES[work]
    fields: dict[str, Any] = {
        "counts": Counts(images=600),
        "compared": 600,
        "from_sampled": a_distance(sampled),
        "from_filtered": a_distance(filtered),
        "likeness": SWAPPED if work == "different" else None,
        "shuffle": a_shuffle(),
        "sheet": SHEET,
        "made_at": "2026-01-01T00:00:00+00:00",
    }
    proof = judged(Proof(work=work, **fields | given))
    return replace(proof, reason=given.get("reason", proof.reason))


def a_run(*rows: Row, best: list[str] | None = None, **given: Any) -> RunRecord:
    """A run of eight blocks that is complete."""
    slug = slugs(tuple(row.label for row in rows))
    fields: dict[str, Any] = {
        "status": "complete",
        "command": ["feedbench", "run"],
        "started_at": "2026-01-01T00:00:00+00:00",
        "seconds": 245.0,
        "time_seconds": 300.0,
        "blocks": 8,
        "margin": 0.05,
        "pipelines": [PipelineRecord(row.label, row.spec, slug[row.label]) for row in rows],
        "workload": WORKLOAD,
        "environment": ENVIRONMENT,
        "best": best or [],
        "control": (1.001, 0.995, 1.007),
        "rows": list(rows),
    }
    return RunRecord(**fields | given)


def a_part(run: RunRecord) -> RunRecord:
    """The same run over 512 of the 3,670 images."""
    part = replace(run.workload, images=512)
    return replace(run, workload=part)


def a_measurement(**given: Any) -> Measurement:
    """A measurement whose phases took no time, of no windows."""
    fields: dict[str, Any] = {
        "open_seconds": 0.0,
        "first_batch_seconds": 0.0,
        "first_epoch_seconds": 0.0,
        "first_epoch_images": 0,
    }
    return Measurement(**fields | given)


def a_record(**given: Any) -> TrialRecord:
    """A trial's record; what is given of a measurement goes into one, where it was measured."""
    fields: dict[str, Any] = {
        "label": "a",
        "spec": "a",
        "purpose": "main",
        "block": 0,
        "started_at": "2026-01-01T00:00:00.000+00:00",
        "seconds": 1.0,
        "ended": "measured",
    }
    fields |= given
    measured = {name: fields.pop(name) for name in Measurement.__struct_fields__ if name in fields}
    if fields["ended"] == "measured":
        fields.setdefault("measured", a_measurement(**measured))
    return TrialRecord(**fields)


def measured_in(record: TrialRecord) -> Measurement:
    """What was measured in a trial that was."""
    assert record.measured is not None, record.why
    return record.measured


def with_measured(record: TrialRecord, **given: Any) -> TrialRecord:
    """A trial that was measured, with other figures."""
    return replace(record, measured=replace(measured_in(record), **given))


def a_trial(block: int, label: str = "a", rate: int = 1000, **given: Any) -> TrialRecord:
    """A measured trial of four windows, a second each."""
    fields: dict[str, Any] = {
        "label": label,
        "spec": label,
        "block": block,
        "seconds": 1 / 3,
        "windows": [Window(rate, 1.0)] * 4,
    }
    return a_record(**fields | given)


def trials_of(rates: Mapping[str, Sequence[int]]) -> list[TrialRecord]:
    """Trials with these images/s, a block each; the first label's second copy has the same."""
    first = next(iter(rates))
    trials = [
        a_trial(block, label, rate)
        for label, of_label in rates.items()
        for block, rate in enumerate(of_label, 1)
    ]
    return trials + [
        a_trial(block, first, rate, purpose="control") for block, rate in enumerate(rates[first], 1)
    ]


def a_run_folder(folder: Path, run: RunRecord, trials: Sequence[TrialRecord]) -> Path:
    """A run folder that holds them."""
    folder.mkdir(exist_ok=True)
    write_run(folder, run)
    (folder / "trials.jsonl").touch()
    for trial in trials:
        append_trial(folder, trial)
    return folder


def a_strip(file: Path, images: int = 2, rows: int = 2) -> Path:
    """A strip of small pictures as those of a contact sheet, each of one colour."""
    strip = Image.new("RGBA", (84 * images - 4, 84 * rows - 4), (0, 0, 0, 0))
    for place in range(images):
        colour = (40 * place + 50, 120, 200 - 30 * place)
        strip.paste(colour, (84 * place, 0, 84 * place + 80, 80))
        for row in range(1, rows):
            strip.paste((0, 0, 0), (84 * place, 84 * row, 84 * place + 80, 84 * row + 80))
    file.parent.mkdir(exist_ok=True)
    strip.save(file, format="WEBP")
    return file


def with_samples(folder: Path, run: RunRecord) -> Path:
    """The run folder with a strip for the reference and for each pipeline that has a sheet."""
    samples = folder / "samples"
    proofs = {row.label: row.proof for row in run.rows}
    for pipeline in run.pipelines:
        proof = proofs[pipeline.label]
        if proof is not None and proof.sheet:
            a_strip(samples / f"{pipeline.slug}.webp", len(proof.sheet))
            a_strip(samples / "_reference.webp", len(proof.sheet), 1)
    return folder


def workload_over(folder: Path) -> Workload:
    """All images of a folder, to 32x32 in batches of 8."""
    index = index_folder(folder)
    return workload_of(
        index, folder_images=len(index.files), image_size=(32, 32), batch_size=8, seed=0
    )


def natural_photos(folder: Path, images: int, *, side: int, batch_size: int) -> Workload:
    """New natural-looking photos in a folder, to squares of this many pixels a side."""
    write_photos(folder, images)
    return dataclasses.replace(
        workload_over(folder), height=side, width=side, batch_size=batch_size
    )
