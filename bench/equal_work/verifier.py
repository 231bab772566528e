"""Before the blocks: proves that all pipelines deliver the same images, or how they differ."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from feedbench.bench.equal_work.judgement import accepted
from feedbench.bench.equal_work.proof_cache import ProofCache
from feedbench.bench.equal_work.reference_files import kept_files
from feedbench.bench.equal_work.timed_part.fingerprint_cache import FingerprintCache
from feedbench.bench.processes.client import Processes, what_went_wrong
from feedbench.bench.processes.folders.trial_folders import repeated_if_lost
from feedbench.bench.processes.folders.trial_log import last_line
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.run_folder import slugs
from feedbench.bench.processes.trials import Trials
from feedbench.bench.processes.workload_file import read_workload
from feedbench.bench.records.messages import Counted, Event, Referenced, Request, Start
from feedbench.bench.records.proof import Proof
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.text import counted
from feedbench.pipelines import catalog
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import FeedbenchError, RequestError

_SOON_DONE = 5_000  # images, whose references take about 30 seconds


class Verifier:
    """Compares pipelines with the references of a workload, which are computed when needed."""

    def __init__(
        self,
        trials: Trials,
        processes: Processes,
        workload: Path,
        scratch: Path,
        proofs: ProofCache,
        listener: Listener,
        pixels: float | None = None,
        has_changed: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take where things are, and `pixels`: the grey levels of distance that a user accepts.

        Nothing is remembered of images that have changed meanwhile, by `has_changed`.
        """
        self._accepted = partial(accepted, pixels=pixels)
        self._trials = trials
        self._processes = processes
        self._file = workload
        self._workload = read_workload(workload)
        self._references = scratch / "references"
        self._fingerprints = scratch / "fingerprints"  # of them, which outlast the proofs
        self._scratch = scratch
        self._proofs = proofs
        self._listener = listener
        self._has_changed = has_changed

    def verify_all(
        self,
        specs: Iterable[Spec],
        samples: Path,
        limit: Callable[[Spec | None], Limit],
        *,
        anew: bool,
        seconds: Mapping[str, float] | None = None,
    ) -> tuple[dict[str, Proof], list[TrialRecord]]:
        """Return the proof of each pipeline by label, and the records of the trials for it.

        `samples` is the folder for the contact sheets. `limit` gives the limit of each trial, and
        of the references for None. With `anew`, no remembered proof is used. `seconds` is what a
        trial takes, by label: the first pipeline is followed by the fastest, since time may run
        out. Raises RequestError if it does before the references are computed.
        """
        specs = list(specs)
        slug = slugs(tuple(spec.label for spec in specs))
        proofs: dict[str, Proof] = {}
        records = []
        samples.mkdir(parents=True, exist_ok=True)
        try:
            for spec in _ordered(specs, seconds or {}):
                sheet = samples / slug[spec.label]
                proof = None if anew else self._proofs.find(spec, self._asked(spec), sheet)
                if proof is None:
                    record = repeated_if_lost(partial(self._prove, spec, sheet, limit))
                    records.append(record)
                    proof = record.proof
                if proof is not None:
                    proofs[spec.label] = self._accepted(proof)
                    self._say(spec.label, proofs[spec.label])
        finally:
            self._keep_fingerprints()
        return proofs, records

    def fingerprints(self, limit: Limit) -> Path | None:
        """Return a folder with the fingerprints of the references; None if there are none.

        They were computed for the proofs, or are remembered, or are computed now if that is soon
        done. `limit` is that of the references.
        """
        if all((self._fingerprints / name).is_file() for name in kept_files(self._workload)):
            return self._fingerprints
        self._fingerprints.mkdir(parents=True, exist_ok=True)
        cache = FingerprintCache(self._proofs.folder)
        if cache.find(self._workload, self._fingerprints):
            return self._fingerprints
        if self._workload.images > _SOON_DONE:
            return None
        try:
            self._refer(limit)
        finally:
            self._keep_fingerprints()
        return self._fingerprints

    def _keep_fingerprints(self) -> None:
        """Remove the references but for what the timed part needs: they may hold 0.4 GB."""
        made = [self._references / name for name in kept_files(self._workload)]
        if all(file.is_file() for file in made):
            self._fingerprints.mkdir(parents=True, exist_ok=True)
            for file in made:
                file.replace(self._fingerprints / file.name)
            if not self._has_changed():
                FingerprintCache(self._proofs.folder).add(self._workload, self._fingerprints)
        shutil.rmtree(self._references, ignore_errors=True)

    def _prove(self, spec: Spec, sheet: Path, limit: Callable[[Spec | None], Limit]) -> TrialRecord:
        """Compare a pipeline with the references, which are computed if they are missing."""
        self._refer(limit(None))
        return self._verify(spec, sheet, limit(spec))

    def _verify(self, spec: Spec, sheet: Path, limit: Limit) -> TrialRecord:
        record = self._trials.verify(
            spec,
            self._file,
            self._references,
            sheet,
            limit,
            self._progress(f"comparing what {spec.label} delivers"),
        )
        if record.proof is None:
            self._listener.note(f"{spec.label}: {record.why or record.ended}")
        elif not self._has_changed():
            self._proofs.add(spec, self._asked(spec), record.proof, sheet)
        return record

    def _asked(self, spec: Spec) -> Workload:
        """Return what a pipeline has to deliver: images as they are if it does not augment."""
        if self._workload.augmentation is None or catalog.augments(spec):
            return self._workload
        return dataclasses.replace(self._workload, augmentation=None)

    def _refer(self, limit: Limit) -> None:
        """Compute the references unless they exist."""
        if self._references.is_dir():
            return
        self._references.mkdir(parents=True)
        what = "computing the reference images"
        request = Request(
            label="references",
            spec="",
            purpose="references",
            workload=str(self._file.absolute()),
            prepared="",
            scratch=str(self._scratch),
            references=str(self._references),
        )
        log = self._scratch / "references.log"
        start = Start(request=request, log=str(log))
        outcome = self._processes.run(start, limit.seconds, self._progress(what))
        if outcome.over_limit is not None:
            raise RequestError(
                f"time ran out while {what} for {counted(self._workload.images, 'image')}",
                hint="raise --time, or use fewer images with --limit",
            )
        if not isinstance(outcome.result, Referenced):
            raise FeedbenchError(
                f"the reference images could not be computed: {what_went_wrong(outcome)}"
                f" ({last_line(log)})"
            )
        self._say_unreferenced(outcome.result)

    def _say_unreferenced(self, referenced: Referenced) -> None:
        lost = self._workload.images - referenced.images
        if lost:
            self._listener.note(
                f"Not compared, because Pillow does not decode them: {counted(lost, 'image')}."
            )

    def _progress(self, what: str) -> Callable[[Event], None]:
        images = self._workload.images
        self._listener.stage(what)

        def on_event(event: Event) -> None:
            if isinstance(event, Counted):
                self._listener.stage(f"{what}: {event.images:,} of {counted(images, 'image')}")

        return on_event

    def _say(self, label: str, proof: Proof) -> None:
        remembered = f" (compared on {proof.made_at[:10]})" if proof.is_remembered else ""
        reason = f": {proof.reason}" if proof.reason else ""
        self._listener.note(f"{label}: {proof.work} images{reason}{remembered}")


def _ordered(specs: Sequence[Spec], seconds: Mapping[str, float]) -> list[Spec]:
    """Return the first pipeline, and then the others, the fastest first."""
    others = sorted(specs[1:], key=lambda spec: seconds.get(spec.label, 0.0))  # stable
    return [*specs[:1], *others]
