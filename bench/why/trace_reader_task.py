"""Reads a trace by xprof, in the process that `reading_of` starts.

`python -m feedbench.bench.why.trace_reader_task FOLDER` prints a Reading as JSON.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from feedbench.bench.why.trace_reader import Reading

_BOUND = re.compile(r"because ([\d.]+)% of the total step time sampled is waiting for input")
_NOT_MEASURED = "No step time measured"
_TOOLS = ("framework_op_stats", "input_pipeline_analyzer")


class _Column(msgspec.Struct, frozen=True):
    id: str = ""


class _Cell(msgspec.Struct, frozen=True):
    v: str | float | None = None


class _Row(msgspec.Struct, frozen=True):
    c: list[_Cell | None] = []


class _Properties(msgspec.Struct, frozen=True):
    input_conclusion: str | None = None


class _Table(msgspec.Struct, frozen=True):
    """A table in the format of Google Charts: columns by id, cells by position."""

    cols: list[_Column] = []
    rows: list[_Row] = []
    p: _Properties = _Properties()


def read(folder: Path) -> Reading:
    """Return xprof's results for the trace in a folder; a failure is a clause, not an error."""
    files = sorted(map(str, folder.rglob("*.xplane.pb")))
    if not files:
        return Reading(why_not="the profiler wrote no trace")
    try:
        from xprof.convert import raw_to_tool_data
    except ImportError as error:
        return Reading(why_not=f"xprof cannot be imported ({error})")
    try:
        tools = set(raw_to_tool_data.xspace_to_tool_names(files))
        missing = [tool for tool in _TOOLS if tool not in tools]
        if missing:
            return Reading(
                why_not=f"this xprof has no {' and no '.join(missing)}: it has"
                f" {', '.join(sorted(tools)) or 'no tool for this trace'}"
            )
        ops, steps = (raw_to_tool_data.xspace_to_tool_data(files, tool, {})[0] for tool in _TOOLS)
        return interpreted(ops, steps)
    except Exception as error:  # noqa: BLE001 - whatever a foreign converter raises at a broken file
        return Reading(why_not=f"xprof cannot read it ({type(error).__name__}: {error})")


def interpreted(ops: bytes | str | None, steps: bytes | str | None) -> Reading:
    """Return the results in the JSON of both tools. The first table of ops is complete."""
    op_tables = _tables(ops)
    conclusions = (table.p.input_conclusion for table in _tables(steps))
    conclusion = next(filter(None, conclusions), None)
    if conclusion is not None and conclusion.startswith(_NOT_MEASURED):
        conclusion = None
    bound = _BOUND.search(conclusion or "")
    return Reading(
        ops=list(_ops(op_tables[0])) if op_tables else [],
        conclusion=conclusion,
        input_bound=float(bound[1]) / 100 if bound else None,
    )


def _ops(table: _Table) -> Iterator[tuple[str, str, float]]:
    """Yield the rows of a table of ops: type, name, microseconds."""
    place = {column.id: at for at, column in enumerate(table.cols)}
    for row in table.rows:
        cells = [cell and cell.v for cell in row.c]
        kind, name = cells[place["type"]], cells[place["operation"]]
        yield str(kind), str(name), float(cells[place["total_self_time"]] or 0.0)


def _tables(data: bytes | str | None) -> list[_Table]:
    """Return a tool's tables; it writes one table or a list."""
    if not data:
        return []
    tables = msgspec.json.decode(data, type=list[_Table] | _Table)
    return tables if isinstance(tables, list) else [tables]


if __name__ == "__main__":
    answers = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no answer
    os.write(answers, msgspec.json.encode(read(Path(sys.argv[1]))))
    sys.stdout.flush()
    os._exit(0)  # its threads may not end by themselves
