"""Forkservers that are killed, stopped or silent, at every moment: none is waited for for ever."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from feedbench.bench.processes.client import (
    ForkserverError,
    Processes,
    fault_of,
    what_went_wrong,
)
from feedbench.bench.processes.underway import Outcome, Patience
from feedbench.bench.records.messages import Collected, Request, Start
from feedbench.bench.records.trial import Fault
from tests.support.programs import forkservers
from tests.support.waiting import gone, written

BRIEF = Patience(ready=0.2, start=0.2, end=0.1, tick=0.02)
STARTS = Patience(ready=60.0, start=0.2, end=0.1, tick=0.02)
LIMIT_SECONDS = 0.2
SOON_SECONDS = 20.0  # far less than what the programs would wait


@contextmanager
def forkserver(way: str, folder: Path, patience: Patience) -> Iterator[Processes]:
    """Start such a forkserver; it and its trial must be gone in the end, soon."""
    begun = time.monotonic()
    python = forkservers.write_forkserver(folder, way, folder / "pids")
    processes = Processes(folder, folder / "forkserver.log", python, patience)
    with processes:
        server = processes.forkserver
        assert server is not None
        yield processes
    assert gone([server, *written(folder / "pids")])
    assert time.monotonic() - begun < SOON_SECONDS


def performed(way: str, folder: Path, limit_seconds: float = LIMIT_SECONDS) -> Outcome:
    """Have such a forkserver perform a trial."""
    request = Request(
        label="a", spec="a", purpose="pilot", workload="", prepared="", scratch=str(folder)
    )
    with forkserver(way, folder, STARTS) as processes:
        return processes.run(Start(request=request, log=str(folder / "log")), limit_seconds)


@pytest.mark.parametrize(
    ("way", "sentence"),
    [
        (forkservers.STOPPED_AT_IMPORT, "did not import TensorFlow within 0 s: it printed nothing"),
        (forkservers.KILLED_AT_IMPORT, "cannot import TensorFlow: no such module"),
        pytest.param(
            forkservers.SILENT_AT_IMPORT,
            "did not import TensorFlow within 0 s: it printed nothing",
            marks=pytest.mark.thorough,
        ),
        pytest.param(
            forkservers.GARBLED_AT_IMPORT,
            "did not import TensorFlow within 0 s: it printed nothing",
            marks=pytest.mark.thorough,
        ),
        pytest.param(
            forkservers.CLOSED_AT_IMPORT,
            "cannot import TensorFlow: it printed nothing",
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_a_forkserver_that_is_not_ready_in_time_is_one_sentence(
    way: str, sentence: str, tmp_path: Path
) -> None:
    patience = BRIEF if "within" in sentence else STARTS
    with (
        forkserver(way, tmp_path, patience) as processes,
        pytest.raises(ForkserverError) as caught,
    ):
        processes.ready()
    assert caught.value.sentence == f"{tmp_path}/python {sentence}"
    assert caught.value.hint.endswith("try python -c 'import tensorflow'")


UNANSWERED = "the forkserver did not answer during it, and was ended"
DIED = "the forkserver died during it"


@pytest.mark.parametrize(
    ("way", "sentence"),
    [
        (forkservers.STOPPED_AT_START, UNANSWERED),
        (forkservers.STOPPED_AT_END, UNANSWERED),
        (forkservers.KILLED_IN_TRIAL, DIED),
        pytest.param(forkservers.SILENT_AT_START, UNANSWERED, marks=pytest.mark.thorough),
        pytest.param(forkservers.DEAF_AT_END, UNANSWERED, marks=pytest.mark.thorough),
        pytest.param(forkservers.CLOSED_IN_TRIAL, DIED, marks=pytest.mark.thorough),
        (forkservers.TALKATIVE, UNANSWERED),
        pytest.param(forkservers.GARBLED, UNANSWERED, marks=pytest.mark.thorough),
    ],
)
def test_a_forkserver_that_does_not_answer_is_ended_and_accuses_no_pipeline_of_its_time(
    way: str, sentence: str, tmp_path: Path
) -> None:
    outcome = performed(way, tmp_path)
    assert what_went_wrong(outcome) == sentence
    assert fault_of(outcome) is Fault.FORKSERVER_DIED


def test_a_trial_that_never_starts_is_not_waited_for_up_to_its_limit(tmp_path: Path) -> None:
    assert what_went_wrong(performed(forkservers.SILENT_AT_START, tmp_path, 600.0)) == UNANSWERED


def test_a_result_that_has_arrived_counts_although_the_forkserver_is_stopped_after_it(
    tmp_path: Path,
) -> None:
    outcome = performed(forkservers.STOPPED_AFTER_RESULT, tmp_path, 600.0)
    assert outcome.result == Collected(images=3)
    assert what_went_wrong(outcome) is None


def test_a_command_that_does_not_fit_into_the_pipe_of_a_stopped_forkserver_ends_it(
    tmp_path: Path,
) -> None:
    request = Request(
        label="a" * 200_000, spec="a", purpose="pilot", workload="", prepared="", scratch=""
    )
    with forkserver("ready(); stop()", tmp_path, STARTS) as processes:
        outcome = processes.run(Start(request=request, log=str(tmp_path / "log")), 600.0)
    assert what_went_wrong(outcome) == DIED
