"""What a trial's process reports of an exception that is no usual one. Without TensorFlow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from feedbench.bench.processes.workload_file import write_workload
from feedbench.bench.records.messages import Failed, Request, Start, decode_event, encode
from tests.support.pipelines.claimed_feeds import a_workload

TRIAL = """
import os, sys
from feedbench.bench.forkserver import server
from feedbench.bench.records.messages import decode_command
server._become_trial(decode_command(sys.stdin.buffer.read()), int(sys.argv[1]), os.getppid())
"""


def _failed(tmp_path: Path, loader: str, log: Path) -> Failed:
    """Return what the process of a trial of this loader reports."""
    workload = tmp_path / "images.json"
    write_workload(a_workload(3), workload)
    (tmp_path / "loader.py").write_text(loader)
    spec = f"{tmp_path / 'loader.py'}:photos"
    request = Request(
        label="mine",
        spec=spec,
        purpose="pilot",
        workload=str(workload),
        prepared=str(tmp_path),
        scratch=str(tmp_path),
    )
    reader, writer = os.pipe()
    subprocess.run(
        [sys.executable, "-c", TRIAL, str(writer)],
        input=encode(Start(request=request, log=str(log))),
        pass_fds=[writer],
        capture_output=True,
        check=False,
        timeout=60,
    )
    os.close(writer)
    with os.fdopen(reader, "rb") as events:
        event = decode_event([line for line in events if line.strip()][-1])
    assert isinstance(event, Failed)
    return event


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("raise KeyboardInterrupt", "it raised KeyboardInterrupt"),
        pytest.param(
            "raise GeneratorExit('no more')",
            "it raised GeneratorExit: no more",
            marks=pytest.mark.thorough,
        ),
        pytest.param(
            "raise OSError(28, 'No space left on device')",
            "No space left on device",
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_whatever_a_loader_raises_is_named_even_if_its_log_is_on_a_full_disk(
    tmp_path: Path, statement: str, named: str
) -> None:
    failed = _failed(tmp_path, f"def photos(workload):\n    {statement}", Path("/dev/full"))
    assert named in failed.sentence
    assert "loader.py, line 2" in failed.sentence


def test_a_process_that_cannot_open_its_log_says_so(tmp_path: Path) -> None:
    log = tmp_path / "gone" / "log"
    failed = _failed(tmp_path, "def photos(workload):\n    return []", log)
    assert failed.sentence.startswith("its process failed with FileNotFoundError: ")
    assert str(log) in failed.sentence
