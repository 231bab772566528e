"""Random interleaved blocks: one trial of each pipeline, in a fresh order each time. Pure."""

from __future__ import annotations

import random
from typing import Literal

Turn = tuple[str, Literal["main", "control"]]
"""A label, and whether it is the pipeline's own trial or the baseline's second one."""


def block_order(labels: tuple[str, ...], seed: int, block: int) -> tuple[Turn, ...]:
    """Return the trials of a block in order; the first label is the baseline, and runs twice.

    The order depends on the seed and the block's number alone, so that a run can be gone on with.
    """
    turns: list[Turn] = [(label, "main") for label in labels]
    turns.append((labels[0], "control"))
    # A string seeds by its digest: the same on every machine, and blocks have nothing in common.
    random.Random(f"{seed}/{block}").shuffle(turns)  # noqa: S311 - an order, not a secret
    return tuple(turns)
