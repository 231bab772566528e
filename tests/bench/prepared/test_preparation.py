"""What the parent does while pipelines are prepared, without a process."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from feedbench.bench.prepared import preparation
from feedbench.bench.prepared.preparation import obtain_all
from feedbench.bench.prepared.store import Store
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.progress import Quiet
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.processes.trials import Trials
from feedbench.bench.processes.underway import Outcome
from feedbench.bench.records.messages import Ended, Event, Phase, Prepared, Start, Writing
from feedbench.bench.records.trial import TrialRecord
from feedbench.pipelines.catalog import parse

PREPARED = Prepared(
    folder="/store/key/files",
    was_found=False,
    made_at="2026-01-01T00:00:00+00:00",
    seconds=2.0,
    images=39,
    bytes=1_500_000,
    source_bytes=1_600_000,
    files=2,
)
GONE = Ended(exit_code=0, signal=None)


class Said(Quiet):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.now: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)

    def stage(self, name: str) -> None:
        self.now.append(name)


class ToldProcesses:
    """Has each preparation go as told."""

    def __init__(self, outcome: Outcome, meanwhile: Callable[[Any, Any], None]) -> None:
        self._outcome = outcome
        self._meanwhile = meanwhile
        self.limits: list[float] = []
        self.starts: list[Start] = []

    def run(self, start: Start, limit_seconds: float, on_event: Any, on_tick: Any) -> Outcome:
        self.starts.append(start)
        self.limits.append(limit_seconds)
        self._meanwhile(on_event, on_tick)
        return self._outcome


def obtained(
    folder: Path,
    outcome: Outcome,
    *specs: str,
    limits: list[Limit] | None = None,
    meanwhile: Callable[[Callable[[Event], None], Callable[[], None]], None] = lambda *_: None,
) -> tuple[list[TrialRecord], Said, ToldProcesses]:
    run, scratch = RunFolder(folder / "R"), folder / "scratch"
    run.create()
    scratch.mkdir()
    processes: Any = ToldProcesses(outcome, meanwhile)
    trials = Trials(processes, run, scratch, specs, fresh_interpreter=False)
    left = iter(limits or [Limit(9.0)] * len(specs))
    said = Said()
    records = obtain_all(
        trials,
        [parse(spec) for spec in specs],
        folder / "images.json",
        Store(folder / "store"),
        lambda: next(left),
        said,
    )
    return records, said, processes


def test_what_was_written_is_said_and_recorded_and_read_by_the_trials(tmp_path: Path) -> None:
    [record], said, processes = obtained(tmp_path, Outcome(result=PREPARED, ended=GONE), "a")
    assert (record.ended, record.purpose) == ("prepared", "prepare")
    assert record.preparation is not None
    assert (record.preparation.bytes, record.preparation.folder) == (1_500_000, "/store/key/files")
    assert said.lines == ["a: wrote 1.50 MB in 2 files in 2.0 s"]
    assert processes.starts[0].request.prepared == str(tmp_path / "store")


def test_what_was_found_is_said_with_what_it_cost_when_it_was_made(tmp_path: Path) -> None:
    unchanged = msgspec.structs.replace(PREPARED, was_found=True, files=1)
    _, said, _ = obtained(tmp_path, Outcome(result=unchanged, ended=GONE), "a")
    assert said.lines == ["a: reused 1.50 MB in 1 file, written on 2026-01-01 in 2.0 s"]


def test_each_preparation_has_the_time_that_those_before_it_have_left(tmp_path: Path) -> None:
    outcome = Outcome(result=PREPARED, ended=GONE)
    _, _, processes = obtained(tmp_path, outcome, "a", "b", limits=[Limit(30.0), Limit(12.0)])
    assert processes.limits == [30.0, 12.0]


def test_one_that_takes_too_long_has_failed_and_it_is_said_what_to_do(tmp_path: Path) -> None:
    limit = Limit(9.0, advice="give more --time")
    records, said, _ = obtained(tmp_path, Outcome(over_limit=9.0), "a", "b", limits=[limit] * 2)
    assert [record.ended for record in records] == ["failed", "failed"]
    why = "it exceeded its limit of 9 s and was ended; give more --time"
    assert [record.why for record in records] == [why, why]
    assert said.lines[0] == f"a: preparation failed: {why}"


def test_while_it_is_written_its_bytes_are_counted_from_outside(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()

    def meanwhile(on_event: Callable[[Event], None], on_tick: Callable[[], None]) -> None:
        on_tick()  # nothing is known yet
        writing = Writing(folder=str(tmp_path / "new"), expected_bytes=4000, replaces=False)
        on_event(writing)
        (tmp_path / "new" / "a").write_bytes(b"a" * 1000)
        for _ in range(200):  # one soon after another counts only now and then
            on_tick()
            time.sleep(0.001)

    _, said, _ = obtained(tmp_path, Outcome(result=PREPARED, ended=GONE), "a", meanwhile=meanwhile)
    assert said.now[0] == "looking for prepared files of a"
    assert said.now[1] == "preparing a: 0 B written of about 4.00 kB"
    assert said.now[-1] == "preparing a: 1.00 kB written of about 4.00 kB"


def test_counting_takes_a_small_share_of_the_time_however_many_files_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    counts: list[float] = []

    def slow_count(_: Path) -> int:
        counts.append(now[0])
        now[0] += 1.0
        return 0

    monkeypatch.setattr(preparation, "_bytes_below", slow_count)
    monkeypatch.setattr("feedbench.bench.prepared.preparation.time.monotonic", lambda: now[0])

    def meanwhile(on_event: Callable[[Event], None], on_tick: Callable[[], None]) -> None:
        on_event(Writing(folder=str(tmp_path), expected_bytes=4000, replaces=False))
        for _ in range(100):
            now[0] += 0.5
            on_tick()

    obtained(tmp_path, Outcome(result=PREPARED, ended=GONE), "a", meanwhile=meanwhile)
    assert counts[0] == 100.0
    assert all(later - sooner >= 20.0 for sooner, later in pairwise(counts))
    assert len(counts) >= 2


def test_a_damaged_one_and_a_wait_for_another_run_are_said(tmp_path: Path) -> None:
    def meanwhile(on_event: Callable[[Event], None], on_tick: Callable[[], None]) -> None:
        on_event(Phase(name="waiting", at=0.0))
        on_event(Writing(folder=str(tmp_path), expected_bytes=4000, replaces=True))

    outcome = Outcome(result=PREPARED, ended=GONE)
    _, said, _ = obtained(tmp_path, outcome, "a", meanwhile=meanwhile)
    assert "waiting for another run to prepare a" in said.now
    assert said.lines[0].startswith("a: earlier prepared files are damaged")
