"""What a trial printed, cut to a size that a run folder can hold."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from feedbench.bench.files import write_whole
from feedbench.pipelines.system.regular_files import open_regular

MOST_BYTES = 1 << 20


def cut(log: Path, most_bytes: int = MOST_BYTES) -> None:
    """Keep the beginning and the end of a log; a line between them says how much was cut."""
    half = most_bytes // 2
    with contextlib.suppress(OSError), os.fdopen(open_regular(log), "rb") as opened:
        size = os.fstat(opened.fileno()).st_size
        if size <= most_bytes:
            return
        begins = opened.read(half)
        opened.seek(size - half)
        line = b"\n[feedbench: %d bytes were cut here]\n" % (size - 2 * half)
        write_whole(log, begins + line + opened.read(half))
