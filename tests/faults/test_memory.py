"""Memory that runs out while files are written in advance: a sentence, and nothing half-written."""

from __future__ import annotations

import subprocess
from contextlib import suppress

import psutil
import pytest

from feedbench.pipelines.images.sample_photos import write_photos
from tests.faults.conftest import Played
from tests.faults.scenario import parse
from tests.support.programs.command import Feedbench
from tests.support.waiting import until

pytestmark = [pytest.mark.tensorflow, pytest.mark.faults]


def writers(command: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the processes that write record files: those below the trial of the forkserver."""
    assert command.poll() is None, command.communicate()
    with suppress(psutil.NoSuchProcess):
        trials = [
            trial
            for server in psutil.Process(command.pid).children()
            for trial in server.children()
        ]
        return [writer for trial in trials for writer in trial.children()]
    return []


def test_a_writer_that_is_killed_ends_the_command_and_the_next_one_resumes(
    feedbench: Feedbench,
) -> None:
    """As the kernel kills the process that takes most memory."""
    photos, out = feedbench.folder / "photos", feedbench.folder / "records"
    write_photos(photos, 800)
    asked = ("prepare", photos, "--out", out, "--store", "raw", "--shards", "4")
    command = feedbench.start(*asked, "--check", "header")
    until(lambda: sorted(out.glob(".images-*.new")))
    until(lambda: writers(command))[0].kill()
    out_text, err = command.communicate(timeout=120)
    assert (command.returncode, out_text) == (1, ""), err
    assert "feedbench: a process that wrote files was killed (out of memory?)" in err
    assert "hint: free some memory" in err
    assert [*out.glob(".images-*")] == []
    assert not (out / "manifest.json").exists()
    assert feedbench.left_in_scratch() == []

    done = feedbench.run(*asked, "--check", "header")
    assert done.returncode == 0, done.stderr
    assert (out / "manifest.json").exists()


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.3])
def test_a_preparation_that_has_hardly_any_memory_left_ends_in_time(
    delay: float, played: Played, possible: frozenset[str]
) -> None:
    scenario = parse(f"prepare + {delay}: bound memory")
    outcome = played(scenario, ("mine=loader.py:photos", "records=tfrecord_sharded"))
    print(outcome, *(each for each in outcome.run.err.splitlines() if "failed" in each), sep="\n")
    assert not outcome.broken, f"{outcome}\n{outcome.run.err}"
    assert outcome.run.seconds < 90
