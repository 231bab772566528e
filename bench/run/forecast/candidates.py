"""Which pipelines a run measures if there is no time for all of them. Pure.

The pipelines with the least chance to win are left out first: those that are slowest by their
pilots, or by a guess before these. The baseline and the most promising one stay to the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from feedbench.bench.records.pace import USUAL, Pace
from feedbench.bench.run.budget import Cost, block_seconds, pilots_seconds, verify_seconds

# A cache saves the reading and decoding of every epoch but the first. Photos of flowers came 15 to
# 40 times as fast from a cache in memory, and about 10 times from a file.
_CACHED_SHARE = 1 / 10
_FAR_SLOWER = 2.0  # times what an image of the most promising pipeline takes: it cannot win
_FEW_BLOCKS = 3  # for an interval that is of use


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A pipeline that may be measured, with its cost in each environment."""

    label: str
    costs: tuple[Cost, ...]  # one, or two with --against
    has_cache: bool = False

    @property
    def image_seconds(self) -> float:
        """What an image takes in the first epoch."""
        return min(cost.image_seconds for cost in self.costs)

    @property
    def later_seconds(self) -> float:
        """What an image may take in a later epoch, at best."""
        return self.image_seconds * (_CACHED_SHARE if self.has_cache else 1.0)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How much is measured of each pipeline."""

    images: int
    batch_size: int
    pace: Pace = USUAL
    is_default: bool = True  # nobody named the pipelines, so some may go for the sake of blocks

    def needed_seconds(self, candidates: Sequence[Candidate], blocks: int) -> float:
        """Return about how long it takes to prepare, to prove equal work, and to measure."""
        costs = _costs(candidates)
        preparing = self.images * sum(cost.prepare_seconds for cost in costs)
        block = block_seconds(costs, self.images, self.batch_size, self.pace)
        return preparing + verify_seconds(costs, self.images) + blocks * block


Fits = Callable[[Sequence[Candidate]], bool]


def lineup_that_fits(
    candidates: Sequence[Candidate], seconds: float, terms: Terms, *, blocks: int
) -> tuple[Candidate, ...]:
    """Return the candidates that `seconds` suffice for, in their order; the first is the baseline.

    Default pipelines that are far slower than the most promising one give way to the wanted
    `blocks`, and others to the few blocks of an interval. Pipelines that the user named give way to
    the first block only. If one block does not fit the baseline and the most promising one,
    the latter is returned alone, whether it fits or not.
    """

    def fits(count: int) -> Fits:
        return lambda kept: terms.needed_seconds(kept, count) <= seconds

    kept = tuple(candidates)
    if terms.is_default:
        most = _FAR_SLOWER * min(each.later_seconds for each in kept)
        kept = _until(kept, fits(blocks), lambda each: each.later_seconds > most)
        kept = _until(kept, fits(min(blocks, _FEW_BLOCKS)), lambda _: True)
    kept = _until(kept, fits(1), lambda _: True)
    return kept if fits(1)(kept) else (most_promising(kept),)


def pilots_that_fit(
    candidates: Sequence[Candidate], seconds: float, terms: Terms
) -> tuple[Candidate, ...]:
    """Return the candidates that are worth a pilot, in their order.

    After the pilots of all of these, `seconds` still suffice for a block of the baseline and the
    most promising one. If that is not so for these two, the latter is returned alone.
    """

    def fits(kept: Sequence[Candidate]) -> bool:
        pilots = pilots_seconds_of(kept)
        pair = list(dict.fromkeys((kept[0], most_promising(kept))))
        return pilots + terms.needed_seconds(pair, 1) <= seconds

    kept = _until(tuple(candidates), fits, lambda _: True)
    return kept if fits(kept) else (most_promising(kept),)


def pilots_seconds_of(candidates: Sequence[Candidate]) -> float:
    """Return about how long the pilots of these candidates take."""
    return sum(pilots_seconds(1, cost) for cost in _costs(candidates))


def most_promising(candidates: Sequence[Candidate]) -> Candidate:
    """Return the candidate that is fastest after its first epoch; of equals, the first."""
    return min(candidates, key=lambda each: each.later_seconds)


def times_slower(candidate: Candidate, kept: Sequence[Candidate]) -> float:
    """Return how many times slower a pilot was than the fastest of those that are kept."""
    return candidate.image_seconds / min(each.image_seconds for each in kept)


def _until(
    kept: tuple[Candidate, ...], fits: Fits, may_go: Callable[[Candidate], bool]
) -> tuple[Candidate, ...]:
    """Leave out the slowest of those that may go until the rest fits; of equals, the last."""
    stays = {kept[0].label, most_promising(kept).label}
    going = [each for each in kept if each.label not in stays and may_go(each)]
    going.sort(key=lambda each: each.later_seconds)  # stable
    while going and not fits(kept):
        gone = going.pop()
        kept = tuple(each for each in kept if each is not gone)
    return kept


def _costs(candidates: Sequence[Candidate]) -> list[Cost]:
    return [cost for each in candidates for cost in each.costs]
