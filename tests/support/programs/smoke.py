"""One real run of the command, made once for all tests that look at what a run leaves."""

from __future__ import annotations

import fcntl
import pickle
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.storage import read_run, read_trials
from feedbench.bench.records.trial import TrialRecord
from tests.support.pipelines import loaders
from tests.support.programs.command import SMALL, Feedbench, finished, trials_until
from tests.support.waiting import until


@dataclass(frozen=True)
class Smoke:
    """A run R of two built-in pipelines and of a loader that fails, one block, with traces."""

    feedbench: Feedbench
    photos: Path
    done: subprocess.CompletedProcess[str]
    mapped_by_parent: str  # the files in its memory while a trial ran
    mapped_by_trial: str

    @property
    def folder(self) -> Path:
        return self.feedbench.folder / "R"

    @property
    def run(self) -> RunRecord:
        return read_run(self.folder)

    @property
    def trials(self) -> list[TrialRecord]:
        return read_trials(self.folder)


def made_once(folder: Path, photos: Path) -> Smoke:
    """Make the run in this folder, or return it if another process of these tests made it."""
    kept = folder / "smoke.pickle"
    with (folder / "smoke.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            (folder / "smoke").mkdir()
            kept.write_bytes(pickle.dumps(made(folder / "smoke", photos)))
        smoke: Smoke = pickle.loads(kept.read_bytes())
    return smoke


def made(folder: Path, photos: Path) -> Smoke:
    """Make the run."""
    feedbench = Feedbench(folder)
    feedbench.machine = "unhurried"
    short = feedbench.loader(loaders.TOO_FEW, "short.py")
    process = feedbench.start(
        *("run", photos, *SMALL, "--blocks", "1", "--trace", "--out", "R", "--prepared", "P"),
        *("-p", "tfdata_naive", "-p", "tfrecord_sharded", "-p", f"short={short}"),
    )
    trials_until(feedbench, process, bool)
    trial = trial_process(process)
    mapped = [Path(f"/proc/{pid}/maps").read_text() for pid in (process.pid, trial.pid)]
    return Smoke(feedbench, photos, finished(process), *mapped)


def trial_process(parent: subprocess.Popen[str]) -> psutil.Process:
    """Wait for a measured process, and return it: the forkserver's child."""
    (forkserver,) = psutil.Process(parent.pid).children()
    return until(forkserver.children)[0]
