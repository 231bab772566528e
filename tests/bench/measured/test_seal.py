from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from feedbench.bench.measured import consumer, trial
from feedbench.bench.measured.seal import Seal
from feedbench.bench.measured.trial import Trial
from feedbench.bench.records import windows
from feedbench.bench.records.windows import Windows
from feedbench.pipelines.errors import WrongWorkError

Patch = Callable[[pytest.MonkeyPatch], None]

PATCHES: dict[str, Patch] = {
    "time.monotonic": lambda to: to.setattr(time, "monotonic", lambda: 0.0),
    "bench.records.windows.Windows.arrived": lambda to: to.setattr(
        Windows, "arrived", lambda *_: True
    ),
    "bench.records.windows.LEAST_BATCHES": lambda to: to.setattr(windows, "LEAST_BATCHES", 1),
    "bench.measured.consumer.Consumer": lambda to: to.setattr(consumer, "Consumer", object),
    "bench.measured.trial.EpochCheck": lambda to: to.setattr(trial, "EpochCheck", object),
    "bench.measured.trial.Trial.run": lambda to: to.setattr(
        Trial.run, "__code__", (lambda self, request: None).__code__
    ),
}


@pytest.mark.parametrize("name", PATCHES)
def test_what_a_loader_replaced_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seal = Seal()
    PATCHES[name](monkeypatch)
    with pytest.raises(WrongWorkError, match=f"^it replaced {name}, by which it is timed"):
        seal.check()
    monkeypatch.undo()
    seal.check()


def test_modules_that_are_imported_later_break_nothing() -> None:
    seal = Seal()
    from feedbench.bench.measured import profiler  # noqa: F401

    seal.check()
