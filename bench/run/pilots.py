"""A short trial of each pipeline, which shows roughly what each one costs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.folders.trial_folders import repeated_if_lost
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.processes.trials import Trials
from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.run import left_out_sentence
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run.budget import (
    PILOT_SECONDS,
    PROCESS_SECONDS,
    Cost,
    block_seconds,
    trial_seconds,
    verify_seconds,
)
from feedbench.bench.run.choose_images import Images, choose, save_workload
from feedbench.bench.run.forecast.candidates import (
    lineup_that_fits,
    most_promising,
    times_slower,
)
from feedbench.bench.run.forecast.progress import blocks_that_fit
from feedbench.bench.run.measuring.schedule import Lineup
from feedbench.bench.run.plan import Plan, candidates_of, guessed_costs, refuse_no_block
from feedbench.bench.run.workplace import Workplace
from feedbench.bench.text import counted, duration
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import Index, take

_FEW_IMAGES = 256
_PILOT_LIMIT_SECONDS = 20.0  # for a pilot to start, ...
_PILOT_PREPARE_SECONDS, _PILOT_PREPARE_SHARE = 3600.0, 1 / 3  # or of the time that is left
_PILOT_LIMIT_FACTOR = 4.0  # ... and then this multiple of what its images should take
_LEAST_SHARE = 1 / 2  # of a pilot's epoch, that its images take if they are not ready before
_PILOT_SHARE = 1 / 4  # of the time that is left, for more than a few images
_NEED = f"verdicts need {LEAST_BLOCKS}"


@dataclass(frozen=True)
class Piloted:
    """The results of the pilots."""

    plan: Plan  # without the pipelines for which there is no time
    images: Images  # fewer, if a pipeline is slower than the guess
    records: tuple[TrialRecord, ...]  # of the pilots
    lineup: Lineup


def run_pilots(plan: Plan, images: Images, folder: RunFolder, work: Workplace) -> Piloted:
    """Run the pilots; if the time is too short, choose fewer pipelines and images.

    Raises RequestError if the time is too short for a block of even one pipeline.
    """
    trials = work.trials(folder, plan.specs, plan.options)
    records = pilots(plan, images.measured, trials, work.preparing, work.scratch, work.listener)
    plan = fitting(plan, records, work.listener)
    if plan.dropped:
        work.listener.note(left_out_sentence(plan.dropped))
    records = [record for record in records if record.label in plan.specs]
    costs = _costs_of(plan, records)
    if costs:
        images = _fewer(plan, images, costs, work.listener)
        _announce(plan, images, costs, work.listener)
    lineup = lineup_of(plan.specs, plan.options, records, plan.guess, len(images.measured.files))
    return Piloted(plan, images, tuple(records), lineup)


def fitting(plan: Plan, records: Sequence[TrialRecord], listener: Listener) -> Plan:
    """Return the plan without the pipelines for which the pilots show that there is no time.

    A pipeline whose pilot failed stays, to report that; it takes no time. Raises RequestError if
    the time is too short for a block of the most promising one.
    """
    seconds_left = plan.budget.seconds_left(0)
    if seconds_left is None:
        return plan
    ended = {record.label: record for record in records}
    plan = plan.without(
        {
            spec.label: None
            for spec in plan.pipelines
            if any(
                label not in ended or ended[label].ended == "time up" for label in plan.arms([spec])
            )
        }
    )
    candidates = candidates_of(plan, _costs_of(plan, records))
    if not candidates:
        return plan
    plan = plan.with_time_to_compare(candidates, listener)
    seconds_left = plan.budget.seconds_left(0) or 0.0
    blocks = plan.options.blocks or LEAST_BLOCKS
    kept = lineup_that_fits(candidates, seconds_left, plan.terms, blocks=blocks)
    assert plan.options.seconds is not None
    refuse_no_block(plan, kept[0], plan.options.seconds - seconds_left)
    gone = [each for each in candidates if each not in kept]
    return plan.without({each.label: times_slower(each, kept) for each in gone})


def lineup_of(
    specs: Mapping[str, Spec],
    options: RunOptions,
    records: Iterable[TrialRecord],
    guess: Cost,
    images: int,
) -> Lineup:
    """Return the lineup from the pilots among these records; `guess` is for one that failed."""
    records = list(records)
    seconds = {
        record.label: trial_seconds(
            cost_of(record, guess, options.batch_size),
            images,
            options.batch_size,
            options.pace,
        )
        for record in records
        if record.purpose == "pilot"
    }
    return Lineup(specs, seconds).after(records)


def pilots(
    plan: Plan,
    index: Index,
    trials: Trials,
    preparing: Collection[str],
    scratch: Path,
    listener: Listener,
) -> list[TrialRecord]:
    """Run a short trial of each pipeline and return the records.

    Built-in pipelines, and those that are `preparing`, deliver only as many images as they can read
    within seconds: a decoded cache delivers its first batch only after all of them. Others get the
    images of their trials and are stopped early, so that a cache on the disk fits their trials. So
    does the one that reads the user's record files: for a few images it would read all of them.
    The baseline is first, and then those that are most likely to win. Pilots for which no time is
    left are not run. Raises RequestError if the time is up before the first pilot has ended.
    """
    wholes = {
        label for label, spec in plan.specs.items() if spec.is_foreign or spec.reads_records
    }.difference(preparing)
    few = take(index, _few_images(plan, len(index.files)), plan.options.seed)
    workloads = _Workloads(plan.options, len(index.files), scratch)
    records: list[TrialRecord] = []
    for label in _order(plan):
        spec = plan.specs[label]
        asked = index if label in wholes else few
        seconds_left = _left_for_pilots(plan, records)
        if seconds_left is not None and seconds_left <= 0 and records:
            continue
        limit = _limit(
            _usual_seconds(plan.guess, len(asked.files), len(few.files), seconds_left),
            seconds_left,
            is_preparing=label in preparing,
        )
        listener.trial_started(0, label, plan.budget.seconds_left(0))  # as in blocks
        record = repeated_if_lost(
            partial(_pilot, trials, spec, partial(workloads.file, asked), limit)
        )
        listener.trial_ended(record, plan.budget.seconds_left(0))
        records.append(record)
        if record.ended == "time up" and not _costs_of(plan, records):
            raise RequestError(
                f"--time {plan.options.seconds:.0f}s is too short: it was up during the pilot of"
                f" {label}, before the first block",
                hint="raise --time, or use fewer pipelines",
            )
        if record.measured is not None and not spec.is_foreign:
            for remark in record.measured.remarks:  # such as a cache that does not fit
                listener.note(f"{label}: {remark}.")
    return records


def _pilot(trials: Trials, spec: Spec, workload: Callable[[], Path], limit: Limit) -> TrialRecord:
    return trials.run(spec, "pilot", workload(), limit)


def _order(plan: Plan) -> list[str]:
    """Return all labels: the baseline, and then the most promising pipelines, by a guess."""
    baseline, *others = candidates_of(plan, guessed_costs(plan))
    others.sort(key=lambda each: each.later_seconds)  # stable
    specs = (plan.specs[candidate.label] for candidate in (baseline, *others))
    return [label for spec in specs for label in plan.arms([spec])]


def _left_for_pilots(plan: Plan, records: Sequence[TrialRecord]) -> float | None:
    """Return the seconds left for further pilots: a block of what has had one comes first."""
    seconds_left = plan.budget.seconds_left(0)
    candidates = candidates_of(plan, _costs_of(plan, records))
    if seconds_left is None or not candidates:
        return seconds_left
    pair = list(dict.fromkeys((candidates[0], most_promising(candidates))))
    return seconds_left - plan.terms.needed_seconds(pair, 1)


def _costs_of(plan: Plan, records: Iterable[TrialRecord]) -> dict[str, Cost]:
    """Return the cost of each pipeline whose pilot was measured, by label."""
    return {
        record.label: cost_of(record, plan.guess, plan.options.batch_size)
        for record in records
        if record.ended == "measured"
    }


class _Workloads:
    """The files of the pilots' workloads, each written at its first use."""

    def __init__(self, options: RunOptions, folder_images: int, scratch: Path) -> None:
        self._options = options
        self._folder_images = folder_images
        self._scratch = scratch

    def file(self, index: Index) -> Path:
        """Return the file of the workload over these images."""
        file = self._scratch / f"pilot-{len(index.files)}.json"
        if not file.exists():
            save_workload(self._options, index, self._folder_images, file)
        return file


def _few_images(plan: Plan, most: int) -> int:
    fitting = int(PILOT_SECONDS / plan.guess.image_seconds)
    return min(max(fitting, plan.options.batch_size), _FEW_IMAGES, most)


def _usual_seconds(guess: Cost, images: int, few: int, seconds_left: float | None) -> float:
    """Return how long a pilot may take: its start and an epoch, which it may have to read in full.

    An epoch gets only a share of the time left, but enough for a `few` images.
    """
    least, most = (_PILOT_LIMIT_FACTOR * count * guess.image_seconds for count in (few, images))
    if seconds_left is not None:
        most = min(most, max(least, _PILOT_SHARE * seconds_left))
    return _PILOT_LIMIT_SECONDS + guess.start_seconds + most


def _limit(usual_seconds: float, seconds_left: float | None, *, is_preparing: bool) -> Limit:
    """Return the limit of a pilot, with time for a user's preparation."""
    if seconds_left is None:
        return Limit(usual_seconds + (_PILOT_PREPARE_SECONDS if is_preparing else 0.0))
    most = usual_seconds + (seconds_left * _PILOT_PREPARE_SHARE if is_preparing else 0.0)
    return Limit(most) if seconds_left > most else Limit(seconds_left, is_deadline=True)


def cost_of(pilot: TrialRecord, guess: Cost, batch_size: int) -> Cost:
    """Return the cost that a pilot measured; the guess if it failed."""
    measured = pilot.measured
    if measured is None or not measured.first_epoch_images:
        return guess
    image_seconds = _image_seconds(measured, batch_size)
    images = measured.first_epoch_images
    # All else: the process, open, and what it takes to begin.
    others = measured.prepare_seconds + sum(measured.epoch_seconds)
    start_seconds = pilot.seconds - images * image_seconds - others
    return Cost(
        image_seconds,
        max(start_seconds - PROCESS_SECONDS, 0.0),
        measured.continuous,
        measured.prepare_seconds / images,
    )


def _image_seconds(measured: Measurement, batch_size: int) -> float:
    """Return what an image takes in a first epoch, without what it takes to begin.

    By the second epoch, if the first one started workers. Else by the batches after the first one,
    unless these took under half of the time: then the first one came after a buffer was full, and
    the others were ready.
    """
    seconds, images = measured.first_epoch_seconds, measured.first_epoch_images
    if measured.epoch_seconds:
        return measured.epoch_seconds[0] / images
    further = images - batch_size
    if further > 0:
        each = (seconds - measured.first_batch_seconds) / further
        if images * each >= _LEAST_SHARE * seconds:
            return each
    return measured.image_seconds or seconds / images  # a version before 0.2 wrote none


def _fewer(plan: Plan, images: Images, costs: Mapping[str, Cost], listener: Listener) -> Images:
    """Choose fewer images if the pilots show that the time is too short, and note it."""
    options, each, budget = plan.options, list(costs.values()), plan.budget
    seconds_left = budget.seconds_left()
    # Among those in the page cache already, or the first trials would read from the disk.
    part = choose(options, images.measured, each, seconds_left, budget.kept_seconds)
    if len(part.files) == len(images.measured.files):
        return images
    fewer = dataclasses.replace(images, measured=part)
    listener.note(f"Now measuring {fewer.sentence()}, as many as there is time for.")
    return fewer


def _announce(plan: Plan, images: Images, costs: Mapping[str, Cost], listener: Listener) -> None:
    """Note how many blocks there is time for, and how many the verdicts need."""
    options, each = plan.options, list(costs.values())
    count = len(images.measured.files)
    block = block_seconds(each, count, options.batch_size, options.pace)
    if options.blocks is not None:
        about = duration(options.blocks * block)
        blocks = counted(options.blocks, "block")
        listener.note(f"Measuring {blocks}, which takes about {about} ({_NEED}).")
        return
    seconds_left = plan.budget.seconds_left()
    if seconds_left is None:
        return
    seconds_left -= count * sum(cost.prepare_seconds for cost in each)
    seconds_left -= verify_seconds(each, count)
    blocks = counted(blocks_that_fit(seconds_left, plan.budget.kept_seconds, block), "block")
    listener.note(f"There is time for about {blocks} of about {duration(block)} ({_NEED}).")
