"""`feedbench run` over loaders that deliver less than was proven, once they are timed.

tests/bench/forkserver/test_timed_trials.py has more of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.storage import read_run, read_trials
from feedbench.bench.records.trial import Fault, TrialRecord
from feedbench.pipelines.images.sample_photos import write_photos
from tests.support.programs.command import SMALL, Feedbench

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end, pytest.mark.thorough]

LOADERS = Path(__file__).parents[1] / "loaders" / "lying.py"
IMAGES = 40

LIES = {
    "black": "it delivered other images in its timed part than in the proof: ",
    "slows_the_clock": "its clock and the parent's differ: ",
}
"""Each lie, and the reason why it has no verdict."""

HONEST = ("honest", "mapped")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunRecord, list[TrialRecord]]:
    """A run of all of them in one block."""
    folder = tmp_path_factory.mktemp("lying")
    write_photos(folder / "photos", IMAGES)
    specs = [f"--pipeline={name}={LOADERS}:{name}" for name in (*HONEST, *LIES)]
    words = ("photos", *SMALL, *specs, "--blocks", 1, "--out", "R")
    done = Feedbench(folder).run("run", *words)
    assert done.returncode == 1, done.stderr
    return read_run(folder / "R"), read_trials(folder / "R")


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_named_and_has_no_verdict(
    name: str, run: tuple[RunRecord, list[TrialRecord]]
) -> None:
    record, trials = run
    row = next(row for row in record.rows if row.label == name)
    assert row.proof is not None
    assert row.proof.work == "near"
    assert LIES[name] in " ".join(row.failures)
    faults = {trial.fault for trial in trials if trial.label == name and trial.block}
    assert faults == {Fault.CLOCK if name == "slows_the_clock" else Fault.WRONG_WORK}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_one_has_none_of_these(
    name: str, run: tuple[RunRecord, list[TrialRecord]]
) -> None:
    row = next(row for row in run[0].rows if row.label == name)
    assert (row.failures, row.blocks) == ([], 1)
