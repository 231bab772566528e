"""What a trace says: xprof reads it, in a process of its own, for it is heavy and logs much.

`python -m feedbench.bench.why.trace_reader FOLDER` prints the ops and the conclusion as JSON.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

_LIMIT_SECONDS = 120.0
_BOUND = re.compile(r"because ([\d.]+)% of the total step time sampled is waiting for input")
_NOT_MEASURED = "No step time measured"
_TOOLS = ("framework_op_stats", "input_pipeline_analyzer")


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What xprof says of a trace."""

    ops: list[tuple[str, str, float]] = []  # type, name, microseconds by itself over all threads
    conclusion: str | None = None
    input_bound: float | None = None  # a share of 1
    why_not: str | None = None  # a clause


def said_of(
    folder: Path, log: Path, python: str = sys.executable, limit_seconds: float = _LIMIT_SECONDS
) -> Said:
    """Return what xprof says of the trace in a folder. Whatever fails is a clause, no error."""
    limit = min(limit_seconds, _LIMIT_SECONDS)
    command = [python, "-m", "feedbench.bench.why.trace_reader", str(folder)]
    try:
        with log.open("ab") as file:
            done = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=file, timeout=limit, check=False
            )
        if done.returncode:
            return Said(why_not=f"xprof ended with exit code {done.returncode}; see {log.name}")
        return msgspec.json.decode(done.stdout, type=Said)
    except subprocess.TimeoutExpired:
        return Said(why_not=f"xprof took over {limit:.0f} s")
    except (OSError, msgspec.DecodeError) as error:
        return Said(why_not=f"xprof said nothing that can be read ({error})")


def read(folder: Path) -> Said:
    """Ask xprof. To be called in a process of its own."""
    files = sorted(map(str, folder.rglob("*.xplane.pb")))
    if not files:
        return Said(why_not="the profiler wrote no trace")
    try:
        from xprof.convert import raw_to_tool_data
    except ImportError as error:
        return Said(why_not=f"xprof cannot be imported ({error})")
    try:
        tools = set(raw_to_tool_data.xspace_to_tool_names(files))
        missing = [tool for tool in _TOOLS if tool not in tools]
        if missing:
            return Said(
                why_not=f"this xprof has no {' and no '.join(missing)}: it has"
                f" {', '.join(sorted(tools)) or 'no tool for this trace'}"
            )
        ops, steps = (raw_to_tool_data.xspace_to_tool_data(files, tool, {})[0] for tool in _TOOLS)
        return interpreted(_tables(ops), _tables(steps))
    except Exception as error:  # noqa: BLE001 - whatever a foreign converter raises at a broken file
        return Said(why_not=f"xprof cannot read it ({type(error).__name__}: {error})")


def interpreted(ops: list[Mapping[str, Any]], steps: list[Mapping[str, Any]]) -> Said:
    """Return what the tables of both tools say. The first table of ops leaves nothing out."""
    conclusion = next(
        (
            str(properties["input_conclusion"])
            for table in steps
            if (properties := table.get("p")) and properties.get("input_conclusion")
        ),
        None,
    )
    if conclusion is not None and conclusion.startswith(_NOT_MEASURED):
        conclusion = None
    bound = _BOUND.search(conclusion or "")
    return Said(
        ops=list(_ops(ops[0])) if ops else [],
        conclusion=conclusion,
        input_bound=float(bound[1]) / 100 if bound else None,
    )


def _ops(table: Mapping[str, Any]) -> Any:
    """Yield the rows of a table as Google's charts take it: columns by id, cells by place."""
    place = {column["id"]: at for at, column in enumerate(table["cols"])}
    for row in table["rows"]:
        cells = [cell and cell.get("v") for cell in row["c"]]
        kind, name = cells[place["type"]], cells[place["operation"]]
        yield str(kind), str(name), float(cells[place["total_self_time"]] or 0.0)


def _tables(data: str | bytes | None) -> list[Mapping[str, Any]]:
    if not data:
        return []
    tables = json.loads(data)
    return tables if isinstance(tables, list) else [tables]


if __name__ == "__main__":
    answers = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no answer
    os.write(answers, msgspec.json.encode(read(Path(sys.argv[1]))))
    sys.stdout.flush()
    os._exit(0)  # its threads may not end by themselves
