"""Watched trainings."""

from __future__ import annotations

from pathlib import Path

from feedbench.bench.records.trainings.watch import WatchRecord
from feedbench.bench.records.trainings.watch_file import write_watch
from feedbench.bench.watching import figures
from feedbench.bench.watching.times import EpochTimes


def a_watch(batches: int = 40, epochs: int = 2, name: str = "train") -> WatchRecord:
    """Steps of 30 ms, 20 of which are a wait; 500 ms to a first batch."""
    now, all_times = 0.0, []
    for _ in range(epochs if batches else 0):
        times = EpochTimes()
        for place in range(batches):
            asked = now + (0.01 if place else 0.0)
            now = asked + (0.02 if place else 0.5)
            times.add((asked, now))
        times.finish(0.004)
        all_times.append(times)
    return WatchRecord(
        name=name,
        source="DataLoader",
        place="python",
        steps_per_execution=1,
        epochs=tuple(map(figures.epoch, all_times)),
        stretches=figures.stretches(all_times),
    )


def write(file: Path, record: WatchRecord) -> None:
    """Write the file."""
    write_watch(file, record)
