"""Which images are measured: as many as the time allows, without bad ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from feedbench.bench.images.check import Bad, Checker, bad_of, refuse, without
from feedbench.bench.machine.warming import warm
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.workload_file import workload_of, write_workload
from feedbench.bench.run import budget
from feedbench.bench.run.budget import Cost, pilots_seconds
from feedbench.bench.run.keeper import split_record
from feedbench.bench.run.plan import Plan, guesses
from feedbench.bench.run.workplace import Workplace
from feedbench.bench.text import counted
from feedbench.pipelines.images.index import Index, shown, take

_MOST_SHOWN = 3  # bad images
_MOST_SHARE = 0.5  # of a folder
_CHECKS = 2  # Pillow and TensorFlow decode each image
_CHECK_SHARE = 0.05  # of the time, that the check of a whole folder may take


@dataclass(frozen=True)
class Images:
    """The images of a run."""

    folder_images: Index  # all of the folder, without bad ones
    measured: Index  # a part of them, or all
    bad: tuple[Bad, ...] = ()  # of those that were to be measured

    def sentence(self) -> str:
        """Return how many of how many images are measured, in words."""
        every = self.folder_images
        split = split_record(every)
        ignored = counted(every.ignored, "other file")
        return (
            f"{len(self.measured.files):,} of the {counted(len(every.files), 'image')}"
            + (f" for {split.subset}" if split is not None else "")
            + f" in {counted(len(every.class_names), 'class', 'classes')}"
            f" of {shown(str(every.folder))}"
            + (f" ({split.other})" if split is not None else "")
            + (f" ({ignored} ignored)" if every.ignored else "")
        )


def choose_images(plan: Plan, work: Workplace) -> Images:
    """Choose the images, leave out bad ones, and read the rest into the page cache.

    A folder that is checked in a moment is checked as a whole: the pilots decide how much of it is
    measured, and a guess may be wrong.
    Raises RequestError if some are bad, unless the options say to leave them out.
    """
    seconds = plan.budget.seconds_left()
    if seconds is not None:
        seconds -= pilots_seconds(len(plan.specs), plan.guess)
    costs = guesses(plan.specs.values(), plan.guess)
    part = choose(plan.options, plan.folder_images, costs, seconds, plan.budget.kept_seconds)
    if plan.options.limit is None and _is_checked_soon(plan):
        part = plan.folder_images
    checker = Checker(
        plan.options.checks, plan.options.channels, work.processes, work.scratch, work.listener
    )
    images = without_bad(
        Images(plan.folder_images, part), plan.options, checker, plan.budget.seconds_left()
    )
    work.listener.note(f"Measuring {images.sentence()}.")
    for note in (*images.folder_images.notes, *_left_out(images.bad)):
        work.listener.note(note)
    read_images(images.measured, work)
    return images


def _is_checked_soon(plan: Plan) -> bool:
    """Return whether checking the whole folder takes a small share of the time."""
    seconds = _CHECKS * len(plan.folder_images.files) * plan.guess.image_seconds
    return plan.options.seconds is None or seconds <= _CHECK_SHARE * plan.options.seconds


def read_images(index: Index, work: Workplace) -> None:
    """Read images into the page cache, so that the first trial does not read from the disk."""
    work.listener.stage(f"reading {counted(len(index.files), 'file')}")
    warm(index.paths)


def without_bad(
    images: Images, options: RunOptions, checker: Checker, seconds_left: float | None = None
) -> Images:
    """Leave the bad images out; no others replace them.

    Raises RequestError if some are bad, unless the options say to leave them out.
    """
    bad = bad_of(images.measured, checker.findings(images.measured, seconds_left))
    refuse(images.measured, bad, options.checks)
    return Images(
        folder_images=without(images.folder_images, bad),
        measured=without(images.measured, bad),
        bad=tuple(bad),
    )


def without_any_bad(images: Images, options: RunOptions, checker: Checker) -> Images:
    """Leave the bad images out of both parts of a split. Raises RequestError as `without_bad`."""
    images = without_bad(images, options, checker)
    split = images.measured.split
    if split is None:
        return images
    other = without_bad(Images(split.other, split.other), options, checker)

    def mended(index: Index) -> Index:
        assert index.split is not None
        kept = dataclasses.replace(index.split, other=without(index.split.other, other.bad))
        return dataclasses.replace(index, split=kept)

    return Images(
        folder_images=mended(images.folder_images),
        measured=mended(images.measured),
        bad=(*images.bad, *other.bad),
    )


def choose(
    options: RunOptions,
    index: Index,
    costs: Sequence[Cost],
    seconds: float | None,
    kept_seconds: float = 0.0,
) -> Index:
    """Return the images to measure: the limit that was given, or as many as `seconds` allow.

    A whole folder may use `kept_seconds` too: it needs no extrapolation, which is worth more than
    a diagnosis. So may most of a folder, and more than the fewest images.
    """
    count = len(index.files)
    if options.limit == "all" or (options.limit is None and seconds is None):
        return index
    if options.limit is not None:
        return take(index, options.limit, options.seed)
    assert seconds is not None
    least = budget.least_images(options.batch_size, len(index.class_names), count)

    def fitting(seconds: float) -> int:
        return budget.images_that_fit(
            costs,
            seconds,
            blocks=options.blocks or budget.WANTED_BLOCKS,
            most=count,
            least=least,
            batch_size=options.batch_size,
            pace=options.pace,
        )

    images, most = fitting(seconds), fitting(seconds + kept_seconds)
    if images < count <= most:
        return index
    if images <= least or most >= _MOST_SHARE * count:
        images = most
    return take(index, images if images == count else budget.rounded(images, least), options.seed)


def save_workload(options: RunOptions, index: Index, folder_images: int, file: Path) -> Path:
    """Write the workload of an index to a file, and return the file."""
    workload = workload_of(
        index,
        folder_images=folder_images,
        image_size=options.image_size,
        fit=options.fit,
        channels=options.channels,
        batch_size=options.batch_size,
        dtype=options.dtype,
        data_format=options.data_format,
        value_range=options.value_range.bounds,
        normalization=options.value_range.normalization,
        label_mode=options.label_mode,
        seed=options.seed,
        augmentation=options.augment,
    )
    write_workload(workload, file)
    return file


def _left_out(bad: Sequence[Bad]) -> list[str]:
    if not bad:
        return []
    first = "; ".join(f"{shown(file)} ({reason})" for file, reason in bad[:_MOST_SHOWN])
    more = len(bad) - _MOST_SHOWN
    rest = f"; and {more:,} more, listed in run.json" if more > 0 else ""
    return [f"Leaving out {counted(len(bad), 'bad image')}: {first}{rest}."]
