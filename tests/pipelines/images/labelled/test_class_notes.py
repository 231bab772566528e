"""A wrong folder is noticed, and so is an order of classes that nobody means."""

from pathlib import Path

import pytest

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.layouts import Layout, index_images
from tests.pipelines.images.test_index import fill


def notes(folder: Path) -> str:
    return "\n".join(index_images(folder, Layout()).notes)


def test_a_folder_around_the_right_one_is_noticed(tmp_path: Path) -> None:
    fill(tmp_path, *(f"WasteImagesDataset/{name}/1.jpg" for name in ("Glass", "Metal", "Paper")))
    assert (
        "The only class WasteImagesDataset has sub-folders that look like classes (3): Glass,"
        f" Metal, Paper. Did you mean the folder {tmp_path}/WasteImagesDataset?"
    ) in notes(tmp_path)


def test_a_folder_two_levels_too_high_is_noticed(tmp_path: Path) -> None:
    fill(tmp_path, "download/flowers/roses/1.jpg", "download/flowers/tulips/1.jpg")
    assert f"Did you mean the folder {tmp_path}/download/flowers?" in notes(tmp_path)


@pytest.mark.parametrize("name", ["train", "dataset", "Data"])
def test_a_class_named_as_folders_around_classes_are_is_noticed_next_to_others(
    tmp_path: Path, name: str
) -> None:
    fill(tmp_path, f"{name}/cats/1.jpg", f"{name}/dogs/1.jpg", "figures/1.png")
    assert f"Did you mean the folder {tmp_path}/{name}?" in notes(tmp_path)


def test_parts_without_class_folders_are_noticed(tmp_path: Path) -> None:
    fill(tmp_path, "train/cat.0.jpg", "train/dog.0.jpg", "test/1.jpg")
    assert (
        "The classes are called test, train, like parts of a data set or a whole one."
        " If the names of the files hold their labels, use --labels."
    ) in notes(tmp_path)


@pytest.mark.parametrize(
    "files",
    [
        ("cats/1.jpg", "dogs/1.jpg"),
        ("cats/1.jpg", "cats/tabby/1.jpg", "cats/siamese/1.jpg"),
        ("cats/tabby/1.jpg", "cats/siamese/1.jpg", "dogs/1.jpg"),
        ("cats/1.jpg",),
    ],
)
def test_a_right_folder_is_not_doubted(tmp_path: Path, files: tuple[str, ...]) -> None:
    assert "Did you mean" not in notes(fill(tmp_path, *files))
    assert "are called" not in notes(tmp_path)


def test_leaf_folders_are_classes_if_asked_for(tmp_path: Path) -> None:
    fill(tmp_path, "animals/cats/2.jpg", "animals/cats/1.jpg", "animals/dogs/1.jpg", "cars/1.jpg")
    fill(tmp_path, "cover.jpg", "animals/.ipynb_checkpoints/1.jpg", "animals/notes.txt")
    index = index_images(tmp_path, Layout(classes_from="leaf"))
    assert index.class_names == ("animals/cats", "animals/dogs", "cars")
    assert index.files == (
        *("animals/cats/1.jpg", "animals/cats/2.jpg"),
        *("animals/dogs/1.jpg", "cars/1.jpg"),
    )
    assert (index.labels, index.ignored) == ((0, 0, 1, 2), 3)
    (note,) = index.notes
    assert note.endswith(": animals/.ipynb_checkpoints (copies that Jupyter makes).")
    some = index_images(tmp_path, Layout(classes_from="leaf", classes=("cars", "animals/dogs")))
    assert some.files == ("cars/1.jpg", "animals/dogs/1.jpg")


def test_leaf_folders_of_a_part_are_classes_too(tmp_path: Path) -> None:
    fill(tmp_path, "train/a/x/1.jpg", "train/a/y/1.jpg", "val/a/x/1.jpg")
    assert index_images(tmp_path, Layout(classes_from="leaf")).class_names == ("a/x", "a/y")


def test_leaf_folders_without_photos_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="in folders below it; found none, only other files"):
        index_images(fill(tmp_path, "a/1.txt"), Layout(classes_from="leaf"))


def test_leaf_folders_and_labels_exclude_each_other() -> None:
    with pytest.raises(RequestError, match="--classes-from leaf: expected no --labels"):
        Layout(classes_from="leaf", labels=r"(\w+)")


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (("1", "2", "10", "11"), "1, 10, 11, 2. So class 10 has the label 1"),
        (("class9", "class10"), "class10, class9. So class class10 has the label 0"),
    ],
)
def test_numbers_that_are_sorted_as_text_are_shown(
    tmp_path: Path, names: tuple[str, ...], order: str
) -> None:
    fill(tmp_path, *(f"{name}/1.jpg" for name in names))
    assert f"Classes are sorted as text, as in Keras: {order}; --classes sets" in notes(tmp_path)
    assert index_images(tmp_path, Layout(classes=names)).notes == ()


@pytest.mark.parametrize("names", [("0", "1", "9"), ("01", "02", "10"), ("a2", "b10")])
def test_names_in_the_order_of_their_numbers_need_no_note(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    fill(tmp_path, *(f"{name}/1.jpg" for name in names))
    assert notes(tmp_path) == ""
