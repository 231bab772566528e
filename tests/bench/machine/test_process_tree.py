"""What a tree of real processes used, beside what they say of themselves."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from feedbench.bench.machine.process_tree import Snapshot, TreeMeter, TreeUsage
from tests.support.programs.family import Family, has_disk
from tests.support.waiting import gone

BURN = 0.3  # seconds
TICKS = 0.06  # seconds; some clock ticks, in which the kernel's figures are given

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc here"),
]


@pytest.fixture
def family() -> Iterator[Family]:
    with Family() as started:
        yield started


class Metered:
    """The meter of a family, and its readings."""

    def __init__(self, family: Family) -> None:
        self.meter = TreeMeter(lambda: family.root)
        self.readings = [self.meter.read()]

    def read(self) -> Snapshot:
        snapshot = self.meter.read()
        assert snapshot is not None
        self.readings.append(snapshot)
        return snapshot

    def used(self) -> TreeUsage:
        return self.meter.used(self.readings)

    @property
    def cpu_seconds(self) -> float:
        cpu_seconds = self.used().cpu_seconds
        assert cpu_seconds is not None
        return cpu_seconds


def test_what_a_child_burns_is_counted_while_it_lives(family: Family) -> None:
    metered = Metered(family)
    burned = family.do(f"child(lambda: burn({BURN}), say, sleep)")
    metered.read()
    assert metered.cpu_seconds == pytest.approx(burned, abs=TICKS)


def test_a_child_that_came_and_was_waited_for_between_two_readings_is_counted(
    family: Family,
) -> None:
    metered = Metered(family)
    burned = family.do(f"os.waitpid(child(lambda: burn({BURN}), say), 0); tell(0)", answers=2)
    assert len(metered.read().processes) == 1
    assert metered.cpu_seconds == pytest.approx(burned, abs=TICKS)


def test_a_child_is_counted_once_whether_it_lives_has_ended_or_was_waited_for(
    family: Family,
) -> None:
    metered = Metered(family)
    burned = family.do(f"pid = child(lambda: burn({BURN}), say)")
    # It is read as it ends, and as a zombie, and in what its parent shows.
    metered.read()
    assert metered.cpu_seconds == pytest.approx(burned, abs=TICKS)
    family.do("os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT); tell(0)")
    assert len(metered.read().processes) == 2
    assert metered.cpu_seconds == pytest.approx(burned, abs=TICKS)
    family.do("os.waitpid(pid, 0); tell(0)")
    assert len(metered.read().processes) == 1
    assert metered.cpu_seconds == pytest.approx(burned, abs=TICKS)


def test_a_grandchild_is_counted_that_its_parent_waited_for(family: Family) -> None:
    metered = Metered(family)
    work = f"os.waitpid(child(lambda: burn({BURN}), say), 0), burn({BURN})"
    burned = family.do(f"child(lambda: ({work}), say, sleep)", answers=2)
    metered.read()
    assert burned == pytest.approx(2 * BURN, abs=TICKS)
    assert metered.cpu_seconds == pytest.approx(burned, abs=TICKS)


def test_a_grandchild_is_counted_while_it_lives(family: Family) -> None:
    metered = Metered(family)
    burned = family.do(f"child(lambda: child(lambda: burn({BURN}), say, sleep), sleep)")
    assert len(metered.read().processes) == 3
    assert metered.cpu_seconds == pytest.approx(burned, abs=TICKS)


def test_an_orphan_is_counted_whom_the_root_has_adopted(family: Family) -> None:
    metered = Metered(family)
    orphan = f"lambda: (os.setsid(), child(lambda: burn({BURN}), say, sleep))"
    burned = family.do(f"os.waitpid(child({orphan}), 0); tell(0)", answers=2)
    assert len(metered.read().processes) == 2
    assert metered.cpu_seconds == pytest.approx(burned, abs=TICKS)


def test_an_orphan_is_counted_whom_the_root_has_waited_for(family: Family) -> None:
    metered = Metered(family)
    orphan = f"lambda: child(lambda: burn({BURN}), say)"
    burned = family.do(f"os.waitpid(child({orphan}), 0); tell(0)", answers=2)
    family.do("os.waitpid(-1, 0); tell(0)")
    assert len(metered.read().processes) == 1
    assert metered.cpu_seconds == pytest.approx(burned, abs=TICKS)


def test_all_cores_of_a_child_and_all_children_are_summed_up(family: Family) -> None:
    metered = Metered(family)
    burners = [f"child(lambda: burn({BURN}), say, sleep)"] * 3
    burned = family.do("; ".join(burners), answers=3)
    metered.read()
    assert burned >= 3 * BURN
    assert metered.cpu_seconds == pytest.approx(burned, abs=2 * TICKS)


def test_what_the_root_itself_burns_is_nothing_of_the_trials(family: Family) -> None:
    metered = Metered(family)
    family.do(f"burn({BURN}); tell(0)")
    metered.read()
    assert metered.cpu_seconds == pytest.approx(0, abs=TICKS)


def test_what_was_used_before_the_first_reading_is_not_counted(family: Family) -> None:
    family.do(f"child(lambda: burn({BURN}), say, sleep)")
    metered = Metered(family)
    metered.read()
    assert metered.cpu_seconds == pytest.approx(0, abs=TICKS)


def test_a_process_may_be_called_as_it_likes(family: Family) -> None:
    metered = Metered(family)
    rename = "open('/proc/self/comm', 'w').write(') S (1 2')"
    burned = family.do(f"child(lambda: {rename}, lambda: burn({BURN}), say, sleep)")
    metered.read()
    assert metered.cpu_seconds == pytest.approx(burned, abs=TICKS)


def test_there_is_no_figure_where_a_process_went_that_nobody_waited_for(family: Family) -> None:
    """Its parent ignores SIGCHLD: the kernel forgets what it used."""
    metered = Metered(family)
    family.do("signal.signal(signal.SIGCHLD, signal.SIG_IGN); tell(0)")
    family.do(f"pid = child(lambda: burn({BURN}), say, sleep)")
    (worker,) = metered.read().processes.keys() - {family.root}
    family.do("os.kill(pid, 9); tell(0)")
    assert gone([worker])
    # Another makes up for it in the sum.
    family.do(f"child(lambda: burn({2 * BURN}), say, sleep)")
    metered.read()
    assert metered.used() == TreeUsage()


def test_a_process_that_goes_while_it_is_read_is_not_counted_twice(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    metered = Metered(family)
    burned = family.do(f"pid = child(lambda: burn({BURN}), say, sleep)")
    once = iter(["os.kill(pid, 9); os.waitpid(pid, 0); tell(0)"])
    in_each_reading(lambda: [family.do(line) for line in once], monkeypatch)
    assert len(metered.read().processes) == 1
    assert metered.cpu_seconds == pytest.approx(burned, abs=TICKS)


def test_a_process_that_comes_while_it_is_read_is_in_the_reading(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    metered = Metered(family)
    once = iter(["child(say, sleep)"])
    in_each_reading(lambda: [family.do(line) for line in once], monkeypatch)
    assert len(metered.read().processes) == 2


def test_a_tree_that_never_stands_still_cannot_be_read(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_each_reading(lambda: family.do("child(say, sleep)"), monkeypatch)
    assert TreeMeter(lambda: family.root).read() is None


@pytest.mark.parametrize("root", [None, 2**22 + 1])
def test_without_a_root_there_is_nothing_to_read(root: int | None) -> None:
    assert TreeMeter(lambda: root).read() is None


def test_where_there_is_no_proc_nothing_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    meter = TreeMeter(os.getpid)
    readings = [meter.read(), meter.read()]
    assert readings == [None, None]
    assert meter.used(readings) == TreeUsage()


def test_on_another_system_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """None but Linux tells what ended children have used."""
    monkeypatch.setattr(psutil, "LINUX", False)
    assert TreeMeter(os.getpid).read() is None


def test_the_root_counts_where_it_is_measured_itself() -> None:
    meter = TreeMeter(os.getpid, counts_root=True)
    before = meter.read()
    end = time.process_time() + BURN
    while time.process_time() < end:
        pass
    assert meter.used([before, meter.read()]).cpu_seconds == pytest.approx(BURN, abs=TICKS)


def test_a_reading_between_that_failed_is_no_loss_and_one_at_an_end_is(family: Family) -> None:
    metered = Metered(family)
    burned = family.do(f"child(lambda: burn({BURN}), say, sleep)")
    metered.readings.append(None)
    metered.read()
    assert metered.cpu_seconds == pytest.approx(burned, abs=TICKS)
    metered.readings.append(None)
    assert metered.used() == TreeUsage()
    assert metered.meter.used(metered.readings[-2::-1][:2]) == TreeUsage()


MEGABYTES = 8_000_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file on a disk, of eight megabytes. Skips where there is none to be counted."""
    if not has_disk(tmp_path):
        pytest.skip(f"{tmp_path} is on no block device")
    path = tmp_path / "file"
    with path.open("wb") as opened:
        opened.write(os.urandom(MEGABYTES))
        os.fsync(opened.fileno())
    return path


@pytest.mark.parametrize("then", ["sleep", "say"])
def test_what_a_child_reads_from_the_disk_is_counted_living_or_gone(
    family: Family, file: Path, then: str
) -> None:
    metered = Metered(family)
    family.do(f"pid = child(lambda: read({str(file)!r}), say, {then})")
    if then == "say":
        family.do("os.waitpid(pid, 0); tell(0)", answers=2)
    metered.read()
    read_bytes = metered.used().read_bytes
    if read_bytes is None:
        pytest.skip("/proc/PID/io may not be read here")
    assert MEGABYTES <= read_bytes < 2 * MEGABYTES


def test_what_is_in_the_page_cache_is_not_read_from_the_disk(family: Family, file: Path) -> None:
    metered = Metered(family)
    family.do(f"child(lambda: open({str(file)!r}, 'rb').read(), say, sleep)")
    metered.read()
    assert (metered.used().read_bytes or 0) < MEGABYTES / 10


def test_what_a_child_writes_to_the_disk_is_counted(family: Family, file: Path) -> None:
    metered = Metered(family)
    family.do(f"child(lambda: write({str(file)!r}, {MEGABYTES}), say, sleep)")
    metered.read()
    written_bytes = metered.used().written_bytes
    if written_bytes is None:
        pytest.skip("/proc/PID/io may not be read here")
    assert MEGABYTES <= written_bytes < 2 * MEGABYTES


def test_where_the_disk_traffic_may_not_be_read_the_cpu_time_may(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(process: psutil.Process) -> None:
        raise psutil.AccessDenied(process.pid)

    monkeypatch.setattr(psutil.Process, "io_counters", refused)
    metered = Metered(family)
    family.do(f"child(lambda: burn({BURN}), say, sleep)")
    metered.read()
    assert metered.cpu_seconds >= BURN - TICKS
    assert (metered.used().read_bytes, metered.used().written_bytes) == (None, None)


def in_each_reading(do: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have something happen each time after the CPU time of a process was read."""
    io_counters = psutil.Process.io_counters

    def done_first(process: psutil.Process) -> object:
        do()
        return io_counters(process)

    monkeypatch.setattr(psutil.Process, "io_counters", done_first)
