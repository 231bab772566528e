"""The story of a run, a line of stages; each takes what the one before it returned.

    with_images     the images of record files, as files           images_source.py  -> RunOptions
    make_plan       the request, and the list of images            plan.py           -> Plan
    choose_images   as many as the time allows, without bad ones   choose_images.py  -> Images
    run_pilots      a short trial of each pipeline                 pilots.py         -> Piloted
    begin           the run's first record; a resumption           before_blocks.py  -> Begun
                    (begin_again) enters here
    try_model       a real model over a batch that is ready        feeding/stage.py -> Run
    prepare         the files that pipelines write in advance      before_blocks.py  -> Run
    prove           all deliver the same images                    before_blocks.py  -> Run
    measure         the blocks                                     measuring         -> Stopped
    feed_model      whether a model waits for its input            feeding/stage.py
    explain         why pipelines are as fast as they are          why/diagnostics.py
    finish          the final record                               keeper.py         -> RunRecord

To add a stage, write another function from a Run to a Run and call it at its place in this line.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from msgspec.structs import replace

from feedbench.bench.machine.monitor import Monitor, level_kept
from feedbench.bench.options.addition import Addition
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.records.run import RunRecord, Stopped
from feedbench.bench.records.storage import is_preparing
from feedbench.bench.run.before_blocks import Run, begin, begin_again, prepare, prove, start
from feedbench.bench.run.choose_images import choose_images, read_images
from feedbench.bench.run.feeding.stage import feed_model, try_model
from feedbench.bench.run.images_source import images_kept, with_images
from feedbench.bench.run.measuring.blocks import Blocks, longest_block_seconds
from feedbench.bench.run.pilots import run_pilots
from feedbench.bench.run.plan import make_plan, refuse_request
from feedbench.bench.run.resuming import past as resumption
from feedbench.bench.run.resuming.basis import locked
from feedbench.bench.run.resuming.past import Past
from feedbench.bench.run.resuming.preparing import asked_before, begin_preparing
from feedbench.bench.run.workplace import Workplace, workplace
from feedbench.bench.why.advice import advice_of
from feedbench.bench.why.diagnostics import Diagnostics
from feedbench.pipelines import catalog
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.remote.address import Address
from feedbench.pipelines.system.signals import Gate


def perform(options: RunOptions, listener: Listener) -> RunRecord:
    """Measure what the options ask for, and return the run's record; its folder is complete then.

    Raises RequestError if the request is wrong, and leaves nothing on disk. So does a
    KeyboardInterrupt before the first block. A later one ends the run, whose record then has the
    status "interrupted".
    """
    refuse_request(options)
    with with_images(options, listener) as located:
        return _perform(located, listener, options, RunFolder(options.out))


def _perform(
    options: RunOptions, listener: Listener, asked: RunOptions, folder: RunFolder
) -> RunRecord:
    """Measure what the options ask for; their folder holds the images.

    `asked` is the request itself: of record files, the images may be elsewhere the next time.
    """
    plan = make_plan(options, listener)
    machine = Monitor(pace=options.pace)
    with (
        Gate() as gate,
        workplace(options, plan.specs, plan.other, machine, listener) as work,
        ExitStack() as held,
    ):
        plan = plan.with_import(work.import_seconds).for_pilots(listener)
        folder.create()
        with folder.discarded_on_error():
            begin_preparing(folder.path, asked, plan.other, plan.interpreters)
            held.enter_context(locked(folder.path))
            images = choose_images(plan, work)
            piloted = run_pilots(plan, images, folder, work)
            begun = begin(piloted, folder)
            held.enter_context(locked(folder.path))
            prepared = prepare(try_model(start(begun, work), work), work)
            proven = prove(prepared, work)
        return measure_and_finish(proven, work, gate)


def resume(
    path: Path,
    listener: Listener,
    *,
    debug: bool = False,
    addition: Addition | None = None,
    trust: bool = False,
) -> RunRecord:
    """Resume a run whose process was killed or interrupted, and return its record.

    With an addition, measure that many more blocks, or that much longer; the run may be complete.
    `debug` is as in RunOptions, and not as the run had it. With `trust`, a run that was not made
    here may name code of a user.

    Raises RequestError if that is impossible, and leaves the folder as it was. An unfinished block
    is repeated: trials of one block belong together in time. A run that ended before its first
    block starts anew.
    """
    if is_preparing(path):
        asked = asked_before(path, debug=debug, addition=addition, trust=trust)
        folder = RunFolder(path, is_begun_again=True)
        with with_images(asked, listener) as located:
            return _perform(located, listener, asked, folder)
    with locked(path):
        past = resumption.read(path, debug=debug, addition=addition, trust=trust)
        if (stopped := resumption.why_complete(past)) is not None:
            words = stopped.clause(past.run.blocks)
            listener.note(f"Nothing is left to measure: {words}.")
            return resumption.complete(past, stopped)
        other, machine = past.run.against, machine_of(past)
        with (
            Gate() as gate,
            images_kept(past.options),
            workplace(past.options, past.specs, other, machine, listener) as work,
        ):
            listener.note(resumption.sentence(past))
            if (warning := resumption.warning(past)) is not None:
                listener.note(warning)
            begun = begin_again(past)
            read_images(begun.images, work)
            prepared = prepare(try_model(start(begun, work), work), work)
            proven = prove(prepared, work)
            return measure_and_finish(proven, work, gate)


def machine_of(past: Past) -> Monitor:
    """Return a monitor with the run's reference speed, measured before its first block.

    It is calibrated again only if no trial of a completed block recorded it.
    """
    probe_seconds = 0.0 if past.run.calm is None else past.run.calm.probe_seconds
    level = level_kept(trial.around for trial in past.kept)
    return Monitor(level=level, probe_seconds=probe_seconds, pace=past.options.pace)


def measure_and_finish(run: Run, work: Workplace, gate: Gate) -> RunRecord:
    """Run the blocks and the diagnosis; however they end, the record is on disk."""
    one_at_a_time = why_one_at_a_time(run.begun.options, work, run.lineup.specs.values())
    run.keeper.take_no_turns(one_at_a_time)
    blocks = Blocks(
        run.trials,
        run.lineup,
        run.begun.workload,
        run.begun.budget,
        seed=run.begun.options.seed,
        whole=run.begun.record.blocks,
        longest_seconds=longest_block_seconds(run.begun.records),
        one_at_a_time=one_at_a_time,
        pace=run.begun.options.pace,
    )
    stopped = Stopped.INTERRUPTED
    try:
        stopped = blocks.run(work.listener, run.keeper)
        if run.keeper.is_unchanged(blocks.whole):
            feed_model(run, blocks.lineup.labels, work)
            explain(run, blocks, stopped, work)
        gate.shut()
    except KeyboardInterrupt:
        gate.shut()
        return run.keeper.save("interrupted", blocks.whole, stopped)
    return run.keeper.save("complete", blocks.whole, stopped)


def why_one_at_a_time(options: RunOptions, work: Workplace, specs: Iterable[Spec]) -> str:
    """Return why trials take no turns, as a clause; "" if nothing is known against it."""
    if options.one_at_a_time:
        return "that was requested"
    if isinstance(options.folder, Address):
        return "a pipeline that is stopped would still receive what it asked its store for"
    if work.meters.have_gpu:
        return "a pipeline that is stopped would keep its part of the GPU's memory"
    for spec in specs:
        if catalog.is_elsewhere(spec):
            return f"the workers of {spec.label} are not this run's, and could not be stopped"
    return ""


def explain(run: Run, blocks: Blocks, stopped: Stopped, work: Workplace) -> None:
    """Find out why pipelines are as fast as they are, as far as the time allows."""
    options, budget, keeper = run.begun.options, run.begun.budget, run.keeper
    if keeper.run.extension is not None and keeper.run.diagnosis is not None:
        diagnosis = keeper.run.diagnosis
        keeper.keep_diagnosis(replace(diagnosis, advice=advice_of(keeper.run, diagnosis)))
        return
    if not (options.trace and budget.has_diagnosis and blocks.lineup.labels):
        return
    keeper.save(blocks=blocks.whole, stopped_because=stopped)
    keeper.folder.clear_traces()  # of a run that was killed among them
    specs = run.lineup.specs
    diagnostics = Diagnostics(
        run.trials, keeper, specs, run.begun.workload, work.scratch, work.listener
    )
    there = "" if keeper.run.against is None else keeper.run.against.python
    traced = [
        label
        for label in blocks.lineup.labels
        if label in keeper.labels and not (there and specs[label].python == there)
    ]
    if options.only_ceilings:
        traced = []
    diagnostics.run(traced, run.begun.images.paths, budget.diagnosis_deadline())
