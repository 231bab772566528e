"""Twelve faults in five commands, each of which every release must survive. `full` runs four."""

from __future__ import annotations

import socket

import pytest

from tests.faults.conftest import Played
from tests.faults.play import Outcome
from tests.faults.scenario import parse
from tests.support.builders import a_row, a_run, a_run_folder
from tests.support.programs.command import Feedbench

pytestmark = pytest.mark.faults

LOADER = ("mine=loader.py:photos",)


def survived(played: Played, possible: frozenset[str], text: str) -> Outcome:
    """Play a scenario whose faults all hit. Skips where one cannot be made."""
    scenario = parse(text)
    if missing := {line.fault for line in scenario} - possible:
        pytest.skip(f"cannot be made here: {', '.join(sorted(missing))}")
    outcome = played(scenario, LOADER)
    assert not outcome.broken, f"{outcome}\n{outcome.run.err}"
    assert not outcome.missed, f"{outcome}\n{outcome.run.err}"
    return outcome


@pytest.mark.end_to_end
@pytest.mark.tensorflow
def test_a_command_that_is_killed_before_its_run_leaves_nothing(
    played: Played, possible: frozenset[str]
) -> None:
    outcome = survived(played, possible, "import + 0.5: kill command")
    assert outcome.state == "no run"


@pytest.mark.tensorflow
def test_a_run_in_a_folder_that_became_read_only_is_resumed(
    played: Played, possible: frozenset[str]
) -> None:
    outcome = survived(played, possible, "pilot: seal folder")
    assert outcome.run.code == 1
    assert outcome.resumed is not None
    assert outcome.resumed.code == 0


@pytest.mark.end_to_end
@pytest.mark.tensorflow
def test_a_run_survives_stops_a_missing_home_a_clock_that_steps_and_a_killed_trial(
    played: Played, possible: frozenset[str]
) -> None:
    """Until a photo is deleted, which ends it, and accuses no pipeline."""
    outcome = survived(
        played,
        possible,
        """
        start: remove HOME
        import: stop forkserver for 0.5
        preparing: step clock back
        pilot: stop trial for 0.5
        block 1: stop command for 0.5
        block 1 + 0.1: kill trial
        block 2: delete photo
        """,
    )
    assert outcome.run.code == 2


@pytest.mark.end_to_end
@pytest.mark.tensorflow
def test_a_disk_that_stalls_and_then_is_full_ends_the_run_which_is_resumed(
    played: Played, possible: frozenset[str]
) -> None:
    outcome = survived(played, possible, "pilot: freeze disk for 0.5\nblock 1: fill disk")
    assert outcome.run.code == 1
    assert outcome.resumed is not None
    assert outcome.resumed.code == 0


@pytest.mark.end_to_end
def test_a_port_that_is_taken_is_refused_in_a_sentence(feedbench: Feedbench) -> None:
    a_run_folder(feedbench.folder / "R", a_run(a_row("a")), [])
    (feedbench.folder / "R" / "traces").mkdir()
    (feedbench.folder / "R" / "traces" / "a.xplane.pb").write_bytes(b"")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = feedbench.run("tensorboard", "R", "--port", port)
    assert done.returncode == 2
    assert done.stderr.startswith(f"feedbench: --port {port} is not available")
    assert len(done.stderr.splitlines()) == 2
