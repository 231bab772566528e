"""Differences between two runs: their workloads, which must be equal, and their machines. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from feedbench.bench.records.conditions.calm import Calm
from feedbench.bench.records.conditions.environment import Environment
from feedbench.bench.records.pace import USUAL
from feedbench.bench.records.run import RunRecord, SplitRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.pipelines.errors import RequestError

_OF_WORKLOAD = (
    "images",
    "classes",
    "height",
    "width",
    "fit",
    "channels",
    "batch_size",
    "dtype",
    "data_format",
    "value_range",
    "normalization",
    "label_mode",
    "augmentation",
    "split_by_seed",
)
_OF_MACHINE = ("system", "processor", "cores", "cores_online", "python")
_LONGEST = 80  # characters of a value
_DAY = len("2026-01-31")  # of a time in ISO 8601
_MEMORY_SHARE = 0.05  # by which two readings of one machine's memory may differ


class Run(NamedTuple):
    """A run to be compared."""

    name: str  # its folder, as it was named
    record: RunRecord
    trials: Sequence[TrialRecord]


def refuse_other_workload(base: Run, new: Run) -> None:
    """Raise RequestError if the runs did not measure the same work."""
    theirs, ours = base.record.workload, new.record.workload
    both = f"{base.name} and {new.name}"
    for field in _OF_WORKLOAD:
        before, after = getattr(theirs, field), getattr(ours, field)
        if before != after:
            raise RequestError(
                f"{both} measured different workloads: {field.replace('_', ' ')}"
                f" {_shown(before)} and {_shown(after)}",
                hint="run both with the same options; --limit N or all selects the same images",
            )
    if (theirs.is_part or ours.is_part) and theirs.folder_images != ours.folder_images:
        raise RequestError(
            f"{both} measured parts of different folders: of"
            f" {theirs.folder_images:,} and {ours.folder_images:,} images",
            hint="compare runs of the same folder",
        )
    if theirs.is_part and theirs.seed != ours.seed:
        raise RequestError(
            f"{both} measured different images of the folder: seed {theirs.seed} and {ours.seed}",
            hint="give both the same --seed, or --limit all",
        )
    if len({theirs.images_digest, ours.images_digest} - {""}) > 1:
        raise RequestError(
            f"{both} measured different images: as many of each class, but other names or sizes",
            hint="compare runs of the same images",
        )


def differences(base: RunRecord, new: RunRecord) -> Iterator[str]:
    """Yield the differences between two machines and their software."""
    theirs, ours = base.environment, new.environment
    for field in _OF_MACHINE:
        before, after = getattr(theirs, field), getattr(ours, field)
        if before != after:
            yield f"{field.replace('_', ' ')}: {_figure(before)} and {_figure(after)}"
    if abs(theirs.memory_bytes / max(ours.memory_bytes, 1) - 1) > _MEMORY_SHARE:
        yield f"memory: {theirs.memory_bytes:,} and {ours.memory_bytes:,} bytes"
    for name in sorted({*theirs.packages, *ours.packages}):
        before, after = theirs.packages.get(name, "none"), ours.packages.get(name, "none")
        if before != after:
            yield f"{name}: {before} and {after}"
    if len({base.code, new.code} - {""}) > 1 and _version(theirs) == _version(ours):
        yield "Feedbench's code: same version, different content"
    days = base.started_at[:_DAY], new.started_at[:_DAY]
    if days[0] != days[1]:
        yield f"day: {' and '.join(days)}"
    if base.page_cache != new.page_cache:
        yield f"page cache: {base.page_cache} and {new.page_cache}"
    yield from _of_speed(base.calm, new.calm)


def _version(environment: Environment) -> str:
    return environment.packages.get("feedbench", "")


def _of_speed(base: Calm | None, new: Calm | None) -> Iterator[str]:
    """Yield how much the probe's reference speeds differ, even if the cores look alike."""
    if base is None or new is None or base.good is None or new.good is None:
        return
    # Levels of one machine keep within the share of each other that a probe keeps of its level.
    for kind, least in (("hashed", USUAL.low_hashed), ("copied", USUAL.low_copied)):
        share = getattr(new.good, kind) / getattr(base.good, kind)
        if not least <= share <= 1 / least:
            yield f"reference speed: {share:.2f} times the base's bytes {kind} per second"


def _figure(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _shown(value: object) -> str:
    if value is None or value == "":
        return "none"
    text = value.sentence if isinstance(value, SplitRecord) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
