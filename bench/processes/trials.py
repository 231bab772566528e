"""Runs one trial after another, and records each on disk and in memory."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType

from msgspec.structs import replace

from feedbench.bench.machine.meters import Meters
from feedbench.bench.machine.monitor import Monitor
from feedbench.bench.machine.page_cache import PageCache, after
from feedbench.bench.processes.client import OnEvent, OnTick, Processes
from feedbench.bench.processes.clock_check import ClockCheck
from feedbench.bench.processes.folder_views import Views
from feedbench.bench.processes.folders.own_folders import OwnFolders
from feedbench.bench.processes.folders.trial_folders import Made, TrialFolders
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.open_trial import OpenTrial, Watch
from feedbench.bench.processes.outcomes import begun, raise_refusal, recorded
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.processes.underway import Outcome
from feedbench.bench.records.conditions.calm import Around
from feedbench.bench.records.messages import (
    AFTERWARDS,
    FEEDING,
    Event,
    Failed,
    Fed,
    LastStep,
    Purpose,
    Request,
)
from feedbench.bench.records.pace import USUAL, Pace
from feedbench.bench.records.proof import Proof, is_equal
from feedbench.bench.records.trial import Fault, TrialRecord
from feedbench.bench.records.turns import Turn
from feedbench.pipelines import catalog
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.system.signals import ENDING, interrupts_held

_REPORTED: frozenset[Purpose] = frozenset(("main", "control"))
_TIMED = _REPORTED | FEEDING - {"curve"}  # the parent reads the edges of their windows
_PROBED = _REPORTED | FEEDING
_PINNED: frozenset[Purpose] = _REPORTED | AFTERWARDS | {"pilot"}


class Trials:
    """Runs trials of one run. `records` are the lines of trials.jsonl so far.

    `others` are the processes of other environments, by their interpreters. Only with `meters`
    are a trial's resources measured, and only with `machine` is the machine probed. Only with
    `views` do pipelines that walk a folder get one of exactly the workload's images. `links` are
    the paths that loaders' files are imported by, and `pinned` the cores that measured processes
    may use, both by label. `explained` returns the record of a failed trial, with the reason if
    that is not the pipeline. `note` and `on_restored` are as in OwnFolders. With `debug`, the
    traceback of a trial that raises is printed.
    """

    def __init__(
        self,
        processes: Processes,
        folder: RunFolder,
        scratch: Path,
        labels: tuple[str, ...],
        *,
        fresh_interpreter: bool,
        meters: Meters | None = None,
        machine: Monitor | None = None,
        page_cache: PageCache | None = None,
        others: Mapping[str, Processes] | None = None,
        pace: Pace = USUAL,
        pinned: Mapping[str, tuple[int, ...]] = MappingProxyType({}),
        records: Sequence[TrialRecord] = (),
        views: Views | None = None,
        links: Mapping[str, str] = MappingProxyType({}),
        explained: Callable[[TrialRecord], TrialRecord] = lambda record: record,
        note: Callable[[str], object] = lambda _: None,
        on_restored: Callable[[], object] = lambda: None,
        debug: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.records = list(records)
        self._of_python = {"": processes, **(others or {})}  # by interpreter
        self._folder = folder
        own = OwnFolders(folder, scratch, note=note, on_restored=on_restored)
        self._folders = TrialFolders(folder, scratch, labels, own, self.records)
        self._fresh = fresh_interpreter
        self._meters = meters
        self._machine = machine
        self._pace = pace
        self._pinned = pinned
        self._clock = clock
        self._page_cache = page_cache
        self._views = views
        self._links = links
        self._explained = explained
        self._debug = debug
        self._prepared: dict[str, Path] = {}  # by label
        self._proofs: dict[str, Proof] = {}  # of equal work, by label
        self._fingerprints: Path | None = None

    @property
    def probe_seconds(self) -> float:
        """How many seconds the speed probes have taken so far."""
        return 0.0 if self._machine is None else self._machine.probe_seconds

    @property
    def forkservers(self) -> list[Callable[[], int | None]]:
        """What returns the root of each interpreter's processes."""
        return [partial(_forkserver_of, each) for each in self._of_python.values()]

    def explain(self, explained: Callable[[TrialRecord], TrialRecord]) -> None:
        """Ask `explained`, from now on, for the reason of a failure."""
        self._explained = explained

    def restore(self) -> None:
        """Make the run's folders anew if another program removed them, with all its trials."""
        self._folders.restore()

    def expect(self) -> None:
        """Probe the machine before a rotation, which does not wait for a calm one."""
        if self._machine is not None:
            self._machine.begin(self._clock())

    def around(self) -> Around | None:
        """Probe the machine after a rotation, whose processes are all stopped."""
        return None if self._machine is None else self._machine.end()

    def prepare(
        self,
        spec: Spec,
        workload: Path,
        store: Path,
        limit: Limit,
        on_event: OnEvent = lambda _: None,
        on_tick: OnTick = lambda: None,
    ) -> TrialRecord:
        """Find a pipeline's prepared files in the store, or write them, for its later trials."""
        request = replace(self._request(spec, "prepare", workload), prepared=str(store.absolute()))
        record = self._perform(spec, request, limit, Watch(on_event, on_tick))
        if record.preparation is not None:
            self._prepared[spec.label] = Path(record.preparation.folder)
        return record

    def verify(
        self,
        spec: Spec,
        workload: Path,
        references: Path,
        sheet: Path | None,
        limit: Limit,
        on_event: OnEvent = lambda _: None,
    ) -> TrialRecord:
        """Compare an epoch of a pipeline with the references.

        `sheet` is the path of a contact sheet, without a suffix.
        """
        request = replace(
            self._request(spec, "verify", workload),
            references=str(references.absolute()),
            sheet="" if sheet is None else str(sheet.absolute()),
        )
        return self._perform(spec, request, limit, Watch(on_event))

    def collect(
        self, spec: Spec, workload: Path, file: Path, limit: Limit, same_image: str = ""
    ) -> TrialRecord:
        """Write images to a file as a pipeline delivers them: the first ones of an epoch.

        With `same_image`, a file of the workload, that image as each of some epochs delivers it.
        """
        request = replace(
            self._request(spec, "show", workload),
            pictures=str(file.absolute()),
            same_image=same_image,
        )
        return self._perform(spec, request, limit, Watch())

    def compare_timed(self, proofs: Mapping[str, Proof], fingerprints: Path | None) -> None:
        """Compare batches of the timed part, from now on, with a pipeline's proof of equal work.

        `fingerprints` is the folder of those of the references; None: nothing is compared.
        """
        self._proofs = {label: proof for label, proof in proofs.items() if is_equal(proof)}
        self._fingerprints = fingerprints

    def diagnose(
        self,
        spec: Spec,
        purpose: Purpose,
        workload: Path,
        limit: Limit,
        number: int,
        *,
        until: LastStep = "",
        is_autotuned: bool = True,
        trace: str = "",
        sampler: str = "",
    ) -> TrialRecord:
        """Perform a trial of the diagnosis; `number` makes its name unique for this purpose.

        `until` is the last step, `trace` the folder of a trace, and `sampler` what samples stacks
        for it, as in a Request.
        """
        request = replace(
            self._request(spec, purpose, workload, attempt=number),
            until=until,
            is_autotuned=is_autotuned,
            trace=trace,
            sampler=sampler,
        )
        if self._meters is None:
            return self._perform(spec, request, limit, Watch())
        recorder = self._meters.of_trial(lambda: self._of_python[spec.python].forkserver)
        return self._perform(spec, request, limit, Watch(recorder.take, usage=recorder.usage))

    def run(
        self,
        spec: Spec,
        purpose: Purpose,
        workload: Path,
        limit: Limit,
        block: int = 0,
        attempt: int = 1,
        *,
        fed: Fed | None = None,
        cores: tuple[int, ...] = (),
    ) -> TrialRecord:
        """Perform one trial and return its record, which is on disk by then.

        A KeyboardInterrupt is recorded as well, and raised again. A trial whose rate is reported
        waits for a calm machine, up to a limit of its own. `fed` and `cores` are as in a Request.
        Raises RequestError if a loader of another library refuses its pilot.
        """
        request = replace(self._request(spec, purpose, workload, block, attempt), fed=fed)
        request = replace(request, cores=cores or request.cores)
        watch = self._watch(spec, purpose, is_brief=purpose in FEEDING)
        if self._machine is not None and purpose in _PROBED:
            self._machine.begin(limit.begin_by)
            watch = replace(watch, around=self._machine.end)
        return self._perform(spec, request, limit.at(self._clock()), watch)

    def open(
        self, spec: Spec, purpose: Purpose, workload: Path, limit: Limit, block: int
    ) -> OpenTrial:
        """Start a trial of a rotation: it is ready for its turns, and stopped, or it has ended.

        Its processes must be the only ones that run. `close` records it.
        """
        made = self._made(self._request(spec, purpose, workload, block), has_turns=True)
        watch = self._watch(spec, purpose, is_brief=True)
        processes = self._of_python[spec.python]
        trial = OpenTrial(made, spec, watch, processes, limit.at(self._clock()).seconds)
        try:
            trial.begin()
        except BaseException:
            trial.shut()
            self._end(made, made.record)
            raise
        return trial

    def close(self, trial: OpenTrial, limit: Limit, around: Around | None = None) -> TrialRecord:
        """Let a trial of a rotation end, and return its record, which is on disk by then."""
        record = trial.made.record
        try:
            record = self._after(trial.made, trial.end(), limit, trial.watch, trial.turns)
            record = replace(record, turns=trial.turns, around=around)
        finally:
            self._end(trial.made, record)
        return record

    def drop(self, trial: OpenTrial) -> None:
        """Record a trial of a rotation that was not completed."""
        trial.shut()
        self._end(trial.made, replace(trial.made.record, turns=trial.turns))

    def _watch(self, spec: Spec, purpose: Purpose, *, is_brief: bool = False) -> Watch:
        """Return what observes a trial whose rate is reported; nothing observes others.

        Its windows are brief before turns, and of a model.
        """
        if purpose not in _TIMED:
            return Watch()
        pace = self._pace.before_turns() if is_brief else self._pace
        clocks = ClockCheck(pace, self._clock)
        if self._meters is None:
            return Watch(clocks.take, fault=clocks.fault)
        root = partial(_forkserver_of, self._of_python[spec.python])
        recorder = self._meters.of_trial(root, self._pinned.get(spec.label, ()))

        def on_event(event: Event) -> None:
            clocks.take(event)  # first: to read the meters takes a while
            recorder.take(event)

        watch = Watch(on_event, usage=recorder.usage, fault=clocks.fault)
        prepared = self._prepared.get(spec.label)
        cache, reads_records = self._page_cache, spec.reads_records
        if cache is None or purpose in FEEDING:
            return watch
        if not cache.holds(prepared, reads_records=reads_records):
            return watch
        certificate = cache.before(prepared, reads_records=reads_records)
        return replace(
            watch, certificate=lambda: after(certificate, recorder.first_epoch_read_bytes())
        )

    def _request(
        self, spec: Spec, purpose: Purpose, workload: Path, block: int = 0, attempt: int = 1
    ) -> Request:
        """Return the request for a trial, without its own folders."""
        prepared = self._prepared.get(spec.label)
        views = self._views if spec.walks_folder else None
        fingerprints = self._fingerprints
        if fingerprints is not None and not fingerprints.is_dir():
            fingerprints = None  # another program removed them
        is_compared = fingerprints is not None and purpose in _REPORTED
        return Request(
            label=spec.label,
            spec=spec.text,
            purpose=purpose,
            block=block,
            attempt=attempt,
            workload=str(workload.absolute()),
            prepared="" if prepared is None else str(prepared.absolute()),
            scratch="",
            link=self._links.get(spec.label, ""),
            folder="" if views is None else views.folder(workload),
            references="" if fingerprints is None else str(fingerprints.absolute()),
            is_augmented=catalog.augments(spec),
            proof=self._proofs.get(spec.label) if is_compared else None,
            pace=self._pace,
            cores=self._pinned.get(spec.label, ()) if purpose in _PINNED else (),
        )

    def _perform(self, spec: Spec, request: Request, limit: Limit, watch: Watch) -> TrialRecord:
        """Perform a trial in folders of its own, and record it."""
        made = self._made(request)
        record = made.record
        try:
            processes = self._of_python[spec.python]
            outcome = processes.run(made.start, limit.seconds, watch.on_event, watch.on_tick)
            record = self._after(made, outcome, limit, watch)
        finally:
            self._end(made, record)
        if record.fault is Fault.RAISED:
            raise_refusal(outcome, spec, request)
        return record

    def _made(self, request: Request, *, has_turns: bool = False) -> Made:
        """Make a trial's folders, and the command that starts it."""
        record = begun(request, datetime.now(UTC).isoformat(timespec="milliseconds"))
        return self._folders.make(request, record, fresh=self._fresh, has_turns=has_turns)

    def _after(
        self,
        made: Made,
        outcome: Outcome,
        limit: Limit,
        watch: Watch,
        turns: Sequence[Turn] = (),
    ) -> TrialRecord:
        """Return the record of a trial that has ended."""
        record = recorded(made.record, outcome, limit, made.log)
        if record.measured is not None and (why := watch.fault(record.measured.windows, turns)):
            record = replace(record, ended="failed", fault=Fault.CLOCK, why=why, measured=None)
        if isinstance(outcome.result, Failed) and outcome.result.traceback:
            record = self._with_traceback(record, outcome.result.traceback, made.log)
        if record.ended == "failed":
            record = self._folders.excused(made, record)
        if record.ended == "failed":
            record = self._explained(record)
        return replace(
            record,
            usage=watch.usage(record.measured.windows if record.measured is not None else []),
            page_cache=watch.certificate(),
            around=watch.around(),
        )

    def _end(self, made: Made, record: TrialRecord) -> None:
        with interrupts_held(*ENDING):  # both, or a Ctrl-C would lose one of them
            self._folders.keep(record)
        self._folders.remove(made)

    def _with_traceback(self, record: TrialRecord, text: str, log: Path) -> TrialRecord:
        """Print a failed trial's traceback with `debug`, and record where else it is."""
        if self._debug:
            sys.stderr.write(f"{record.label}: {text}")
        where = f"its traceback is in {log.parent.name}/{log.name}"
        if record.purpose == "appetite" and not record.block:
            return record  # it ends the run before its first block, and its folder is removed
        if self._folder.is_temporary:
            where = "" if self._debug else "add --debug to see its traceback"
        return replace(record, why="; ".join(filter(None, [record.why, where])))


def _forkserver_of(processes: Processes) -> int | None:
    return processes.forkserver
