"""The time budget of a run: how many images and blocks fit into it. Pure, given a clock."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.records.pace import USUAL, Pace
from feedbench.bench.records.windows import FEW_BATCHES, LEAST_BATCHES, LONGEST_EPOCH, STEADY_RUN
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS

PROCESS_SECONDS = 0.2  # to fork a trial, and to end it
PROBE_SECONDS = 0.15  # around a trial: the probe after one is mostly that before the next
CALIBRATION_SECONDS = 2.0  # of the probe
_DROPPED_BATCHES = 2  # of a turn, before its window
_READING_SECONDS = 0.02  # after a turn: the meters', and the process's that wakes up next
_RAMP_WINDOWS = 1  # that a rate usually takes to become steady
IMPORT_SECONDS = 8.0  # of TensorFlow, before anything can run; measured: 3 to 7
PILOT_SECONDS = 1.5  # that a pilot reads, about: its images are chosen so
# To compare an image with its references; to compute these takes what the slowest pipeline takes.
# 600 photos of flowers took 1.9 s and 1.8 s.
_COMPARE_SECONDS = 0.002
_COMPARED_EPOCHS = 2
# The share of the time that is kept for the diagnosis after the blocks; none of a short run.
_DIAGNOSTIC_SHARE, _DIAGNOSTIC_LEAST_SECONDS = 0.2, 60.0
REPORT_SECONDS = 3.0  # after the last block; measured: 1 to 2
# The shares that are kept for blocks that feed a model, for those on fewer cores, and for demand
# curves. Together they are at most the last: all become smaller in proportion.
_FEEDING_SHARE, _CORES_SHARE, _CURVE_SHARE, _MOST_SHARE = 0.35, 0.2, 0.25, 0.6
_ROUND = (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
WANTED_BLOCKS = 4  # that the number of images is chosen for


@dataclass(frozen=True)
class FeedingDeadlines:
    """When each kind of blocks that feed a model must end; None: at no time."""

    model: float | None = None
    cores: float | None = None
    curves: float | None = None


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The time and the blocks of a run. Moments are seconds of `clock`.

    The blocks end at the deadline. Then models are fed, the diagnosis has the seconds kept for it,
    and the report comes last. Verdicts need the first blocks, so these may use the kept seconds as
    well.
    """

    deadline: float | None = None  # None: no limit
    kept_seconds: float = 0.0
    feeding_seconds: float = 0.0  # after the deadline, before the diagnosis: of a model, ...
    core_seconds: float = 0.0  # ... on fewer cores
    curve_seconds: float = 0.0  # ... and of demand curves
    blocks: int | None = None  # exactly this many; None: until the intervals are narrow
    spare_blocks: int = 0  # at most, after these, while a pipeline was disturbed in some of them
    clock: Callable[[], float] = time.monotonic

    def deadline_after(self, whole_blocks: int) -> float | None:
        """Return when a block must end that follows this many completed ones."""
        if self.deadline is None:
            return None
        return self.deadline + (self.kept_seconds if whole_blocks < LEAST_BLOCKS else 0.0)

    def seconds_left(self, whole_blocks: int = LEAST_BLOCKS) -> float | None:
        """Return the seconds that are left for blocks after this many completed ones."""
        deadline = self.deadline_after(whole_blocks)
        return None if deadline is None else deadline - self.clock()

    @property
    def has_diagnosis(self) -> bool:
        """Whether there is time for the diagnosis after the blocks."""
        return self.deadline is None or self.kept_seconds > 0

    def diagnosis_deadline(self) -> float | None:
        """Return when a diagnosis that begins now must end: it has only the kept seconds."""
        if self.deadline is None:
            return None
        return min(self.deadline + self._fed_seconds, self.clock()) + self.kept_seconds

    @property
    def _fed_seconds(self) -> float:
        return self.feeding_seconds + self.core_seconds + self.curve_seconds

    def with_feeding(self, seconds: float) -> Budget:
        """Return the budget with this many seconds for a model, if the main blocks can spare them.

        What is kept for a model does not become less, and at most the largest share of the time
        that is left is moved.
        """
        if self.deadline is None:
            return self
        left = self.deadline - self.clock() + self.feeding_seconds
        moved = min(seconds, _MOST_SHARE * left) - self.feeding_seconds
        if moved <= 0:
            return self
        return replace(
            self, deadline=self.deadline - moved, feeding_seconds=self.feeding_seconds + moved
        )

    def feeding_deadlines(self) -> FeedingDeadlines:
        """Return when the blocks that feed a model must end.

        It is asked for when the main blocks have ended. Time that they left is theirs.
        """
        if self.deadline is None:
            return FeedingDeadlines()
        begun = max(self.deadline, self.clock())
        latest = self.deadline + self._fed_seconds + self.kept_seconds
        ends = accumulate((self.feeding_seconds, self.core_seconds, self.curve_seconds))
        return FeedingDeadlines(*(min(begun + end, latest) for end in ends))


def budget_of(
    options: RunOptions, clock: Callable[[], float] = time.monotonic, *, used: float = 0.0
) -> Budget:
    """Return the budget of a run that began at `options.begun` on this clock.

    `used` are the seconds before an extension: what is kept is a share of those that it added.
    """
    seconds = None if options.seconds is None else max(options.seconds - used, 0.0)
    kept = diagnostic_seconds(seconds) if options.trace else 0.0
    fed, cores, curves = (share * (seconds or 0.0) for share in _feeding_shares(options))
    deadline = None
    if options.seconds is not None:
        after = REPORT_SECONDS + kept + fed + cores + curves
        deadline = options.begun + options.seconds - after
    return Budget(
        deadline=deadline,
        kept_seconds=kept,
        feeding_seconds=fed,
        core_seconds=cores,
        curve_seconds=curves,
        blocks=options.blocks,
        spare_blocks=options.spare_blocks,
        clock=clock,
    )


def _feeding_shares(options: RunOptions) -> tuple[float, float, float]:
    """Return the shares of the time for a model, for fewer cores, and for demand curves."""
    wanted = (
        _FEEDING_SHARE * options.feeds,
        _CORES_SHARE * options.cores_needed,
        _CURVE_SHARE * options.demand,
    )
    smaller = min(1.0, _MOST_SHARE / (sum(wanted) or 1.0))
    fed, cores, curves = (share * smaller for share in wanted)
    return fed, cores, curves


@dataclass(frozen=True)
class Cost:
    """What a pipeline costs, roughly."""

    image_seconds: float
    start_seconds: float = 0.5  # before the first image: open, and what it imports
    continuous: bool = True  # else restarted: its windows are whole epochs
    prepare_seconds: float = 0.0  # an image, once


def trial_seconds(cost: Cost, images: int, batch_size: int, pace: Pace = USUAL) -> float:
    """Return about how long a trial takes: first epoch, a restarted one, windows, and turns.

    Of the turns, as few as a block has at least.
    """
    epoch = images * cost.image_seconds
    batch = min(batch_size, images) * cost.image_seconds
    if not pace.rounds:
        least, long, turns = pace.least_seconds, pace.long_seconds, 0.0
    else:
        least, long = pace.ramp_seconds, pace.long_seconds
        turns = pace.least_rounds * turn_seconds(cost, images, batch_size, pace)
    window = min(max(least, LEAST_BATCHES * batch), max(long, FEW_BATCHES * batch))
    restarted = max(epoch, pace.restart_seconds)
    windows = STEADY_RUN + _RAMP_WINDOWS
    if not cost.continuous and pace.rounds and epoch <= LONGEST_EPOCH:
        window, windows, restarted = max(window, restarted), 1, 0.0
    elif not cost.continuous:
        window, restarted = max(window, epoch), 0.0
    return PROCESS_SECONDS + cost.start_seconds + epoch + restarted + windows * window + turns


def turn_seconds(cost: Cost, images: int, batch_size: int, pace: Pace = USUAL) -> float:
    """Return about how long a turn takes: dropped batches, a window, and the readings after it."""
    batch = min(batch_size, images) * cost.image_seconds
    window = min(
        max(pace.turn_seconds, LEAST_BATCHES * batch),
        max(pace.long_turn_seconds, FEW_BATCHES * batch),
    )
    if not cost.continuous:
        window = max(window, images * cost.image_seconds)
    return window + max(pace.settle_seconds, _DROPPED_BATCHES * batch) + _READING_SECONDS


def block_seconds(costs: Sequence[Cost], images: int, batch_size: int, pace: Pace = USUAL) -> float:
    """Return about how long a block takes; the first pipeline, the baseline, runs twice."""
    each = [PROBE_SECONDS + trial_seconds(cost, images, batch_size, pace) for cost in costs]
    return sum(each) + each[0]


def verify_seconds(costs: Sequence[Cost], images: int) -> float:
    """Return about how long the proof of equal work takes."""
    comparing = sum(
        PROCESS_SECONDS
        + cost.start_seconds
        + images * (_COMPARED_EPOCHS * cost.image_seconds + _COMPARE_SECONDS)
        for cost in costs
    )
    references = PROCESS_SECONDS + images * max(cost.image_seconds for cost in costs)
    return comparing + references


def images_that_fit(
    costs: Sequence[Cost],
    seconds: float,
    *,
    blocks: int,
    most: int,
    least: int,
    batch_size: int,
    pace: Pace = USUAL,
) -> int:
    """Return the most images that `seconds` suffice to prepare, verify, and measure in `blocks`.

    Return `least` if not even those fit: fewer are not worth measuring.
    """
    low, high = min(least, most), most
    while low < high:
        middle = math.ceil((low + high) / 2)
        before = middle * sum(cost.prepare_seconds for cost in costs)
        before += verify_seconds(costs, middle)
        if before + blocks * block_seconds(costs, middle, batch_size, pace) <= seconds:
            low = middle
        else:
            high = middle - 1
    return low


def rounded(images: int, least: int) -> int:
    """Return the next round number of images below, such as 2,500 for 2,963; `least` at least.

    Each run's time allows a few images more or fewer. A round number makes the next run use the
    same images, and reuse what was prepared from them.
    """
    decade = 10 ** max(len(str(images)) - 1, 0)
    fitting = [int(step * decade) for step in _ROUND if step * decade <= images]
    return max(fitting[-1], least)


def least_images(batch_size: int, classes: int, most: int) -> int:
    """Return the fewest images that are worth measuring: two batches, and every class."""
    return min(max(2 * batch_size, classes), most)


def diagnostic_seconds(seconds: float | None) -> float:
    """Return how many of these seconds are kept for the diagnosis after the blocks."""
    if seconds is None or seconds < _DIAGNOSTIC_LEAST_SECONDS:
        return 0.0
    return _DIAGNOSTIC_SHARE * seconds


def pilots_seconds(pipelines: int, cost: Cost) -> float:
    """Return about how long the pilots take."""
    return pipelines * (PILOT_SECONDS + PROCESS_SECONDS + cost.start_seconds)


def before_blocks_seconds(pipelines: int, cost: Cost) -> float:
    """Return about how long everything before the first block takes, and the report."""
    verifying = verify_seconds([cost] * pipelines, 0)
    fixed = IMPORT_SECONDS + CALIBRATION_SECONDS + REPORT_SECONDS
    return fixed + pilots_seconds(pipelines, cost) + verifying
