"""Simulated sittings of pipelines that take turns within a block, or that run one by one.

A block opens a process for each pipeline, the baseline's second copy among them. In a rotation they
then take turns of half a second in random order, round after round. One by one, each is opened and
timed for as many seconds in one piece, between two probes of the machine. Both are timed on the
same machine. The log rate of a turn or a piece is the sum of

- the pipeline's own, the same for all until `faster` makes the other's larger;
- an effect of its process, the same for all of its turns in the block;
- noise of the turn, normal or heavy-tailed (Student's t with 4 degrees of freedom);
- the machine's speed in that time. It wanders (its memory lasts 10 s), and is disturbed for a share
  of the time. A disturbance lasts 0.1, 1, 10 or 60 s on average, and slows whoever runs then by a
  factor between 1.2 and 5: a long one slows whole rounds, a short one a turn or a part of it.

The probes see every disturbance that they meet. A trial beside one is repeated at the end of its
block, and left out where that one is flagged too. Other than in real runs, no trial waits for calm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tests.studies.decision_rules.machines import TRIALS, Array

TURN_SECONDS = 0.5
OPEN_SECONDS = 3.0  # before a piece begins
MEMORY_SECONDS = 10.0  # of the machine's wandering speed
SHORTEST = 0.1  # seconds of a disturbance
LEAST_SLOWED, MOST_SLOWED = 1.2, 5.0

Speeds = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Bustle:
    """How noisy the pipelines and the machine are. Standard deviations are of log rates."""

    within: float  # of a turn
    between: float  # of a process
    heavy: bool = False  # the noise of turns
    wander: float = 0.02  # of the machine's speed
    disturbed: float = 0.0  # share of the time
    lasting: tuple[float, ...] = (0.1, 1.0, 10.0, 60.0)  # seconds on average, each as often
    pipelines: int = TRIALS  # in a block, the control included
    rounds: int = 10  # of a block; a piece takes as long as all turns of a pipeline


def rotated(bustle: Bustle, blocks: int, sittings: int, rng: np.random.Generator) -> Array:
    """Return log rates [sittings, blocks, rounds, trials]."""
    turns = bustle.rounds * bustle.pipelines
    number = sittings * blocks
    halves = _speeds(bustle, number, 2 * turns, TURN_SECONDS / 2, rng)
    speeds = np.log(halves.reshape(number, bustle.rounds, bustle.pipelines, 2).mean(axis=-1))
    order = rng.random((number, bustle.rounds, bustle.pipelines), dtype=np.float32).argsort(axis=-1)
    logs = np.take_along_axis(speeds, order[..., :TRIALS], -1)
    logs += bustle.within * _noise(bustle, logs.shape, rng)
    logs += bustle.between * rng.standard_normal((number, 1, TRIALS))
    return np.asarray(logs.reshape(sittings, blocks, bustle.rounds, TRIALS))


def one_by_one(bustle: Bustle, blocks: int, sittings: int, rng: np.random.Generator) -> Array:
    """Return log rates [sittings, blocks, trials]; NaN where a trial was left out."""
    number = sittings * blocks
    opening = round(OPEN_SECONDS / TURN_SECONDS)
    slot = 1 + opening + bustle.rounds + 1  # with the probes
    # Each pipeline's slot, and as many again for repeated trials.
    slots = 2 * bustle.pipelines
    speeds = _speeds(bustle, number, slots * slot, TURN_SECONDS, rng, with_wander=False)
    wander = _wander(bustle, number, slots * slot, TURN_SECONDS, rng)
    split = (number, slots, slot)
    flags = speeds.reshape(split)[:, :, [0, -1]].min(axis=-1) < 1
    logs = np.log((speeds * wander).reshape(split)[:, :, 1 + opening : -1].mean(axis=-1))
    order = rng.random((number, bustle.pipelines)).argsort(axis=-1)[:, :TRIALS]
    first, again = (
        np.where(np.take_along_axis(flags, place, -1), np.nan, np.take_along_axis(logs, place, -1))
        for place in (order, order + bustle.pipelines)
    )
    kept = np.where(np.isnan(first), again, first).astype(float)
    own = bustle.within / math.sqrt(bustle.rounds) * rng.standard_normal(kept.shape)
    kept += own + bustle.between * rng.standard_normal(kept.shape)
    return np.asarray(kept.reshape(sittings, blocks, TRIALS))


def _noise(bustle: Bustle, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    if bustle.heavy:
        return rng.standard_t(4, shape) / math.sqrt(2)
    return rng.standard_normal(shape)


def _speeds(
    bustle: Bustle,
    number: int,
    steps: int,
    seconds: float,
    rng: np.random.Generator,
    *,
    with_wander: bool = True,
) -> Speeds:
    """Return the machine's speed in `number` blocks of so many steps of so many seconds."""
    speeds = np.ones((number, steps), np.float32)
    share = bustle.disturbed / len(bustle.lasting)
    for lasting in bustle.lasting if share else ():
        if lasting <= SHORTEST:
            parts = round(seconds / lasting)
            hit = rng.binomial(parts, share, speeds.shape).astype(np.float32) / parts
            speeds *= 1 - hit * (1 - _slowed(speeds.shape, rng))
        else:
            speeds *= _slow_spells(share, lasting / seconds, speeds.shape, rng)
    return speeds * _wander(bustle, number, steps, seconds, rng) if with_wander else speeds


def _slow_spells(
    share: float, steps: float, shape: tuple[int, int], rng: np.random.Generator
) -> Speeds:
    """Return speeds with spells of so many steps on average, each slowed by its own factor."""
    speeds = np.empty(shape, np.float32)
    leave = 1 / steps
    enter = leave * share / (1 - share)
    spell = np.where(rng.random(shape[0]) < share, _slowed(shape[:1], rng), np.float32(1))
    for step in range(shape[1]):
        speeds[:, step] = spell
        luck = rng.random(shape[0], dtype=np.float32)
        slow = spell < 1
        begins = ~slow & (luck < enter)
        spell[slow & (luck < leave)] = 1
        spell[begins] = _slowed((int(begins.sum()),), rng)
    return speeds


def _slowed(shape: tuple[int, ...], rng: np.random.Generator) -> Speeds:
    """Return what is left of the speed: 1 / a factor, whose log is uniform."""
    low, high = math.log(LEAST_SLOWED), math.log(MOST_SLOWED)
    return np.asarray(np.exp(-low - (high - low) * rng.random(shape, dtype=np.float32)))


def _wander(
    bustle: Bustle, number: int, steps: int, seconds: float, rng: np.random.Generator
) -> Speeds:
    """Return an autoregression around 1."""
    keep = math.exp(-seconds / MEMORY_SECONDS)
    logs = rng.standard_normal((number, steps), dtype=np.float32)
    for step in range(1, steps):
        logs[:, step] = keep * logs[:, step - 1] + math.sqrt(1 - keep**2) * logs[:, step]
    return np.asarray(np.exp(bustle.wander * logs))
