"""What a measured process does: the task of its request, and the report of its result."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import traceback
import warnings
from pathlib import Path

import msgspec

from feedbench.bench.equal_work import proof_task, references_task
from feedbench.bench.equal_work.timed_part.timed_proof import check_timed_part
from feedbench.bench.fitting import training_task
from feedbench.bench.images import check_task
from feedbench.bench.measured import fixed_paths
from feedbench.bench.measured.diagnostic_trial import cut_off
from feedbench.bench.measured.model.feeding_trial import FeedingTrial
from feedbench.bench.measured.seal import Seal
from feedbench.bench.measured.trial import Say
from feedbench.bench.pictures import pictures_task
from feedbench.bench.prepared import preparation_task
from feedbench.bench.prepared.store import Store
from feedbench.bench.processes.workload_file import read_workload
from feedbench.bench.record_sets import writing_task
from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.messages import (
    Built,
    Collected,
    Failed,
    Form,
    Measured,
    Request,
    Result,
    Traced,
    Verified,
)
from feedbench.bench.tfrecords import extraction_task
from feedbench.pipelines import catalog, knobs
from feedbench.pipelines.built_in.service import lost
from feedbench.pipelines.contract import KnobOverruledWarning, Pipeline, Preparing
from feedbench.pipelines.errors import (
    FeedbenchError,
    RequestError,
    WrongWorkError,
    without_controls,
)
from feedbench.pipelines.exceptions import raised, without_nodes
from feedbench.pipelines.system.affinity import pin

_LONGEST_SENTENCE = 800  # characters
_LONGEST_TRACEBACK = 100_000
_MOST_REMARKS = 10


def perform(request: Request, say: Say, reaper: int | None = None) -> None:
    """Do what the request asks and report the result. Raises only what is not the trial's failure.

    `reaper` is the process that adopts the trial's orphans, if any does.
    """
    if request.cores:
        pin(request.cores)  # before TensorFlow counts the cores
    if request.purpose == "decode":
        check_task.serve(Path(request.workload), say)
        return
    if request.purpose == "records":
        extraction_task.serve(Path(request.workload), Store(Path(request.prepared)), say)
        return
    if request.purpose == "record set":
        writing_task.serve(Path(request.workload), say)
        return
    try:
        if request.purpose == "references":
            folder = Path(request.references)
            references_task.serve(read_workload(Path(request.workload)), folder, say)
        elif request.purpose == "build":
            workload = read_workload(Path(request.workload))
            say(training_task.checked(Path(request.training), workload))
        else:
            _of_pipeline(request, say, reaper)
    except SystemExit:  # of a loader that ends its process
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a pipeline raises is its result
        say(_failed(error, request))


def _failed(error: BaseException, request: Request) -> Failed:
    """Return the report of an exception, whose traceback goes to the log as well.

    An error of Feedbench has a traceback only if an exception of the user's code is its cause.
    """
    text = ""
    if _is_users(error):
        lines = "".join(traceback.format_exception(error))
        text = lines[-_LONGEST_TRACEBACK:].encode("utf-8", "backslashreplace").decode()
        with contextlib.suppress(OSError):  # the log may be on a full disk
            sys.stderr.write(text)
            sys.stderr.flush()
    if not isinstance(error, FeedbenchError):
        return Failed(sentence=_clause(error, request), traceback=text)
    return Failed(
        sentence=_one_line(error.sentence),
        hint=_one_line(error.hint),
        traceback=text,
        is_wrong_work=isinstance(error, WrongWorkError),
        is_refused=isinstance(error, RequestError),
    )


def _is_users(error: BaseException | None) -> bool:
    """Return whether it is an exception of other code than Feedbench's, or is caused by one."""
    while isinstance(error, FeedbenchError):
        error = error.__cause__
    return error is not None


def _of_pipeline(request: Request, say: Say, reaper: int | None) -> None:
    """Do what the request asks of a pipeline. Raises whatever the pipeline raises."""
    spec = catalog.spec_of(request.label, request.spec)
    seal = Seal()  # before a user's code is imported
    pipeline = catalog.load(dataclasses.replace(spec, link=request.link))
    if request.purpose == "check":
        if request.form is not None:
            _refuse(pipeline, request.form)
        say(Built(prepares=isinstance(pipeline, Preparing)))
        return
    workload = request.asked(read_workload(Path(request.workload)))
    if request.purpose == "prepare":
        assert isinstance(pipeline, Preparing)
        given, store = request.given(workload), Store(Path(request.prepared))
        preparation_task.obtain(pipeline, spec, workload, given, store, say)
        return
    if request.purpose == "train":
        say(training_task.train(pipeline, request, workload, say))
        return
    trial = FeedingTrial(cut_off(pipeline, request.until), workload, say, reaper=reaper)
    try:
        say(_result(trial, pipeline, request, seal))
    except Exception as error:
        if isinstance(error, WrongWorkError) and lost.WORKERS:
            workers = " and ".join(lost.WORKERS)
            lost.end_without(f"{error.sentence}; tf.data service lost the worker {workers}")
        if not trial.earlier_caches:
            raise
        kind = type(error) if isinstance(error, FeedbenchError) else FeedbenchError
        sentence = _clause(error, request)
        raise kind(sentence, hint=fixed_paths.explained(trial.earlier_caches)) from error


def _refuse(pipeline: Pipeline, form: Form) -> None:
    """Raise RequestError if the pipeline cannot deliver this form, or cannot run here."""
    refuse = getattr(pipeline, "refuse", None)
    if refuse is not None:
        refuse(form.fit, form.size, form.augmentation)


def _result(trial: FeedingTrial, pipeline: Pipeline, request: Request, seal: Seal) -> Result:
    """Run the phases that the request asks for, and return what they found."""
    with warnings.catch_warnings(record=True) as caught:
        # A loader that warns at every image must not pay for recording every warning.
        warnings.simplefilter("ignore")
        warnings.simplefilter("default", UserWarning)
        if request.purpose == "verify":
            return _verified(trial, request)
        if request.purpose == "show":
            return _collected(trial, request)
        if request.purpose == "trace":
            return Traced(profile=trial.trace(request))
        measured = _measured(trial, request, seal)
    return Measured(measurement=_with_remarks(measured, pipeline, caught))


def _verified(trial: FeedingTrial, request: Request) -> Verified:
    """Compare two epochs with the references; nothing is timed."""
    references = Path(request.references)
    sheet = Path(request.sheet) if request.sheet else None
    feed = trial.open(request).feed
    return Verified(proof=proof_task.prove(feed, trial.workload, references, sheet, trial.say))


def _collected(trial: FeedingTrial, request: Request) -> Collected:
    """Collect images for a picture; nothing is timed."""
    feed = trial.open(request).feed
    if request.same_image:
        delivered = pictures_task.same_image(feed, trial.workload, request.same_image)
    else:
        delivered = pictures_task.first_images(feed, trial.workload)
    delivered.write(Path(request.pictures))
    return Collected(images=len(delivered.labels))


def _measured(trial: FeedingTrial, request: Request, seal: Seal) -> Measurement:
    """Run the phases that the request asks for."""
    if request.purpose == "pilot":
        return trial.pilot(request)
    if request.fed is not None:
        return trial.feed(request)
    if request.until:
        return trial.short(request)
    measured = trial.run(request)
    seal.check()
    if request.proof is not None:
        folder = Path(request.references)
        check_timed_part(trial.timed.kept.batches, trial.workload, folder, request.proof)
    return measured


def _clause(error: BaseException, request: Request) -> str:
    """Return an error as a clause, with its hint."""
    if isinstance(error, FeedbenchError):
        return _one_line("; ".join(filter(None, [error.sentence, error.hint])))
    source = None
    if request.spec:  # the references have none
        source = catalog.source_file(catalog.spec_of(request.label, request.spec))
    return _one_line(f"it raised {raised(error, source)}")


def _one_line(text: str) -> str:
    """Return a text as one line, of limited length, that any file can hold."""
    shown = " ".join(without_nodes(text).split())[:_LONGEST_SENTENCE]
    return without_controls(shown.encode("utf-8", "backslashreplace").decode())


def _with_remarks(
    measured: Measurement, pipeline: Pipeline, caught: list[warnings.WarningMessage]
) -> Measurement:
    """Add the knobs in effect, and the warnings, each sentence once."""
    in_effect = knobs.values(pipeline)
    remarks = []
    for warning in caught:
        if isinstance(warning.message, KnobOverruledWarning):
            in_effect[warning.message.knob] = warning.message.used
        remarks.append(_one_line(str(warning.message)))
    return msgspec.structs.replace(
        measured, knobs=in_effect, remarks=list(dict.fromkeys(remarks))[:_MOST_REMARKS]
    )
