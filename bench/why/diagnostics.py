"""After the blocks: traces, ceilings, pipelines step by step, and fixed values for AUTOTUNE."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from feedbench.bench.machine.cores import usable_cores
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.processes.trials import Trials
from feedbench.bench.records.diagnosis import (
    Ceiling,
    CeilingName,
    Diagnosis,
    Fixed,
    Stage,
    Step,
    StepName,
    StoreProbe,
    Trace,
    Waterfall,
)
from feedbench.bench.records.messages import LastStep, Purpose
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.text import duration, listed
from feedbench.bench.why import stages
from feedbench.bench.why.advice import advice_of
from feedbench.bench.why.ceilings.asked import asked
from feedbench.bench.why.remedy import fixed_numbers
from feedbench.bench.why.sampled import (
    SECONDS,
    is_sampled,
    py_spy,
    unsampled,
    with_samples,
    without_py_spy,
)
from feedbench.bench.why.store.probe import PROBE_SECONDS, probe
from feedbench.bench.why.trace_reader import Reading, reading_of
from feedbench.bench.why.uncached import fastest_uncached
from feedbench.pipelines import catalog, knobs
from feedbench.pipelines.built_in.source_pixels import mean_pixels
from feedbench.pipelines.built_in.truncated import is_truncatable
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.contract import Until
from feedbench.pipelines.remote.address import TENSORFLOW, is_address, scheme_of

_CEILINGS: dict[CeilingName, str] = {
    "read": "reading",
    "decode": "decoding",
    "scaled decode": "decoding at a reduced scale",
    "ready": "ready batches",
    "client": "taking from tf.data service",
}
_STAND_IN = "tfdata_naive"
_STEPS: tuple[Until, ...] = ("read", "decode", "resize")
_TRACE_SECONDS, _SHORT_SECONDS = 4.5, 4.0  # the least time of a trial besides its own epochs
_LEAST_XPROF_SECONDS = 5.0
_LIMIT_FACTOR, _LEAST_LIMIT_SECONDS = 4.0, 30.0


class Keeps(Protocol):
    """Keeps a run's record with the rows of the blocks, its folder, and its diagnosis."""

    folder: RunFolder

    @property
    def run(self) -> RunRecord:
        """The record, with the rows of the blocks."""
        ...

    def keep_diagnosis(self, diagnosis: Diagnosis) -> object:
        """Set the diagnosis so far."""


class Diagnostics:
    """Measures why pipelines are as fast as they are, as far as the time allows."""

    def __init__(
        self,
        trials: Trials,
        keeper: Keeps,
        specs: Mapping[str, Spec],
        workload: Path,
        scratch: Path,
        listener: Listener,
        reader: Callable[..., Reading] = reading_of,
        sampler: str | None = None,
    ) -> None:
        self._trials = trials
        self._keeper = keeper
        self._specs = specs
        self._workload = workload
        self._scratch = scratch
        self._listener = listener
        self._reader = reader
        self._sampler = py_spy() if sampler is None else sampler
        self._unsampled: list[str] = []
        self._datasets: set[str] = set()  # labels of those whose own iterator is tf.data's
        self._diagnosis = Diagnosis()
        self._ends_at: float | None = None
        self._files: Sequence[str] = ()  # the images'
        self._number = 0  # of trials
        self._left_out: list[str] = []
        self._failed: list[str] = []  # sentences

    def run(self, labels: Sequence[str], files: Sequence[str], ends_at: float | None) -> None:
        """Diagnose until `ends_at` (CLOCK_MONOTONIC; None: no limit).

        The keeper gets each finding at once. A failure here is not a failure of the run, whose
        blocks are complete.
        """
        begun = time.monotonic()
        self._ends_at, self._files = ends_at, files
        limit = "" if ends_at is None else f", in {duration(ends_at - begun)} at most"
        self._listener.note(f"Looking for bottlenecks: traces, ceilings, steps{limit}.")
        rows = {row.label: row for row in self._keeper.run.rows if row.rate is not None}
        self._keep(Diagnosis(source_pixels=mean_pixels(files)))
        try:
            self._look({label: rows[label] for label in labels if label in rows})
        except Exception as error:  # noqa: BLE001 - the blocks are measured, and must not be lost
            why = " ".join(str(error).split()) or type(error).__name__
            self._failed.append(f"The diagnosis is incomplete: {why}.")
        finally:
            if self._left_out:
                parts = ", ".join(self._left_out)
                self._failed.append(f"No time was left for these trials: {parts}. Raise --time.")
            if self._unsampled:
                self._failed.append(without_py_spy(self._unsampled))
            self._failed += self._elsewhere()
            self._keep(
                replace(
                    self._diagnosis,
                    advice=advice_of(self._keeper.run, self._diagnosis),
                    skipped=self._failed,
                    seconds=time.monotonic() - begun,
                )
            )

    def _elsewhere(self) -> list[str]:
        """Return the sentence that another environment's pipelines are not traced, if any."""
        there = self._keeper.run.against
        names = [
            each.label
            for each in self._keeper.run.pipelines
            if each.python and each.label not in (*self._diagnosis.traces, *self._unsampled)
        ]
        if there is not None:
            names = [f"the pipelines in {there.name}"]
        if not names:
            return []
        return [f"The diagnosis covers this environment only, not {listed(names)}."]

    def _look(self, rows: Mapping[str, Row]) -> None:
        """Diagnose one thing after another, the most informative first."""
        traces: dict[str, Trace] = {}
        for label, row in rows.items():
            spec = self._specs[label]
            trace = None if spec.python else self._trace(row)
            if label not in self._datasets and is_sampled(spec, row):
                trace = self._sampled(row, trace)
            if trace is not None:
                traces[label] = trace
            self._keep(replace(self._diagnosis, traces=traces))
        rows = {label: row for label, row in rows.items() if not self._specs[label].python}
        self._keep(replace(self._diagnosis, store=self._store_probe()))
        self._keep(replace(self._diagnosis, ceilings=self._ceilings()))
        best, ours = fastest_uncached(rows, self._specs, traces, self._datasets)
        if best is not None:
            self._cut_off(best)
        if ours is not None and (fixed := self._fixed(ours)) is not None:
            self._keep(replace(self._diagnosis, fixed=[fixed]))
        baseline = rows.get(next(iter(self._specs)))
        # A pipeline that keeps its decoded images has no steps in most of its epochs.
        if baseline is None or baseline is best:
            return
        if baseline.knobs.get("cache", "none") == "none":
            self._cut_off(baseline)

    def _cut_off(self, row: Row) -> None:
        waterfall = self._waterfall(self._specs[row.label])
        if waterfall is not None:
            waterfalls = [*self._diagnosis.waterfalls, waterfall]
            self._keep(replace(self._diagnosis, waterfalls=waterfalls))

    def _keep(self, diagnosis: Diagnosis) -> None:
        self._diagnosis = diagnosis
        self._keeper.keep_diagnosis(diagnosis)

    def _trace(self, row: Row) -> Trace | None:
        spec = self._specs[row.label]
        folder, shown = self._trace_folder(row)
        seconds = _TRACE_SECONDS + (row.first_epoch_seconds or 0.0)
        record = self._trial(spec, "trace", "its trace", seconds, trace=str(folder.absolute()))
        if record is None:
            return None
        taken = record.traced
        if taken is None:
            return Trace(folder=shown, why_not=record.why or "its trial was cut short")
        log = self._keeper.folder.logs / f"trace-{folder.name}.log"
        remaining = max(self._remaining_seconds(), _LEAST_XPROF_SECONDS)
        reading = self._reader(folder, log, limit_seconds=remaining)
        if taken.is_tf_data:
            self._datasets.add(row.label)
        cpu = taken.cpu_seconds
        cpu_ms = None if cpu is None else 1000 * cpu / taken.images
        largest_first = stages.stages(
            reading.ops, taken.images, cpu_ms=cpu_ms, is_tf_data=taken.is_tf_data
        )
        return Trace(
            folder=shown,
            images=taken.images,
            steps=taken.steps,
            seconds=taken.seconds,
            cpu_ms=cpu_ms,
            stages=largest_first if reading.why_not is None else [],
            # xprof sees no input of a loader in Python: it would report that nothing waits for it.
            conclusion=reading.conclusion if taken.is_tf_data else None,
            input_bound=reading.input_bound if taken.is_tf_data else None,
            functions=[
                Stage(name=name, ms=1000 * seconds / taken.images)
                for name, seconds in taken.functions
            ],
            why_not=reading.why_not,
        )

    def _sampled(self, row: Row, before: Trace | None) -> Trace | None:
        """Return a pipeline's trace with stages by samples of its stacks, if that is possible."""
        if not self._sampler:
            self._unsampled.append(row.label)
            return unsampled(self._specs[row.label], before)
        folder, shown = self._trace_folder(row)
        seconds = SECONDS + (row.first_epoch_seconds or 0.0)
        record = self._trial(
            self._specs[row.label],
            "trace",
            "its stacks",
            seconds,
            trace=str(folder.absolute()),
            sampler=self._sampler,
        )
        if record is None:
            return before
        taken = record.traced
        trace = None if taken is None else with_samples(before, taken, folder, shown)
        if trace is None:
            why = record.why or "py-spy saw no work"
            self._failed.append(f"The stages of {row.label} are not known: {why}.")
            return unsampled(self._specs[row.label], before)
        return trace

    def _trace_folder(self, row: Row) -> tuple[Path, str]:
        """Return the folder of a row's trace, and its name as seen from the run's folder."""
        slug = next(p.slug for p in self._keeper.run.pipelines if p.label == row.label)
        return self._keeper.folder.traces / slug, f"traces/{slug}"

    @property
    def _scheme(self) -> str:
        """The scheme of the images' addresses; "" if they are on this machine."""
        first = next(iter(self._files), "")
        return scheme_of(first) if is_address(first) else ""

    def _store_probe(self) -> StoreProbe | None:
        """Measure the images' store; None if they are on this machine, or without time for it."""
        if not self._scheme:
            return None
        if self._remaining_seconds() < _SHORT_SECONDS + PROBE_SECONDS:
            self._left_out.append("the store's latency and its ceiling")
            return None
        self._listener.stage("measuring the store's latency and throughput")
        try:
            return probe(self._files)
        except OSError as error:
            self._failed.append(f"The store's ceiling is not known: {error.strerror or error}.")
            return None

    def _ceilings(self) -> list[Ceiling]:
        ceilings = []
        store, specs = self._diagnosis.store, self._specs.values()
        for name, text, until in asked(specs, self._scratch, store, self._scheme):
            spec = catalog.spec_of(f"ceiling {name}", text)
            what = f"this machine's best rate, {_CEILINGS[name]}"
            record = self._trial(spec, "ceiling", what, _SHORT_SECONDS, until=until)
            if record is not None and record.ended == "measured":
                rates = [record.rate, store.files_per_second if store and name == "read" else 0.0]
                ceilings.append(Ceiling(name=name, rate=max(rates), cpu_ms=_cpu_ms(record)))
        return ceilings

    def _waterfall(self, spec: Spec) -> Waterfall | None:
        """Measure a pipeline step by step.

        A user's own cannot be cut off after a step, so plain tf.data stands in for its first steps.
        """
        is_cut = not spec.is_foreign and is_truncatable(catalog.class_of(spec))
        if not is_cut and self._scheme not in {"", *TENSORFLOW}:
            return None  # plain tf.data cannot read the images
        first = spec if is_cut else catalog.spec_of(spec.label, _STAND_IN)
        steps = []
        whole: tuple[StepName, LastStep, Spec, str] = ("the rest", "all", spec, "all its steps")
        parts = [(step, step, first, f"its steps up to {step}") for step in _STEPS]
        for name, until, measured, what in (*parts, whole):
            record = self._trial(measured, "diagnostic", what, _SHORT_SECONDS, until=until)
            if record is None or record.ended != "measured":
                return None
            steps.append(Step(name=name, rate=record.rate, cpu_ms=_cpu_ms(record)))
        return Waterfall(label=spec.label, like="" if is_cut else _STAND_IN, steps=steps)

    def _fixed(self, row: Row) -> Fixed | None:
        """Measure a pipeline unchanged, and with fixed values instead of AUTOTUNE."""
        if row.autotune is None or row.autotune.parallelism is None:
            return None
        spec = self._specs[row.label]
        fixed = _with_fixed(spec, row)
        seconds = _SHORT_SECONDS + 3 * (row.first_epoch_seconds or 0.0)
        as_it_is = self._trial(spec, "diagnostic", "AUTOTUNE on", seconds)
        other = self._trial(fixed, "diagnostic", "AUTOTUNE off", seconds, is_autotuned=False)
        if as_it_is is None or other is None or {as_it_is.ended, other.ended} != {"measured"}:
            return None
        return Fixed(
            label=row.label,
            spec=fixed.text,
            rate=other.rate,
            own_rate=as_it_is.rate,
            turnover_seconds=_turnover(other),
            own_turnover_seconds=_turnover(as_it_is),
        )

    def _trial(
        self,
        spec: Spec,
        purpose: Purpose,
        what: str,
        seconds: float,
        *,
        until: LastStep = "",
        is_autotuned: bool = True,
        trace: str = "",
        sampler: str = "",
    ) -> TrialRecord | None:
        """Run a trial that takes about `seconds`; return None if there is no time for it."""
        remaining = self._remaining_seconds()
        if remaining < seconds:
            self._left_out.append(f"{spec.label} ({what})")
            return None
        self._number += 1
        self._listener.stage(f"{spec.label}: {what}")
        most = max(_LEAST_LIMIT_SECONDS, _LIMIT_FACTOR * seconds)
        limit = Limit(most) if remaining > most else Limit(remaining, is_deadline=True)
        record = self._trials.diagnose(
            spec,
            purpose,
            self._workload,
            limit,
            self._number,
            until=until,
            is_autotuned=is_autotuned,
            trace=trace,
            sampler=sampler,
        )
        # A failed trace has a `why_not` of its own.
        if record.ended != "measured" and purpose != "trace":
            self._failed.append(f"{spec.label}: {what}: {record.why or record.ended}.")
        return record

    def _remaining_seconds(self) -> float:
        return math.inf if self._ends_at is None else self._ends_at - time.monotonic()


def _with_fixed(spec: Spec, row: Row) -> Spec:
    """Return the same pipeline with one call per core, and two batches prefetched."""
    fixed = {**catalog.knobs_given(spec), **fixed_numbers(usable_cores())}
    return catalog.spec_of(row.label, knobs.spec_text(spec.name, fixed))


def _cpu_ms(record: TrialRecord) -> float | None:
    """Return a trial's CPU milliseconds per image, of the whole process tree."""
    if record.usage is None or record.usage.cpu_seconds is None:
        return None
    images = record.usage.seconds * record.rate
    return 1000 * record.usage.cpu_seconds / images if images else None


def _turnover(record: TrialRecord) -> float | None:
    if record.measured is None:
        return None
    seconds = record.measured.turnover_seconds[1:] or record.measured.turnover_seconds
    return sum(seconds) / len(seconds) if seconds else None
