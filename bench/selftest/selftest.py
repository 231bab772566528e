"""`feedbench selftest`: measures pipelines of known behaviour with the unchanged harness."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path

from feedbench.bench.machine.cores import usable_cores
from feedbench.bench.machine.meters import Meters
from feedbench.bench.machine.monitor import Monitor
from feedbench.bench.processes.client import Processes
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.progress import Listener, outcome_text
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.processes.trials import Trials
from feedbench.bench.processes.workload_file import workload_of, write_workload
from feedbench.bench.records.checks.selftest import SelfTest
from feedbench.bench.records.pace import USUAL, Pace
from feedbench.bench.records.run import Stopped
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run.budget import Budget, Cost, trial_seconds
from feedbench.bench.run.measuring.blocks import Blocks
from feedbench.bench.run.measuring.schedule import Lineup
from feedbench.bench.run.workplace import scratch_folder
from feedbench.bench.selftest import expected
from feedbench.bench.selftest.expected import ALONE, IN_BLOCKS, REAL
from feedbench.bench.selftest.neighbour import neighbours
from feedbench.bench.selftest.pipelines import TOUCHED
from feedbench.pipelines.catalog import Spec, parse
from feedbench.pipelines.images.index import index_folder
from feedbench.pipelines.images.sample_photos import write_photos

PHOTOS, BATCH_SIZE, PIXELS = 128, 32, 224
_LIMIT = Limit(60.0)
_ATTEMPTS = 3  # for a trial that the machine disturbs
_LOADER = "known_pipelines.py"
_SECONDS = 600.0  # after which no block starts; 2 to 3 minutes are usual


def selftest(listener: Listener, pace: Pace = USUAL) -> SelfTest:
    """Measure pipelines of known behaviour, in a scratch folder that is removed at the end."""
    begun = time.monotonic()
    with (
        scratch_folder() as scratch,
        Processes(scratch, scratch / "forkserver.log") as processes,
        Meters() as meters,
    ):
        listener.stage("making photos")
        workload = _workload(scratch)
        listener.stage("importing TensorFlow")
        processes.ready()
        folder = RunFolder(scratch / "run")
        folder.create()
        specs = _specs(scratch)
        trials = Trials(
            processes,
            folder,
            scratch,
            tuple(specs),
            fresh_interpreter=False,
            meters=meters,
            machine=Monitor(pace=pace),
            pace=pace,
        )
        with neighbours(scratch / "photos" / TOUCHED, math.ceil(usable_cores())):
            for label in (*ALONE, REAL):
                _alone(trials, specs[label], workload, listener)
            lineup = _lineup({label: specs[label] for label in IN_BLOCKS}, pace)
            blocks = Blocks(
                trials, lineup, workload, Budget(deadline=begun + _SECONDS), seed=0, pace=pace
            )
            blocks.run(listener, _Enough(trials))
    return _result(trials.records, blocks.whole, time.monotonic() - begun)


def _result(records: Sequence[TrialRecord], blocks: int, seconds: float) -> SelfTest:
    return SelfTest(
        seconds=seconds,
        blocks=blocks,
        disturbed=sum(record.is_disturbed for record in records),
        failures=[
            f"{record.label}: {record.why}" for record in records if record.ended == "failed"
        ],
        lines=expected.lines(records, BATCH_SIZE),
    )


class _Enough:
    """Decides after each block whether there are enough; keeps nothing on disk."""

    def __init__(self, trials: Trials) -> None:
        self._trials = trials

    def save(self, *, blocks: int) -> None:
        """Do nothing."""

    def so_far(self) -> str:
        """Return nothing: the answer is whether the harness can be trusted."""
        return ""

    def take_no_turns(self, why: str) -> None:
        """Do nothing."""

    def reason_to_stop(self, _: tuple[str, ...]) -> Stopped | None:
        """Return a reason if there are enough blocks."""
        return Stopped.PRECISE if expected.is_enough(self._trials.records) else None


def _workload(scratch: Path) -> Path:
    photos = scratch / "photos"
    write_photos(photos, PHOTOS)
    index = index_folder(photos)
    file = scratch / "images.json"
    write_workload(
        workload_of(
            index,
            folder_images=PHOTOS,
            image_size=(PIXELS, PIXELS),
            batch_size=BATCH_SIZE,
            seed=0,
        ),
        file,
    )
    return file


def _specs(scratch: Path) -> dict[str, Spec]:
    """Return the pipelines, defined in a loader file like a user's own."""
    functions = {**ALONE, **IN_BLOCKS}
    loader = scratch / _LOADER
    imports = {f"from {each.__module__} import {each.__name__}\n" for each in functions.values()}
    loader.write_text("".join(sorted(imports)))
    specs = {label: parse(f"{label}={loader}:{each.__name__}") for label, each in functions.items()}
    return {**specs, REAL: parse(REAL)}


def _alone(trials: Trials, spec: Spec, workload: Path, listener: Listener) -> None:
    """Measure a pipeline alone; repeat the trial if the machine disturbed it."""
    for attempt in range(1, _ATTEMPTS + 1):
        listener.stage(f"measuring {spec.label} alone")
        record = trials.run(spec, "main", workload, _LIMIT, 0, attempt)
        listener.note(f"alone    {spec.label}: {outcome_text(record)}")
        if record.ended != "measured" or not record.is_disturbed:
            return


def _lineup(specs: dict[str, Spec], pace: Pace) -> Lineup:
    seconds = trial_seconds(Cost(1e-3), PHOTOS, BATCH_SIZE, pace)
    return Lineup(specs, dict.fromkeys(specs, seconds))
