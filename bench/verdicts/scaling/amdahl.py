"""Amdahl's law, fitted to the time that an image takes on several numbers of cores. Pure.

Amdahl (1967), "Validity of the single processor approach to achieving large scale computing
capabilities", AFIPS 30: a part of the work is done in sequence, and the rest can be spread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

LEAST_POINTS = 2  # for a fit: it has two parameters


@dataclass(frozen=True)
class Amdahl:
    """n workers take serial + spread / n seconds for an image.

    Of a fit, the serial part may be below zero by chance. It is not kept from that: both parts are
    then linear in the measured seconds, so that the mean over blocks of a prediction is not biased,
    and its interval is as wide where all work can be spread as elsewhere.
    """

    serial: float
    spread: float

    def seconds(self, workers: float) -> float:
        """Return the seconds for an image."""
        return self.serial + self.spread / workers

    def misfit(self, seconds: Mapping[int, float]) -> float | None:
        """Return the largest difference from measured seconds, as a share of them.

        None for LEAST_POINTS: any two points fit.
        """
        if len(seconds) <= LEAST_POINTS:
            return None
        return max(abs(self.seconds(n) / measured - 1) for n, measured in seconds.items())


def amdahl(seconds: Mapping[int, float]) -> Amdahl:
    """Return the law with the least sum of squared relative errors.

    `seconds` an image, by the number of workers; at least LEAST_POINTS of them.
    """
    workers, measured = np.array([*seconds], float), np.array([*seconds.values()])
    shares = np.column_stack([1 / measured, 1 / (workers * measured)])  # of the measured seconds
    serial, spread = np.linalg.lstsq(shares, np.ones(len(measured)), rcond=None)[0]
    return Amdahl(float(serial), float(spread))
