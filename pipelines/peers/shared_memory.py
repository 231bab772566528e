"""Whether the batches that worker processes load ahead fit into the shared memory."""

from __future__ import annotations

import os
from pathlib import Path

from feedbench.pipelines.errors import RequestError

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - it is where Linux has it; nothing is written here

_HELD = 3  # batches besides those ahead: the consumer's, the one before it, and the one in work
_MB = 1e6


def refuse_too_little(
    batch_bytes: int, workers: int, prefetch_factor: int, *, held: int = 0
) -> None:
    """Raise RequestError if the workers' batches may need more shared memory than is free.

    `held` are the batches that a buffer behind the workers keeps.
    A worker that writes beyond it dies of SIGBUS, which names no reason.
    """
    if not workers:
        return
    try:
        status = os.statvfs(SHARED_MEMORY)
    except OSError:  # there is no such folder: nothing is known
        return
    free = status.f_bavail * status.f_frsize
    batches = workers * prefetch_factor + held + _HELD
    if batches * batch_bytes > free:
        raise RequestError(
            f"{workers} workers keep {batches} batches of {batch_bytes / _MB:.1f} MB in"
            f" {SHARED_MEMORY}, and {free / _MB:.0f} MB are free there",
            hint="give the container more, such as docker run --shm-size=1g, or use"
            " prefetch_factor=1, fewer workers or workers=0",
        )
