"""Reads a trace with xprof, in a process of its own: xprof imports slowly and logs much."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

from feedbench.bench.files import DAMAGED
from feedbench.bench.processes.command import command_of

_LIMIT_SECONDS = 120.0


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """The results of xprof for a trace."""

    ops: list[tuple[str, str, float]] = []  # type, name, microseconds by itself over all threads
    conclusion: str | None = None
    input_bound: float | None = None  # a share of 1
    why_not: str | None = None  # a clause


def reading_of(
    folder: Path, log: Path, python: str = sys.executable, limit_seconds: float = _LIMIT_SECONDS
) -> Reading:
    """Return xprof's results for the trace in a folder; a failure is a clause, not an error."""
    limit = min(limit_seconds, _LIMIT_SECONDS)
    command = command_of("feedbench.bench.why.trace_reader_task", str(folder), python=python)
    try:
        with log.open("ab") as file:
            done = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=file, timeout=limit, check=False
            )
        if done.returncode:
            return Reading(why_not=f"xprof ended with exit code {done.returncode}; see {log.name}")
        return msgspec.json.decode(done.stdout, type=Reading)
    except subprocess.TimeoutExpired:
        return Reading(why_not=f"xprof took over {limit:.0f} s")
    except (OSError, *DAMAGED) as error:
        return Reading(why_not=f"xprof gave no readable result ({error})")
