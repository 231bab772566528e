"""The answer of a run in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from feedbench.bench.records.run import Stopped
from feedbench.bench.text import counted, duration, listed
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS
from feedbench.bench.verdicts.resources import MOST_CONSUMER_SHARE
from feedbench.reports.sentences import calm, equal_work, page_cache, preparation
from feedbench.reports.text.figures import is_known, level, percent, shown

if TYPE_CHECKING:
    from feedbench.bench.records.row import Row
    from feedbench.bench.records.run import RunRecord

_RGB = 3  # channels


def heading(run: RunRecord) -> str:
    """Return what was measured, in one line."""
    given = run.workload
    part = f"all {given.images:,}"
    if given.is_part:
        part = f"{given.images:,} of {given.folder_images:,}"
    blocks = counted(run.blocks, "block")
    classes = counted(len(given.classes), "class", "classes")
    form = "" if given.channels == _RGB else " grey"
    form += "" if given.dtype == "float32" else f" {given.dtype}"
    return (
        f"{part} images in {classes}, to {given.height}x{given.width}{form}, in"
        f" batches of {given.batch_size}; {blocks} in {duration(run.seconds)}"
    )


def answer(run: RunRecord) -> str:
    """Return the one sentence that a person came for."""
    measured = [row for row in run.rows if row.rate is not None]
    if not measured:
        return "Nothing was measured."
    if run.blocks < LEAST_BLOCKS:
        return _rates_only(run)
    if not run.best:
        return _no_verdicts(run, measured)
    rows = {row.label: row for row in run.rows}
    best = [rows[label] for label in run.best]
    unequal = equal_work.unequal(run)
    unjudged = [row for row in measured if row.label not in unequal and _is_unjudged(row, run)]
    # Of other work the work's own note tells; these might be the fastest.
    of = "Of those that could be judged, " if unjudged else ""
    judged = [row for row in measured if row.label not in unequal and row not in unjudged]
    if len(best) == len(judged) > 1:
        none = "no pipeline is" if unjudged else "No pipeline is"
        return f"{of}{none} shown slower than another: {listed([row.label for row in best])}."
    if len(best) > 1:
        labels = listed([row.label for row in best])
        return f"{of}{labels} are the fastest; which of them is not shown."
    return f"{of}{best[0].label} is the fastest: {_by_how_much(best[0], run)}."


def _is_unjudged(row: Row, run: RunRecord) -> bool:
    """Tell whether nothing is known of how a pipeline compares, though it was measured."""
    if row.withheld == "exclusions":
        return True
    return row.label not in run.best and row.verdict is None and row is not run.rows[0]


def sure(run: RunRecord) -> str:
    """Return how sure the answer is, and what it holds for."""
    if not any(row.rate is not None for row in run.rows):
        return "Below is what is known of why."
    blocks = counted(run.blocks, "block")
    if run.blocks < LEAST_BLOCKS:
        return f"How sure: not at all yet, by {blocks}; the rates below may have come by chance."
    confidence = level(run.rows)
    parts = [f"How sure: {blocks}, each pipeline in a fresh process, in random order"]
    has_intervals = any(is_known(row.ratio) and row.withheld != "control" for row in run.rows)
    if confidence and has_intervals:
        parts.append(f"each interval covers the true ratio with {confidence} confidence")
    parts.append(_control(run))
    how_sure = "; ".join(filter(None, parts))
    return f"{how_sure}. The answer is that of this machine, these images and this run.{_near(run)}"


def _near(run: RunRecord) -> str:
    """Return who of those that the answer compares delivers other pixels than the others."""
    named = {*run.best, run.rows[0].label}
    proofs = {row.label: row.proof for row in run.rows if row.proof is not None}
    near = [label for label in proofs if label in named and proofs[label].work == "near"]
    if not near or not any(proof.work == "same" for proof in proofs.values()):
        return ""
    are = "resizes" if len(near) == 1 else "resize"
    return f" {listed(near)} {are} by another filter, which reads more pixels: see equal work."


def _control(run: RunRecord) -> str:
    """Return how far equal things differed here."""
    if run.control is None:
        return "the baseline has too few undisturbed blocks beside its own copy to be checked by it"
    if not all(map(is_known, run.control)):
        return ""
    ratio, low, high = run.control
    return f"the baseline beside its own copy: {_ratio(ratio)} ({_ratio(low)} to {_ratio(high)})"


def notes(run: RunRecord) -> list[str]:
    """Return the sentences below the table: what failed, what was overruled, what to know."""
    sentences = [note for row in run.rows for note in _notes_of(row, run)]
    sentences += [
        f"The run was gone on with after {counted(each.blocks, 'block')}, at {each.at}: another"
        " process, and the same order."
        for each in run.resumed
    ]
    left_out = run.workload.left_out
    if left_out:
        first = f"{left_out[0].file} ({left_out[0].reason})"
        more = f", and {len(left_out) - 1:,} more" if len(left_out) > 1 else ""
        sentences.append(f"{counted(len(left_out), 'bad image')} left out: {first}{more}.")
    gzip = preparation.gzip_note(run.rows)
    if gzip is not None:
        sentences.append(gzip)
    if run.workload.is_part:
        sentences.append(
            f"The epoch is that of all {run.workload.folder_images:,} images, extrapolated:"
            " images / rate + turnover."
        )
    sentences += equal_work.notes(run)
    calmness = calm.sentence(run.calm)
    return sentences if calmness is None else [*sentences, calmness]


def _notes_of(row: Row, run: RunRecord) -> Iterator[str]:
    count = len(row.failures)
    if count:
        times = "" if count == 1 else f" ({count} trials)"
        yield f"{row.label} failed{times}: {row.failures[-1].rstrip('.')}."
    for remark in row.remarks:
        yield f"{row.label}: {remark.rstrip('.')}."
    if row.rate is not None and not row.continuous:
        yield f"{row.label} can only be restarted: its rate has the turnover in it."
    if row.unsteady_trials * 2 > max(row.blocks, 1):
        yield f"{row.label} was not steady in {row.unsteady_trials} of its trials."
    if row.consumer_share is not None and row.consumer_share > MOST_CONSUMER_SHARE:
        yield (
            f"{row.label} is faster than its rate says: {shown(row.consumer_share, percent)}% of"
            " the time is Feedbench's own, which takes each batch and looks at it."
        )
    yield from _notes_of_verdict(row, run)
    yield from filter(
        None,
        (
            page_cache.note(row),
            page_cache.while_timed(row, run.workload.images),
            preparation.note(row, run.workload.folder_images),
        ),
    )
    buffer = row.knobs.get("shuffle")
    is_seen = any(equal_work.of_shuffles([(row.label, row.proof)]))  # and that has a note
    if type(buffer) is int and buffer < run.workload.folder_images and not is_seen:
        yield (
            f"{row.label} shuffles through a buffer of {counted(buffer, 'image')}, which is less"
            " of a shuffle than a full one."
        )


def _notes_of_verdict(row: Row, run: RunRecord) -> Iterator[str]:
    if row.rate is not None and 0 < row.attempts == row.disturbed:
        yield f"All trials of {row.label} were disturbed: its rate is theirs, and no verdict is."
    elif run.best and _is_unjudged(row, run) and row.withheld is None and row.rate is not None:
        yield (
            f"{row.label} is not judged: it has {counted(row.blocks, 'undisturbed block')}, and a"
            f" verdict takes {LEAST_BLOCKS} that the baseline has as well."
        )
    baseline = run.rows[0]
    if row.withheld == "exclusions" and row.disturbed < row.attempts:
        yield (
            f"{row.label} has no verdict: it depends on exclusions ({row.disturbed} of its"
            f" {counted(row.attempts, 'trial')} were disturbed, and {baseline.disturbed} of"
            f" {baseline.label}'s {baseline.attempts:,})."
        )
    if row.within_margin and row.verdict in {"faster", "slower"}:
        yield f"{row.label} is {row.verdict} by less than {run.margin:.0%}."
    if row.withheld is None and row.ranks_verdict not in {None, row.verdict}:
        yield (
            f"{row.label} is {row.verdict} by its mean over the blocks; by signed ranks, in which a"
            f" block that is far off weighs little, it would be {row.ranks_verdict} (interval"
            f" {_ratio(row.ranks_low)} to {_ratio(row.ranks_high)})."
        )
    if row.more_blocks is not None:
        yield f"{row.label}: about {counted(row.more_blocks, 'more block')} would decide."


def _by_how_much(row: Row, run: RunRecord) -> str:
    baseline = run.rows[0]
    if row is not baseline and row.ratio is not None and row.withheld is None:
        interval = f"({level([row])} interval {_ratio(row.ratio_low)} to {_ratio(row.ratio_high)})"
        return f"{_ratio(row.ratio)} times the rate of {baseline.label} {interval}"
    unequal = equal_work.unequal(run)
    others = [o.ratio for o in run.rows if o.ratio is not None and o.label not in unequal]
    if not others or baseline.label in unequal:
        return _rate(row)
    return f"the next one has {_ratio(max(others))} times its rate"


def _rates_only(run: RunRecord) -> str:
    blocks = counted(run.blocks, "whole block")
    return f"Rates only: {blocks} measured, and verdicts need {LEAST_BLOCKS}; {_advice(run)}."


def _advice(run: RunRecord) -> str:
    """Return what would bring more blocks; or what ended these, where nothing would."""
    if run.status == "running":
        return "the run was not completed"
    match run.stopped_because:
        case None:
            return "nothing is known of why it ended"
        case Stopped.BLOCKS:
            return "give more --blocks"
        case Stopped.TIME:
            return "give more --time"
        case stopped:
            return stopped.clause(run.blocks)


def _no_verdicts(run: RunRecord, measured: list[Row]) -> str:
    withheld = {row.withheld for row in run.rows}
    if "control" in withheld and run.control is not None:
        return (
            f"No verdicts: {run.rows[0].label} and its own second copy differ"
            f" ({_ratio(run.control[0])} times, interval {_ratio(run.control[1])} to"
            f" {_ratio(run.control[2])}), so this machine was not calm enough."
        )
    if len(measured) == 1:
        return f"{measured[0].label} delivers {_rate(measured[0])}."
    if run.calm is not None and 0 < run.calm.attempts == run.calm.disturbed:
        return f"No verdicts: each of {counted(run.calm.attempts, 'trial')} was disturbed."
    if "exclusions" in withheld and run.calm is not None:
        return (
            f"No verdicts: {run.calm.disturbed} of {counted(run.calm.attempts, 'trial')} were"
            " disturbed, and what would be said depends on which of them are left out."
        )
    if withheld & {"work", "baseline's work"}:
        return "No verdicts: the pipelines do not deliver the same images."
    why = "too few blocks have both the baseline and another pipeline"
    if run.calm is not None and run.calm.disturbed:
        trials = counted(run.calm.attempts, "trial")
        why += f", because {run.calm.disturbed} of {trials} were disturbed"
    return f"No verdicts: {why}."


def _ratio(value: float | None) -> str:
    return shown(value)


def _rate(row: Row) -> str:
    return f"{shown(row.rate, lambda rate: f'{rate:,.0f}')} images/s"
