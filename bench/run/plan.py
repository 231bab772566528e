"""The first stage of a run: the request, checked as far as the list of files allows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from feedbench.bench.images.decode_cost import decode_seconds
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.other_python import arms, look
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.run_folder import refuse_used
from feedbench.bench.records.conditions.environment import Other
from feedbench.bench.run import budget
from feedbench.bench.run.budget import Budget, Cost, budget_of
from feedbench.bench.run.images_source import list_images
from feedbench.bench.text import counted
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS
from feedbench.pipelines import catalog
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import Index

# A pipeline that decodes on one core takes about this multiple of what Pillow alone takes there.
_ONE_CORE_FACTOR = 1.5
_PROBED_FILES = 24


@dataclass(frozen=True)
class Plan:
    """What a run will do."""

    options: RunOptions
    budget: Budget
    specs: Mapping[str, Spec]  # by label, the baseline first; with those of the other environment
    other: Other | None  # the other environment
    folder_images: Index  # all images of the folder
    guess: Cost  # of a pipeline that decodes on one core

    def with_import(self, import_seconds: float) -> Plan:
        """Return the plan with the measured duration of TensorFlow's import."""
        if not self.options.fresh_interpreter:
            return self
        start_seconds = self.guess.start_seconds + import_seconds  # in each trial
        return replace(self, guess=replace(self.guess, start_seconds=start_seconds))


def make_plan(options: RunOptions, listener: Listener) -> Plan:
    """Return the plan of a run; writes nothing. Raises RequestError if the run is impossible."""
    specs = refuse_request(options)
    other = None if options.against is None else look(options.against)
    index = list_images(options, listener)
    refuse_label_mode(options, index)
    guess = guessed_cost(index, options)
    refuse_too_short(options, index, guess)
    return Plan(
        options=options,
        budget=budget_of(options),
        specs=arms(specs, other),
        other=other,
        folder_images=index,
        guess=guess,
    )


def refuse_request(options: RunOptions) -> tuple[Spec, ...]:
    """Return the pipelines. Raises RequestError for errors that take no time to find."""
    specs = catalog.parse_all(options.specs)
    refuse_used(options.out)
    return specs


def refuse_label_mode(options: RunOptions, index: Index) -> None:
    """Raise RequestError if the folder's labels do not suit the label mode."""
    classes = len(index.class_names)
    if options.label_mode == "binary" and classes != 2:  # noqa: PLR2004 - what binary means
        raise RequestError(
            f"--label-mode binary: expected 2 classes; {index.folder} has"
            f" {counted(classes, 'class', 'classes')}",
            hint="use --label-mode int or categorical",
        )


def guessed_cost(index: Index, options: RunOptions) -> Cost:
    """Return the cost of a pipeline that decodes on one core, estimated from a few files."""
    step = max(len(index.files) // _PROBED_FILES, 1)
    sample = index.paths[::step][:_PROBED_FILES]
    most_pixels = options.checks.most_pixels
    seconds = decode_seconds(sample, options.image_size, most_pixels)
    return Cost(_ONE_CORE_FACTOR * seconds)


def refuse_too_short(options: RunOptions, index: Index, guess: Cost) -> None:
    """Raise RequestError if the time is too short for a single block."""
    count = len(options.specs) * (1 if options.against is None else 2)
    fixed_seconds = budget.before_blocks_seconds(count, guess)
    _refuse(options, index, [guess] * count, fixed_seconds, options.seconds)


def refuse_no_block(
    options: RunOptions, index: Index, costs: Sequence[Cost], seconds_left: float | None
) -> None:
    """Raise RequestError if no block fits into the time left, by the pilots' costs.

    `seconds_left` includes the time kept for the diagnosis: a block matters more.
    """
    if seconds_left is not None:
        assert options.seconds is not None
        _refuse(options, index, costs, options.seconds - seconds_left, options.seconds)


def _refuse(
    options: RunOptions,
    index: Index,
    costs: Sequence[Cost],
    fixed_seconds: float,
    given_seconds: float | None,
) -> None:
    if given_seconds is None or not costs:
        return
    count = len(index.files)
    images = options.limit if isinstance(options.limit, int) else None
    if options.limit == "all":
        images = count
    if images is None:
        images = budget.least_images(options.batch_size, len(index.class_names), count)
    images = min(images, count)
    block_seconds = budget.block_seconds(costs, images, options.batch_size, options.pace)
    if fixed_seconds + block_seconds <= given_seconds:
        return
    raise RequestError(
        f"--time {given_seconds:.0f}s is too short for one block of {len(costs)} pipelines:"
        f" expected at least {math.ceil(fixed_seconds + block_seconds)}s, and"
        f" {math.ceil(fixed_seconds + LEAST_BLOCKS * block_seconds)}s for the {LEAST_BLOCKS}"
        " blocks that verdicts need",
        hint="raise --time, or use fewer pipelines",
    )
