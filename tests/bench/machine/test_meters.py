"""Which readings count, and what is said where some are missing. Meters that are told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pynvml
import pytest

from feedbench.bench.machine.gpu import GpuMeter
from feedbench.bench.machine.meters import Meters, Recorder
from feedbench.bench.machine.process_tree import Snapshot, TreeMeter, TreeUsage
from feedbench.bench.records.conditions.usage import GpuUsage, Usage
from feedbench.bench.records.messages import Edge, Phase, Started
from feedbench.bench.records.windows import Window
from tests.support.programs.family import Family
from tests.support.programs.nvml import Nvml

RAMP = [Window(images, 1.0) for images in (10, 50, 100, 100, 100, 101)]  # steady from the third on


class ToldTree:
    """Has used a second of CPU time more at each reading than at the one before."""

    def __init__(self) -> None:
        self.count = 0

    def read(self) -> int:
        self.count += 1
        return self.count

    def used(self, readings: Sequence[int]) -> TreeUsage:
        if not readings:
            return TreeUsage()
        return TreeUsage(cpu_seconds=readings[-1] - readings[0], read_bytes=len(readings))


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that shows 0, 1, 3, 6, 10 ...: readings that are later and later."""
    shown = iter(n * (n + 1) / 2 for n in range(1000))
    monkeypatch.setattr("feedbench.bench.machine.meters.time.monotonic", lambda: next(shown))
    monkeypatch.setattr("feedbench.bench.machine.meters.usable_cores", lambda: 1.5)


def a_recorder(nvml: Nvml | None = None) -> Recorder:
    tree: Any = ToldTree()
    none = Nvml(nvmlInit=pynvml.NVMLError_LibraryNotFound())
    return Recorder(tree, GpuMeter(nvml or none))


def usage(recorder: Recorder, windows: list[Window], edges: int | None = None) -> Usage | None:
    for number in range(len(windows) + 1 if edges is None else edges):
        recorder.take(Edge(at=float(number)))
    return recorder.usage(windows)


def test_the_first_reading_is_at_the_edge_where_the_first_window_that_counts_begins() -> None:
    figures = usage(a_recorder(), RAMP)
    assert figures is not None
    assert figures.cpu_seconds == 4  # from the third of seven edges to the last
    assert figures.read_bytes == 5  # readings, as ToldTree has it
    assert figures.cores == 1.5
    assert figures.gpus == "no GPU"


def test_the_seconds_are_those_between_the_readings_themselves() -> None:
    figures = usage(a_recorder(), RAMP)
    assert figures is not None
    assert figures.seconds == 21 - 3


def test_where_no_window_is_steady_the_last_three_count() -> None:
    figures = usage(a_recorder(), [Window(2**place, 1.0) for place in range(12)])
    assert figures is not None
    assert figures.cpu_seconds == 3


def test_gpus_are_read_at_the_same_edges() -> None:
    nvml = Nvml(nvmlDeviceGetCount=1)
    figures = usage(a_recorder(nvml), RAMP)
    assert figures is not None
    assert figures.gpus == [
        GpuUsage(name="NVIDIA A", utilisation=0.5, memory_bytes=2e9, watts=70.0)
    ]
    assert nvml.calls.count("nvmlDeviceGetPowerUsage") == len(RAMP) + 1


def test_only_edges_are_read_at() -> None:
    recorder = a_recorder()
    for event in (Started(pid=1), Phase(name="open", at=0.0)):
        recorder.take(event)
    assert usage(recorder, RAMP) is not None


@pytest.mark.parametrize("edges", [0, len(RAMP), len(RAMP) + 2])
def test_without_a_reading_at_each_edge_nothing_is_known(edges: int) -> None:
    assert usage(a_recorder(), RAMP, edges) is None


@pytest.mark.parametrize(("seconds", "is_known"), [(6.9, True), (7.1, False)])
def test_readings_that_were_taken_late_all_together_say_nothing(
    seconds: float, is_known: bool
) -> None:
    """The clock shows 21 s between the first reading and the last."""
    figures = usage(a_recorder(), [Window(1, seconds)] * 6)
    assert figures is not None
    assert figures.seconds == 21
    assert (figures.cpu_seconds is not None) is is_known
    assert (figures.read_bytes is not None) is is_known


def test_without_a_window_nothing_is_known() -> None:
    assert usage(a_recorder(), []) is None
    assert usage(a_recorder(), [], edges=0) is None


def test_a_tree_that_cannot_be_read_leaves_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    with Meters(GpuMeter(Nvml())) as meters:
        figures = usage(meters.of_trial(lambda: None), RAMP)
    assert figures is not None
    assert (figures.cpu_seconds, figures.read_bytes, figures.written_bytes) == (None, None, None)
    assert len(figures.gpus) == 2


def test_nvml_is_open_for_a_run_and_closed_at_its_end() -> None:
    nvml = Nvml()
    with Meters(GpuMeter(nvml)) as meters:
        for _ in range(3):
            usage(meters.of_trial(lambda: None), RAMP)
        assert "nvmlShutdown" not in nvml.calls
    assert (nvml.calls.count("nvmlInit"), nvml.calls.count("nvmlShutdown")) == (1, 1)


@pytest.mark.alone
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc here")
def test_the_tree_is_that_of_the_forkserver_as_it_is_at_the_reading() -> None:
    """A forkserver that died before a trial has made way for another by then."""
    with Family() as first, Family() as second:
        root = [first.root]
        meter = TreeMeter(lambda: root[0])
        root[0] = second.root
        second.do("child(say, sleep)")
        snapshot = meter.read()
        assert isinstance(snapshot, Snapshot)
        assert snapshot.root == second.root
        assert len(snapshot.processes) == 2
