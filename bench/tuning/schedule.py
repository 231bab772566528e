"""How the time of a tuning is divided between its rungs and the final run. Pure."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_SECONDS = 90.0
_TWO_RUNGS, _THREE_RUNGS = 480.0, 1200.0  # seconds from which there are so many rungs
_FINAL_SHARE, _LEAST_FINAL_SECONDS = 0.3, 35.0
# Of a rung: TensorFlow's import, the probe and the report; and of each candidate its pilot, its
# proof, its files, and a few blocks.
_FIXED_SECONDS, _CANDIDATE_SECONDS = 20.0, 22.0


@dataclass(frozen=True)
class Schedule:
    """Seconds of each run."""

    rungs: tuple[float, ...]
    final: float

    @property
    def most_candidates(self) -> int:
        """How many candidates the first rung has time for."""
        return max(int((self.rungs[0] - _FIXED_SECONDS) // _CANDIDATE_SECONDS), 2)


def schedule_of(seconds: float) -> Schedule:
    """Divide the time, at least LEAST_SECONDS: rungs have equal shares, the final run has 30 %.

    Fewer candidates in as much time are measured in more blocks, as in successive halving: Jamieson
    and Talwalkar (2016), "Non-stochastic best arm identification and hyperparameter optimization".
    """
    final = max(_FINAL_SHARE * seconds, _LEAST_FINAL_SECONDS)
    rungs = 1 + (seconds >= _TWO_RUNGS) + (seconds >= _THREE_RUNGS)
    return Schedule(tuple([(seconds - final) / rungs] * rungs), final)
