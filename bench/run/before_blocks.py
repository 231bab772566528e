"""From the pilots to the first block: record the run, prepare files, prove equal work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec.structs import replace as replace_record

from feedbench.bench.equal_work.proof_cache import ProofCache
from feedbench.bench.equal_work.verifier import Verifier
from feedbench.bench.machine.page_cache import PageCache
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.prepared import preparation
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.processes.trials import Trials
from feedbench.bench.processes.workload_file import read_workload
from feedbench.bench.records.proof import is_equal
from feedbench.bench.records.run import Extension, RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run.budget import Budget, Cost, budget_of
from feedbench.bench.run.choose_images import save_workload
from feedbench.bench.run.keeper import Keeper, new_record
from feedbench.bench.run.measuring.schedule import Lineup
from feedbench.bench.run.pilots import Piloted, lineup_of
from feedbench.bench.run.resuming import basis
from feedbench.bench.run.resuming.past import Past
from feedbench.bench.run.sources import Sources
from feedbench.bench.run.workplace import Workplace
from feedbench.bench.verdicts.block_counts.stopping import (
    Rule,
    exact_blocks,
    when_decided,
    when_precise,
    when_undisturbed,
)
from feedbench.bench.verdicts.judging import when_judged
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import Index, stamps_of

WORKLOAD = "images.json"
# To compare two epochs with the references takes less than a trial, as a rule.
_VERIFY_FACTOR, _VERIFY_LEAST_SECONDS = 3.0, 20.0
_UNKNOWN_SECONDS = 0.01  # an image, of a pipeline whose pilot failed
_LIMIT_SECONDS = 24 * 3600.0  # where the run itself has no limit


@dataclass(frozen=True)
class Begun:
    """A recorded run, with its images and its pilots. A resumption enters here."""

    options: RunOptions
    budget: Budget
    folder: RunFolder
    images: Index  # that are measured; the folder has the list of them
    lineup: Lineup
    record: RunRecord
    records: tuple[TrialRecord, ...]  # of the trials so far
    sources: Sources  # what the trials read

    @property
    def workload(self) -> Path:
        """The file that holds the workload."""
        return self.folder.path / WORKLOAD


@dataclass(frozen=True)
class Run:
    """A run in progress. Its trials and its keeper hold everything that it measures."""

    begun: Begun
    lineup: Lineup
    trials: Trials
    keeper: Keeper

    def after(self, records: Sequence[TrialRecord]) -> Run:
        """Return the run after these trials: it no longer measures a pipeline that failed."""
        return replace(self, lineup=self.lineup.after(records))


def begin(piloted: Piloted, folder: RunFolder) -> Begun:
    """Record what the run will measure, and what a resumption needs."""
    plan, images = piloted.plan, piloted.images
    options = plan.options
    every, measured = images.folder_images, images.measured
    file = save_workload(options, measured, len(every.files), folder.path / WORKLOAD)
    workload = read_workload(file)
    listed = stamps_of(measured) if measured.listed else ()
    written = basis.write(
        folder.path, options, workload, plan.other, plan.interpreters, listed=listed
    )
    states = written.files
    return Begun(
        options=options,
        budget=plan.budget,
        folder=folder,
        images=measured,
        lineup=piloted.lineup,
        record=replace_record(
            new_record(
                options,
                plan.specs,
                every,
                measured,
                images.bad,
                plan.other,
                plan.interpreters,
            ),
            dropped=[*plan.dropped],
        ),
        records=piloted.records,
        sources=Sources(workload, states),
    )


def begin_again(past: Past) -> Begun:
    """Drop the trials of an unfinished block: trials of one block belong together in time."""
    past.cut()
    options = past.options
    images = len(past.images.files)
    return Begun(
        options=options,
        budget=budget_of(options, used=past.used_seconds),
        folder=RunFolder(past.folder),
        images=past.images,
        lineup=lineup_of(past.specs, options, past.kept, Cost(_UNKNOWN_SECONDS), images),
        record=past.record,
        records=tuple(past.kept),
        sources=past.sources,
    )


def start(begun: Begun, work: Workplace) -> Run:
    """Start or resume the trials and the record of a run, and write run.json to disk."""
    options, specs = begun.options, begun.lineup.specs
    trials = work.trials(
        begun.folder,
        specs,
        options,
        page_cache=PageCache(options.page_cache, begun.images.paths, begun.images.record_files),
        records=begun.records,
        explained=begun.sources.explained,
    )
    rule = rule_of(options, begun.record.extension)
    keeper = Keeper(
        begun.record,
        specs,
        begun.folder,
        trials,
        rule=rule,
        begun=options.begun,
        sources=begun.sources,
    )
    return Run(begun, begun.lineup, trials, keeper)


def rule_of(options: RunOptions, extension: Extension | None) -> Rule:
    """Return the rule by which a run stops that was extended last like this; None: it was not."""
    if extension is not None and extension.blocks is not None:
        return exact_blocks  # they were requested after the verdicts were known
    if options.tolerance is not None:
        return when_judged(options.tolerance)
    if options.until_told:
        return when_decided(options.margin)
    if options.blocks is None:
        return when_precise(options.margin)
    return when_undisturbed(options.blocks) if options.spare_blocks else exact_blocks


def prepare(run: Run, work: Workplace) -> Run:
    """Prepare the files that pipelines with an offline part read, or find them in the store."""

    def limit() -> Limit:
        seconds_left = run.begun.budget.seconds_left(0)
        if seconds_left is None:
            return Limit(_LIMIT_SECONDS)
        advice = "raise --time, or use fewer images with --limit"
        return Limit(max(seconds_left - run.lineup.block_seconds, 1.0), advice=advice)

    lineup = run.lineup
    specs = [lineup.specs[label] for label in lineup.labels if label in work.preparing]
    records = preparation.obtain_all(
        run.trials, specs, run.begun.workload, work.store, limit, work.listener
    )
    made = [record.preparation for record in records if record.preparation is not None]
    run.begun.sources.add_prepared(Path(preparation.folder) for preparation in made)
    return run.after(records)


def prove(run: Run, work: Workplace) -> Run:
    """Compare every pipeline with the references, and keep the proofs in the run's record.

    Raises RequestError if files that the pipelines read have changed by then.
    """

    def limit(spec: Spec | None) -> Limit:
        seconds_left = run.begun.budget.seconds_left(0)
        if spec is None:
            return Limit(_LIMIT_SECONDS if seconds_left is None else max(seconds_left, 1.0))
        most = max(_VERIFY_FACTOR * lineup.trial_seconds[spec.label], _VERIFY_LEAST_SECONDS)
        if seconds_left is None or seconds_left - lineup.block_seconds > most:
            return Limit(most)
        # A pipeline that is not compared by then has no verdict, but the others get a block.
        return Limit(max(seconds_left - lineup.block_seconds, 1.0), is_deadline=True)

    lineup, keeper = run.lineup, run.keeper
    proofs = ProofCache(run.begun.options.proofs)
    verifier = Verifier(
        run.trials,
        work.processes,
        run.begun.workload,
        work.scratch,
        proofs,
        work.listener,
        run.begun.options.pixels,
        run.begun.sources.has_changed,
    )
    # A resumed run has proofs already.
    specs = [lineup.specs[label] for label in lineup.labels if label not in keeper.proofs]
    proven, records = verifier.verify_all(
        specs, run.begun.folder.samples, limit, anew=False, seconds=lineup.trial_seconds
    )
    if (change := run.begun.sources.compare_after(0)) is not None:
        raise RequestError(change.clause, hint=change.hint)
    keeper.add_proofs(proven)
    if any(map(is_equal, keeper.proofs.values())):
        run.trials.compare_timed(keeper.proofs, verifier.fingerprints(limit(None)))
    return run.after(records)
