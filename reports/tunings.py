"""A folder of `feedbench tune`: its text as markdown, and the winner's code to paste."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from feedbench.bench import files
from feedbench.bench.records.storage import read_run
from feedbench.bench.records.tuning.tuning import TuningRecord, read_tuning, write_tuning
from feedbench.bench.text import counted
from feedbench.reports import markdown
from feedbench.reports.code import fastest
from feedbench.reports.sentences import tuning

CODE, TEXT = "winner.py", "tuning.md"


def read(folder: Path) -> str:
    """Return the tuning in this folder as markdown. Raises RequestError if it is broken."""
    return render(read_tuning(folder))


def write(folder: Path, record: TuningRecord) -> TuningRecord:
    """Write the winner's code and the markdown; return the record with the code's place.

    A user's own loader has no code to paste: users have it already.
    """
    code = _code(folder, record)
    if code is not None:
        files.replace(folder / CODE, code)
    record = replace(record, code="" if code is None else CODE)
    write_tuning(folder, record)
    files.replace(folder / TEXT, render(record))
    return record


def render(record: TuningRecord) -> str:
    """Return the tuning as markdown."""
    parts = [markdown.bold(tuning.answer(record))]
    parts.append(markdown.wrapped(tuning.totals_sentence(record)))
    if rows := tuning.totals(record):
        parts.append(markdown.table(("pipeline", *tuning.TOTAL_TITLES[1:]), rows))
    parts.append(markdown.bullets((*tuning.gains(record), *tuning.remarks(record))))
    if record.winner is not None:
        parts.append(f"```sh\n{tuning.command(record)}\n```")
    for number, rung in enumerate(record.rungs, 1):
        title = f"### Rung {number}, {counted(rung.blocks, 'block')}"
        words = (tuning.TITLES[-1],)
        parts += [title, markdown.table(tuning.TITLES, tuning.rows(rung.results), words)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _code(folder: Path, record: TuningRecord) -> str | None:
    if record.winner is None or not record.run:
        return None
    run = read_run(folder / record.run)
    texts = dict(fastest.codes(run, fastest.listed(folder / record.run, run)))
    return texts.get(record.winner)
