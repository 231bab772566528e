"""Which phase a run is in, by the files that it has written so far."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.scenario import Line
from tests.faults.stage import Stage

_PAUSE_SECONDS = 0.005
_LOGS = {"pilot": "000-pilot-*", "prepare": "000-prepare-*", "proof": "000-verify-*"}


def reach(stage: Stage, line: Line, seconds: float) -> bool:
    """Wait for the moment of a line; return False if the command ends or the time is up first."""
    is_there = _test(stage, line)
    deadline = time.monotonic() + seconds
    while not is_there():
        if stage.has_ended or time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE_SECONDS)
    time.sleep(line.delay)
    return not stage.has_ended


def _test(stage: Stage, line: Line) -> Callable[[], bool]:
    logs: tuple[str, ...]
    match line.phase:
        case "start":
            return lambda: True
        case "import":
            return lambda: any(stage.scratch.glob("feedbench-*"))
        case "preparing":
            return (stage.run / "run.json").exists
        case "report":
            return lambda: has_finished(stage)
        case "block":
            logs = (f"{line.block:03d}-main-*", f"{line.block:03d}-control-*")
        case phase:
            logs = (_LOGS[phase],)
    return lambda: any(log for name in logs for log in (stage.run / "logs").glob(name))


def has_finished(stage: Stage) -> bool:
    """Return whether the run's record is final."""
    return _status(stage.run) in {"complete", "interrupted"}


def _status(folder: Path) -> str | None:
    try:
        status = json.loads((folder / "run.json").read_bytes())["status"]
    except (OSError, ValueError):
        return None
    return str(status)
