"""The most memory that a trial held, asked from inside when its last window has ended.

From inside, at that moment: its workers still live, and a walk through their page tables, which
a sum of what is their own takes, disturbs no window any more.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil

STATUS = Path("/proc/self/status")


def peak_memory_bytes(reaper: int | None = None, status: Path = STATUS) -> int | None:
    """Return the most that this process ever had resident, and what its workers now have besides.

    Of itself the kernel's high-water mark; of a worker only the pages that it shares with nobody,
    so that none counts twice. Workers that ended before are not in it. Of the libraries' code a
    forked process has resident only what it used itself: one and the same trial read 265 MB
    forked and 640 MB in an interpreter of its own, so that only runs of one kind compare.

    `reaper` is the process that adopts the trial's orphans, and whose descendants are all the
    trial's; without one, no workers are looked for: they could be anybody's. None: not available.
    """
    try:
        resident = _high_water_bytes(status.read_text())
        workers = 0 if reaper is None else sum(map(_unshared_bytes, _workers(reaper)))
    except (OSError, LookupError, psutil.AccessDenied):  # not Linux, or a worker of another user
        return None
    return resident + workers


def _high_water_bytes(status: str) -> int:
    """Return VmHWM, of proc_pid_status(5), in bytes. Raises LookupError without one."""
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
        return int(worker.memory_full_info().uss)
    return 0
