from __future__ import annotations

from pathlib import Path

import pytest

from feedbench.bench.machine.kernel_counters import read_counters, run_delay
from feedbench.bench.records.conditions.calm import Counters

STAT = "cpu  10 20 30 40 50 60 70 250 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n"
PSI = "some avg10=0.00 avg60=0.00 avg300=0.00 total={}\nfull avg10=0.00 total=7\n"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A made-up /proc of a process in the cgroup /a/b."""
    proc = tmp_path / "proc"
    (proc / "self").mkdir(parents=True)
    (proc / "pressure").mkdir()
    (proc / "stat").write_text(STAT)
    (proc / "self" / "cgroup").write_text("0::/a/b\n")
    for name, total in (("cpu", 1_500_000), ("io", 20), ("memory", 0)):
        (proc / "pressure" / name).write_text(PSI.format(total))
    return proc


@pytest.fixture
def cgroups(tmp_path: Path) -> Path:
    mounted = tmp_path / "cgroups"
    (mounted / "a" / "b").mkdir(parents=True)
    (mounted / "a" / "cpu.stat").write_text("usage_usec 9\nthrottled_usec 2000000\n")
    (mounted / "a" / "b" / "cpu.stat").write_text("usage_usec 9\nthrottled_usec 500000\n")
    return mounted


def test_counters_are_read_in_seconds(proc: Path, cgroups: Path) -> None:
    counters = read_counters(proc, cgroups)
    assert counters.stolen == pytest.approx(2.5)  # 250 ticks of a hundredth of a second
    assert counters.throttled == pytest.approx(2.5)  # of both cgroups
    assert counters.cpu_pressure == pytest.approx(1.5)
    assert counters.io_pressure == pytest.approx(2e-5)
    assert counters.memory_pressure == 0


def test_where_the_system_tells_nothing_nothing_is_known(tmp_path: Path) -> None:
    assert read_counters(tmp_path, tmp_path) == Counters()
    assert run_delay(tmp_path / "task") is None


@pytest.mark.parametrize("text", ["", "cpu  1 2\n", "intr 5\n", "cpu  a b c d e f g h\n"])
def test_what_is_written_otherwise_is_not_known(proc: Path, cgroups: Path, text: str) -> None:
    (proc / "stat").write_text(text)
    (proc / "pressure" / "cpu").write_text(text)
    (cgroups / "a" / "cpu.stat").write_text(text)
    (cgroups / "a" / "b" / "cpu.stat").write_text(text)
    counters = read_counters(proc, cgroups)
    assert (counters.stolen, counters.throttled, counters.cpu_pressure) == (None, None, None)
    assert counters.io_pressure is not None


def test_between_two_readings_lies_what_was_counted_and_never_less_than_nothing() -> None:
    before = Counters(stolen=1.0, throttled=5.0, cpu_pressure=None)
    after = Counters(stolen=3.5, throttled=4.0, cpu_pressure=2.0)
    assert after.since(before) == Counters(stolen=2.5, throttled=0.0)


def test_the_run_delay_is_that_of_all_threads(tmp_path: Path) -> None:
    for thread, text in (("1", "5 1500000000 3\n"), ("2", "5 500000000 3\n"), ("3", "")):
        (tmp_path / thread).mkdir()
        (tmp_path / thread / "schedstat").write_text(text)
    assert run_delay(tmp_path) == pytest.approx(2.0)


def test_here_the_kernel_tells_something() -> None:
    if not Path("/proc/stat").exists():
        pytest.skip("not Linux")
    counters = read_counters()
    assert counters.stolen is not None
    assert counters.since(counters).stolen == 0
