"""The story of a run: index, choose images, check them, pilots, blocks, summary."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from feedbench.bench import intake, preparations
from feedbench.bench.blocks import Allowance, Blocks
from feedbench.bench.certificate import PageCache
from feedbench.bench.checking import Bad, Checker, bad_of, refuse, without
from feedbench.bench.diagnostics import Diagnostics
from feedbench.bench.machine import Machine
from feedbench.bench.meters import Meters
from feedbench.bench.options import RunOptions
from feedbench.bench.pagecache import warm
from feedbench.bench.plan import Cost, block_seconds, pilots_seconds, verify_seconds
from feedbench.bench.process import Processes
from feedbench.bench.progress import Listener
from feedbench.bench.proofs import Proofs
from feedbench.bench.record import Keeper
from feedbench.bench.results import RunRecord, TrialRecord
from feedbench.bench.runfolder import RunFolder, refuse_used
from feedbench.bench.say import counted, duration
from feedbench.bench.statistics import LEAST_BLOCKS
from feedbench.bench.store import Store
from feedbench.bench.trials import Limit, Trials
from feedbench.bench.verifying import Verifier
from feedbench.pipelines import catalog
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.folder import shown
from feedbench.pipelines.layouts import index_images
from feedbench.pipelines.system import Gate

_MOST_SAID = 3  # bad images
# To lay two epochs beside the references takes less than a trial, as a rule.
_VERIFY_FACTOR, _VERIFY_LEAST_SECONDS = 3.0, 20.0
_PREPARE_LIMIT_SECONDS = 24 * 3600.0  # where the run itself has no limit


def perform(options: RunOptions, listener: Listener) -> RunRecord:
    """Do what was asked and return the run, which is in its folder by then.

    Raises RequestError where the request is wrong; nothing is left on disk then. A
    KeyboardInterrupt before the first block goes on likewise; later, the run ends with what it
    has, its status "interrupted".
    """
    run = _Run(options, listener)
    intake.refuse_label_mode(options, run.whole)
    guess = intake.guessed_cost(run.whole, options)
    intake.refuse_too_short(options, run.whole, guess)
    store = Store(options.prepared)
    with (
        Gate() as gate,
        ExitStack() as held,
        _scratch() as scratch,
        Processes(scratch, scratch / "forkserver.log") as processes,
        Meters() as meters,
    ):
        listener.doing("importing TensorFlow")
        ready = processes.ready()
        if options.fresh_interpreter:
            guess = Cost(guess.image_seconds, guess.start_seconds + ready.seconds)
        run.preparing = intake.preparing_labels(processes, run.specs.values(), scratch)
        if run.preparing:
            held.enter_context(store.in_use())
        folder = RunFolder(options.out)
        folder.create()
        labels, fresh = tuple(run.specs), options.fresh_interpreter
        trials = Trials(
            processes,
            folder,
            scratch,
            labels,
            fresh_interpreter=fresh,
            meters=meters,
            machine=Machine(),
        )
        with folder.discarded_on_error():
            checker = Checker(options.checks, options.channels, processes, scratch, listener)
            pilots = run.pilots(guess, trials, scratch, checker)
            keeper = run.keeper(trials, folder)
            blocks = run.blocks(guess, pilots, trials, folder)
            run.prepare(blocks, trials, store)
            proofs = Proofs(options.proofs)
            verifier = Verifier(trials, processes, run.file, scratch, proofs, listener)
            run.verify(blocks, keeper, verifier)
            trials.page_cache = PageCache(options.page_cache, run.part.paths)
            diagnostics = run.diagnostics(trials, keeper, scratch)
        return run.measured(blocks, keeper, diagnostics, gate)


class _Run:
    """What a run knows on its way through its stages."""

    def __init__(self, options: RunOptions, listener: Listener) -> None:
        self.specs: dict[str, Spec] = {
            spec.label: spec for spec in catalog.parse_all(options.specs)
        }
        refuse_used(options.out)
        listener.doing(f"listing {shown(str(options.folder))}")
        self.whole = index_images(options.folder, options.layout)
        self.part = self.whole  # the images that are measured
        self.bad: list[Bad] = []  # of the images that were to be measured
        self.preparing: set[str] = set()  # labels of the pipelines that have an offline part
        self._options = options
        self._listener = listener

    def pilots(
        self, guess: Cost, trials: Trials, scratch: Path, checker: Checker
    ) -> dict[str, TrialRecord]:
        """Choose the images without bad ones, read them into the page cache, and pilot."""
        guesses = intake.guesses(self.specs.values(), guess)
        left = self._left()
        if left is not None:
            left -= pilots_seconds(len(self.specs), guess)
        self.part = intake.choose(self._options, self.whole, guesses, left)
        self._leave_out_bad(checker)
        self._listener.said(f"Takes {self._taken()}.")
        for note in (*self.whole.notes, *_left_out(self.bad)):
            self._listener.said(note)
        self._listener.doing(f"reading {counted(len(self.part.files), 'file')}")
        warm(self.part.paths)
        records = intake.pilots(
            trials,
            self.specs,
            self._options,
            self.part,
            guess,
            scratch,
            self._listener,
            self.preparing,
        )
        self._take_fewer(
            {
                label: intake.cost_of(record, guess)
                for label, record in records.items()
                if record.ended == "measured"
            }
        )
        return records

    def blocks(
        self, guess: Cost, pilots: dict[str, TrialRecord], trials: Trials, folder: RunFolder
    ) -> Blocks:
        """Return the blocks that are to be run."""
        options = self._options
        self.file = folder.path / "images.json"
        blocks = Blocks(
            trials,
            self.specs,
            {label: intake.cost_of(record, guess) for label, record in pilots.items()},
            intake.save_workload(options, self.part, len(self.whole.files), self.file),
            images=len(self.part.files),
            batch_size=options.batch_size,
            seed=options.seed,
        )
        for record in pilots.values():
            blocks.strike(record)
        return blocks

    def keeper(self, trials: Trials, folder: RunFolder) -> Keeper:
        """Return what keeps the run's record, which is on disk from now on."""
        return Keeper(
            self._options,
            self.specs,
            folder,
            trials,
            whole=self.whole,
            part=self.part,
            bad=self.bad,
        )

    def prepare(self, blocks: Blocks, trials: Trials, store: Store) -> None:
        """Have written, or found, what the pipelines read that have an offline part."""

        def limit() -> Limit:
            left = self._left_of_all()
            if left is None:
                return Limit(_PREPARE_LIMIT_SECONDS)
            advice = "give more --time, or fewer images by --limit"
            return Limit(max(left - blocks.seconds, 1.0), advice=advice)

        specs = [self.specs[label] for label in blocks.labels if label in self.preparing]
        records = preparations.obtain_all(trials, specs, self.file, store, limit, self._listener)
        for record in records:
            blocks.strike(record)

    def verify(self, blocks: Blocks, keeper: Keeper, verifier: Verifier) -> None:
        """Have every pipeline laid beside the references; what was found is kept."""

        def limit(spec: Spec | None) -> Limit:
            left = self._left_of_all()
            if spec is None:
                return Limit(_PREPARE_LIMIT_SECONDS if left is None else max(left, 1.0))
            own = max(_VERIFY_FACTOR * blocks.expected(spec.label), _VERIFY_LEAST_SECONDS)
            if left is None or left - blocks.seconds > own:
                return Limit(own)
            # What is not compared by then has no verdict; but there is a block of the others.
            return Limit(max(left - blocks.seconds, 1.0), is_deadline=True)

        specs = [self.specs[label] for label in blocks.labels]
        samples = keeper.folder.samples
        keeper.proofs, records = verifier.verify_all(specs, samples, limit, anew=False)
        for record in records:
            blocks.strike(record)
        keeper.save()

    def diagnostics(self, trials: Trials, keeper: Keeper, scratch: Path) -> Diagnostics | None:
        """Return what tells, after the blocks, why pipelines are as fast as they are."""
        given = self._options.seconds
        if not self._options.trace or (
            given is not None and not intake.kept_seconds(self._options)
        ):
            return None
        return Diagnostics(trials, keeper, self.specs, self.file, scratch, self._listener)

    def measured(
        self, blocks: Blocks, keeper: Keeper, diagnostics: Diagnostics | None, gate: Gate
    ) -> RunRecord:
        """Run the blocks; whatever ends them, the record is on disk when this returns."""
        left = self._left()
        deadline = None if left is None else time.monotonic() + left
        kept = intake.kept_seconds(self._options)
        allowance = Allowance(deadline=deadline, blocks=self._options.blocks, kept_seconds=kept)
        why = "it was interrupted"
        try:
            why = blocks.run(allowance, self._listener, keeper)
            if diagnostics is not None and blocks.labels:
                keeper.save(blocks=blocks.whole, stopped_because=why)
                diagnostics.run(blocks.labels, self.part.paths, self._ends_at())
            gate.shut()
        except KeyboardInterrupt:
            gate.shut()
            return keeper.save("interrupted", blocks.whole, why)
        return keeper.save("complete", blocks.whole, why)

    def _leave_out_bad(self, checker: Checker) -> None:
        """Leave the bad ones out of the images; none takes their place."""
        self.bad = bad_of(self.part, checker.findings(self.part, self._left()))
        refuse(self.part, self.bad, self._options.checks)
        self.part, self.whole = without(self.part, self.bad), without(self.whole, self.bad)

    def _take_fewer(self, costs: dict[str, Cost]) -> None:
        """Take fewer images if the pilots show that the time allows no more, and say it."""
        if not costs:
            return
        left = self._left()
        intake.refuse_no_block(self._options, self.whole, list(costs.values()), left)
        # Of those already read into the page cache, or the first trials would read from the disk.
        fewer = intake.choose(self._options, self.part, list(costs.values()), left)
        if len(fewer.files) < len(self.part.files):
            self.part = fewer
            slowest = max(costs, key=lambda label: costs[label].image_seconds)
            self._listener.said(f"Now takes {self._taken()}, because {slowest} is slow here.")
        block = block_seconds(list(costs.values()), len(self.part.files), self._options.batch_size)
        need = f"verdicts need {LEAST_BLOCKS}"
        if self._options.blocks is not None:
            about = duration(self._options.blocks * block)
            self._listener.said(
                f"Measures {counted(self._options.blocks, 'block')}, in about {about} ({need})."
            )
        elif left is not None:
            left -= len(self.part.files) * sum(cost.prepare_seconds for cost in costs.values())
            left -= verify_seconds(list(costs.values()), len(self.part.files))
            fitting = counted(max(int(left / block), 1), "block")
            self._listener.said(
                f"There is time for about {fitting} of about {duration(block)} ({need})."
            )

    def _left(self) -> float | None:
        return intake.seconds_left(self._options)

    def _left_of_all(self) -> float | None:
        """Return the seconds left for whatever is needed for a block, what is kept included."""
        left = self._left()
        return None if left is None else left + intake.kept_seconds(self._options)

    def _ends_at(self) -> float | None:
        """Return when the last trial of all is to have ended, in CLOCK_MONOTONIC seconds."""
        left = self._left()
        if left is None:
            return None
        kept = intake.kept_seconds(self._options)
        return time.monotonic() + min(left, 0.0) + kept

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
