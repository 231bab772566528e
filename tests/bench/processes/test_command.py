"""No process of Feedbench imports what is in the folder where it was started."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.forkserver import server
from feedbench.bench.processes.client import Processes
from feedbench.bench.processes.command import command_of
from feedbench.bench.processes.other_python import look
from feedbench.bench.records.messages import Request, Start
from feedbench.bench.selftest.neighbour import neighbours
from feedbench.bench.why import tensorboard
from feedbench.bench.why.trace_reader import reading_of

HOSTILE = ("queue", "select", "msgspec", "pandas", "keras", "feedbench", "tensorboard")


def test_a_process_imports_its_modules_from_the_installation_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in HOSTILE:
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken from the current folder')\n")
    monkeypatch.chdir(tmp_path)
    done = subprocess.run(
        command_of("feedbench.bench.about"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "protocol" in json.loads(done.stdout)


class _StartedError(Exception):
    """A process would be started now."""


def _forkserver(folder: Path) -> None:
    Processes(folder, folder / "log").start()


def _fresh_interpreter(folder: Path) -> None:
    request = Request(
        label="a", spec="a", purpose="main", workload="", prepared="", scratch=str(folder)
    )
    start = Start(request=request, log=str(folder / "log"), fresh_interpreter=True)
    server._Server(1, folder, ())._fresh(start)


def _neighbour(folder: Path) -> None:
    with neighbours(folder / "file", 1):
        pass


@pytest.mark.parametrize(
    "start",
    [
        _forkserver,
        _fresh_interpreter,
        _neighbour,
        lambda folder: tensorboard._started(folder, 6006),
        lambda folder: reading_of(folder, folder / "log"),
        lambda _: look("python3"),
    ],
    ids=["forkserver", "fresh interpreter", "neighbour", "tensorboard", "traces", "about"],
)
def test_every_process_is_started_without_the_current_folder(
    start: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def started(command: list[str], **_: Any) -> None:
        commands.append(command)
        raise _StartedError

    monkeypatch.setattr(subprocess, "Popen", started)
    with contextlib.suppress(_StartedError):
        start(tmp_path)
    assert [command[1:3] for command in commands] == [["-P", "-m"]]
