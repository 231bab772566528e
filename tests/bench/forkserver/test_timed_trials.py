"""Trials of loaders that deliver less than was proven, in this process and without TensorFlow."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from feedbench.bench.equal_work import references_task
from feedbench.bench.forkserver.tasks import perform
from feedbench.bench.processes.workload_file import write_workload
from feedbench.bench.records.messages import Event, Failed, Measured, Verified
from feedbench.bench.records.proof import Proof
from feedbench.bench.records.windows import Windows
from tests.support.builders import natural_photos
from tests.support.pace import CALM
from tests.support.pipelines.claimed_feeds import a_request

LOADERS = Path(__file__).parents[2] / "end_to_end" / "loaders" / "lying.py"

THOROUGH = pytest.mark.thorough
LIES = {
    "black": "it delivered other images in its timed part than in the proof: ",
    "tiny": "of its timed part, it delivered images of float32 [8, 1, 1, 3]; expected float32",
    "broadcast": "as a broadcast array, whose values share memory",
    "half_twice": "more than once in an epoch of its timed part",
    "looks_at_the_stack": "have the wrong label",
    "patches_the_window_rule": "it replaced bench.records.windows.Windows.arrived",
    "patches_the_clock": "it replaced time.monotonic",
}

QUICK = {"black", "tiny"}

Trial = Callable[..., Event]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The list of 40 photos as `images`, to 32x32 in batches of 8, and their references."""
    made = tmp_path_factory.mktemp("timed")
    workload = natural_photos(made / "photos", 40, side=32, batch_size=8)
    write_workload(workload, made / "images")
    (made / "references").mkdir()
    references_task.serve(workload, made / "references", lambda _: None)
    return made


@pytest.fixture(scope="module")
def trial(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """Perform a trial of a loader, and return the last that it says."""
    tmp_path = tmp_path_factory.mktemp("scratch")

    def performed(name: str, purpose: str = "main", proof: Proof | None = None) -> Event:
        said: list[Event] = []
        request = a_request(
            purpose=purpose,
            label=name,
            spec=f"{LOADERS}:{name}",
            workload=str(folder / "images"),
            references=str(folder / "references"),
            proof=proof,
            prepared=str(tmp_path),
            scratch=str(tmp_path),
            pace=CALM,
        )
        perform(request, said.append)
        return said[-1]

    return performed


@pytest.fixture(scope="module")
def proof(trial: Trial) -> Proof:
    verified = trial("honest", "verify")
    assert isinstance(verified, Verified)
    assert verified.proof.work == "near"
    return verified.proof


@pytest.mark.parametrize(
    "name", [pytest.param(it, marks=[] if it in QUICK else THOROUGH) for it in LIES]
)
def test_a_lie_fails_the_trial(
    name: str, trial: Trial, proof: Proof, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "monotonic", time.monotonic)  # put back what the loaders replace
    monkeypatch.setattr(Windows, "arrived", Windows.arrived)
    failed = trial(name, proof=proof)
    assert isinstance(failed, Failed)
    assert LIES[name] in failed.sentence
    assert failed.is_wrong_work


@pytest.mark.parametrize("name", ["honest", "mapped"])
def test_an_honest_loader_is_measured(name: str, trial: Trial, proof: Proof) -> None:
    assert isinstance(trial(name, proof=proof), Measured)


def test_images_are_not_compared_where_equal_work_is_not_proven(trial: Trial) -> None:
    assert isinstance(trial("black"), Measured)
