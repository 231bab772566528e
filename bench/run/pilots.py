"""Before the blocks: which images are taken, and roughly what each pipeline costs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from feedbench.bench.machine import warming
from feedbench.bench.machine.cores import usable_cores
from feedbench.bench.processes.client import Processes, what_went_wrong
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.trials import Limit, Trials
from feedbench.bench.processes.workload_file import workload_of, write_workload
from feedbench.bench.records.messages import Built, Failed, Request, Start
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run import budget
from feedbench.bench.run.budget import Budget, Cost
from feedbench.bench.run.options import RunOptions
from feedbench.bench.text import counted
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS
from feedbench.pipelines import catalog
from feedbench.pipelines.built_in.tail_knobs import TailKnobs
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.contract import Preparing
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import Index, take

# A pipeline that decodes on one core takes about so many times what Pillow alone takes there.
_ONE_CORE_FACTOR = 1.5
_PROBED_FILES = 24
_PILOT_IMAGES = 256
_CHECK_LIMIT_SECONDS = 60.0  # for the import of somebody's loader
_PILOT_LIMIT_SECONDS = 20.0  # for a pilot to start, ...
_PILOT_PREPARE_SECONDS, _PILOT_PREPARE_SHARE = 3600.0, 1 / 3  # or of the time that is left
_PILOT_LIMIT_FACTOR = 4.0  # ... and then so many times what its images should take


def refuse_label_mode(options: RunOptions, index: Index) -> None:
    """Raise RequestError where the labels cannot be delivered in the mode that was asked for."""
    found = len(index.class_names)
    if options.label_mode == "binary" and found != 2:  # noqa: PLR2004 - that is what binary means
        raise RequestError(
            f"--label-mode binary: expected 2 classes; {index.folder} has"
            f" {counted(found, 'class', 'classes')}; take --label-mode int or categorical"
        )


def guessed_cost(index: Index, options: RunOptions) -> Cost:
    """Return what a pipeline would cost that decodes on one core, by a few of the files."""
    step = max(len(index.files) // _PROBED_FILES, 1)
    sample = index.paths[::step][:_PROBED_FILES]
    most_pixels = options.checks.most_pixels
    decoded = warming.decode_seconds(sample, options.image_size, most_pixels)
    return Cost(_ONE_CORE_FACTOR * decoded)


def guesses(specs: Iterable[Spec], one_core: Cost) -> list[Cost]:
    """Return a guess for each pipeline: those of tf.data decode on every core, others on one."""
    spread = dataclasses.replace(
        one_core, image_seconds=one_core.image_seconds / max(usable_cores(), 1.0)
    )
    return [
        spread
        if not spec.is_foreign and issubclass(catalog.built_in(spec.name), TailKnobs)
        else one_core
        for spec in specs
    ]


def refuse_too_short(options: RunOptions, index: Index, guess: Cost) -> None:
    """Raise RequestError where the time is too short for a single block."""
    count = len(options.specs) * (1 if options.against is None else 2)
    fixed = budget.before_blocks_seconds(count, guess)
    _refuse(options, index, [guess] * count, fixed, options.seconds)


def refuse_no_block(
    options: RunOptions, index: Index, costs: Sequence[Cost], left: float | None
) -> None:
    """Raise RequestError where, the pilots' costs now known, no block fits in what is left.

    `left` includes what is kept for the diagnosis: rather none than no block.
    """
    if left is not None:
        assert options.seconds is not None
        _refuse(options, index, costs, options.seconds - left, options.seconds)


def choose(
    options: RunOptions,
    index: Index,
    costs: Sequence[Cost],
    seconds: float | None,
    kept_seconds: float = 0.0,
) -> Index:
    """Return the images to take: what was asked for, else as many as `seconds` allow.

    `kept_seconds` more are there for a whole folder: nothing of it is extrapolated, which is worth
    more than to be told why.
    """
    count = len(index.files)
    if options.limit == "all" or (options.limit is None and seconds is None):
        return index
    if options.limit is not None:
        return take(index, options.limit, options.seed)
    assert seconds is not None
    least = budget.least_images(options.batch_size, len(index.class_names), count)

    def fitting(seconds: float) -> int:
        return budget.images_that_fit(
            costs,
            seconds,
            blocks=options.blocks or budget.WANTED_BLOCKS,
            most=count,
            least=least,
            batch_size=options.batch_size,
            pace=options.pace,
        )

    images = fitting(seconds)
    if images < count <= fitting(seconds + kept_seconds):
        return index
    return take(index, images if images == count else budget.rounded(images, least), options.seed)


def preparing_labels(
    processes: Mapping[str, Processes], specs: Iterable[Spec], scratch: Path
) -> set[str]:
    """Return the labels of the pipelines that have an offline part; `processes` by interpreter.

    Imports other people's, in a child each. Raises RequestError where one cannot be.
    """
    found = set()
    for spec in specs:
        if not spec.is_foreign:
            if issubclass(catalog.built_in(spec.name), Preparing):
                found.add(spec.label)
            continue
        request = Request(
            label=spec.label,
            spec=spec.text,
            purpose="check",
            workload="",
            prepared="",
            scratch=str(scratch),
        )
        start = Start(request=request, log=str(scratch / "check.log"))
        outcome = processes[spec.python].run(start, _CHECK_LIMIT_SECONDS)
        where = f" by {spec.python}" if spec.python else ""
        if isinstance(outcome.result, Failed):
            raise RequestError(f"--pipeline {spec.text}{where}: {outcome.result.sentence}")
        if wrong := what_went_wrong(outcome):
            raise RequestError(f"--pipeline {spec.text}: while it was imported{where}, {wrong}")
        if isinstance(outcome.result, Built) and outcome.result.prepares:
            found.add(spec.label)
    return found


def pilots(
    trials: Trials,
    specs: Mapping[str, Spec],
    options: RunOptions,
    index: Index,
    guess: Cost,
    scratch: Path,
    listener: Listener,
    preparing: Collection[str],
    time: Budget,
) -> dict[str, TrialRecord]:
    """Run a short trial of each pipeline over a few images and return the records by label.

    As few as should be read within seconds: a decoded cache delivers its first batch only after
    all of them. Those that are `preparing` write what they read of these images first. Raises
    RequestError where the time is up before the last.
    """
    fitting = int(budget.PILOT_SECONDS / guess.image_seconds)
    images = min(max(fitting, options.batch_size), _PILOT_IMAGES, len(index.files))
    part = take(index, images, options.seed)
    file = save_workload(options, part, len(index.files), scratch / "pilot.json")
    own = _PILOT_LIMIT_SECONDS + guess.start_seconds
    own += _PILOT_LIMIT_FACTOR * images * guess.image_seconds
    records = {}
    for label, spec in specs.items():
        left = time.seconds_left()
        most = own
        if label in preparing:  # somebody's preparation may take its time
            most += _PILOT_PREPARE_SECONDS if left is None else left * _PILOT_PREPARE_SHARE
        limit = Limit(most) if left is None or left > most else Limit(left, is_deadline=True)
        listener.trial_begins(0, label, left)
        records[label] = trials.run(spec, "pilot", file, limit)
        listener.trial_ended(records[label], left)
        if records[label].ended == "time up":
            raise RequestError(
                f"--time {options.seconds:.0f}s is too short: it was up in the pilot of {label},"
                " before the first block; give more time, or fewer pipelines"
            )
    return records


def cost_of(pilot: TrialRecord, guess: Cost) -> Cost:
    """Return the cost that a pilot has shown, its start spread over its images; else the guess."""
    measured = pilot.measured
    if measured is None or not measured.first_epoch_images:
        return guess
    image_seconds = measured.first_epoch_seconds / measured.first_epoch_images
    start_seconds = pilot.seconds - measured.first_epoch_seconds - measured.prepare_seconds
    prepare_seconds = measured.prepare_seconds / measured.first_epoch_images
    return Cost(image_seconds, max(start_seconds, 0.0), measured.continuous, prepare_seconds)


def save_workload(options: RunOptions, index: Index, folder_images: int, file: Path) -> Path:
    """Write the workload of an index to a file, and return the file."""
    workload = workload_of(
        index,
        folder_images=folder_images,
        image_size=options.image_size,
        channels=options.channels,
        batch_size=options.batch_size,
        dtype=options.dtype,
        value_range=options.value_range,
        label_mode=options.label_mode,
        seed=options.seed,
    )
    write_workload(workload, file)
    return file


def _refuse(
    options: RunOptions, index: Index, costs: Sequence[Cost], fixed: float, given: float | None
) -> None:
    if given is None or not costs:
        return
    count = len(index.files)
    images = options.limit if isinstance(options.limit, int) else None
    if options.limit == "all":
        images = count
    if images is None:
        images = budget.least_images(options.batch_size, len(index.class_names), count)
    images = min(images, count)
    block = budget.block_seconds(costs, images, options.batch_size, options.pace)
    if fixed + block <= given:
        return
    raise RequestError(
        f"--time {given:.0f}s is too short for one block of {len(costs)} pipelines:"
        f" expected at least {math.ceil(fixed + block)}s, and"
        f" {math.ceil(fixed + LEAST_BLOCKS * block)}s for the {LEAST_BLOCKS} blocks that verdicts"
        " need; give more time, or fewer pipelines"
    )
