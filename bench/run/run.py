"""The story of a run: index, choose images, check them, pilots, blocks, summary."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from feedbench.bench.equal_work.proof_cache import ProofCache
from feedbench.bench.equal_work.verifier import Verifier
from feedbench.bench.images.check import Bad, Checker, bad_of, refuse, without
from feedbench.bench.machine.meters import Meters
from feedbench.bench.machine.monitor import Monitor, level_kept
from feedbench.bench.machine.page_cache import PageCache
from feedbench.bench.machine.warming import warm
from feedbench.bench.prepared import preparation
from feedbench.bench.prepared.store import Store
from feedbench.bench.processes.client import Processes
from feedbench.bench.processes.other_python import arms, look
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.run_folder import RunFolder, refuse_used
from feedbench.bench.processes.trials import Limit, Trials
from feedbench.bench.processes.workload_file import read_workload
from feedbench.bench.records.environment import Other
from feedbench.bench.records.run import RunRecord, Stopped
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run import pilots as intake
from feedbench.bench.run import resume as resuming
from feedbench.bench.run.blocks import Blocks
from feedbench.bench.run.budget import (
    Cost,
    block_seconds,
    budget_of,
    pilots_seconds,
    verify_seconds,
)
from feedbench.bench.run.keeper import Keeper, new_record
from feedbench.bench.run.options import RunOptions
from feedbench.bench.text import counted, duration
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS
from feedbench.bench.why.diagnostics import Diagnostics
from feedbench.pipelines import catalog
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.images.index import Index, shown
from feedbench.pipelines.images.layouts import index_images
from feedbench.pipelines.system.signals import Gate

_MOST_SAID = 3  # bad images
# To lay two epochs beside the references takes less than a trial, as a rule.
_VERIFY_FACTOR, _VERIFY_LEAST_SECONDS = 3.0, 20.0
_UNKNOWN_SECONDS = 0.01  # an image, of a pipeline whose pilot did not get there
_PREPARE_LIMIT_SECONDS = 24 * 3600.0  # where the run itself has no limit


def perform(options: RunOptions, listener: Listener) -> RunRecord:
    """Do what was asked and return the run, which is in its folder by then.

    Raises RequestError where the request is wrong; nothing is left on disk then. A
    KeyboardInterrupt before the first block goes on likewise; later, the run ends with what it
    has, its status "interrupted".
    """
    catalog.parse_all(options.specs)  # what is wrong there is said at once
    other = None if options.against is None else look(options.against)
    refuse_used(options.out)
    listener.doing(f"listing {shown(str(options.folder))}")
    whole = index_images(options.folder, options.layout)
    intake.refuse_label_mode(options, whole)
    guess = intake.guessed_cost(whole, options)
    intake.refuse_too_short(options, whole, guess)
    folder = RunFolder(options.out)
    run = _Run(options, folder, whole, other, listener)
    with Gate() as gate, _at_work(run, listener) as work:
        if options.fresh_interpreter:
            guess = Cost(guess.image_seconds, guess.start_seconds + work.import_seconds)
        folder.create()
        trials = work.trials(folder, run, Monitor(pace=options.pace))
        with folder.discarded_on_error():
            checker = Checker(
                options.checks, options.channels, work.processes, work.scratch, listener
            )
            pilots = run.pilots(guess, trials, work.scratch, checker)
            workload = intake.save_workload(options, run.part, len(run.whole.files), run.file)
            resuming.write(folder.path, options, read_workload(workload))
            work.held.enter_context(resuming.held(folder.path))
            record = new_record(options, run.specs, run.whole, run.part, run.bad, other)
            keeper = Keeper(record, run.specs, folder, trials, begun=options.begun)
            blocks = run.blocks(guess, pilots, trials)
            for pilot in pilots.values():
                blocks.strike(pilot)
            diagnostics = run.made_ready(blocks, keeper, trials, work)
        return run.measured(blocks, keeper, diagnostics, gate)


def resume(path: Path, listener: Listener) -> RunRecord:
    """Go on with a run whose process was killed or interrupted, and return it.

    Raises RequestError where that cannot be; the folder is as it was then. What was measured of a
    block that was cut short is measured again: its trials belong together in time.
    """
    with resuming.held(path):
        past = resuming.read(path)
        if (why := resuming.ended(past)) is not None:
            listener.said(f"Nothing is left to be measured: {why.clause(past.run.blocks)}.")
            return resuming.completed(past, why)
        folder = RunFolder(path)
        run = _Run(past.options, folder, past.part, past.run.against, listener)
        with Gate() as gate, _at_work(run, listener) as work:
            past.cut()
            listener.said(resuming.said(past))
            listener.doing(f"reading {counted(len(run.part.files), 'file')}")
            warm(run.part.paths)
            trials = work.trials(folder, run, machine_of(past))
            trials.records = list(past.kept)
            keeper = Keeper(past.record, run.specs, folder, trials, begun=past.options.begun)
            blocks = run.blocks(Cost(_UNKNOWN_SECONDS), past.pilots, trials)
            blocks.go_on(past.run.blocks, past.kept)
            diagnostics = run.made_ready(blocks, keeper, trials, work)
            return run.measured(blocks, keeper, diagnostics, gate)


@dataclass(frozen=True)
class _Work:
    """What a run works with, and gives back in the end."""

    processes: Processes
    others: dict[str, Processes]  # of another environment, by its interpreter
    meters: Meters
    scratch: Path
    store: Store
    held: ExitStack
    import_seconds: float  # of TensorFlow

    def trials(self, folder: RunFolder, run: _Run, machine: Monitor) -> Trials:
        return Trials(
            self.processes,
            folder,
            self.scratch,
            tuple(run.specs),
            fresh_interpreter=run.options.fresh_interpreter,
            meters=self.meters,
            machine=machine,
            others=self.others,
            pace=run.options.pace,
        )


def machine_of(past: resuming.Past) -> Monitor:
    """Return the machine as the run knew it: its good level stays that of before the first block.

    It is calibrated anew only where no trial of a whole block is there that had it.
    """
    probed = 0.0 if past.run.calm is None else past.run.calm.probe_seconds
    level = level_kept(trial.around for trial in past.kept)
    return Monitor(level=level, probe_seconds=probed, pace=past.options.pace)


@contextmanager
def _at_work(run: _Run, listener: Listener) -> Iterator[_Work]:
    """Start what a run works with. Raises RequestError where a loader cannot be imported."""
    with (
        _scratch() as scratch,
        Processes(scratch, scratch / "forkserver.log") as processes,
        Meters() as meters,
        ExitStack() as held,
    ):
        listener.doing("importing TensorFlow")
        seconds = processes.ready().seconds
        others = {}
        if run.other is not None:
            listener.doing(f"importing TensorFlow in {run.other.name}")
            theirs, log = scratch / "other", scratch / "other.log"
            theirs.mkdir()
            there = held.enter_context(Processes(theirs, log, run.other.python))
            there.ready()
            others[run.other.python] = there
        every = {"": processes, **others}
        run.preparing = intake.preparing_labels(every, run.specs.values(), scratch)
        store = Store(run.options.prepared)
        if run.preparing:
            held.enter_context(store.in_use())
        yield _Work(processes, others, meters, scratch, store, held, seconds)


class _Run:
    """What a run knows on its way through its stages."""

    def __init__(
        self,
        options: RunOptions,
        folder: RunFolder,
        whole: Index,
        other: Other | None,
        listener: Listener,
    ) -> None:
        self.options = options
        self.budget = budget_of(options)
        self.other = other
        self.specs = arms(catalog.parse_all(options.specs), other)
        self.whole = whole
        self.part = whole  # the images that are measured
        self.bad: list[Bad] = []  # of the images that were to be measured
        self.preparing: set[str] = set()  # labels of the pipelines that have an offline part
        self.file = folder.path / "images.json"
        self._listener = listener

    def pilots(
        self, guess: Cost, trials: Trials, scratch: Path, checker: Checker
    ) -> dict[str, TrialRecord]:
        """Choose the images without bad ones, read them into the page cache, and pilot."""
        guesses = intake.guesses(self.specs.values(), guess)
        left = self.budget.seconds_left()
        if left is not None:
            left -= pilots_seconds(len(self.specs), guess)
        self.part = intake.choose(self.options, self.whole, guesses, left, self.budget.kept_seconds)
        self._leave_out_bad(checker)
        self._listener.said(f"Takes {self._taken()}.")
        for note in (*self.whole.notes, *_left_out(self.bad)):
            self._listener.said(note)
        self._listener.doing(f"reading {counted(len(self.part.files), 'file')}")
        warm(self.part.paths)
        records = intake.pilots(
            trials,
            self.specs,
            self.options,
            self.part,
            guess,
            scratch,
            self._listener,
            self.preparing,
            self.budget,
        )
        self._take_fewer(
            {
                label: intake.cost_of(record, guess)
                for label, record in records.items()
                if record.ended == "measured"
            }
        )
        return records

    def blocks(self, guess: Cost, pilots: Mapping[str, TrialRecord], trials: Trials) -> Blocks:
        """Return the blocks that are to be run."""
        return Blocks(
            trials,
            self.specs,
            {label: intake.cost_of(record, guess) for label, record in pilots.items()},
            self.file,
            self.budget,
            images=len(self.part.files),
            batch_size=self.options.batch_size,
            seed=self.options.seed,
            pace=self.options.pace,
        )

    def made_ready(
        self, blocks: Blocks, keeper: Keeper, trials: Trials, work: _Work
    ) -> Diagnostics | None:
        """Have pipelines prepared and their work compared; return what comes after the blocks."""
        self._prepare(blocks, trials, work.store)
        proofs = ProofCache(self.options.proofs)
        verifier = Verifier(trials, work.processes, self.file, work.scratch, proofs, self._listener)
        self._verify(blocks, keeper, verifier)
        trials.page_cache = PageCache(self.options.page_cache, self.part.paths)
        return self._diagnostics(trials, keeper, work.scratch)

    def _prepare(self, blocks: Blocks, trials: Trials, store: Store) -> None:
        """Have written, or found, what the pipelines read that have an offline part."""

        def limit() -> Limit:
            left = self.budget.seconds_left(0)
            if left is None:
                return Limit(_PREPARE_LIMIT_SECONDS)
            advice = "give more --time, or fewer images by --limit"
            return Limit(max(left - blocks.seconds, 1.0), advice=advice)

        specs = [self.specs[label] for label in blocks.labels if label in self.preparing]
        records = preparation.obtain_all(trials, specs, self.file, store, limit, self._listener)
        for record in records:
            blocks.strike(record)

    def _verify(self, blocks: Blocks, keeper: Keeper, verifier: Verifier) -> None:
        """Have every pipeline laid beside the references; what was found is kept."""

        def limit(spec: Spec | None) -> Limit:
            left = self.budget.seconds_left(0)
            if spec is None:
                return Limit(_PREPARE_LIMIT_SECONDS if left is None else max(left, 1.0))
            own = max(_VERIFY_FACTOR * blocks.expected(spec.label), _VERIFY_LEAST_SECONDS)
            if left is None or left - blocks.seconds > own:
                return Limit(own)
            # What is not compared by then has no verdict; but there is a block of the others.
            return Limit(max(left - blocks.seconds, 1.0), is_deadline=True)

        known = keeper.proofs or {}  # of a run that is gone on with
        specs = [self.specs[label] for label in blocks.labels if label not in known]
        found, records = verifier.verify_all(specs, keeper.folder.samples, limit, anew=False)
        keeper.proofs = {**known, **found}
        for record in records:
            blocks.strike(record)
        keeper.save(blocks=blocks.whole)

    def _diagnostics(self, trials: Trials, keeper: Keeper, scratch: Path) -> Diagnostics | None:
        """Return what tells, after the blocks, why pipelines are as fast as they are."""
        if not (self.options.trace and self.budget.has_diagnosis):
            return None
        return Diagnostics(trials, keeper, self.specs, self.file, scratch, self._listener)

    def measured(
        self, blocks: Blocks, keeper: Keeper, diagnostics: Diagnostics | None, gate: Gate
    ) -> RunRecord:
        """Run the blocks; whatever ends them, the record is on disk when this returns."""
        why = Stopped.INTERRUPTED
        try:
            why = blocks.run(self._listener, keeper)
            if diagnostics is not None and blocks.labels:
                keeper.save(blocks=blocks.whole, stopped_because=why)
                keeper.folder.clear_traces()  # of a run that was killed among them
                here = [label for label in blocks.labels if not self.specs[label].python]
                diagnostics.run(here, self.part.paths, self.budget.diagnosis_deadline())
            gate.shut()
        except KeyboardInterrupt:
            gate.shut()
            return keeper.save("interrupted", blocks.whole, why)
        return keeper.save("complete", blocks.whole, why)

    def _leave_out_bad(self, checker: Checker) -> None:
        """Leave the bad ones out of the images; none takes their place."""
        self.bad = bad_of(self.part, checker.findings(self.part, self.budget.seconds_left()))
        refuse(self.part, self.bad, self.options.checks)
        self.part, self.whole = without(self.part, self.bad), without(self.whole, self.bad)

    def _take_fewer(self, costs: dict[str, Cost]) -> None:
        """Take fewer images if the pilots show that the time allows no more, and say it."""
        if not costs:
            return
        left, all_left = self.budget.seconds_left(), self.budget.seconds_left(0)
        intake.refuse_no_block(self.options, self.whole, list(costs.values()), all_left)
        # Of those already read into the page cache, or the first trials would read from the disk.
        fewer = intake.choose(
            self.options, self.part, list(costs.values()), left, self.budget.kept_seconds
        )
        if len(fewer.files) < len(self.part.files):
            self.part = fewer
            slowest = max(costs, key=lambda label: costs[label].image_seconds)
            self._listener.said(f"Now takes {self._taken()}, because {slowest} is slow here.")
        images, batch_size = len(self.part.files), self.options.batch_size
        block = block_seconds(list(costs.values()), images, batch_size, self.options.pace)
        need = f"verdicts need {LEAST_BLOCKS}"
        if self.options.blocks is not None:
            about = duration(self.options.blocks * block)
            self._listener.said(
                f"Measures {counted(self.options.blocks, 'block')}, in about {about} ({need})."
            )
        elif left is not None:
            left -= len(self.part.files) * sum(cost.prepare_seconds for cost in costs.values())
            left -= verify_seconds(list(costs.values()), len(self.part.files))
            fitting = counted(max(int(left / block), 1), "block")
            self._listener.said(
                f"There is time for about {fitting} of about {duration(block)} ({need})."
            )

    def _taken(self) -> str:
        whole = self.whole
        ignored = counted(whole.ignored, "other file")
        return (
            f"{len(self.part.files):,} of the {counted(len(whole.files), 'image')} in"
            f" {counted(len(whole.class_names), 'class', 'classes')} of {shown(str(whole.folder))}"
            + (f" ({ignored} ignored)" if whole.ignored else "")
        )


def _left_out(bad: Sequence[Bad]) -> list[str]:
    if not bad:
        return []
    first = "; ".join(f"{shown(file)} ({reason})" for file, reason in bad[:_MOST_SAID])
    more = len(bad) - _MOST_SAID
    rest = f"; and {more:,} more, which run.json lists" if more > 0 else ""
    return [f"Leaves out {counted(len(bad), 'bad image')}: {first}{rest}."]


@contextmanager
def _scratch() -> Iterator[Path]:
    """Make a folder for caches and logs that goes with the run."""
    folder = Path(tempfile.mkdtemp(prefix="feedbench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
