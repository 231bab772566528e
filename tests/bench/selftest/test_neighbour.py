from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from feedbench.bench.selftest.neighbour import LINGER_SECONDS, is_touched, neighbours, touch
from tests.support.clock import ClaimedClock
from tests.support.waiting import gone, until

pytestmark = pytest.mark.alone


def burned(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def neighbour_of(process: psutil.Process, file: Path) -> psutil.Process | None:
    """Return the child that looks at the file; a whole run of the tests has other children too."""
    for child in process.children():
        if (
            child.cmdline()[-1:] == [str(file)]
            and "feedbench.bench.selftest.neighbour" in child.cmdline()
        ):
            return child
    return None


def is_idle(process: psutil.Process) -> bool:
    before = burned(process)
    time.sleep(0.3)
    return burned(process) - before < 0.1


@pytest.mark.parametrize("jump", [0.0, -3600.0, 3600.0])
def test_a_clock_that_is_set_meanwhile_makes_no_difference(tmp_path: Path, jump: float) -> None:
    clock, file = ClaimedClock(50.0), tmp_path / "touched"
    with neighbours(file, 0):
        assert not is_touched(file, clock)
        touch(file, clock)
        touched = time.time() + jump
        os.utime(file, (touched, touched))
        clock.sleep(LINGER_SECONDS)
        assert is_touched(file, clock)
        clock.sleep(0.1)
        assert not is_touched(file, clock)


def test_they_burn_while_the_file_is_touched_and_are_gone_afterwards(tmp_path: Path) -> None:
    file = tmp_path / "touched"
    with neighbours(file, 1):
        child = until(lambda: neighbour_of(psutil.Process(), file), 10)
        assert child is not None
        until(lambda: is_idle(child), 20)  # once it has begun
        before = burned(child)

        def has_burned() -> bool:
            touch(file)
            return burned(child) - before > 0.3

        until(has_burned, 10)
    assert gone([child.pid])


def test_one_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from feedbench.bench.selftest.neighbour import neighbours\n"
        "with neighbours(Path(sys.argv[1]), 1):\n"
        "    print('there', flush=True)\n"
        "    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "touched")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        file = tmp_path / "touched"
        child = until(lambda: neighbour_of(psutil.Process(parent.pid), file), 10)
        assert child is not None
        time.sleep(0.5)  # it asks for the signal once it has begun
        parent.kill()
    assert gone([child.pid])
