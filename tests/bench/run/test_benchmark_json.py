"""A run in pytest-benchmark's format: pytest-benchmark itself reads it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.run import benchmark_json
from tests.support.builders import a_proof, a_row, a_run, empty_row, trials_of

RATES = {"a": [1000, 1250, 800], "b": [2000, 2000, 2000]}


def written(folder: Path) -> Path:
    run = a_run(a_row("a", proof=a_proof()), a_row("b"), empty_row("c", "gone"), blocks=3)
    file = benchmark_json.write(folder, run, trials_of(RATES))
    assert file is not None
    return file


def test_without_a_rate_there_is_no_file_and_an_old_one_is_removed(tmp_path: Path) -> None:
    file = written(tmp_path)
    assert benchmark_json.write(tmp_path, a_run(empty_row("a", "gone"), blocks=3), []) is None
    assert not file.exists()


def test_a_round_is_a_blocks_seconds_per_image_and_ops_are_the_runs_images_per_second(
    tmp_path: Path,
) -> None:
    saved = json.loads(written(tmp_path).read_text())
    first, second = saved["benchmarks"]
    assert (first["name"], second["name"]) == ("a", "b")
    assert first["stats"]["data"] == pytest.approx([0.001, 0.0008, 0.00125])
    assert first["stats"]["ops"] == pytest.approx(3 / (0.001 + 0.0008 + 0.00125))
    assert second["stats"]["ops"] == pytest.approx(2000)
    assert (first["stats"]["rounds"], first["stats"]["iterations"]) == (3, 1)


def test_what_else_is_known_is_extra_info(tmp_path: Path) -> None:
    info = json.loads(written(tmp_path).read_text())["benchmarks"][0]["extra_info"]
    assert (info["pipeline"], info["work"], info["shuffle"]) == ("a", "same", "full")
    assert info["images_per_second"] == 1000
    assert info["run"] == str(tmp_path)


def test_a_blocks_disturbed_trials_and_unfinished_blocks_are_no_rounds(tmp_path: Path) -> None:
    run = a_run(a_row("a"), a_row("b"), blocks=2)
    saved: Any = benchmark_json.benchmark_of(tmp_path, run, trials_of(RATES))
    assert [each["stats"]["rounds"] for each in saved["benchmarks"]] == [2, 2]


def test_pytest_benchmark_compare_shows_it(tmp_path: Path) -> None:
    file = written(tmp_path)
    command = [
        sys.executable,
        "-m",
        "pytest_benchmark",
        "compare",
        str(file),
        "--columns=ops,rounds",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith(("a ", "b "))]
    assert [(row[0], row[-1]) for row in rows] == [("a", "3"), ("b", "3")] or len(rows) == 2
    assert "2.0000" in done.stdout or "2,000" in done.stdout


def test_a_machine_that_is_the_same_has_the_same_machine_info(tmp_path: Path) -> None:
    run = a_run(a_row("a"), blocks=3)
    first, second = (
        benchmark_json.benchmark_of(tmp_path, run, trials_of({"a": [rate] * 3}))["machine_info"]
        for rate in (1000, 1100)
    )
    assert first == second
