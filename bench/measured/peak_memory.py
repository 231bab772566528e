"""A trial's peak memory, read from inside when its last window has ended.

At that moment its workers are still alive, and no window is open. To sum up their private memory
the kernel walks their page tables, which would disturb a window.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil

STATUS = Path("/proc/self/status")


def peak_memory_bytes(reaper: int | None = None, status: Path = STATUS) -> int | None:
    """Return this process's peak resident memory plus its workers' private memory, in bytes.

    The peak is the kernel's high-water mark. A worker counts with the pages that it shares with no
    other process, so that no page counts twice. Workers that ended before do not count. A forked
    process has only those parts of the libraries' code resident that it used: the same trial had
    265 MB forked and 640 MB in a fresh interpreter. So compare only runs of the same kind.

    `reaper` is the process that adopts the trial's orphans: its other descendants are the trial's
    workers, except those that are stopped. They belong to trials that wait for their turns. Without
    a reaper, workers do not count. None: not available.
    """
    try:
        resident = _high_water_bytes(status.read_text())
        workers = 0 if reaper is None else sum(map(_unshared_bytes, _workers(reaper)))
    except (OSError, LookupError, psutil.AccessDenied):  # not Linux, or a worker of another user
        return None
    return resident + workers


def _high_water_bytes(status: str) -> int:
    """Return VmHWM of proc_pid_status(5), in bytes. Raises LookupError if it is missing."""
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0]) * 1024
    raise LookupError("VmHWM")


def _workers(reaper: int) -> list[psutil.Process]:
    this = psutil.Process()
    return [child for child in psutil.Process(reaper).children(recursive=True) if child != this]


def _unshared_bytes(worker: psutil.Process) -> int:
    with contextlib.suppress(psutil.NoSuchProcess):  # it went just now, or is a zombie
        if worker.status() != psutil.STATUS_STOPPED:
            return int(worker.memory_full_info().uss)
    return 0
