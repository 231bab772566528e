"""The validation part of a workload, as a workload of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from feedbench.bench.processes.workload_file import read_workload, write_workload
from feedbench.bench.training.parts import parts_of
from feedbench.pipelines.augmentation.ranges import Augmentation
from tests.support.builders import workload_over


def test_the_validation_part_has_the_other_images_as_they_are(photos: Path, tmp_path: Path) -> None:
    every = workload_over(photos)
    workload = replace(
        every,
        files=every.files[3:],
        labels=every.labels[3:],
        formats=every.formats[3:],
        subset="training",
        validation_files=every.files[:3],
        validation_labels=every.labels[:3],
        augmentation=Augmentation(flip=True),
    )
    file = tmp_path / "images.json"
    write_workload(workload, file)
    parts = parts_of(file)
    assert parts.training.workload == workload
    assert parts.validation is not None
    validation = parts.validation.workload
    assert validation == read_workload(tmp_path / "images-validation.json")
    assert (validation.files, validation.labels) == (every.files[:3], every.labels[:3])
    assert validation.formats == every.formats[:3]
    assert (validation.subset, validation.augmentation) == ("validation", None)
    assert validation.validation_files == ()


def test_another_seed_changes_the_order_and_not_the_images(photos: Path, tmp_path: Path) -> None:
    file = tmp_path / "images.json"
    write_workload(workload_over(photos), file)
    part = parts_of(file).training
    other = part.for_seed(7, tmp_path / "other.json")
    assert read_workload(other.file) == replace(part.workload, seed=7)


def test_images_that_are_not_split_have_no_validation_part(photos: Path, tmp_path: Path) -> None:
    file = tmp_path / "images.json"
    write_workload(workload_over(photos), file)
    assert parts_of(file).validation is None
