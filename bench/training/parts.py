"""The training and the validation part, and what pipelines write of each in advance."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.prepared import preparation
from feedbench.bench.prepared.store import Store
from feedbench.bench.processes.client import Processes
from feedbench.bench.processes.folder_views import Views
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.processes.trials import Trials
from feedbench.bench.processes.workload_file import read_workload, write_workload
from feedbench.bench.records.trial import Preparation
from feedbench.bench.run.sources import Sources
from feedbench.bench.run.workplace import preparing_labels
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.images.file_formats import formats_of

_LIMIT_SECONDS = 24 * 3600.0  # of one preparation; Ctrl-C ends it before


@dataclass(frozen=True)
class Work:
    """What the stages of a training use."""

    options: RunOptions
    specs: Mapping[str, Spec]  # by label
    processes: Processes
    scratch: Path
    views: Views  # the folders that pipelines walk
    listener: Listener


@dataclass(frozen=True)
class Part:
    """One part of the images, and the files that pipelines wrote of it."""

    file: Path  # that holds its workload
    workload: Workload
    prepared: dict[str, Preparation] = field(default_factory=dict)  # by label

    def folder(self, spec: Spec, views: Views) -> str:
        """Return the folder of exactly its images if the pipeline may walk one; "" if not."""
        return views.folder(self.file) if spec.walks_folder else ""

    def for_seed(self, seed: int, file: Path) -> Part:
        """Return the same images for another seed, as a workload in another file."""
        workload = dataclasses.replace(self.workload, seed=seed)
        write_workload(workload, file)
        return dataclasses.replace(self, file=file, workload=workload)


@dataclass(frozen=True)
class Parts:
    """The training part, and the validation part if there is one."""

    training: Part
    validation: Part | None
    failures: dict[str, str] = field(default_factory=dict)  # why a preparation failed, by label


def parts_of(file: Path) -> Parts:
    """Return the parts of a workload in a file. Writes the validation part's next to it."""
    workload = read_workload(file)
    training = Part(file, workload)
    if not workload.validation_files:
        return Parts(training, None)
    records = workload.records
    if records is not None:
        places = records.validation_places
        records = dataclasses.replace(records, places=places, validation_places=())
    validation = dataclasses.replace(
        workload,
        files=workload.validation_files,
        labels=workload.validation_labels,
        formats=formats_of(workload.validation_files),
        subset="validation",
        validation_files=(),
        validation_labels=(),
        augmentation=None,
        records=records,
    )
    of_validation = file.with_name(f"{file.stem}-validation.json")
    write_workload(validation, of_validation)
    return Parts(training, Part(of_validation, validation))


def both(parts: Parts) -> Workload:
    """Return a workload with the files of both parts."""
    workload = parts.training.workload
    return dataclasses.replace(
        workload,
        files=(*workload.files, *workload.validation_files),
        labels=(*workload.labels, *workload.validation_labels),
    )


def prepared(work: Work, parts: Parts, held: ExitStack, sources: Sources) -> Parts:
    """Prepare both parts for the pipelines that need it; a failure affects only its pipeline.

    Adds what they write to the `sources`. Raises RequestError if a loader cannot be imported.
    """
    labels = preparing_labels({"": work.processes}, work.specs.values(), work.scratch)
    if not labels:
        return parts
    store = Store(work.options.prepared)
    held.enter_context(store.in_use())
    specs = [spec for label, spec in work.specs.items() if label in labels]
    training, failures = _prepared(work, parts.training, specs, store)
    validation = parts.validation
    if validation is not None:
        able = [spec for spec in specs if spec.label not in failures]
        validation, others = _prepared(work, validation, able, store)
        failures |= others
    for part in filter(None, (training, validation)):
        sources.add_prepared(Path(each.folder) for each in part.prepared.values())
    return Parts(training, validation, failures)


def _prepared(
    work: Work, part: Part, specs: Iterable[Spec], store: Store
) -> tuple[Part, dict[str, str]]:
    """Prepare one part; return also why that failed, by label."""
    folder = RunFolder(work.scratch / part.file.stem, is_temporary=True)
    folder.create()
    trials = Trials(
        work.processes,
        folder,
        work.scratch,
        tuple(work.specs),
        fresh_interpreter=work.options.fresh_interpreter,
        views=work.views,
        debug=work.options.debug,
    )
    records = preparation.obtain_all(
        trials, specs, part.file, store, lambda: Limit(_LIMIT_SECONDS), work.listener
    )
    made = {each.label: each.preparation for each in records if each.preparation is not None}
    failures = {each.label: each.why or each.ended for each in records if each.preparation is None}
    return dataclasses.replace(part, prepared=made), failures
