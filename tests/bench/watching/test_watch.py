"""`feedbench.watch` in a loop over any iterable, under a clock that shows what was claimed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import feedbench
from feedbench.bench.records.trainings.watch_file import read_watch
from feedbench.bench.watching import watch as module
from feedbench.bench.watching.sentence import report
from feedbench.pipelines.errors import RequestError
from tests.support.clock import ClaimedClock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ClaimedClock:
    claimed = ClaimedClock()
    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=claimed))
    return claimed


class Loader:
    """Batches that take 0.03 s each, after workers that take 1 s to start."""

    batch_size = 32

    def __init__(self, clock: ClaimedClock, batches: int = 4) -> None:
        self.clock = clock
        self.batches = batches

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[int]:
        self.clock.sleep(1.0)
        return self._made()

    def _made(self) -> Iterator[int]:
        for number in range(self.batches):
            self.clock.sleep(0.03)
            yield number
        self.clock.sleep(0.5)


def test_it_delivers_the_same_batches_and_measures_each_wait_of_a_step(
    clock: ClaimedClock,
) -> None:
    watched = feedbench.watch(Loader(clock))
    delivered = []
    for batch in watched:
        delivered.append(batch)
        clock.sleep(0.01)
    assert delivered == [0, 1, 2, 3]
    (epoch,) = watched.record().epochs
    assert epoch.batches == 4
    assert epoch.waited_seconds == pytest.approx(3 * 0.03)
    assert epoch.seconds == pytest.approx(3 * 0.04)
    assert epoch.median_seconds == pytest.approx(0.03)
    assert watched.record().share == pytest.approx(0.75)


def test_the_first_batch_with_its_workers_and_the_end_of_an_epoch_are_apart(
    clock: ClaimedClock,
) -> None:
    watched = feedbench.watch(Loader(clock))
    for _ in range(2):
        for _ in watched:
            clock.sleep(0.01)
        clock.sleep(100)  # such as a validation
    record = watched.record()
    assert [epoch.first_seconds for epoch in record.epochs] == [pytest.approx(1.03)] * 2
    assert [epoch.end_seconds for epoch in record.epochs] == [pytest.approx(0.5)] * 2
    assert record.seconds == pytest.approx(6 * 0.04)


def test_a_loop_that_ends_early_has_the_steps_that_it_had(clock: ClaimedClock) -> None:
    watched = feedbench.watch(Loader(clock))
    for batch in watched:
        clock.sleep(0.01)
        if batch == 2:
            break
    (epoch,) = watched.record().epochs
    assert epoch.steps == 2
    assert epoch.end_seconds is None


def test_a_generator_that_has_ended_has_no_second_epoch(clock: ClaimedClock) -> None:
    watched = feedbench.watch(number for number in range(3))
    assert [*watched] == [0, 1, 2]
    assert [*watched] == []
    assert len(watched.record().epochs) == 1


def test_it_has_the_attributes_and_the_length_of_the_original(clock: ClaimedClock) -> None:
    watched = feedbench.watch(Loader(clock))
    assert len(watched) == 4
    assert watched.batch_size == 32
    assert bool(feedbench.watch(iter([])))


def test_the_report_has_the_share_and_what_is_not_in_it(clock: ClaimedClock) -> None:
    watched = feedbench.watch(Loader(clock), name="photos")
    for _ in watched:
        clock.sleep(0.01)
    assert report(watched.record()) == (
        "photos: the training waited 75.0% of its time for input, 30.0 ms of each 40.0 ms step"
        " (3 steps). Not counted: 1 first batch of 1,030 ms, 1 epoch end of 500 ms."
    )


def test_without_a_second_batch_the_report_says_that_there_is_no_step(
    clock: ClaimedClock,
) -> None:
    once = feedbench.watch(Loader(clock, batches=1))
    assert [*once] == [0]
    assert "there is no step" in report(once.record())
    assert "no batch was read" in report(feedbench.watch([1]).record())


def test_it_writes_only_what_was_asked_for(
    clock: ClaimedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    silent = feedbench.watch(Loader(clock))
    written = feedbench.watch(Loader(clock), out="watch.json")
    for watched in (silent, written):
        assert len([*watched]) == 4
        watched.report()
    assert [file.name for file in tmp_path.iterdir()] == ["watch.json"]
    assert read_watch(tmp_path / "watch.json") == written.record()


@pytest.mark.parametrize("out", ["missing/watch.json", "."])
def test_a_file_that_cannot_be_written_is_refused_at_once(
    out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequestError, match="expected"):
        feedbench.watch([1], out=out)


def test_what_is_no_iterable_is_refused() -> None:
    with pytest.raises(RequestError, match="expected an iterable of batches; found int"):
        feedbench.watch(3)  # type: ignore[call-overload,arg-type,unused-ignore]


def test_the_package_offers_these_names_and_no_other() -> None:
    assert feedbench.__all__ == ["WatchCallback", "watch"]
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = feedbench.nothing  # type: ignore[attr-defined]


def in_a_process(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_script_that_ends_reports_once_on_standard_error(tmp_path: Path) -> None:
    script = """
import feedbench, os
for batch in feedbench.watch([1, 2, 3], name="mine", out="watch.json"): pass
if os.fork() == 0: raise SystemExit
os.wait()
"""
    done = in_a_process(script, tmp_path)
    assert done.stdout == ""
    assert done.stderr.startswith("feedbench: mine: the training waited ")
    assert len(done.stderr.splitlines()) == 1
    assert json.loads((tmp_path / "watch.json").read_text())["epochs"][0]["batches"] == 3


def test_a_script_that_raises_still_reports_and_ends_as_it_would(tmp_path: Path) -> None:
    script = """
import feedbench
for batch in feedbench.watch([1, 2, 3]):
    if batch == 3: raise ValueError("mine")
"""
    done = in_a_process(script, tmp_path)
    assert done.returncode == 1
    assert "ValueError: mine" in done.stderr
    assert "feedbench: input: the training waited " in done.stderr


def test_importing_and_watching_load_nothing_heavy(tmp_path: Path) -> None:
    script = """
import sys
before = {*sys.modules}
import feedbench
print(sorted({*sys.modules} - before))
assert [*feedbench.watch([1])] == [1]
heavy = {"tensorflow", "keras", "numpy", "pandas", "matplotlib", "msgspec", "rich", "typer"}
print(sorted(heavy & {*sys.modules}))
"""
    done = in_a_process(script, tmp_path)
    assert done.stdout.splitlines() == ["['feedbench']", "[]"], done.stderr
