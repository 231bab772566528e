"""The first epoch of a whole folder: as a run of a part predicts it, and as a run of all has it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from feedbench.bench import RunOptions, perform, read_run
from feedbench.bench.processes.progress import Quiet
from feedbench.bench.records.row import Row
from feedbench.pipelines.images.sample_photos import write_photos
from tests.support.pace import CALM

pytestmark = [pytest.mark.study, pytest.mark.tensorflow]

SPECS = (
    "image_data_generator",
    "tfdata_naive",
    "tfdata_naive:cache=memory",
    "tfdata_tuned:cache=none",
    "tfdata_tuned",
    "tfdata_tuned:cache=file",
    "image_dataset_from_directory:cache=none",
    "image_dataset_from_directory",
    "tfrecord_gzip",
    "tfrecord_sharded",
    "tfrecord_sharded:cache=memory",
)
PART = "64"
TIME = "55s"  # enough for a part of the images, after pilots of more


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return real photos if there are some, or 600 sample photos."""
    given = os.environ.get("FEEDBENCH_TEST_DATA")
    if given is not None:
        return Path(given) / "flowers"
    folder = tmp_path / "photos"
    write_photos(folder, 600)
    return folder


def rows(photos: Path, out: Path, limit: str | None) -> dict[str, Row]:
    """Measure one block over so many images; without a limit over those that the time allows."""
    given: dict[str, str | bool | Sequence[str]] = {"pipeline": SPECS, "trace": False}
    given |= {"out": str(out), "prepared": str(out.parent / "prepared")}
    if limit is None:
        given["time"] = TIME
    else:
        given |= {"limit": limit, "blocks": "1"}
    perform(replace(RunOptions.of(given, photos), pace=CALM), Quiet())
    return {row.label: row for row in read_run(out).rows}


def test_the_first_epoch_of_a_folder_is_predicted_from_a_part(photos: Path, tmp_path: Path) -> None:
    whole = rows(photos, tmp_path / "whole", "all")
    fixed = rows(photos, tmp_path / "fixed", PART)
    timed = rows(photos, tmp_path / "timed", None)
    print(f"\n{'':>42}{'measured':>10}{f'of {PART}':>10}{'ratio':>7}{'timed':>10}{'ratio':>7}")
    for label, row in whole.items():
        measured = row.first_epoch_seconds
        assert measured is not None, row.failures
        cells = f"{label:>42}{measured:>9.3f}s"
        for part in (fixed, timed):
            predicted = None
            if label in part:
                predicted = part[label].folder_first_epoch_seconds
            cells += f"{'-':>10}{'-':>7}"
            if predicted is not None:
                cells = f"{cells[:-17]}{predicted:>9.3f}s{predicted / measured:>7.2f}"
        print(cells)
    known = [row for row in fixed.values() if row.folder_first_epoch_seconds is not None]
    assert known
