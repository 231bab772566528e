"""Whether a model waits for its input, in sentences and cells of a table. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from feedbench.bench.records.demand.demand import DemandCurve, FedRow
from feedbench.bench.text import counted, digits, duration, listed, size
from feedbench.reports.sentences.demand import scaling
from feedbench.reports.text.figures import MISSING, is_known, shown

if TYPE_CHECKING:
    from feedbench.bench.records.demand.demand import (
        Cost,
        Demand,
        Estimate,
        ModelRecord,
    )

_MUCH = 0.05  # of a model's appetite
_FED = 0.9  # of the time that a model is busy
_MOST_LISTED = 3  # pipelines in a sentence
TITLES = ("pipeline", "verdict", "waits", "images/s", "busy", "slower by", "feeds 90%", "feeds 99%")
WORDS = frozenset({"verdict"})  # titles of columns of words
ORDER = {
    "cpu": "CPU time an image",
    "memory": "peak memory",
    "disk": "files written in advance",
    "prepare": "time to prepare",
}


def sentences(demand: Demand) -> list[str]:
    """Return the answer, how much each pipeline feeds by its curve, and what was left out."""
    curves = map(fed_at, demand.curves)
    return [*answer(demand), *scaling.sentences(demand), *curves, *notes(demand)]


def notes(demand: Demand) -> list[str]:
    """Return what was left out, and in which trials the steps of the model were not steady."""
    return [*demand.skipped, *_unsteady(demand), *_disturbed(demand)]


def _unsteady(demand: Demand) -> list[str]:
    steps = "the steps of the model did not become steady in"
    over_ready = [("With a batch that is ready", demand.unsteady, demand.appetite)]
    fed = [(f"With {row.label}", row.unsteady, row.rate) for row in demand.rows]
    return [
        f"{where}, {steps} {count} of {counted(rate.blocks, 'trial')}."
        for where, count, rate in (*over_ready, *fed)
        if count and rate is not None
    ]


def _disturbed(demand: Demand) -> list[str]:
    count = sum(row.disturbed for row in demand.rows)
    if not count:
        return []
    trials = counted(count, "trial")
    were = "was" if count == 1 else "were"
    return [f"Other programs disturbed {trials} with the model, which {were} left out."]


def answer(demand: Demand) -> list[str]:
    """Return what the model takes, which pipelines feed it, and which is the cheapest of these."""
    if demand.model is None:
        return []
    return [*filter(None, [takes(demand), *feeders(demand), *cheapest(demand)])]


def takes(demand: Demand) -> str:
    """Return what the model takes."""
    assert demand.model is not None
    if demand.appetite is None:
        return ""
    rate = digits(demand.appetite.value)
    return f"{_subject(demand.model)} takes {rate} images/s{_where(demand.model)}."


def _subject(model: ModelRecord) -> str:
    if model.published is not None:
        return f"A model like {model.name}"
    return "A model of this step" if model.is_emulated else "Your model"


def _where(model: ModelRecord) -> str:
    if model.published is not None:
        return f" ({model.published.source}, {model.published.date[:4]})"
    return "" if model.is_emulated else " here"


def feeders(demand: Demand) -> list[str]:
    """Return which pipelines feed the model, for which it waits, and where that is not clear."""
    feed = [row for row in demand.rows if row.verdict == "does not wait"]
    starve = [row for row in demand.rows if row.verdict == "waits"]
    unclear = [row for row in demand.rows if row.verdict == "cannot tell"]
    feed.sort(key=_wait)
    starve.sort(key=_wait)
    parts = []
    if feed:
        parts.append(f"{_named(feed)} {'feeds' if len(feed) == 1 else 'feed'} it.")
    if starve:
        does_not = f"{'does' if len(starve) == 1 else 'do'} not{'' if feed else ' feed it'}"
        parts.append(f"{_named(starve)} {does_not}.")
    if unclear:
        parts.append(f"It is not clear for {_named(unclear)}.")
    failed = [row for row in demand.rows if row.verdict is None and row.failures]
    return [*parts, *(f"{row.label} could not feed it: {row.failures[0]}." for row in failed)]


def _named(rows: Sequence[FedRow]) -> str:
    """Return labels, each with how long the model waits; of many, the first and how many more."""
    shown_rows = rows if len(rows) <= _MOST_LISTED else rows[: _MOST_LISTED - 1]
    named = [f"{row.label} (waits {waits(row)}{_slower(row)})" for row in shown_rows]
    if len(rows) > len(shown_rows):
        named.append(f"{len(rows) - len(shown_rows)} more")
    return listed(named)


def _slower(row: FedRow) -> str:
    """Return how much slower the model's steps are, if that is a large part of what it loses."""
    if row.taken is None or row.taken < _MUCH:
        return ""
    return f"; its steps are {100 * row.taken:.0f}% slower"


def cheapest(demand: Demand) -> list[str]:
    """Return which pipeline is the cheapest that is enough."""
    judged = [row for row in demand.rows if row.verdict in {"waits", "does not wait"}]
    if demand.cheapest is None:
        none_is_enough = judged and len(judged) == len(demand.rows)
        return ["No pipeline is fast enough."] if none_is_enough else []
    cost = demand.cheapest
    return [f"The cheapest that is fast enough: {cost.label} ({costs(cost)})."]


def costs(cost: Cost) -> str:
    """Return what a pipeline costs, in a few words."""
    cpu = shown(cost.cpu_seconds_per_1000_images, lambda value: digits(value, 2))
    written = "nothing written"
    if cost.written_bytes:
        prepared = duration(cost.prepare_seconds) if cost.prepare_seconds >= 1 else "under a second"
        written = f"{size(cost.written_bytes)} written in {prepared}"
    return f"{cpu} CPU-s per 1,000 images, {written}"


def fed_at(curve: DemandCurve) -> str:
    """Return how large an appetite a pipeline feeds."""
    parts = [
        f"{digits(each.value)} images/s{_ends(each)} at {share}% busy"
        for each, share in ((curve.fed_at_90, 90), (curve.fed_at_99, 99))
        if each is not None
    ]
    if not parts and curve.points and curve.points[-1].utilisation >= _FED:
        most = digits(curve.points[-1].appetite)
        return f"{curve.label} feeds a model of {most} images/s, the most that can be emulated."
    if not parts:
        why = f": {curve.failures[0]}" if curve.failures else ""
        return f"{curve.label} has no demand curve{why}."
    blocks = max(each.blocks for each in (curve.fed_at_90, curve.fed_at_99) if each is not None)
    note = "" if blocks > 1 else " (one measurement)"
    return f"{curve.label} feeds a model of {listed(parts)}{note}."


def _ends(estimate: Estimate) -> str:
    if not is_known(estimate.low) or not is_known(estimate.high):
        return ""
    return f" ({shown(estimate.low)} to {shown(estimate.high)})"


def waits(row: FedRow) -> str:
    """Return the share of time that the model waits, such as 64%; never below zero."""
    if row.wait is None:
        return MISSING
    percent = 100 * max(row.wait.value, 0.0)
    return f"{percent:.0f}%" if percent >= 1 else f"{percent:.1f}%"


def source(demand: Demand) -> str:
    """Return where a published appetite comes from; "" for any other."""
    published = None if demand.model is None else demand.model.published
    if published is None:
        return ""
    return f"{published.name}: {published.figure}, {published.source}, {published.date}."


def in_brief(demand: Demand) -> str:
    """Return how the figures were measured, in one line."""
    parts = [counted(demand.blocks, "block") + " with the model"] if demand.model else []
    if demand.cores:
        parts.append(f"{counted(demand.core_blocks, 'block')} on fewer cores")
    if demand.curves:
        parts.append(f"{counted(demand.curve_blocks, 'block')} of demand curves")
    return f"{listed(parts)} in {duration(demand.seconds)}" if parts else ""


def cells(demand: Demand) -> list[tuple[str, ...]]:
    """Return the rows of a table with the columns of TITLES."""
    curves = {curve.label: curve for curve in demand.curves}
    rows = {row.label: row for row in demand.rows}
    return [
        _cells(label, rows.get(label), curves.get(label))
        for label in dict.fromkeys([*rows, *curves])
    ]


def _cells(label: str, row: FedRow | None, curve: DemandCurve | None) -> tuple[str, ...]:
    row = FedRow(label=label) if row is None else row
    curve = DemandCurve(label=label) if curve is None else curve
    return (
        label,
        row.verdict or MISSING,
        waits(row),
        _rate(row.rate),
        _percent(row.utilisation),
        _percent(row.taken),
        _rate(curve.fed_at_90),
        _rate(curve.fed_at_99),
    )


def _rate(estimate: Estimate | None) -> str:
    return MISSING if estimate is None else digits(estimate.value)


def _percent(share: float | None) -> str:
    return MISSING if share is None else f"{100 * max(share, 0.0):.1f}%"


def _wait(row: FedRow) -> float:
    return row.wait.value if row.wait is not None else 0.0
