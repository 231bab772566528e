"""What each fault does. An action returns whom it hit; None if there was nobody to hit."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from PIL import Image

from tests.faults.disk import seal
from tests.faults.scenario import Line
from tests.faults.stage import Stage

_SPARE_BYTES = 1 << 20  # of memory, beyond what a process has
_FIND_SECONDS = 5.0
_PAUSE_SECONDS = 0.005


def act(stage: Stage, line: Line) -> str | None:
    """Do what a line says, and return what it hit: the log of a trial, or a file's name."""
    what, _, whom = line.fault.partition(" ")
    if what in _SIGNALS:
        return _signal(stage, _SIGNALS[what], whom, line.seconds)
    return _ACTIONS[line.fault](stage, line)


_SIGNALS = {
    "kill": signal.SIGKILL,
    "end": signal.SIGTERM,
    "interrupt": signal.SIGINT,
    "hang": signal.SIGHUP,
    "stop": signal.SIGSTOP,
}


def _signal(stage: Stage, number: signal.Signals, whom: str, seconds: float) -> str | None:
    pid = _process(stage, whom.removeprefix("up "))
    if pid is None:
        return None
    hit = _log_of(pid) if whom == "trial" else whom
    try:
        os.kill(pid, number)
        if seconds:
            time.sleep(seconds)
            os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        return hit if seconds else None
    return hit


def _process(stage: Stage, whom: str) -> int | None:
    """Return a process to hit, once there is one; None if the command ends or seconds pass."""
    if whom == "command":
        return stage.command
    deadline = time.monotonic() + _FIND_SECONDS
    while not stage.has_ended and time.monotonic() < deadline:
        pid = stage.forkserver() if whom == "forkserver" else next(iter(stage.trials()), None)
        if pid is not None:
            return pid
        time.sleep(_PAUSE_SECONDS)
    return None


def _log_of(pid: int) -> str:
    """Return the name of a trial's log, which says what it is: 001-main-mine.log."""
    try:
        return Path(f"/proc/{pid}/fd/1").readlink().name
    except OSError:
        return ""


def _fill(stage: Stage, line: Line) -> str | None:
    assert stage.disk is not None
    stage.disk.fill()
    return "disk"


def _freeze(stage: Stage, line: Line) -> str | None:
    assert stage.disk is not None
    stage.disk.freeze()
    time.sleep(line.seconds)
    stage.disk.thaw()
    return "disk"


def _bound_files(stage: Stage, line: Line) -> str | None:
    """Let the command write no file larger than 4 kB, as a quota would."""
    psutil.Process(stage.command).rlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    return "command"


def _bound_memory(stage: Stage, line: Line) -> str | None:
    """Let a trial have hardly more memory than it has."""
    pid = _process(stage, "trial")
    if pid is None:
        return None
    try:
        hit, process = _log_of(pid), psutil.Process(pid)
        most = process.memory_info().vms + _SPARE_BYTES
        process.rlimit(resource.RLIMIT_AS, (most, most))
    except psutil.NoSuchProcess:
        return None
    return hit


def _seal(stage: Stage, line: Line) -> str | None:
    if not stage.run.exists():
        return None
    seal(stage.run)
    return "R"


def _photo(stage: Stage) -> Path:
    return min(stage.photos.rglob("*.jpg"))


def _delete(stage: Stage, line: Line) -> str:
    photo = _photo(stage)
    photo.unlink()
    return photo.name


def _grow(stage: Stage, line: Line) -> str:
    photo = _photo(stage)
    with photo.open("ab") as file:
        file.write(bytes(100))
    return photo.name


def _cut(stage: Stage, line: Line) -> str:
    photo = _photo(stage)
    os.truncate(photo, photo.stat().st_size // 2)
    return photo.name


def _swap(stage: Stage, line: Line) -> str:
    photo = _photo(stage)
    Image.new("RGB", (48, 40), "white").save(photo)
    return photo.name


def _pipe(stage: Stage, line: Line) -> str:
    photo = _photo(stage)
    photo.unlink()
    os.mkfifo(photo)
    return photo.name


def _step(stage: Stage, line: Line) -> str:
    stage.clock.write_text("-7200" if line.fault.endswith("back") else "+7200")
    return "clock"


_ACTIONS: dict[str, Callable[[Stage, Line], str | None]] = {
    "fill disk": _fill,
    "freeze disk": _freeze,
    "bound files": _bound_files,
    "bound memory": _bound_memory,
    "seal folder": _seal,
    "delete photo": _delete,
    "grow photo": _grow,
    "cut photo": _cut,
    "swap photo": _swap,
    "pipe photo": _pipe,
    "step clock back": _step,
    "step clock ahead": _step,
    "remove HOME": lambda stage, line: "HOME",  # from the start: a variable of the command
}
