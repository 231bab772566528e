"""What `feedbench scale` refuses before anything is measured."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.programs.front_door import Call

CORES = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("--workers", "1,2"),
            "expected 64 images at least, a batch of 32 for each of 2 workers; found 39",
        ),
        (
            ("--workers", "1,8", "--batch-size", "8", "--limit", "30"),
            "expected 64 images at least, a batch of 8 for each of 8 workers; found 30",
        ),
        (
            ("--workers", "1,2", "-p", "tfdata_naive"),
            "--workers: expected tfdata_service, whose workers are counted; found tfdata_naive",
        ),
        (
            ("--cores", f"1,{CORES + 1}"),
            f"--cores {CORES + 1}: expected {CORES} at most, the cores that this process may use",
        ),
        (
            ("--workers", "1,2", "-p", "tfdata_service:address=grpc://host:5050"),
            "--pipeline tfdata_service:address=grpc://host:5050: its workers run already",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_with_a_sentence_and_leaves_nothing(
    words: tuple[str, ...], sentence: str, call: Call, photos: Path, tmp_path: Path
) -> None:
    called = call("scale", photos, *words, "--out", "S", "--quiet")
    assert (called.code, called.out) == (2, "")
    assert called.err.startswith(f"feedbench: {sentence}")
    assert not (tmp_path / "S").exists()
