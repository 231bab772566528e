"""The stage of a run that feeds a model: its blocks, the demand curves, and what they show."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from msgspec.structs import replace as replace_record

from feedbench.bench.machine.cores import core_counts, some_cores, usable_cores
from feedbench.bench.measured.model.one_batch import ONE_BATCH
from feedbench.bench.options.demand_options import model_of
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.trials import Trials
from feedbench.bench.records.demand.demand import Demand, ModelRecord
from feedbench.bench.records.messages import Fed, Purpose
from feedbench.bench.records.row import Row
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run.before_blocks import Run
from feedbench.bench.run.budget import PROBE_SECONDS, PROCESS_SECONDS
from feedbench.bench.run.feeding.fed_blocks import FedBlocks, Member
from feedbench.bench.run.workplace import Workplace
from feedbench.bench.text import duration, listed
from feedbench.bench.verdicts.block_counts.certainty import certainty_of
from feedbench.bench.verdicts.demand.curve import TARGETS
from feedbench.bench.verdicts.demand.scaling import READY, is_shared, is_too_slow
from feedbench.bench.verdicts.demand.summary import Terms, are_precise, demand_of
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS
from feedbench.bench.verdicts.scaling.amdahl import LEAST_POINTS
from feedbench.pipelines import catalog
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.errors import RequestError

_LOADER = "one_batch.py"
_FED_SECONDS = 3.0  # a trial's, besides its first epoch; steps that are longer take longer
_FEW_STEPS = 20  # of a trial
_BUILD_SECONDS, _BUILD_LIMIT_SECONDS = 4.0, 180.0  # of a real model, with its first steps
_LONGER = 1.2  # times a trial over a ready batch: one of a pipeline also has its first epoch
_CURVE_SECONDS = 12.0
_MOST_CURVE_BLOCKS = 4  # whose intervals are as narrow as a few points allow
_MOST_CORE_BLOCKS = 8
_BLOCK, _CURVE_BLOCK = "block with the model", "block of demand curves"
_CORE_BLOCK = "block on fewer cores"


def feed_model(run: Run, labels: Sequence[str], work: Workplace) -> None:
    """Feed the model that the options ask for, and measure demand curves; keep what they show."""
    options = run.begun.options
    model = model_of(options, options.batch_size)
    rows = {row.label: row for row in run.keeper.run.rows if row.rate is not None}
    fed = [label for label in labels if label in rows and not run.lineup.specs[label].python]
    elsewhere = [each.label for each in run.keeper.run.pipelines if each.python]
    if (model is None and not options.demand) or not fed:
        return
    stage = _Stage(run, work, {label: rows[label] for label in fed}, model)
    if elsewhere:
        stage.leave_elsewhere(elsewhere)
    try:
        stage.perform()
    except Exception as error:  # noqa: BLE001 - the blocks are measured, and must not be lost
        stage.leave_out(error)
    finally:
        stage.keep()


def try_model(run: Run, work: Workplace) -> Run:
    """Feed a real model from a batch that is ready, before anything else is measured.

    The run then keeps the time that this model's blocks need for verdicts. Raises RequestError if
    the model does not suit the workload, or needs too much memory.
    """
    options = run.begun.options
    model = model_of(options, options.batch_size)
    if model is None or model.is_emulated or _step_seconds(run.trials.records):
        return run
    work.listener.stage(f"building {model.name}")
    limit = Limit(_BUILD_LIMIT_SECONDS)
    fed = Fed(model=model)
    record = run.trials.run(ready_spec(work), "appetite", run.begun.workload, limit, fed=fed)
    if record.ended != "measured":
        option = f"--model {model.name}"
        why = record.why or record.ended
        raise RequestError(
            why if why.startswith(option) else f"{option}: {why}",  # as checks of a model put it
            hint="use a smaller model, --batch-size or --image-size" if record.signal else "",
        )
    trials = LEAST_BLOCKS * (len(run.lineup.specs) + 1)  # each pipeline's, and the ready batch's
    budget = run.begun.budget.with_feeding(_LONGER * trials * record.seconds)
    return replace(run, begun=replace(run.begun, budget=budget))


def _step_seconds(trials: Sequence[TrialRecord]) -> float:
    """Return what a step takes, by the latest trial over a ready batch; 0 if there is none."""
    steps = [
        feeding.step_seconds
        for trial in trials
        if trial.purpose == "appetite" and trial.measured is not None
        for feeding in trial.measured.feedings
    ]
    return steps[-1] if steps else 0.0


def ready_spec(work: Workplace) -> Spec:
    """Return a pipeline whose one batch is ready."""
    loader = work.scratch / _LOADER
    loader.write_text(ONE_BATCH)
    return catalog.spec_of(READY, f"{loader}:one_batch")


class _Stage:
    """The blocks that feed a model, and those of the demand curves."""

    def __init__(
        self, run: Run, work: Workplace, rows: Mapping[str, Row], model: ModelRecord | None
    ) -> None:
        self._options: RunOptions = run.begun.options
        self._run = run
        self._trials: Trials = run.trials
        self._listener: Listener = work.listener
        self._rows = rows
        self._specs: dict[str, Spec] = {label: run.lineup.specs[label] for label in rows}
        self._ready = ready_spec(work)
        self._begun = time.monotonic()
        before = run.keeper.run.demand or Demand()
        self._before_seconds = before.seconds
        self._terms = Terms(
            model=model,
            margin=self._options.margin,
            cost=self._options.cost,
            certainty=certainty_of(run.keeper.run),
            blocks=before.blocks,
            curve_blocks=before.curve_blocks,
            core_blocks=before.core_blocks,
        )
        self._skipped: list[str] = []

    def perform(self) -> None:
        """Run all blocks for which there is time."""
        ends = self._run.begun.budget.feeding_deadlines()
        if self._terms.model is not None:
            self._note(f"Feeding a model ({self._terms.model.name})", ends.model)
            self._feed(self._terms.model, ends.model)
            if self._options.cores_needed:
                self._on_fewer_cores(self._terms.model, ends.cores)
        if self._options.demand:
            self._note("Measuring demand curves", ends.curves)
            self._curves(ends.curves)

    def leave_elsewhere(self, labels: Sequence[str]) -> None:
        """Note which pipelines feed no model."""
        self._skipped.append(f"Only pipelines of this Python feed a model, not {listed(labels)}.")

    def leave_out(self, error: Exception) -> None:
        """Note that an error ended the stage."""
        why = " ".join(str(error).split()) or type(error).__name__
        self._skipped.append(f"Feeding a model ended early: {why}.")

    def keep(self) -> None:
        """Keep what all completed blocks show."""
        demand = demand_of(self._trials.records, self._run.keeper.run.rows, self._terms)
        seconds = self._before_seconds + time.monotonic() - self._begun
        self._run.keeper.keep_demand(replace_record(demand, skipped=self._skipped, seconds=seconds))

    def _feed(self, model: ModelRecord, ends_at: float | None) -> None:
        members = [self._member(spec, model) for spec in (*self._specs.values(), self._ready)]
        blocks = self._blocks(_BLOCK, self._terms.blocks, ends_at)
        blocks.run(members, partial(self._kept, blocks), self._options.blocks)
        if not blocks.whole:
            self._skipped.append("No time was left to feed the model. Raise --time.")

    def _member(self, spec: Spec, model: ModelRecord, cores: int = 0) -> Member:
        """Return a trial that feeds the model, on so many cores; 0: on all, and not pinned."""
        row = self._rows.get(spec.label)
        first_epoch = 0.0 if row is None else row.first_epoch_seconds or 0.0
        slower = usable_cores() / cores if cores else 1.0
        of_all: Purpose = "appetite" if row is None else "model"
        return Member(
            spec=spec,
            purpose="cores" if cores else of_all,
            fed=lambda: Fed(model=model),
            seconds=self._fed_seconds(model, first_epoch * slower),
            cores=partial(self._pinned_to, cores),
        )

    def _pinned_to(self, cores: int) -> tuple[int, ...]:
        return some_cores(cores, self._terms.core_blocks) if cores else ()

    def _fed_seconds(self, model: ModelRecord, first_epoch_seconds: float) -> float:
        steps = _FEW_STEPS * (model.step_seconds or _step_seconds(self._trials.records))
        timed = max(_FED_SECONDS, steps) + (0.0 if model.is_emulated else _BUILD_SECONDS)
        return PROCESS_SECONDS + PROBE_SECONDS + first_epoch_seconds + timed

    def _kept(self, blocks: FedBlocks, whole: int) -> bool:
        """Keep a block that feeds the model; return whether there are enough."""
        self._terms = replace(self._terms, blocks=whole)
        self.keep()
        self._run.keeper.save(blocks=self._run.keeper.run.blocks)
        labels = [label for label in self._specs if label not in blocks.failed]
        return are_precise(self._trials.records, labels, self._terms)

    def _on_fewer_cores(self, model: ModelRecord, ends_at: float | None) -> None:
        """Feed the model by the pipelines for which it waits, on fewer cores and on all."""
        demand = self._run.keeper.run.demand or Demand()
        too_slow = [row.label for row in demand.rows if is_too_slow(row, self._terms.margin)]
        specs = [spec for label, spec in self._specs.items() if label in too_slow]
        if elsewhere := [spec.label for spec in specs if catalog.is_elsewhere(spec)]:
            self._skipped.append(f"No run can pin the workers of {listed(elsewhere)} to cores.")
        specs = [spec for spec in specs if spec.label not in elsewhere]
        counts = core_counts(usable_cores())
        if not demand.blocks:
            return  # nothing shows for which the model waits
        if not specs or len(counts) < LEAST_POINTS:
            why = "there is only one" if specs else "the model waits for no pipeline"
            self._skipped.append(f"Nothing was measured on fewer cores: {why}.")
            return
        if is_shared(model, demand.rows):  # its appetite is another one on fewer cores
            specs.append(self._ready)
        members = [self._member(spec, model, cores) for spec in specs for cores in counts]
        self._note(f"Measuring on {listed([*map(str, counts)])} cores", ends_at)
        blocks = self._blocks(_CORE_BLOCK, self._terms.core_blocks, ends_at)
        blocks.run(members, self._kept_cores, self._options.blocks or _MOST_CORE_BLOCKS)
        if not blocks.whole:
            self._skipped.append("No time was left for trials on fewer cores. Raise --time.")

    def _kept_cores(self, whole: int) -> bool:
        self._terms = replace(self._terms, core_blocks=whole)
        self.keep()
        self._run.keeper.save(blocks=self._run.keeper.run.blocks)
        return False

    def _curves(self, ends_at: float | None) -> None:
        members = [
            Member(
                spec=spec,
                purpose="curve",
                fed=partial(self._curve_of, label),
                seconds=(self._rows[label].first_epoch_seconds or 0.0) + _CURVE_SECONDS,
            )
            for label, spec in self._specs.items()
        ]
        blocks = self._blocks(_CURVE_BLOCK, self._terms.curve_blocks, ends_at)
        blocks.run(members, self._kept_curve, self._options.blocks or _MOST_CURVE_BLOCKS)
        if not blocks.whole:
            self._skipped.append("No time was left for the demand curves. Raise --time.")

    def _curve_of(self, label: str) -> Fed:
        """Return what a curve's trial feeds: it begins where an earlier block had its crossings."""
        rate = self._rows[label].rate
        assert rate is not None
        demand = self._run.keeper.run.demand or Demand()
        curve = next((curve for curve in demand.curves if curve.label == label), None)
        known = (None, None) if curve is None else (curve.fed_at_90, curve.fed_at_99)
        guesses = [rate if each is None else each.value for each in known]
        assert len(guesses) == len(TARGETS)
        return Fed(rate=rate, guesses=guesses)

    def _kept_curve(self, whole: int) -> bool:
        self._terms = replace(self._terms, curve_blocks=whole)
        self.keep()
        self._run.keeper.save(blocks=self._run.keeper.run.blocks)
        return False

    def _blocks(self, name: str, whole: int, ends_at: float | None) -> FedBlocks:
        return FedBlocks(
            trials=self._trials,
            workload=self._run.begun.workload,
            listener=self._listener,
            seed=self._options.seed,
            deadline=ends_at,
            clock=self._run.begun.budget.clock,
            name=name,
            whole=whole,
        )

    def _note(self, what: str, ends_at: float | None) -> None:
        limit = ""
        if ends_at is not None:
            limit = f", in {duration(ends_at - self._run.begun.budget.clock())} at most"
        self._listener.note(f"{what}{limit}.")
