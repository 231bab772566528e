"""How calm the machine was, and what would help, in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from feedbench.bench.records.conditions.calm import BlockCalm, Calm
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.text import counted, digits, duration
from feedbench.bench.verdicts.control import control_ratios
from feedbench.reports.text.figures import MISSING, percent, shown
from feedbench.reports.text.titles import Title

_MOSTLY = 0.1  # a share of disturbed trials up to which a machine is mostly calm
_FAR_OVER = 1.15  # times the reference speed, beyond which that was measured too low
_NOTICED = 0.1  # seconds of waiting, from which they are reported
_TELLING = 0.01  # a share of the trials' time from which a kernel's counter explains something

_TITLES = (
    Title("block"),
    Title("hashing", "lowest probe"),
    Title("copying", "lowest probe"),
    Title("second copy", "to the baseline"),
    Title("stolen", "% of the time"),
    Title("throttled", "% of the time"),
    Title("CPU pressure", "% of the time"),
    Title("disk pressure", "% of the time"),
    Title("memory pressure", "% of the time"),
    Title("run delay", "% of the time"),
    Title("disturbed", is_words=True),
)
_COUNTERS = (
    "stolen",
    "throttled",
    "cpu_pressure",
    "io_pressure",
    "memory_pressure",
    "run_delay",
)


def by_block(
    run: RunRecord, trials: Sequence[TrialRecord]
) -> tuple[tuple[Title, ...], list[tuple[str, ...]]]:
    """Return a line a block: its lowest probes, the second copy's ratio, what the kernel counted.

    The latter as percent of the time that the block's trials took; a column of which nothing is
    known is left out.
    """
    control = control_ratios(run, trials)
    rows = [
        _cells(block, control.get(block.block)) for block in (run.calm.blocks if run.calm else [])
    ]
    places = [
        place
        for place, title in enumerate(_TITLES)
        if title.is_words or any(row[place] != MISSING for row in rows)
    ]
    titles = tuple(_TITLES[place] for place in places)
    return titles, [tuple(row[place] for place in places) for row in rows]


def _cells(block: BlockCalm, ratio: float | None) -> tuple[str, ...]:
    lowest = [
        shown(min((getattr(share, kind) for share in block.probes), default=None))
        for kind in ("hashed", "copied")
    ]
    counters = [
        shown(_share(getattr(block, f"{name}_seconds"), block.seconds), percent)
        for name in _COUNTERS
    ]
    disturbed = ", ".join(block.disturbed) or MISSING
    return (f"{block.block}", *lowest, shown(ratio), *counters, disturbed)


def _share(seconds: float | None, whole: float) -> float | None:
    return None if seconds is None or whole <= 0 else seconds / whole


def cost(run: RunRecord) -> str | None:
    """Return what probing the machine cost; None if it was not probed."""
    if run.calm is None or not run.calm.attempts:
        return None
    took = f"Probes took {shown(run.calm.probe_seconds)} s"
    if run.seconds > 0:
        took += f", {percent(run.calm.probe_seconds / run.seconds)}% of the run"
    waited = run.calm.waited_seconds
    if waited < _NOTICED:
        return f"{took}."
    return f"{took}. Waiting for calm took {digits(waited)} s."


def is_mostly_calm(calm: Calm | None) -> bool:
    """Whether few trials were disturbed, by a reference speed that can be trusted."""
    if calm is None:
        return True
    return calm.middle.hashed <= _FAR_OVER and _noisy(calm) <= _MOSTLY * calm.attempts


def sentence(calm: Calm | None) -> str | None:
    """Return how calm the machine was, and what would help; None if it was not probed."""
    if calm is None or not calm.attempts:
        return None
    if calm.middle.hashed > _FAR_OVER:
        return (
            "The machine was disturbed when its reference speed was measured: half of the later"
            f" probes hashed at {calm.middle.hashed:.2f} times that speed or more. Disturbances may"
            " have gone unseen. Measure again when other programs have ended."
        )
    trials = counted(calm.attempts, "trial")
    if calm.noisy:
        return _in_turns(calm)
    if not calm.disturbed:
        return f"The machine was calm: none of {trials} was disturbed. {_lowest(calm)}"
    if calm.disturbed == calm.attempts:
        return (
            f"The machine was not calm: each of {trials} was disturbed. The rates come from"
            f" disturbed trials and cannot be compared. {_lowest(calm)} {_help(calm)}"
        )
    how = "mostly calm" if is_mostly_calm(calm) else "not calm"
    were = "was" if calm.disturbed == 1 else "were"
    repeated = f", and {calm.retaken} repeated" if calm.retaken else ""
    how_calm = (
        f"The machine was {how}: {calm.disturbed} of {trials} {were} disturbed and left"
        f" out{repeated}. {_lowest(calm)}"
    )
    return how_calm if is_mostly_calm(calm) else f"{how_calm} {_help(calm)}"


def _noisy(calm: Calm) -> int:
    """Return the disturbed trials, left out or not."""
    return calm.disturbed + calm.noisy


def _in_turns(calm: Calm) -> str:
    """Return how calm the machine was in a run whose pipelines took turns."""
    how = "mostly calm" if is_mostly_calm(calm) else "not calm"
    were = "was" if _noisy(calm) == 1 else "were"
    sentences = (
        f"The machine was {how}: {_noisy(calm)} of {counted(calm.attempts, 'trial')} {were}"
        f" disturbed. {_why_kept(calm)} {_lowest(calm)}"
    )
    return sentences if is_mostly_calm(calm) else f"{sentences} {_help(calm)}"


def _why_kept(calm: Calm) -> str:
    if not calm.disturbed:
        return "The pipelines took turns, so disturbances slowed all of them."
    were = "was" if calm.disturbed == 1 else "were"
    return f"{calm.disturbed} {were} left out; the others took turns, so that all were slowed."


def _lowest(calm: Calm) -> str:
    """Return sentences on the lowest probe, and on the CPU of other programs."""
    lowest = (
        f"At the lowest, probes hashed at {calm.lowest.hashed:.2f} and copied at"
        f" {calm.lowest.copied:.2f} of the reference speed."
    )
    if calm.others is not None and calm.others > calm.most_others_share:
        lowest += f" Other programs used up to {calm.others:.0%} of the cores."
    return lowest


def _help(calm: Calm) -> str:
    """Return what would help, by what the kernel counted."""
    seconds = sum(block.seconds for block in calm.blocks)
    throttled = sum(block.throttled_seconds or 0.0 for block in calm.blocks)
    stolen = sum(block.stolen_seconds or 0.0 for block in calm.blocks)
    if throttled > _TELLING * seconds:
        return f"Use a larger CPU quota (the cgroup's was used up for {duration(throttled)})."
    if stolen > _TELLING * seconds:
        return (
            f"Use a machine without neighbours (its hypervisor took {duration(stolen)} of CPU"
            " time)."
        )
    if calm.others is not None and calm.others > calm.most_others_share:
        return "End other programs, or give more --time."
    return "End other programs, use a machine without neighbours, or give more --time."
