"""`feedbench verify`: equal work only. Nothing is timed."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from feedbench.bench.equal_work.proof_cache import ProofCache
from feedbench.bench.equal_work.verifier import Verifier
from feedbench.bench.images.check import Checker
from feedbench.bench.prepared import preparation
from feedbench.bench.prepared.store import Store
from feedbench.bench.processes.client import Processes
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.processes.trials import Limit, Trials
from feedbench.bench.records.run import WorkloadRecord
from feedbench.bench.records.verification import Verification, Verified
from feedbench.bench.run.choose_images import Images, choose, save_workload, without_bad
from feedbench.bench.run.keeper import workload_record
from feedbench.bench.run.options import RunOptions
from feedbench.bench.run.plan import refuse_label_mode
from feedbench.bench.run.workplace import preparing_labels, scratch_folder
from feedbench.bench.text import counted
from feedbench.pipelines import catalog
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.images.index import shown
from feedbench.pipelines.images.layouts import index_images

_LIMIT_SECONDS = 24 * 3600.0  # of one pipeline; whoever has had enough presses Ctrl-C


def verify(options: RunOptions, listener: Listener) -> Verification:
    """Lay pipelines beside the references, whatever is remembered of them.

    The contact sheets go to the folder `options.out`. Raises RequestError where the request is
    wrong.
    """
    specs = {spec.label: spec for spec in catalog.parse_all(options.specs)}
    with ExitStack() as held:
        scratch = held.enter_context(scratch_folder())
        processes = held.enter_context(Processes(scratch, scratch / "forkserver.log"))
        folder = RunFolder(scratch / "run")
        folder.create()
        file = folder.path / "images.json"
        trials = Trials(
            processes, folder, scratch, tuple(specs), fresh_interpreter=options.fresh_interpreter
        )
        work = _Work(options, specs, processes, scratch, listener)
        record = work.images(file)
        failures = work.prepare(trials, file, held)
        verifier = Verifier(trials, processes, file, scratch, ProofCache(options.proofs), listener)
        found = work.verify(verifier, failures)
    return Verification(workload=record, pipelines=found)


class _Work:
    """What is to be compared, on its way through the stages."""

    def __init__(
        self,
        options: RunOptions,
        specs: dict[str, Spec],
        processes: Processes,
        scratch: Path,
        listener: Listener,
    ) -> None:
        self._options = options
        self._specs = specs
        self._processes = processes
        self._scratch = scratch
        self._listener = listener

    def images(self, file: Path) -> WorkloadRecord:
        """Choose the images, without bad ones, and save the workload to a file."""
        options = self._options
        self._listener.doing(f"listing {shown(str(options.folder))}")
        whole = index_images(options.folder, options.layout)
        refuse_label_mode(options, whole)
        self._listener.doing("importing TensorFlow")
        self._processes.ready()
        checker = Checker(
            options.checks, options.channels, self._processes, self._scratch, self._listener
        )
        images = without_bad(Images(whole, choose(options, whole, [], None)), options, checker)
        part = images.measured
        self._listener.said(
            f"Compares {len(part.files):,} of the {counted(len(whole.files), 'image')} of"
            f" {shown(str(whole.folder))}, delivered by {counted(len(self._specs), 'pipeline')}."
        )
        for note in whole.notes:
            self._listener.said(note)
        save_workload(options, part, len(whole.files), file)
        return workload_record(options, whole, part, images.bad)

    def prepare(self, trials: Trials, file: Path, held: ExitStack) -> dict[str, str]:
        """Have written what pipelines read; returns how it failed, by label."""
        labels = preparing_labels({"": self._processes}, self._specs.values(), self._scratch)
        if not labels:
            return {}
        store = Store(self._options.prepared)
        held.enter_context(store.in_use())
        specs = [spec for label, spec in self._specs.items() if label in labels]
        records = preparation.obtain_all(
            trials, specs, file, store, lambda: Limit(_LIMIT_SECONDS), self._listener
        )
        return {r.label: r.why or r.ended for r in records if r.preparation is None}

    def verify(self, verifier: Verifier, failures: dict[str, str]) -> list[Verified]:
        """Compare all but those that failed before."""
        specs = [spec for label, spec in self._specs.items() if label not in failures]
        proofs, records = verifier.verify_all(
            specs, self._options.out, lambda _: Limit(_LIMIT_SECONDS), anew=True
        )
        failures |= {r.label: r.why or r.ended for r in records if r.proof is None}
        return [
            Verified(
                label=label,
                spec=spec.text,
                proof=proofs.get(label),
                failure=failures.get(label),
            )
            for label, spec in self._specs.items()
        ]
