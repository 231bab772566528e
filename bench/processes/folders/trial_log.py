"""What a trial printed: its last line, and a size that a run folder can hold."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from feedbench.bench.files import write_whole
from feedbench.pipelines.errors import without_controls
from feedbench.pipelines.exceptions import without_nodes
from feedbench.pipelines.system.regular_files import open_regular

MOST_BYTES = 1 << 20
_LAST_BYTES = 1 << 16  # of a log, in which its last line is looked for
_MOST_CHARACTERS = 200  # of the last line
# What Python's resource tracker prints when a trial's processes are gone, and the line of its code.
_OF_TRACKER = re.compile(r"UserWarning: resource_tracker: |^\s*warnings\.warn\(")


def last_line(log: Path) -> str:
    """Return the last line of a log that is not blank, at most 200 characters of it.

    What is left in shared memory is no reason why a trial ended, so lines on it are passed over.
    """
    with contextlib.suppress(OSError), os.fdopen(open_regular(log), "rb") as opened:
        opened.seek(max(os.fstat(opened.fileno()).st_size - _LAST_BYTES, 0))
        for line in reversed(opened.read(_LAST_BYTES).decode(errors="replace").split("\n")):
            if line.strip() and not _OF_TRACKER.search(line):
                return without_controls(without_nodes(line).strip())[:_MOST_CHARACTERS]
    return "it printed nothing"


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
