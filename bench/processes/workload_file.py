"""A workload as a file, so that a trial's request stays short even with a million images.

JSON by the standard library, which keeps names that are not valid UTF-8.
"""

from __future__ import annotations

import dataclasses
import json
import os
from typing import TYPE_CHECKING

import msgspec

from feedbench.pipelines.augmentation.ranges import Augmentation
from feedbench.pipelines.contract import Channels, Dtype, LabelMode, Workload
from feedbench.pipelines.forms import STRETCH, DataFormat, Fit, Normalization
from feedbench.pipelines.images.file_formats import formats_of
from feedbench.pipelines.system.regular_files import read_regular

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.images.index import Index


def workload_of(
    index: Index,
    *,
    folder_images: int,
    image_size: tuple[int, int],
    fit: Fit = STRETCH,
    channels: Channels = 3,
    batch_size: int,
    dtype: Dtype = "float32",
    data_format: DataFormat = "channels_last",
    value_range: tuple[float, float] = (0.0, 1.0),
    normalization: Normalization = "none",
    label_mode: LabelMode = "int",
    seed: int,
    augmentation: Augmentation | None = None,
) -> Workload:
    """Return the workload of an index; `image_size` is (height, width) in pixels.

    Reads the first bytes of every file.
    """
    split = index.split
    validation = split.other if split is not None and split.subset == "training" else None
    records = index.records
    if records is not None and validation is not None and validation.records is not None:
        records = dataclasses.replace(records, validation_places=validation.records.places)
    return Workload(
        folder=os.fspath(index.folder),
        files=index.paths,
        labels=index.labels,
        class_names=index.class_names,
        formats=formats_of(index.paths),
        height=image_size[0],
        width=image_size[1],
        fit=fit,
        channels=channels,
        batch_size=batch_size,
        dtype=dtype,
        data_format=data_format,
        value_range=value_range,
        normalization=normalization,
        label_mode=label_mode,
        seed=seed,
        folder_images=folder_images,
        augmentation=augmentation if split is None or split.subset == "training" else None,
        subset="all" if split is None else split.subset,
        validation_files=() if validation is None else validation.paths,
        validation_labels=() if validation is None else validation.labels,
        records=records,
    )


def write_workload(workload: Workload, file: Path) -> None:
    """Write a workload for the measured processes to read."""
    file.write_text(json.dumps(dataclasses.asdict(workload)), encoding="ascii")


def read_workload(file: Path) -> Workload:
    """Read what `write_workload` wrote."""
    return msgspec.convert(json.loads(read_regular(file).decode("ascii")), Workload)
