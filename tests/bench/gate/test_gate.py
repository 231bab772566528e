"""A gate's answer from its run, its record, and the run that confirms it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from feedbench.bench.gate import gate
from feedbench.bench.gate.commit import commit_of
from feedbench.bench.gate.gate import CONFIRMATION, NAME, Outcome
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.progress import Quiet
from feedbench.bench.records.checks.gate import GateRecord
from feedbench.bench.records.conditions.sources import SourceChange
from tests.support.runs.gate_runs import CALM, NOISY, Performs

CHANGE = SourceChange(kind="photo", first="a/0.jpg", files=1, gone=0, first_block=2, last_block=2)
SLOW = [round(0.69 * rate) for rate in CALM]


def measured(
    performs: Performs, out: Path, monkeypatch: pytest.MonkeyPatch, *, confirm: bool = False
) -> Outcome:
    monkeypatch.setattr(gate, "perform", performs)
    options = RunOptions(
        folder=Path("photos"),
        specs=("base=old.py:photos", "new=loader.py:photos"),
        out=out,
        tolerance=0.1,
        seconds=600.0,
    )
    return gate.measure(options, Quiet(), confirm=confirm)


@pytest.mark.parametrize(
    ("rates", "word", "code"),
    [(CALM[::-1], "not slower", 0), (SLOW, "slower", 1), (NOISY, "cannot tell", 3)],
)
def test_the_answer_and_all_its_figures_are_in_gate_json(
    rates: list[int], word: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = measured(Performs([rates]), tmp_path / "gate", monkeypatch)
    record = msgspec.json.decode((tmp_path / "gate" / NAME).read_bytes(), type=GateRecord)
    assert record == outcome.record
    assert (record.word, record.exit_code, record.tolerance) == (word, code, 0.1)
    assert (record.base.spec, record.new.spec) == ("old.py:photos", "loader.py:photos")
    assert record.ratio is not None
    assert record.ratio_low is not None
    assert record.ratio_high is not None
    assert record.ratio_low < record.ratio < record.ratio_high
    assert (record.blocks, record.undisturbed_blocks, record.seconds) == (8, 8, 245.0)
    assert record.environment.packages
    assert (record.more_blocks is not None) == (word == "cannot tell")


def test_under_four_blocks_it_knows_how_many_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = measured(Performs([CALM[:3]]), tmp_path / "gate", monkeypatch).record
    assert (record.word, record.ratio, record.more_blocks) == ("cannot tell", None, 1)


def test_the_interval_is_that_of_a_run_that_may_stop_after_any_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    performs = Performs([NOISY, NOISY])
    sequential = measured(performs, tmp_path / "a", monkeypatch).comparison.pipelines[0]
    fixed = gate.outcome_of(
        performs.asked[0],
        replace(measured(performs, tmp_path / "b", monkeypatch).run, sequential=False),
    ).comparison.pipelines[0]
    assert sequential.ratio == fixed.ratio
    assert sequential.ratio_low is not None
    assert fixed.ratio_low is not None
    assert sequential.ratio_low < fixed.ratio_low


def test_a_loader_that_failed_is_a_failure_and_not_that_it_cannot_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    performs = Performs([CALM], failure="it raised OSError: gone")
    record = measured(performs, tmp_path / "gate", monkeypatch).record
    assert (record.word, record.exit_code) == ("failed", 2)
    assert record.why == "it failed as the new one: it raised OSError: gone"


def test_what_is_slower_is_measured_once_more_in_another_order_and_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    performs = Performs([SLOW, SLOW])
    record = measured(performs, tmp_path / "gate", monkeypatch, confirm=True).record
    first, second = performs.asked
    assert second.out == tmp_path / "gate" / CONFIRMATION
    assert second.seed != first.seed
    assert second.begun > first.begun
    assert (record.exit_code, record.folder) == (1, str(second.out))
    assert record.first is not None
    assert record.first.word == "slower"


def test_what_is_not_slower_again_does_not_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = measured(Performs([SLOW, CALM[::-1]]), tmp_path / "a", monkeypatch, confirm=True)
    assert outcome.record.exit_code == 0
    once = Performs([CALM[::-1]])
    assert measured(once, tmp_path / "b", monkeypatch, confirm=True).record.first is None
    assert len(once.asked) == 1


def test_photos_that_changed_are_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    performs = Performs([SLOW], given={"changed": CHANGE})
    record = measured(performs, tmp_path / "gate", monkeypatch).record
    assert (record.word, record.exit_code) == ("failed", 2)


def test_the_commit_is_that_of_the_loaders_folder(tmp_path: Path) -> None:
    assert commit_of(tmp_path / "loader.py") is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e@x"]
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "one"]):
        subprocess.run([*git, *words], check=True)
    log = subprocess.run([*git, "log", "--format=%H"], capture_output=True, text=True, check=True)
    assert commit_of(tmp_path / "loader.py") == log.stdout.strip()
