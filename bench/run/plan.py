"""The first stage of a run: the request, checked as far as the list of files allows."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from feedbench.bench.images.decode_cost import decode_seconds
from feedbench.bench.machine.cores import usable_cores
from feedbench.bench.options.commands import gate_options
from feedbench.bench.options.run_options import DEFAULTS, RunOptions
from feedbench.bench.options.time_options import pace_for
from feedbench.bench.options.values import seconds as seconds_of
from feedbench.bench.processes.interpreters.interpreter import described, refuse_own_python
from feedbench.bench.processes.other_python import arms, look
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.run_folder import refuse_used
from feedbench.bench.records.conditions.environment import Other
from feedbench.bench.records.pace import Pace
from feedbench.bench.records.run import Dropped
from feedbench.bench.run import budget
from feedbench.bench.run.budget import Budget, Cost, budget_of
from feedbench.bench.run.forecast.candidates import (
    Candidate,
    Terms,
    most_promising,
    pilots_seconds_of,
    pilots_that_fit,
)
from feedbench.bench.run.images_source import list_images
from feedbench.bench.text import counted
from feedbench.pipelines import catalog
from feedbench.pipelines.built_in.tail_knobs import TailKnobs
from feedbench.pipelines.built_in.threaded.threads import Threads
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import Index
from feedbench.pipelines.peers.peer import Peer
from feedbench.pipelines.remote.address import Address
from feedbench.pipelines.remote.file_systems import refuse_missing

_ON_EVERY_CORE = (TailKnobs, Threads, Peer)
# A pipeline that decodes on one core takes about this multiple of what Pillow alone takes there.
_ONE_CORE_FACTOR = 1.5
_PROBED_FILES = 24
_STEP_SECONDS = 5  # to which the time that is advised is rounded up
_MOST_QUICK_SECONDS = 180.0  # of a quick run where a minute is too short


class TooShortError(RequestError):
    """The time of a run is too short for one block; `needed_seconds` is what it takes at least."""

    def __init__(self, sentence: str, *, hint: str, needed_seconds: int) -> None:
        super().__init__(sentence, hint=hint)
        self.needed_seconds = needed_seconds


@dataclass(frozen=True)
class Plan:
    """What a run will do."""

    options: RunOptions
    budget: Budget
    specs: Mapping[str, Spec]  # by label, the baseline first; with those of the other environment
    other: Other | None  # the other environment
    folder_images: Index  # all images of the folder
    guess: Cost  # of a pipeline that decodes on one core
    interpreters: tuple[Other, ...] = ()  # of single pipelines
    is_default: bool = False  # nobody named the pipelines
    dropped: tuple[Dropped, ...] = ()  # pipelines for which there is no time

    @property
    def pipelines(self) -> tuple[Spec, ...]:
        """The pipelines in order, without copies."""
        there = "" if self.other is None else self.other.python
        return tuple(
            spec
            for spec in self.specs.values()
            if not (spec.is_unaugmented or (there and spec.python == there))
        )

    def arms(self, specs: Iterable[Spec]) -> dict[str, Spec]:
        """Return pipelines by label, each with its copies."""
        return arms(specs, self.other, unaugmented=self.options.measures_unaugmented)

    @property
    def terms(self) -> Terms:
        """How much is measured of each pipeline, at least."""
        options, count = self.options, len(self.folder_images.files)
        images = options.limit if isinstance(options.limit, int) else count
        if options.limit is None:
            classes = len(self.folder_images.class_names)
            images = budget.least_images(options.batch_size, classes, count)
        return Terms(
            images=min(images, count),
            batch_size=options.batch_size,
            pace=options.pace,
            is_default=self.is_default,
        )

    def with_import(self, import_seconds: float) -> Plan:
        """Return the plan with the measured duration of TensorFlow's import."""
        if not self.options.fresh_interpreter:
            return self
        start_seconds = self.guess.start_seconds + import_seconds  # in each trial
        return replace(self, guess=replace(self.guess, start_seconds=start_seconds))

    def without(self, gone: Mapping[str, float | None]) -> Plan:
        """Return the plan without these pipelines, by label.

        The value is how many times slower each was in its pilot; None: it had none. Raises
        RequestError if this is a gate, which needs both.
        """
        if gone and self.options.tolerance is not None:
            raise RequestError(
                f"--time {self.options.seconds or 0.0:.0f}s is too short to measure both loaders",
                hint=_longer_gate(self.options),
            )
        texts = {catalog.parse(text).label: text for text in self.options.specs}
        kept = tuple(text for label, text in texts.items() if label not in gone)
        dropped = (
            Dropped(label=spec.label, spec=spec.text, times_slower=gone[spec.label])
            for spec in self.pipelines
            if spec.label in gone
        )
        return replace(
            self,
            options=replace(self.options, specs=kept),
            specs=self.arms(spec for spec in self.pipelines if spec.label not in gone),
            dropped=(*self.dropped, *dropped),
        )

    def for_pilots(self, listener: Listener) -> Plan:
        """Return the plan without the pipelines for whose pilots there is no time."""
        candidates = candidates_of(self, guessed_costs(self))
        plan = self.with_time_to_compare(candidates, listener, has_pilots=True)
        seconds_left = plan.budget.seconds_left(0)
        if seconds_left is None:
            return plan
        kept = pilots_that_fit(candidates, seconds_left, plan.terms)
        return plan.without({each.label: None for each in candidates if each not in kept})

    def with_time_to_compare(
        self, candidates: Sequence[Candidate], listener: Listener, *, has_pilots: bool = False
    ) -> Plan:
        """Return the plan; a quick one that cannot compare two pipelines gets more time.

        It can be so short on a slow or busy machine only. `has_pilots` says that these are to come.
        """
        options, seconds_left = self.options, self.budget.seconds_left(0)
        if not options.may_take_longer or seconds_left is None or options.seconds is None:
            return self
        pair = list(dict.fromkeys((candidates[0], most_promising(candidates))))
        if len(pair) < 2:  # noqa: PLR2004
            return self
        pilots = pilots_seconds_of(pair) if has_pilots else 0.0
        if pilots + self.terms.needed_seconds(pair, 1) <= seconds_left:
            return self
        needed = pilots + self.terms.needed_seconds(pair, 2)
        seconds = rounded_up(options.seconds - seconds_left + needed)
        if seconds > _MOST_QUICK_SECONDS:
            return self
        listener.note(
            "A minute is too short to compare two pipelines on this machine now: the run has"
            f" {seconds} s."
        )
        options = replace(options, seconds=float(seconds))
        return replace(self, options=options, budget=budget_of(options))


def make_plan(options: RunOptions, listener: Listener) -> Plan:
    """Return the plan of a run; writes nothing. Raises RequestError if the run is impossible."""
    specs = catalog.parse_all(options.specs)
    refuse_unsuitable(specs, options)
    if options.against is not None:
        refuse_own_python(specs, "with --against, each runs in both environments")
    other = None if options.against is None else look(options.against)
    interpreters = described(specs)
    index = noted(list_images(options, listener), options)
    refuse_label_mode(options, index)
    plan = Plan(
        options=options,
        budget=budget_of(options),
        specs=arms(specs, other, unaugmented=options.measures_unaugmented),
        other=other,
        folder_images=index,
        guess=guessed_cost(index, options),
        interpreters=interpreters,
        is_default=options.specs in DEFAULTS or bool(options.left_out_specs),
    )
    candidates = candidates_of(plan, guessed_costs(plan))
    plan = plan.with_time_to_compare(candidates, listener, has_pilots=True)
    refuse_too_short(plan)
    return plan


def refuse_request(options: RunOptions) -> tuple[Spec, ...]:
    """Return the pipelines. Raises RequestError for errors that take no time to find."""
    specs = catalog.parse_all(options.specs)
    refuse_used(options.out)
    return specs


def refuse_unsuitable(specs: Iterable[Spec], options: RunOptions) -> None:
    """Raise RequestError if a pipeline cannot read the images, deliver this form, or run here.

    What a store needs comes first: its extra brings what its pipelines need.
    """
    specs = tuple(specs)
    refuse_store(specs, options)
    _refuse_form(specs, options)


def _refuse_form(specs: Iterable[Spec], options: RunOptions) -> None:
    """Raise RequestError if a built-in pipeline cannot deliver this form, or cannot run here.

    One with a Python of its own is asked there.
    """
    for spec in specs:
        refuse = (
            None if spec.is_foreign or spec.python else getattr(catalog.load(spec), "refuse", None)
        )
        if refuse is None:
            continue
        try:
            refuse(options.fit, options.image_size, options.augmentation)
        except RequestError as error:
            sentence = f"--pipeline {spec.text}: {error.sentence}"
            raise RequestError(sentence, hint=error.hint) from None


def refuse_store(specs: Iterable[Spec], options: RunOptions) -> None:
    """Raise RequestError if the images are in a store that a pipeline cannot read."""
    if isinstance(options.folder, Address):
        refuse_missing(options.folder.scheme)
        for spec in specs:
            catalog.refuse_store(spec, options.folder.scheme)


def noted(index: Index, options: RunOptions) -> Index:
    """Return the index of a store with notes on what is different there; others as they are."""
    if not isinstance(options.folder, Address):
        return index
    scheme = options.folder.scheme
    notes = index.notes
    if gone := options.left_out_specs:
        text = (
            f"Of the default pipelines, these cannot read {scheme}://, because TensorFlow has no"
            f" file system for it or they read only files on this machine: {', '.join(gone)}."
        )
        notes = (text, *notes)
    text = (
        f"The photos are in a store, {scheme}://. --page-cache means nothing there: it applies only"
        " to files that pipelines wrote in advance."
    )
    return replace(index, notes=(text, *notes))


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


def guesses(specs: Iterable[Spec], one_core: Cost, cores: float | None = None) -> list[Cost]:
    """Return a guess for each pipeline.

    tf.data, threads and the loaders of other libraries decode on every core, others on one.
    """
    cores = usable_cores() if cores is None else cores
    spread = replace(one_core, image_seconds=one_core.image_seconds / max(cores, 1.0))
    return [
        spread
        if not spec.is_foreign and issubclass(catalog.class_of(spec), _ON_EVERY_CORE)
        else one_core
        for spec in specs
    ]


def guessed_costs(plan: Plan) -> dict[str, Cost]:
    """Return the guess for each pipeline, by label."""
    return dict(zip(plan.specs, guesses(plan.specs.values(), plan.guess), strict=True))


def candidates_of(plan: Plan, costs: Mapping[str, Cost]) -> tuple[Candidate, ...]:
    """Return the pipelines that have a cost, from the costs by label.

    A pipeline and its copy in another environment are one candidate.
    """
    candidates = []
    for spec in plan.pipelines:
        of_each = tuple(costs[label] for label in plan.arms([spec]) if label in costs)
        if of_each:
            has_cache = _has_cache(spec)
            candidates.append(Candidate(label=spec.label, costs=of_each, has_cache=has_cache))
    return tuple(candidates)


def _has_cache(spec: Spec) -> bool:
    """Return whether a built-in pipeline keeps images after the first epoch."""
    return not spec.is_foreign and getattr(catalog.load(spec), "cache", "none") != "none"


def refuse_too_short(plan: Plan) -> None:
    """Raise RequestError if the time is too short for a block of even one pipeline."""
    alone = most_promising(candidates_of(plan, guessed_costs(plan)))
    before = budget.before_blocks_seconds(len(alone.costs), alone.costs[0])
    refuse_no_block(plan, alone, before)


def refuse_no_block(plan: Plan, alone: Candidate, fixed_seconds: float) -> None:
    """Raise RequestError if there is no time for one block of one pipeline.

    `fixed_seconds` is what all but the block takes.
    """
    options, terms = plan.options, plan.terms
    given = options.seconds
    if given is None:
        return

    def needed_seconds(pace: Pace) -> float:
        block = budget.block_seconds(alone.costs, terms.images, terms.batch_size, pace)
        return fixed_seconds + block

    needed = needed_seconds(options.pace)
    if needed <= given:
        return
    if options.pace == pace_for(given) != pace_for(rounded_up(needed)):
        needed = needed_seconds(pace_for(rounded_up(needed)))
    least = rounded_up(needed)
    raise TooShortError(
        f"--time {given:.0f}s is too short for one block of {alone.label}: expected at least"
        f" {least}s",
        hint=_command(options, alone.label, least),
        needed_seconds=least,
    )


def rounded_up(seconds: float) -> int:
    """Return seconds as users are advised them, rounded up."""
    return _STEP_SECONDS * math.ceil(seconds / _STEP_SECONDS)


def _command(options: RunOptions, label: str, seconds: int) -> str:
    """Return a command that has time for a block: that of the user, with one pipeline."""
    if options.tolerance is not None:
        return _longer_gate(options)
    if options.command[1:2] != ("run",):  # as in pytest
        return f"--time {seconds}s is enough for {label} alone"
    kept = words_without(options.command[1:], ("-p", "--pipeline", "--time"), "--quick")
    (spec,) = (text for text in options.specs if catalog.parse(text).label == label)
    return shlex.join(["feedbench", *kept, "--time", f"{seconds}s", "-p", spec])


def _longer_gate(options: RunOptions) -> str:
    """Return a command of a gate that has time for both loaders: that of the user, by default."""
    usual = seconds_of("--time", gate_options.DEFAULTS["seconds"])
    if (options.seconds or 0.0) >= usual or options.command[1:2] != ("gate",):
        return "raise --time, or use fewer images with --limit"
    return shlex.join(["feedbench", *words_without(options.command[1:], ("--time",))])


def words_without(words: Sequence[str], options: Sequence[str], *flags: str) -> list[str]:
    """Return the words of a command without these options, their values, and these flags."""
    joined = tuple(each if each[1] != "-" else f"{each}=" for each in options)
    left, kept = list(words), list[str]()
    while left:
        word = left.pop(0)
        if word in options:
            del left[:1]
        elif word not in flags and not word.startswith(joined):
            kept.append(word)
    return kept
