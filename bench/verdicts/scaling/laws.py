"""Two laws of how a rate grows with the number of workers or cores, fitted to measured rates.

    Amdahl's law             X(n) = X1 n / (1 + s (n - 1))
    universal scalability    X(n) = X1 n / (1 + s (n - 1) + k n (n - 1))

s is contention, the share of the work that is done one after another. k is crosstalk, what each
pair costs to agree. Both are in N. J. Gunther, "A General Theory of Computational Scalability Based
on Rational Functions", 2008, arXiv:0808.1431. Amdahl's law is the second one with k = 0.

In n / X(n) = a + b (n - 1) + c n (n - 1), with a = 1 / X1, both are linear. So they are fitted by
least squares in a, b and c, none of them negative; errors are relative to the measured rates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

LawName = Literal["Amdahl", "USL"]

PARAMETERS: dict[LawName, int] = {"Amdahl": 2, "USL": 3}
"""The fewest counts that a law can be fitted to. With exactly so many, nothing checks it."""


@dataclass(frozen=True, kw_only=True)
class Law:
    """A fitted law. `one` is the rate of one worker or core, in images/s."""

    name: LawName
    one: float
    contention: float  # s
    crosstalk: float = 0.0  # k

    def rate(self, count: int) -> float:
        """Return the rate of so many workers or cores, in images/s."""
        lost = self.contention * (count - 1) + self.crosstalk * count * (count - 1)
        return self.one * count / (1 + lost)


def fitted(name: LawName, rates: Mapping[int, float]) -> Law | None:
    """Return the law that fits these rates best, in images/s by count.

    None if there are fewer counts than it has parameters.
    """
    if len(rates) < PARAMETERS[name]:
        return None
    import numpy as np
    from scipy.optimize import nnls  # takes half a second to import

    counts = np.array([*rates], float)
    per_count = np.array([*rates.values()], float) / counts
    columns = [np.ones_like(counts), counts - 1]
    if name == "USL":
        columns.append(counts * (counts - 1))
    parts, _ = nnls((np.stack(columns) * per_count).T, np.ones_like(counts))
    whole, contention, *crosstalk = map(float, parts)
    if whole <= 0 or contention > whole:  # more of them would be slower: no share is above 1
        return _flat(name, rates)
    return Law(
        name=name,
        one=1 / whole,
        contention=contention / whole,
        crosstalk=sum(crosstalk) / whole,
    )


def _flat(name: LawName, rates: Mapping[int, float]) -> Law:
    """Return the law in which all work is done one after another: one rate for every count."""
    measured = [*rates.values()]
    return Law(
        name=name,
        one=sum(rate * rate for rate in measured) / sum(measured),
        contention=1.0,
    )


def largest_error(law: Law, rates: Mapping[int, float]) -> float:
    """Return the largest distance of a measured rate from the law, as a share of the law's."""
    return max(abs(rate / law.rate(count) - 1) for count, rate in rates.items())
