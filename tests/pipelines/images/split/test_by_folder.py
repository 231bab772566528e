"""The parts that a folder has: what is for validation, and what is not used, with a note."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbench.pipelines.images.index import Index
from feedbench.pipelines.images.layouts import Layout, index_images
from feedbench.pipelines.images.split.by_folder import with_other_part
from tests.pipelines.images.test_index import fill

TRAIN = ("train/cats/1.jpg", "train/dogs/2.jpg")


def parts(folder: Path, *files: str, **layout: str) -> Index:
    """The measured part of a folder of these files."""
    fill(folder, *TRAIN, *files)
    given = Layout(**layout)  # type: ignore[arg-type]
    return with_other_part(index_images(folder, given), folder, given)


def test_the_folder_val_is_for_validation_where_there_is_one(tmp_path: Path) -> None:
    index = parts(tmp_path, "val/cats/3.jpg", "val/dogs/4.jpg")
    assert index.split is not None
    other = index.split.other
    assert (index.split.subset, index.split.share) == ("training", None)
    assert index.split.by == "the folders train and val"
    assert index.notes[0] == "Used the part train, and val for validation."
    assert other.paths == (f"{tmp_path}/val/cats/3.jpg", f"{tmp_path}/val/dogs/4.jpg")
    assert (other.labels, other.class_names) == ((0, 1), ("cats", "dogs"))


def test_the_part_for_validation_can_be_the_measured_one(tmp_path: Path) -> None:
    index = parts(tmp_path, "val/cats/3.jpg", "val/dogs/4.jpg", part="validation")
    assert index.split is not None
    assert index.split.subset == "validation"
    assert index.files == ("cats/3.jpg", "dogs/4.jpg")
    assert index.split.other.paths == tuple(f"{tmp_path}/{file}" for file in TRAIN)


@pytest.mark.parametrize(
    ("files", "layout"),
    [
        (("test/cats/3.jpg",), {}),
        (("val/cats/3.jpg", "test/cats/3.jpg"), {"part": "test"}),
        (("val/cats/3.jpg",), {"labels": r"/(\w+)/"}),
    ],
    ids=["no part for validation", "the part test", "labels of the whole folder"],
)
def test_without_both_parts_there_is_no_split(
    files: tuple[str, ...], layout: dict[str, str], tmp_path: Path
) -> None:
    assert parts(tmp_path, *files, **layout).split is None


def test_classes_are_matched_by_name_and_not_by_their_place(tmp_path: Path) -> None:
    index = parts(tmp_path, "val/birds/5.jpg", "val/dogs/4.jpg")
    assert index.split is not None
    assert index.split.other.files == ("dogs/4.jpg",)
    assert index.split.other.labels == (1,)
    assert index.notes[-1] == "The part val has no images of these classes (1): cats."


def test_a_part_without_images_of_the_classes_is_not_used_and_a_note_says_so(
    tmp_path: Path,
) -> None:
    index = parts(tmp_path, "val/birds/5.jpg")
    assert index.split is None
    assert index.notes[-1] == "The part val is not used: it has no images of the classes."
