"""Several runs in sentences: the fastest pipeline of each, and which run feeds faster. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.text import counted, listed
from feedbench.reports.sentences import equal_work, facts
from feedbench.reports.text.figures import is_known, shown

Named = tuple[str, RunRecord]
"""A run's name and its record."""

_LEAST = 2  # runs of which one can feed faster


def fastest(runs: Sequence[Named]) -> str:
    """Return in one sentence which pipeline is the fastest in which run."""
    names_of: dict[str, list[str]] = {}
    for name, run in runs:
        if len(run.best) == 1:
            names_of.setdefault(run.best[0], []).append(name)
    if not names_of:
        return "No run shows one pipeline to be the fastest."
    if len(names_of) == 1 and len(next(iter(names_of.values()))) == len(runs):
        return f"{next(iter(names_of))} is the fastest in each of {counted(len(runs), 'run')}."
    parts = [f"{label} is the fastest in {listed(names)}" for label, names in names_of.items()]
    rest = [name for name, run in runs if len(run.best) != 1]
    without = f"; in {listed(rest)} no single pipeline is" if rest else ""
    return f"{'; '.join(parts)}{without}."


def feeds(runs: Sequence[Named]) -> str:
    """Return which run feeds faster, by the highest rate in each; "" if fewer than two have one.

    The rates are compared by their intervals only: runs share no blocks. If the runs do not
    deliver the same images, the sentence says so and none is the faster.
    """
    tops = [(name, row) for name, run in runs if (row := _top(run)) is not None]
    if len(tops) < _LEAST:
        return ""
    tops.sort(key=lambda top: -(top[1].rate or 0.0))
    rates = f"The highest rates are {listed([_reached(name, row) for name, row in tops])}."
    if not _is_same_work([run for _, run in runs]):
        return (
            f"{rates} The runs do not deliver the same images, so these rates are not comparable."
        )
    (first, best), *others = tops
    close = [name for name, row in others if not _is_above(best, row)]
    if close:
        return f"{rates} It is not clear which of {listed([first, *close])} feeds faster."
    than = others[0][0] if len(others) == 1 else "every other run"
    return f"{rates} {first} feeds faster than {than}: the intervals do not overlap."


def _top(run: RunRecord) -> Row | None:
    """Return the row with the highest rate, of those whose equal work is not in doubt."""
    unequal = equal_work.unequal(run)
    rows = [row for row in run.rows if is_known(row.rate) and row.label not in unequal]
    return max(rows, key=lambda row: row.rate or 0.0, default=None)


def _reached(name: str, row: Row) -> str:
    return f"{shown(row.rate)} images/s in {name} ({row.label})"


def _is_above(faster: Row, slower: Row) -> bool:
    low, high = faster.rate_low, slower.rate_high
    return low is not None and high is not None and low > high


def _is_same_work(runs: Sequence[RunRecord]) -> bool:
    """Return whether all runs deliver the same images in the same form, as far as is known."""
    works = [run.workload for run in runs]
    digests = {work.images_digest for work in works}
    forms = {
        (facts.form(work), work.batch_size, work.label_mode, work.images, work.folder_images)
        for work in works
    }
    return len(forms) == 1 and len(digests - {""}) <= 1
