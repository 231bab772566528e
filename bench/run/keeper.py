"""run.json as it grows: written before the first block and replaced after each."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from msgspec.structs import replace

from feedbench.bench.images.check import Bad
from feedbench.bench.machine import environment, software
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.other_python import other_label, unaugmented_of
from feedbench.bench.processes.run_folder import RunFolder, slugs
from feedbench.bench.processes.trials import Trials
from feedbench.bench.records import storage
from feedbench.bench.records.conditions.calm import Calm
from feedbench.bench.records.conditions.environment import Other
from feedbench.bench.records.demand.demand import Demand
from feedbench.bench.records.diagnosis import Diagnosis
from feedbench.bench.records.messages import AFTERWARDS, FEEDING
from feedbench.bench.records.proof import Proof, is_equal
from feedbench.bench.records.row import UNSURE
from feedbench.bench.records.run import (
    LeftOut,
    PipelineRecord,
    RunRecord,
    SplitRecord,
    Stopped,
    WorkloadRecord,
)
from feedbench.bench.run.forecast.progress import so_far
from feedbench.bench.run.sources import Sources
from feedbench.bench.verdicts.augmentation import with_unaugmented
from feedbench.bench.verdicts.block_counts.certainty import certainty_of
from feedbench.bench.verdicts.block_counts.more import block_seconds
from feedbench.bench.verdicts.block_counts.stopping import Rule
from feedbench.bench.verdicts.calm import calm_of
from feedbench.bench.verdicts.control import copy_ratios
from feedbench.bench.verdicts.epochs.break_even import with_preparations
from feedbench.bench.verdicts.intervals import differs_from_itself
from feedbench.bench.verdicts.possible import ready_rate
from feedbench.bench.verdicts.rows import Summary, of_whole_blocks, rates_by_block, summarise
from feedbench.pipelines.catalog import Spec, augments
from feedbench.pipelines.images.index import Index, counts, image_id, stamps_of

_NOT_COMPARED = {*UNSURE, "augmentation"}


class Keeper:
    """Keeps a run's record up to date on disk."""

    def __init__(
        self,
        run: RunRecord,
        specs: Mapping[str, Spec],
        folder: RunFolder,
        trials: Trials,
        *,
        rule: Rule,
        begun: float,
        sources: Sources,
    ) -> None:
        self.folder = folder
        self._rule = rule
        self._sources = sources
        # None: nothing was compared yet.
        self._proofs: dict[str, Proof] | None = _proofs_of(run)
        self._diagnosis = run.diagnosis
        self._demand = run.demand
        self._begun = begun  # CLOCK_MONOTONIC
        self._trials = trials
        self._specs = {label: spec.text for label, spec in specs.items() if not spec.is_unaugmented}
        self._copies = {label: spec.label for label, spec in unaugmented_of(specs).items()}
        self._unaugmented = frozenset(
            label
            for label in self._specs
            if run.workload.augmentation and not augments(specs[label])
        )
        self.run = run
        self.save(blocks=run.blocks)

    @property
    def labels(self) -> frozenset[str]:
        """The labels of the rows. Copies that do not augment have no row of their own."""
        return frozenset(self._specs)

    @property
    def proofs(self) -> Mapping[str, Proof]:
        """The proofs of equal work so far, by label."""
        return self._proofs or {}

    @property
    def _unequal(self) -> frozenset[str]:
        """The labels whose equal work is not proven; none before anything was compared.

        Work that was other in one timed part than in the proof is not proven either.
        """
        if self._proofs is None:
            return frozenset()
        proofs = self._proofs
        others = {trial.label for trial in self._trials.records if trial.is_other_work}
        return frozenset(
            label
            for label in (*self._specs, *self._copies.values())
            if label in others or not is_equal(proofs.get(label))
        )

    def add_proofs(self, proofs: Mapping[str, Proof]) -> None:
        """Add proofs; from now on, a pipeline without a proof has no verdict."""
        self._proofs = {**self.proofs, **proofs}
        self.save(blocks=self.run.blocks)

    def _summarise(self, blocks: int) -> Summary:
        """Sum up all failures and the completed blocks; if there is none yet, all trials."""
        records = [
            trial
            for trial in self._trials.records
            if trial.purpose not in AFTERWARDS
            and (trial.ended != "measured" or trial.block <= blocks or not blocks)
        ]
        work = self.run.workload
        proofs = self.proofs
        certainty = certainty_of(self.run)
        of_rows = [trial for trial in records if trial.label in self._specs]
        summary = summarise(
            of_rows,
            self._specs,
            margin=self.run.margin,
            folder_images=work.folder_images,
            unequal=self._unequal,
            certainty=certainty,
            unaugmented=self._unaugmented,
            is_changed=self._sources.change is not None,
            ready=ready_rate(self._diagnosis),
        )
        control = summary.control_interval
        rates = rates_by_block(of_rows, "main")
        unsure = self._unequal | {
            row.label for row in summary.rows if row.withheld in _NOT_COMPARED
        }
        rows = with_preparations(
            [replace(row, proof=proofs.get(row.label)) for row in summary.rows],
            {
                record.label: record.preparation
                for record in records
                if record.preparation is not None
            },
            {label: by_block for label, by_block in rates.items() if label not in unsure},
            share=work.images / work.folder_images,
            threshold=None if differs_from_itself(control) else summary.threshold,
            certainty=certainty,
        )
        doubt = "the baseline differed from its own copy" if differs_from_itself(control) else ""
        rows = with_unaugmented(
            rows,
            records,
            self._copies,
            unequal=self._unequal,
            certainty=certainty,
            doubt=doubt or ("files changed" if self._sources.change is not None else ""),
        )
        return replace(summary, rows=rows)

    def reason_to_stop(self, labels: tuple[str, ...]) -> Stopped | None:
        """Return why these pipelines need no further block; None if they need one."""
        if self._sources.compare_after(self.run.blocks) is not None:
            return Stopped.SOURCES
        return self._rule(self._summary, tuple(each for each in labels if each in self._specs))

    def so_far(self) -> str:
        """Return the answer after the blocks so far, in a few words; "" if there is none yet."""
        trials = of_whole_blocks(self._trials.records, self.run.blocks)
        rates = rates_by_block(trials, "main")
        if answer := so_far(self.run.rows, rates, self._unequal):
            return answer
        rates = rates_by_block(trials, "main", with_disturbed=True)
        answer = so_far(self.run.rows, rates, self._unequal)
        return f"{answer}, from disturbed trials" if answer else ""

    def is_unchanged(self, blocks: int) -> bool:
        """Return whether the files that pipelines read are as they were, after these blocks."""
        return self._sources.compare(blocks) is None

    def keep_diagnosis(self, diagnosis: Diagnosis) -> None:
        """Set the diagnosis so far; the next save writes it."""
        self._diagnosis = diagnosis

    def keep_demand(self, demand: Demand) -> None:
        """Set what the trials that feed a model show so far."""
        self._demand = demand
        self.run = replace(self.run, demand=demand)

    def take_no_turns(self, why: str) -> None:
        """Set why the trials take no turns, as a clause; "": they do. The next save writes it."""
        self.run = replace(self.run, one_at_a_time=why)

    def save(
        self,
        status: Literal["running", "complete", "interrupted"] = "running",
        blocks: int = 0,
        stopped_because: Stopped | None = None,
    ) -> RunRecord:
        """Write run.json with everything so far, and return it.

        If the files that pipelines read have changed, only the blocks before that count.
        """
        is_unchanged = status == "running" or self.is_unchanged(blocks)
        if (change := self._sources.change) is not None:
            blocks = min(blocks, max(change.first_block - 1, 0))
        if status == "complete" and not is_unchanged:
            stopped_because = Stopped.SOURCES
        self._summary = summary = self._summarise(blocks)
        self.run = replace(
            self.run,
            status=status,
            seconds=time.monotonic() - self._begun,
            blocks=blocks,
            block_seconds=block_seconds(self._trials.records, blocks),
            stopped_because=stopped_because,
            changed=change,
            rows=summary.rows,
            best=summary.best,
            control=summary.control,
            diagnosis=self._diagnosis,
            demand=self._demand,
            calm=self._calm(blocks),
        )
        self._trials.restore()
        storage.write_run(self.folder.path, self.run)
        return self.run

    def _calm(self, blocks: int) -> Calm | None:
        records = [each for each in self._trials.records if each.purpose not in FEEDING]
        control = copy_ratios(records, blocks, next(iter(self._specs)))
        return calm_of(records, self._trials.probe_seconds, control)


def _proofs_of(run: RunRecord) -> dict[str, Proof] | None:
    proofs = {row.label: row.proof for row in run.rows if row.proof is not None}
    return proofs or None


def new_record(
    options: RunOptions,
    specs: Mapping[str, Spec],
    whole: Index,
    part: Index,
    bad: Sequence[Bad],
    other: Other | None = None,
    interpreters: Sequence[Other] = (),
) -> RunRecord:
    """Return the record of a run that has not measured anything yet."""
    slug = slugs(tuple(specs))
    here = {other_label(label, other): label for label in specs} if other is not None else {}
    started = datetime.now(UTC).timestamp() - (time.monotonic() - options.begun)
    return RunRecord(
        status="running",
        command=[*options.command],
        started_at=datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        time_seconds=options.seconds,
        quick=options.quick,
        sequential=options.until_told or options.tolerance is not None,
        margin=options.margin,
        pixels=options.pixels,
        page_cache=options.page_cache,
        pipelines=[
            PipelineRecord(
                label,
                spec.text,
                slug[label],
                here.get(label),
                "" if other else spec.python,
                [*options.pinned.get(label, ())],
            )
            for label, spec in specs.items()
            if not spec.is_unaugmented
        ],
        workload=workload_record(options, whole, part, bad),
        environment=environment.describe(),
        code=software.code(),
        against=other,
        interpreters=[*interpreters],
    )


def workload_record(
    options: RunOptions, whole: Index, part: Index, bad: Sequence[Bad]
) -> WorkloadRecord:
    """Return the workload as run.json holds it: the images, and how to deliver them."""
    return WorkloadRecord(
        folder=image_id(str(whole.folder)),
        folder_images=len(whole.files),
        images=len(part.files),
        images_digest=images_digest(part),
        ignored_files=whole.ignored,
        check=options.checks.how,
        left_out=[LeftOut(file=image_id(file), reason=reason) for file, reason in bad],
        notes=list(whole.notes),
        classes={image_id(name): count for name, count in counts(part).items()},
        height=options.image_size[0],
        width=options.image_size[1],
        fit=str(options.fit),
        channels=options.channels,
        batch_size=options.batch_size,
        dtype=options.dtype,
        data_format=options.data_format,
        value_range=options.value_range.bounds,
        normalization=options.value_range.normalization,
        label_mode=options.label_mode,
        seed=options.seed,
        augmentation=augmentation_of(options, whole),
        preprocess=options.preprocess or "",
        split=split_record(whole),
    )


def augmentation_of(options: RunOptions, index: Index) -> str:
    """Return what is drawn for each image, as --augment takes it; "" also for validation."""
    is_validation = index.split is not None and index.split.subset == "validation"
    return "" if is_validation or options.augment is None else str(options.augment)


def split_record(index: Index) -> SplitRecord | None:
    """Return the split of a folder's images as run.json holds it; None if there is none."""
    split = index.split
    if split is None:
        return None
    sizes = {split.subset: len(index.files)}
    return SplitRecord(
        subset=split.subset,
        training=sizes.get("training", len(split.other.files)),
        validation=sizes.get("validation", len(split.other.files)),
        by=image_id(split.by),
        share=split.share,
    )


def images_digest(images: Index) -> str:
    """Return a digest that is the same for two lists of the same images, in any folder.

    It covers each image's name below the folder, class, and size in bytes. "" if a file is gone.
    """
    digest = hashlib.sha256()
    rows = zip(images.files, stamps_of(images), images.labels, strict=True)
    for file, stamp, label in rows:
        if stamp is None:  # the pipeline that reads the file fails, and reports it
            return ""
        name = f"\n{stamp.size} {images.class_names[label]} {file}"
        digest.update(os.fsencode(name))
    return digest.hexdigest()
