"""The notes of a run: failures, overruled knobs, and what to know about a figure. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feedbench.bench.records.row import UNSURE
from feedbench.bench.records.run import left_out_sentence
from feedbench.bench.text import counted, listed
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS
from feedbench.bench.verdicts.resources import MOST_CONSUMER_SHARE
from feedbench.reports.sentences import equal_work, preparation, rates
from feedbench.reports.sentences.answer import is_unjudged
from feedbench.reports.sentences.augmentation import augmentation_cost
from feedbench.reports.sentences.conditions import calm, page_cache
from feedbench.reports.sentences.more_blocks import adds, amount
from feedbench.reports.text.figures import percent, shown

if TYPE_CHECKING:
    from feedbench.bench.records.row import Row
    from feedbench.bench.records.run import RunRecord

_MOST_UNSETTLED = 0.1  # of a pipeline's turns; single ones hardly matter


@dataclass(frozen=True)
class _Note:
    text: str
    is_warning: bool = True  # it changes how a figure of the short tables is to be read


def notes(run: RunRecord) -> list[str]:
    """Return all notes, for the page."""
    return [note.text for note in _notes(run)]


def warnings(run: RunRecord) -> list[str]:
    """Return the notes that change the meaning of the short tables."""
    return [note.text for note in _notes(run) if note.is_warning]


def _notes(run: RunRecord) -> Iterator[_Note]:
    for row in run.rows:
        yield from _notes_of(row, run)
    for each in run.resumed:
        how = "resumed" if each.extended_to is None else "extended"
        text = f"The run was {how} after {counted(each.blocks, 'block')}, at {each.at}."
        yield _Note(f"{text} It continued in another process, in the same order.", is_warning=False)
    left_out = run.workload.left_out
    if left_out:
        first = f"{left_out[0].file} ({left_out[0].reason})"
        more = f", and {len(left_out) - 1:,} more" if len(left_out) > 1 else ""
        yield _Note(f"{counted(len(left_out), 'bad image')} left out: {first}{more}.")
    if run.sequential:
        yield _Note(
            "The run could stop after any block, because of its verdicts. So its intervals are"
            " wider, and hold whenever it stops.",
            is_warning=False,
        )
    yield from _limited(run)
    if run.quick:
        yield _Note(
            "This was a quick run: few pipelines, short windows and no reasons. Without --quick,"
            " the run takes longer and shows more."
        )
    if run.dropped:
        yield _Note(f"{left_out_sentence(run.dropped)} Give more --time to measure them.")
    gzip = preparation.gzip_note(run.rows)
    if gzip is not None:
        yield _Note(gzip, is_warning=False)
    if run.workload.is_part:
        yield _Note(
            f"The epoch time is extrapolated to all {run.workload.folder_images:,} images"
            f"{run.workload.purpose}: images / rate + turnover."
        )
    yield from map(_Note, equal_work.warnings(run))
    yield from map(_Note, equal_work.as_asked(run))
    yield from (_Note(text, is_warning=False) for text in equal_work.remarks(run))
    yield from map(_Note, equal_work.of_shuffles((row.label, row.proof) for row in run.rows))
    yield from _of_machine(run)


def _limited(run: RunRecord) -> Iterator[_Note]:
    for pipeline in run.pipelines:
        if pipeline.cores:
            noun = "core" if len(pipeline.cores) == 1 else "cores"
            cores = listed([str(core) for core in pipeline.cores])
            text = f"{pipeline.label}: its processes could use only {noun} {cores}."
            yield _Note(text, is_warning=False)


def _of_machine(run: RunRecord) -> Iterator[_Note]:
    if run.one_at_a_time:
        yield _Note(f"Trials ran one at a time: {run.one_at_a_time}.", is_warning=False)
    calmness = calm.sentence(run.calm)
    if calmness is not None:
        affects = any(row.withheld in {"control", *UNSURE} for row in run.rows)
        yield _Note(calmness, is_warning=affects or not calm.is_mostly_calm(run.calm))


def _notes_of(row: Row, run: RunRecord) -> Iterator[_Note]:
    yield from map(_Note, _of_trials(row))
    yield from map(_Note, _of_verdict(row, run))
    yield from map(_Note, augmentation_cost.sentences(row, run))
    yield from map(_Note, rates.impossible(row, run))
    yield from map(_Note, rates.by_reference(row, run))
    if row.more_blocks is not None:
        more, command = amount(row.more_blocks, run.block_seconds), adds(row.more_blocks)
        yield _Note(f"{row.label}: about {more} would decide: {command}", is_warning=False)
    use = row.page_cache
    text = page_cache.note(row)
    if use is not None and text is not None:
        yield _Note(text, is_warning=use.certified < use.trials)
    reads = page_cache.while_timed(row, run.workload.images)
    if reads is not None:
        yield _Note(reads)
    prepared = preparation.note(row, run.workload.folder_images)
    if prepared is not None:
        yield _Note(prepared, is_warning=False)
    buffer = row.knobs.get("shuffle")
    is_seen = any(equal_work.of_shuffles([(row.label, row.proof)]))  # and that has a note
    if type(buffer) is int and buffer < run.workload.folder_images and not is_seen:
        yield _Note(
            f"{row.label} shuffles through a buffer of {counted(buffer, 'image')}, which mixes"
            " less than a full shuffle."
        )


def _of_trials(row: Row) -> Iterator[str]:
    count = len(row.failures)
    if count:
        times = "" if count == 1 else f" ({count} trials)"
        yield f"{row.label} failed{times}: {row.failures[-1].rstrip('.')}."
    for remark in row.remarks:
        yield f"{row.label}: {remark.rstrip('.')}."
    if row.rate is not None and not row.continuous:
        yield f"{row.label} can only be restarted, so its rate includes the turnover."
    if row.unsteady_trials * 2 > max(row.blocks, 1):
        yield f"{row.label} was not steady in {counted(row.unsteady_trials, 'trial')}."
    if row.unsettled_share > _MOST_UNSETTLED:
        yield (
            f"{row.label} still had batches ready when {row.unsettled_share:.0%} of its turns"
            " began. Its rate may include work that it did before them."
        )
    if row.consumer_share is not None and row.consumer_share > MOST_CONSUMER_SHARE:
        yield (
            f"{row.label} is faster than its rate shows: Feedbench spent"
            f" {shown(row.consumer_share, percent)}% of the time on taking and checking batches."
        )


def _of_verdict(row: Row, run: RunRecord) -> Iterator[str]:
    if row.rate is not None and 0 < row.attempts == row.disturbed:
        yield (
            f"Every trial of {row.label} was disturbed, so its rate comes from disturbed trials"
            " and it has no verdict."
        )
    elif run.best and is_unjudged(row, run) and row.withheld is None and row.rate is not None:
        yield (
            f"{row.label} has no verdict: it has {counted(row.blocks, 'undisturbed block')}, and a"
            f" verdict needs {LEAST_BLOCKS} in common with the baseline."
        )
    baseline = run.rows[0]
    if row.withheld == "exclusions" and row.disturbed < row.attempts:
        yield (
            f"{row.label} has no verdict, because the verdict depends on exclusions"
            f" ({row.disturbed} of its {counted(row.attempts, 'trial')} were disturbed, and"
            f" {baseline.disturbed} of {baseline.label}'s {baseline.attempts:,})."
        )
    if row.withheld == "other programs":
        yield (
            f"{row.label} has no verdict: other programs were busy in its turns, and not in the"
            " others'. It may leave its work to those programs."
        )
    if row.withheld == "baseline's other programs":
        yield (
            f"{row.label} has no verdict: other programs were busy in the turns of"
            f" {baseline.label}, and not in the others'."
        )
    if row.withheld == "slow turns":
        yield (
            f"{row.label} has no verdict, because the verdict depends on which slow turns are left"
            " out. More blocks would help."
        )
    if row.counts_all_turns:
        yield (
            f"Slow turns were mostly those of either {row.label} or {baseline.label}, so their"
            " ratio includes all turns."
        )
    if row.within_margin and row.verdict in {"faster", "slower"}:
        yield f"{row.label} is {row.verdict} by less than {run.margin:.0%}."
    if row.withheld is None and row.ranks_verdict not in {None, row.verdict}:
        interval = f"{shown(row.ranks_low)} to {shown(row.ranks_high)}"
        yield (
            f"{row.label} is {row.verdict} by its mean over the blocks. By signed ranks, where"
            f" outlying blocks weigh little, it would be {row.ranks_verdict} (interval {interval})."
        )
