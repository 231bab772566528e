"""The story of `feedbench train`: the same model from the same seed through each pipeline."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from feedbench.bench.fitting.task import TrainingTask
from feedbench.bench.images.check import Checker
from feedbench.bench.machine.environment import describe
from feedbench.bench.options.commands.fit_options import FitOptions
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.client import Processes, RemoteTraceback, what_went_wrong
from feedbench.bench.processes.folder_views import Views
from feedbench.bench.processes.folders.own_folders import OwnFolders
from feedbench.bench.processes.interpreters.interpreter import refuse_own_python
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.run_folder import RunFolder, refuse_used, slugs
from feedbench.bench.records.messages import Failed, Modelled, Request, Start
from feedbench.bench.records.trainings.training import ModelRecord, Training, TrainingRecord
from feedbench.bench.run.choose_images import Images, choose, save_workload, without_any_bad
from feedbench.bench.run.images_source import list_images, with_images
from feedbench.bench.run.keeper import workload_record
from feedbench.bench.run.plan import refuse_label_mode, refuse_store
from feedbench.bench.run.sources import Sources
from feedbench.bench.run.workplace import scratch_folder
from feedbench.bench.text import counted
from feedbench.bench.training.follower import Follower
from feedbench.bench.training.keeper import Keeper
from feedbench.bench.training.parts import Part, Parts, Work, both, parts_of, prepared
from feedbench.pipelines import catalog
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import Index, counts, image_id, shown
from feedbench.pipelines.images.split.by_seed import split

MODELS, EVENTS = "models", "tensorboard"
_WORKLOAD = "images.json"
_SHARE = 0.2  # of each class, for validation
_CHECK_SECONDS = 600.0  # to build the model once
_LIMIT_SECONDS = 30 * 24 * 3600.0  # of one training; Ctrl-C ends it before


def train(options: RunOptions, asked: FitOptions, listener: Listener) -> TrainingRecord:
    """Train the model through each pipeline, and return the record, which is on disk by then.

    After Ctrl-C, and once photos have changed, its status is interrupted. Raises RequestError if
    the request is wrong: nothing is written then.
    """
    specs = {spec.label: spec for spec in catalog.parse_all(options.specs)}
    refuse_own_python(specs.values(), "a model is trained by TensorFlow in this one")
    refuse_used(options.out)
    refuse_store(specs.values(), options)
    with (
        with_images(options, listener) as located,
        scratch_folder() as scratch,
        _unfinished_removed(options.out / MODELS),
        Processes(scratch, scratch / "forkserver.log") as processes,
        ExitStack() as held,
    ):
        work = Work(located, specs, processes, scratch, Views(scratch), listener)
        folder = RunFolder(options.out)
        folder.create()
        with folder.discarded_on_error():
            record = _begun(work, asked, folder.path / _WORKLOAD)
            parts = parts_of(folder.path / _WORKLOAD)
            sources = Sources.now(both(parts), "while models were trained")
            with sources.unchanged():
                parts = prepared(work, parts, held, sources)
            (folder.path / MODELS).mkdir()
        keeper = Keeper(replace(record, notes=_notes(parts)), folder.path, options.begun)
        own = OwnFolders(folder, scratch, note=listener.note)
        trainer = _Trainer(work, asked, folder, keeper, own, sources)
        is_complete = False
        with suppress(KeyboardInterrupt):
            is_complete = trainer.train_all(parts)
        return keeper.end(is_interrupted=not is_complete)


def _begun(work: Work, asked: FitOptions, file: Path) -> TrainingRecord:
    """Choose the images, save the workload, and check the model; return the record so far."""
    options, listener = work.options, work.listener
    started_at = datetime.now(UTC).isoformat(timespec="seconds")
    index = _split(list_images(options, listener), options, asked)
    refuse_label_mode(options, index)
    listener.stage("importing TensorFlow")
    work.processes.ready()
    checker = Checker(options.checks, options.channels, work.processes, work.scratch, listener)
    images = without_any_bad(Images(index, choose(options, index, [], None)), options, checker)
    save_workload(options, images.measured, len(index.files), file)
    parts = parts_of(file)
    listener.stage(f"building {asked.model}")
    model = _checked(work, asked, parts.training)
    of_validation = parts.validation and parts.validation.workload
    listener.note(_first_line(work, asked, parts, model))
    for note in filter(None, (model.note, *index.notes)):
        listener.note(note)
    return TrainingRecord(
        status="running",
        command=list(options.command),
        started_at=started_at,
        workload=workload_record(options, index, images.measured, images.bad),
        validation_images=of_validation.images if of_validation else 0,
        validation_classes=_classes(of_validation) if of_validation else {},
        model=model,
        epochs=asked.epochs,
        repeats=asked.repeats,
        stop_at_nan=asked.stop_at_nan,
        environment=describe(),
    )


def _split(index: Index, options: RunOptions, asked: FitOptions) -> Index:
    """Return the training part, with the validation part as its `split`.

    Images that are not split yet are, unless that was refused, or a class has a single image.
    """
    if index.split is not None or asked.validation == "none":
        return index
    alone = [name for name, count in counts(index).items() if count == 1]
    if alone:
        note = f"The images are not split, since a class has only one: {shown(alone[0])}."
        return dataclasses.replace(index, notes=(*index.notes, note))
    return split(index, _SHARE, options.seed)


@contextmanager
def _unfinished_removed(models: Path) -> Iterator[None]:
    """Remove what a process that was ended had not written whole, after all have ended."""
    try:
        yield
    finally:
        for unfinished in models.glob(".*.keras"):
            unfinished.unlink(missing_ok=True)


def _checked(work: Work, asked: FitOptions, part: Part) -> ModelRecord:
    """Build the model once in a process. Raises RequestError if it does not suit the images."""
    spec = asked.spec
    file = work.scratch / "model.json"
    task = TrainingTask(
        model=spec.text, weights=spec.weights, seed=work.options.seed, epochs=asked.epochs
    )
    task.write(file)
    request = Request(
        label=spec.text,
        spec="",
        purpose="build",
        workload=str(part.file.absolute()),
        prepared="",
        scratch=str(work.scratch),
        training=str(file),
    )
    start = Start(request=request, log=str(work.scratch / "model.log"))
    outcome = work.processes.run(start, _CHECK_SECONDS)
    match outcome.result:
        case Modelled() as made:
            return ModelRecord(
                spec=spec.text,
                name=spec.name,
                parameters=made.parameters,
                compiled_with=made.compiled_with,
                is_saved=spec.kind == "saved",
                weights=spec.weights,
                note=made.note,
            )
        case Failed() as failed:
            cause = RemoteTraceback(failed.traceback) if failed.traceback else None
            raise RequestError(failed.sentence, hint=failed.hint) from cause
        case _:
            raise RequestError(f"--model {spec.text}: as it was built, {what_went_wrong(outcome)}")


def _first_line(work: Work, asked: FitOptions, parts: Parts, model: ModelRecord) -> str:
    """Return what is trained on how many images, in words."""
    images = counted(parts.training.workload.images, "image")
    if parts.validation is not None:
        images += f", and validating on {parts.validation.workload.images:,}"
    seeds = f", from {counted(asked.repeats, 'seed')}" if asked.repeats > 1 else ""
    compiled = f", compiled with {model.compiled_with}" if model.compiled_with else ""
    return (
        f"Training {model.name} ({model.parameters:,} parameters{compiled}) on {images} of"
        f" {shown(str(work.options.folder))}, through {counted(len(work.specs), 'pipeline')},"
        f" {counted(asked.epochs, 'epoch')} each{seeds}."
    )


def _classes(workload: Workload) -> dict[str, int]:
    """Return the number of images of each class."""
    by_label = Counter(workload.labels)
    return {image_id(name): by_label[label] for label, name in enumerate(workload.class_names)}


def _notes(parts: Parts) -> list[str]:
    if parts.validation is not None:
        return []
    return ["There is no validation part: accuracies are those of the images that were trained on."]


@dataclass(frozen=True)
class _Trainer:
    """Trains the model through each pipeline, each time in a process of its own."""

    work: Work
    asked: FitOptions
    folder: RunFolder
    keeper: Keeper
    own: OwnFolders
    sources: Sources  # what all of them read

    def train_all(self, parts: Parts) -> bool:
        """Train from each seed in turn. A pipeline that fails does not stop the others.

        Return whether all were trained; photos that change end it.
        """
        first = self.work.options.seed
        names = slugs(tuple(self.work.specs))
        for seed in range(first, first + self.asked.repeats):
            training = parts.training
            if seed != first:
                training = training.for_seed(seed, self.work.scratch / f"images-{seed}.json")
            for label, spec in self.work.specs.items():
                name = names[label] if seed == first else f"{names[label]}-seed-{seed}"
                self._train(spec, seed, name, Parts(training, parts.validation, parts.failures))
                if self.keeper.record.changed:
                    return False
        return True

    def _train(self, spec: Spec, seed: int, name: str, parts: Parts) -> None:
        """Train from one seed through one pipeline, unless its files could not be prepared."""
        made = parts.training.prepared.get(spec.label)
        training = Training(
            label=spec.label,
            spec=spec.text,
            seed=seed,
            status="running",
            tensorboard=f"{EVENTS}/{name}",
            prepare_seconds=None if made is None else made.seconds,
        )
        if spec.label in parts.failures:
            why = f"preparation failed: {parts.failures[spec.label]}"
            self.keeper.put(replace(training, status="failed", why=why, tensorboard=""))
            return
        model = f"{MODELS}/{name}.keras"
        self._restore(parts)
        follower = Follower(training, model, self.asked.epochs, self.keeper, self.work.listener)
        scratch = self.work.scratch / f"train-{name}"
        start = self._start(spec, seed, name, parts, scratch)
        outcome = self.work.processes.run(start, _LIMIT_SECONDS, follower.take)
        if self.sources.has_changed():
            self.keeper.change(self.sources.clause)
            self.work.listener.note(
                f"Nothing more is trained: {self.sources.clause}; {self.sources.hint}."
            )
        else:
            follower.end(outcome)
        if self.work.options.debug and isinstance(outcome.result, Failed):
            sys.stderr.write(f"{spec.label}: {outcome.result.traceback}")
        shutil.rmtree(scratch, ignore_errors=True)

    def _restore(self, parts: Parts) -> None:
        """Make the folders of the training anew if another program removed them."""
        self.own.restore()
        (self.folder.path / MODELS).mkdir(exist_ok=True)
        for part in filter(None, (parts.training, parts.validation)):
            self.own.hold(part.file)

    def _start(self, spec: Spec, seed: int, name: str, parts: Parts, scratch: Path) -> Start:
        """Return the command that starts a training's process; makes its folders."""
        own, empty = scratch / "scratch", scratch / "prepared"
        for new in (scratch, own, empty):
            new.mkdir()
        training, validation = parts.training, parts.validation
        task = TrainingTask(
            model=self.asked.spec.text,
            weights=self.asked.spec.weights,
            seed=seed,
            epochs=self.asked.epochs,
            stop_at_nan=self.asked.stop_at_nan,
            validation=str(validation.file.absolute()) if validation else "",
            validation_prepared=_folder_of(validation, spec, empty),
            validation_folder=validation.folder(spec, self.work.views) if validation else "",
            saved=str(self.folder.path.absolute() / MODELS / f"{name}.keras"),
            events=str(self.folder.path.absolute() / EVENTS / name),
        )
        task.write(scratch / "training.json")
        request = Request(
            label=spec.label,
            spec=spec.text,
            purpose="train",
            workload=str(training.file.absolute()),
            prepared=_folder_of(training, spec, empty),
            scratch=str(own),
            folder=training.folder(spec, self.work.views),
            training=str(scratch / "training.json"),
        )
        log = self.folder.logs / f"{name}.log"
        return Start(
            request=request,
            log=str(log.absolute()),
            fresh_interpreter=self.work.options.fresh_interpreter,
        )


def _folder_of(part: Part | None, spec: Spec, empty: Path) -> str:
    """Return the folder of a part's prepared files; an empty one if the pipeline writes none."""
    made = part and part.prepared.get(spec.label)
    return made.folder if made else str(empty.absolute())
