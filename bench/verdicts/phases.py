"""A row's times, from the phases of its trials. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean, median

from msgspec.structs import replace

from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.row import Row
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.records.windows import still_changes
from feedbench.bench.verdicts.epochs.first_epoch import folder_first_epoch, is_cold


def measurements(trials: Iterable[TrialRecord]) -> list[Measurement]:
    """Return the measurements of the trials that have one."""
    return [trial.measured for trial in trials if trial.measured is not None]


def with_phases(
    row: Row, trials: Sequence[TrialRecord], pilots: Sequence[TrialRecord], folder_images: int
) -> Row:
    """Return the row with the times of its phases: means over its trials, at least one.

    `row` has its rate. `pilots` are the pipeline's: of another number of images.
    """
    measured = measurements(trials)
    turns = [turn for trial in trials for turn in trial.turns]
    turnover = fmean(map(turnover_of, measured))
    epoch = fmean(fmean(_settled(m.epoch_seconds)) for m in measured)
    row = replace(
        row,
        turnover_seconds=turnover,
        epoch_seconds=epoch,
        folder_epoch_seconds=_folder_epoch(trials, turnover, epoch, folder_images),
        continuous=all(m.continuous for m in measured),
        unsteady_trials=sum(still_changes(m.windows) for m in measured),
        unsettled_share=fmean(not each.is_settled for each in turns) if turns else 0.0,
        knobs=measured[-1].knobs,
        autotune=measured[-1].autotune,
    )
    return _with_first(row, trials, pilots, folder_images)


def _folder_epoch(
    trials: Sequence[TrialRecord], turnover: float, epoch: float, folder_images: int
) -> float:
    """Return the seconds of an epoch of the whole folder.

    It is extrapolated only if necessary, since a restart and the end of an epoch overlap.
    """
    measured = measurements(trials)
    images = measured[0].first_epoch_images
    if images == folder_images:
        return epoch
    if not all(m.continuous for m in measured):  # such a rate includes the turnover
        return (epoch - turnover) * folder_images / (images or folder_images) + turnover
    rate = 1 / fmean(1 / trial.rate for trial in trials)
    return folder_images / rate + turnover


def _with_first(
    row: Row, trials: Sequence[TrialRecord], pilots: Sequence[TrialRecord], folder_images: int
) -> Row:
    """Return the row with its first batch and its first epoch, from open's call.

    Leaves out trials whose page cache was not in the requested state.
    """
    sound = [t for t in trials if t.page_cache is None or not t.page_cache.is_contradicted]
    measured = measurements(sound)
    if not measured:
        return row
    opened = fmean(m.open_seconds for m in measured)
    # Later epochs, and pilots, read from memory: they are no measure of reading from the device.
    rate = None if any(is_cold(trial) for trial in sound) else row.rate
    return replace(
        row,
        first_batch_seconds=opened + fmean(m.first_batch_seconds for m in measured),
        first_epoch_seconds=opened + fmean(m.first_epoch_seconds for m in measured),
        folder_first_epoch_seconds=folder_first_epoch(
            measured, measurements(pilots), rate=rate, folder_images=folder_images
        ),
    )


def turnover_of(measured: Measurement) -> float:
    """Return the seconds between two epochs of one trial, the first restart left out."""
    return median(_settled(measured.turnover_seconds))


def _settled(seconds: list[float]) -> list[float]:
    """Leave out the first restart if there are others: it ends the epoch that filled caches."""
    return seconds[1:] or seconds
