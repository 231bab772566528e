"""`feedbench tune` from end to end: a winner that is measured anew, and Ctrl-C."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from feedbench.bench.records.storage import read_run
from feedbench.bench.records.tuning.tuning import read_tuning
from feedbench.pipelines.images.sample_photos import write_photos
from tests.support.programs.command import SMALL, Feedbench
from tests.support.waiting import until

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end]


@pytest.fixture
def words(feedbench: Feedbench) -> list[str]:
    """A request over 40 generated photos that no machine is too slow for."""
    write_photos(feedbench.folder / "photos", 40)
    pipelines = ["-p", "tfdata_naive", "-p", "tfrecord_sharded"]
    return ["tune", "photos", *pipelines, *SMALL, "--out", "T", "--time", "100s", "--blocks", "1"]


def test_the_winner_is_measured_anew_and_its_code_is_written(
    feedbench: Feedbench, words: list[str]
) -> None:
    ended = feedbench.run(*words, "--epochs", "5", "--quiet")
    assert ended.returncode == 0, ended.stderr
    folder = feedbench.folder / "T"
    record = read_tuning(folder)
    assert record.status == "complete"
    assert record.default == "tfdata_naive"
    assert {each.label for each in record.rungs[0].results} >= {"tfdata_naive", record.winner}
    assert record.winner_spec in ended.stdout
    assert "5 epochs take" in ended.stdout
    compile((folder / "winner.py").read_text(), "winner.py", "exec")
    assert record.winner is not None
    assert record.winner in (folder / "tuning.md").read_text().replace("\\", "")
    if record.after is not None:
        final = read_run(folder / "final")
        assert {row.label for row in final.rows} >= {record.default, record.winner}
    assert (folder / record.run / "report.html").is_file()


def test_ctrl_c_names_the_best_so_far(feedbench: Feedbench, words: list[str]) -> None:
    process = feedbench.start(*words[:-2])
    rows = feedbench.folder / "T" / "rung-1" / "run.json"

    def has_block() -> bool:
        assert process.poll() is None, process.communicate()
        return rows.is_file() and json.loads(rows.read_text()).get("blocks", 0) > 0

    until(has_block)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    record = read_tuning(feedbench.folder / "T")
    assert record.status == "interrupted"
    assert record.winner is not None
    assert "so far" in out


def test_too_little_time_names_a_command_that_has_enough(
    feedbench: Feedbench, words: list[str]
) -> None:
    ended = feedbench.run(*words[:-4], "--time", "20s")
    assert ended.returncode == 2
    assert "too short to tune: expected at least 90s" in ended.stderr
    assert "feedbench tune photos" in ended.stderr
    assert not Path(feedbench.folder / "T").exists()


def test_a_request_that_allows_nothing_says_so(feedbench: Feedbench, words: list[str]) -> None:
    records = ["-p", "tfrecord_sharded:store=raw", "--disk", "1kB"]
    ended = feedbench.run(*words[:2], *records, "--out", "T")
    assert ended.returncode == 2
    assert "no candidate is allowed" in ended.stderr
