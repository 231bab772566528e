"""How calm the machine was, and what would help, in one sentence. Pure."""

from __future__ import annotations

from feedbench.bench.others import MOST_SHARE
from feedbench.bench.results import Calm
from feedbench.bench.say import counted, duration

_MOSTLY = 0.1  # a share of disturbed trials up to which a machine is mostly calm
_FAR_OVER = 1.15  # a share of the good level that a good level would not leave room for
_TELLING = 0.01  # a share of the trials' time from which a kernel's counter explains something


def sentence(calm: Calm | None) -> str | None:
    """Return the sentence; None where the machine was not probed."""
    if calm is None or not calm.attempts:
        return None
    trials = counted(calm.attempts, "trial")
    lowest = (
        f"the lowest probe hashed at {calm.lowest.hashed:.2f} and copied at"
        f" {calm.lowest.copied:.2f} of the good level"
    )
    if calm.others is not None and calm.others > MOST_SHARE:
        lowest += f"; other programs took up to {calm.others:.0%} of the cores"
    if calm.middle.hashed > _FAR_OVER:
        return (
            "The machine was disturbed when it was calibrated: half of the later probes hashed at"
            f" {calm.middle.hashed:.2f} of that level or more, so that disturbances went unseen;"
            " what would help: measuring again when other programs have ended."
        )
    if not calm.disturbed:
        return f"The machine was calm: none of {trials} was disturbed; {lowest}."
    retaken = f", and {calm.retaken} taken again" if calm.retaken else ""
    how = "mostly calm" if calm.disturbed <= _MOSTLY * calm.attempts else "not calm"
    found = (
        f"The machine was {how}: {calm.disturbed} of {trials} were disturbed and left"
        f" out{retaken}; {lowest}"
    )
    if how == "mostly calm":
        return f"{found}."
    return f"{found}; what would help: {_help(calm)}."


def _help(calm: Calm) -> str:
    """Return what would help, by what the kernel counted."""
    seconds = sum(block.seconds for block in calm.blocks)
    throttled = sum(block.throttled_seconds or 0.0 for block in calm.blocks)
    stolen = sum(block.stolen_seconds or 0.0 for block in calm.blocks)
    if throttled > _TELLING * seconds:
        return f"a larger CPU quota (the cgroup's was used up for {duration(throttled)})"
    if stolen > _TELLING * seconds:
        return f"a machine without neighbours (its hypervisor took {duration(stolen)} of CPU time)"
    if calm.others is not None and calm.others > MOST_SHARE:
        return "ending other programs, or more --time"
    return "ending other programs, a machine without neighbours, or more --time"
