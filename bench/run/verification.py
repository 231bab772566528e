"""`feedbench verify`: equal work only. Nothing is timed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from feedbench.bench.equal_work.proof_cache import ProofCache
from feedbench.bench.equal_work.verifier import Verifier
from feedbench.bench.images.check import Checker
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.prepared import preparation
from feedbench.bench.prepared.store import Store
from feedbench.bench.processes.client import Processes
from feedbench.bench.processes.folder_views import Views
from feedbench.bench.processes.interpreters.interpreter import described
from feedbench.bench.processes.interpreters.own_processes import own_processes
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.processes.trials import Trials
from feedbench.bench.processes.workload_file import read_workload
from feedbench.bench.records.checks.verification import Verification, Verified
from feedbench.bench.records.run import WorkloadRecord
from feedbench.bench.run.choose_images import Images, choose, save_workload, without_bad
from feedbench.bench.run.images_source import list_images, with_images
from feedbench.bench.run.keeper import workload_record
from feedbench.bench.run.plan import refuse_label_mode, refuse_unsuitable
from feedbench.bench.run.sources import Sources
from feedbench.bench.run.workplace import preparing_labels, scratch_folder
from feedbench.bench.text import counted
from feedbench.pipelines import catalog
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.images.index import shown

_LIMIT_SECONDS = 24 * 3600.0  # of one pipeline; Ctrl-C ends it before


def verify(options: RunOptions, listener: Listener) -> Verification:
    """Compare pipelines with the references, even if earlier proofs are cached.

    The contact sheets go to the folder `options.out`. Raises RequestError if the request is wrong,
    or if the images change meanwhile.
    """
    with work_of(options, listener) as work:
        record = _save_images(work)
        with kept_sources(work, "while pipelines were compared") as sources:
            unprepared = prepare(work, sources)
            verifier = Verifier(
                work.trials,
                work.processes,
                work.file,
                work.scratch,
                ProofCache(options.proofs),
                listener,
                options.pixels,
                sources.has_changed,
            )
            pipelines = _verify(work, verifier, unprepared)
        return Verification(workload=record, pipelines=pipelines)


@dataclass(frozen=True)
class Work:
    """What the stages use; those of `feedbench show` too."""

    options: RunOptions
    specs: Mapping[str, Spec]
    processes: Processes
    others: Mapping[str, Processes]  # of other environments, by their interpreters
    scratch: Path
    listener: Listener
    trials: Trials
    file: Path  # of the workload, once it is saved
    held: ExitStack  # what is given back at the end


@contextmanager
def work_of(options: RunOptions, listener: Listener) -> Iterator[Work]:
    """Yield what a command needs that opens pipelines and records no run.

    Raises RequestError if the request is wrong.
    """
    specs = {spec.label: spec for spec in catalog.parse_all(options.specs)}
    refuse_unsuitable(specs.values(), options)
    described(specs.values())
    with (
        with_images(options, listener) as located,
        scratch_folder() as scratch,
        Processes(scratch, scratch / "forkserver.log") as processes,
        own_processes(specs.values(), scratch, listener.stage) as others,
        ExitStack() as held,
    ):
        folder = RunFolder(scratch / "run", is_temporary=True)
        folder.create()
        trials = Trials(
            processes,
            folder,
            scratch,
            tuple(specs),
            fresh_interpreter=options.fresh_interpreter,
            others=others,
            views=Views(scratch),
            note=listener.note,
            debug=options.debug,
        )
        file = folder.path / "images.json"
        yield Work(located, specs, processes, others, scratch, listener, trials, file, held)


def _save_images(work: Work) -> WorkloadRecord:
    """Choose the images, without bad ones, and save the workload."""
    options, listener = work.options, work.listener
    index = list_images(options, listener)
    refuse_label_mode(options, index)
    images = checked(work, Images(index, choose(options, index, [], None)))
    record = workload_record(options, index, images.measured, images.bad)
    listener.note(
        f"Comparing {len(images.measured.files):,} of the {counted(len(index.files), 'image')}"
        f"{record.purpose} of {shown(str(index.folder))}, delivered by"
        f" {counted(len(work.specs), 'pipeline')}."
    )
    for note in index.notes:
        listener.note(note)
    save_workload(options, images.measured, len(index.files), work.file)
    return record


def checked(work: Work, images: Images) -> Images:
    """Return the images without bad ones, once TensorFlow is imported."""
    options, listener = work.options, work.listener
    listener.stage("importing TensorFlow")
    work.processes.ready()
    checker = Checker(options.checks, options.channels, work.processes, work.scratch, listener)
    return without_bad(images, options, checker)


@contextmanager
def kept_sources(work: Work, when: str) -> Iterator[Sources]:
    """Yield the files that pipelines read from now on; a pipeline that fails is asked about them.

    `when` is a clause on that time. Raises RequestError if they have changed at its end.
    """
    sources = Sources.now(read_workload(work.file), when)
    work.trials.explain(sources.explained)
    with sources.unchanged():
        yield sources


def prepare(work: Work, sources: Sources) -> dict[str, str]:
    """Prepare the pipelines' files, and hold their store; return by label why that failed."""
    labels = preparing_labels(
        {"": work.processes, **work.others},
        work.specs.values(),
        work.scratch,
        form=work.options.form,
    )
    if not labels:
        return {}
    store = Store(work.options.prepared)
    work.held.enter_context(store.in_use())
    specs = [spec for label, spec in work.specs.items() if label in labels]
    records = preparation.obtain_all(
        work.trials, specs, work.file, store, lambda: Limit(_LIMIT_SECONDS), work.listener
    )
    made = [record.preparation for record in records if record.preparation is not None]
    sources.add_prepared(Path(preparation.folder) for preparation in made)
    return {
        record.label: record.why or record.ended for record in records if record.preparation is None
    }


def _verify(work: Work, verifier: Verifier, unprepared: Mapping[str, str]) -> list[Verified]:
    """Compare all pipelines but the unprepared ones, which count as failures."""
    specs = [spec for label, spec in work.specs.items() if label not in unprepared]
    proofs, records = verifier.verify_all(
        specs, work.options.out, lambda _: Limit(_LIMIT_SECONDS), anew=True
    )
    failures = {
        **unprepared,
        **{record.label: record.why or record.ended for record in records if record.proof is None},
    }
    return [
        Verified(
            label=label,
            spec=spec.text,
            proof=proofs.get(label),
            failure=failures.get(label),
        )
        for label, spec in work.specs.items()
    ]
