"""The resource trackers of a trial: Python's processes that remove what its workers left.

multiprocessing starts one in a program that uses shared memory or semaphores by name. It ends by
itself once no process is left that could use them, and then removes what is still there. Killed
with the others, it leaves that until the machine restarts: a run of Grain with two worker
processes left 424 MB in /dev/shm, 19 MB for each batch that was on its way.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable, Iterator

import psutil

PATIENCE_SECONDS = 2.0
"""For a tracker to remove everything. Then it is killed too."""

_MODULE = "multiprocessing.resource_tracker"


def kill_group(group: int, *, spares_trackers: bool) -> None:
    """Kill the processes of a group, which this one started or adopted."""
    if spares_trackers and _kill(_members(group), spares_trackers=True):
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):  # it reaches all at once
        os.killpg(group, signal.SIGKILL)


def kill_children(*, spares_trackers: bool) -> None:
    """Kill all processes that this one started or adopted."""
    _kill(psutil.Process().children(recursive=True), spares_trackers=spares_trackers)


def _members(group: int) -> Iterator[psutil.Process]:
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(process.pid) == group:
                yield process


def _kill(processes: Iterable[psutil.Process], *, spares_trackers: bool) -> bool:
    """Kill processes; return whether trackers were spared. These run on if they were stopped."""
    has_spared = False
    for process in processes:
        with contextlib.suppress(psutil.Error):
            if spares_trackers and any(_MODULE in word for word in process.cmdline()):
                process.resume()
                has_spared = True
            else:
                process.kill()
    return has_spared
