"""Simulated machines: sittings whose true ratio is known, to try rules of decision on.

A sitting is a number of blocks, and a block one trial each of a baseline, of another pipeline and
of the baseline again (the control), in random order. A trial's log rate is the sum of

- the pipeline's own, which is the same for all until `faster` makes the other's larger;
- the machine's drift over the sitting, a slow random walk from trial to trial and a straight line:
  neighbouring trials have nearly the same, so that pairing takes most of it out;
- an effect of the block, the same for all of its trials;
- noise of the trial's own, normal or heavy-tailed (Student's t with 4 degrees of freedom), of the
  size that gives the log ratio of two trials of a block the stated standard deviation: the spread;
- where a trial is disturbed, the log of a factor between 0.5 and 0.95.

A probe flags a stated share of the disturbed trials, and a few of the others. Those that it misses
are any of them or, at its best, those that are slowed the least. What is flagged is left out, or
taken once more at the end of its block and left out if that is flagged too.

Each trial has several windows. They scatter around the trial's own rate, each like the one before,
and share all that is said above: they tell of one trial, and are no independent samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

TRIALS = 3  # of a block
BASELINE, OTHER, CONTROL = range(TRIALS)
WINDOWS = 5  # of a trial
WINDOW_SCATTER = 0.5  # a window around its trial, in spreads
WINDOW_MEMORY = 0.5  # correlation of neighbouring windows of a trial
WALK = 0.2  # the drift's step from trial to trial, in spreads
STEEPEST = 0.001  # the drift's straight line: at most so much from trial to trial, up or down
SLOWEST, FASTEST = 0.5, 0.95  # what a disturbed trial keeps of its rate


@dataclass(frozen=True)
class Machine:
    """How restless a machine is, and how well its probe sees that."""

    spread: float  # standard deviation of the log ratio of two undisturbed trials of a block
    heavy: bool = False
    between: float = 0.5  # standard deviation of the blocks' effects, in spreads
    disturbed: float = 0.0  # share of trials
    seen: float = 0.0  # share of the disturbed trials that the probe flags
    misses_mildest: bool = False  # else it misses any, however much they are slowed
    false_flags: float = 0.0  # share of the others that it flags
    retakes: bool = False


@dataclass(frozen=True)
class Sittings:
    """Log rates [sittings, blocks, trials, windows]; NaN where a trial was left out."""

    kept: Array
    taken: Array  # every first attempt, whatever the probe said

    @property
    def rates(self) -> Array:
        """Rates of trials [sittings, blocks, trials]: of windows that take equally long."""
        return _rates(self.kept)

    @property
    def all_rates(self) -> Array:
        """The same of every first attempt."""
        return _rates(self.taken)

    def faster(self, by: float) -> Sittings:
        """Return the same sittings, the other pipeline being faster by this share."""
        gain = np.zeros((TRIALS, 1))
        gain[OTHER] = math.log1p(by)
        return Sittings(self.kept + gain, self.taken + gain)


def simulate(machine: Machine, blocks: int, sittings: int, rng: np.random.Generator) -> Sittings:
    """Return sittings in which all pipelines are equal."""
    slots = 2 * TRIALS if machine.retakes else TRIALS
    block = machine.between * machine.spread * rng.standard_normal((sittings, blocks, 1))
    level = _drift(machine, (sittings, blocks, slots), rng) + block
    order = np.broadcast_to(np.arange(TRIALS), (sittings, blocks, TRIALS))
    place = rng.permuted(order, axis=-1)
    taken, flagged = _attempt(machine, np.take_along_axis(level, place, -1), rng)
    kept = np.where(flagged[..., np.newaxis], np.nan, taken)
    if machine.retakes:
        again, bad = _attempt(machine, np.take_along_axis(level, place + TRIALS, -1), rng)
        kept = np.where((flagged & ~bad)[..., np.newaxis], again, kept)
    return Sittings(kept, taken)


def probed(machine: Machine, seen: float, *, retakes: bool) -> Machine:
    """Return the machine with a fifth of its trials disturbed, and a probe that sees this share."""
    return replace(machine, disturbed=0.2, seen=seen, false_flags=0.01, retakes=retakes)


def _drift(machine: Machine, shape: tuple[int, int, int], rng: np.random.Generator) -> Array:
    sittings, blocks, slots = shape
    steps = WALK * machine.spread * rng.standard_normal((sittings, blocks * slots))
    slope = rng.uniform(-STEEPEST, STEEPEST, (sittings, 1))
    return np.cumsum(steps + slope, axis=1).reshape(shape)


def _attempt(machine: Machine, level: Array, rng: np.random.Generator) -> tuple[Array, Flags]:
    """Return the log rates of the windows of one trial at each level, and what the probe flags."""
    shape = level.shape
    noise = rng.standard_t(4, shape) / math.sqrt(2) if machine.heavy else rng.standard_normal(shape)
    hit = rng.random(shape) < machine.disturbed
    mild = rng.random(shape)
    slowed = np.where(hit, np.log(SLOWEST + (FASTEST - SLOWEST) * mild), 0.0)
    luck = rng.random(shape)
    seen = (mild if machine.misses_mildest else luck) < machine.seen
    flagged = np.where(hit, seen, luck < machine.false_flags)
    trial = level + _own_noise(machine.spread) * noise + slowed
    return trial[..., np.newaxis] + _windows(machine, shape, rng), flagged


def _own_noise(spread: float) -> float:
    """Return the deviation of a trial's own noise: what the drift leaves of the spread.

    Two of three places of a block are 4/3 apart on average, and the mean square of that is 2.
    """
    drift = 4 / 3 * (WALK * spread) ** 2 + 2 * STEEPEST**2 / 3
    return math.sqrt((spread**2 - drift) / 2)


def _windows(machine: Machine, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return how far each window is from its trial: an autoregression whose mean is taken out."""
    scatter = rng.standard_normal((*shape, WINDOWS))
    for window in range(1, WINDOWS):
        fresh = math.sqrt(1 - WINDOW_MEMORY**2) * scatter[..., window]
        scatter[..., window] = WINDOW_MEMORY * scatter[..., window - 1] + fresh
    scatter -= scatter.mean(axis=-1, keepdims=True)
    return WINDOW_SCATTER * machine.spread * scatter


def _rates(windows: Array) -> Array:
    return np.asarray(np.exp(windows).mean(axis=-1))
