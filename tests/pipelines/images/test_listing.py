"""What is in folders besides photos: links, and what systems and programs put there."""

import shutil
from pathlib import Path

import pytest

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import index_folder
from feedbench.pipelines.images.layouts import Layout, index_images
from tests.pipelines.images.test_index import fill


def test_what_macos_packs_into_an_archive_is_no_class_and_what_keras_makes_of_it_is_said(
    tmp_path: Path,
) -> None:
    fill(tmp_path, "Cats/1.jpg", "__MACOSX/Cats/._1.jpg", "dogs/1.jpg", "owls/1.jpg")
    index = index_folder(tmp_path)
    assert index.class_names == ("Cats", "dogs", "owls")
    hidden, shift = index.notes
    assert hidden == "Hidden or system folders (1) are not classes: __MACOSX (metadata of macOS)."
    assert shift == (
        "Keras would use __MACOSX as a class, and shift the labels of the classes after it (2) by"
        " 1: remove that folder."
    )


@pytest.mark.parametrize("name", ["@eaDir", "__pycache__", "lost+found", "$RECYCLE.BIN", ".git"])
def test_folders_of_systems_are_no_classes_unless_they_are_asked_for(
    tmp_path: Path, name: str
) -> None:
    fill(tmp_path, "cats/1.jpg", f"{name}/1.jpg")
    assert index_folder(tmp_path).class_names == ("cats",)
    assert index_folder(tmp_path, [name]).class_names == (name,)


def test_what_jupyter_copied_below_a_class_counts_as_in_keras_and_is_named(tmp_path: Path) -> None:
    index = index_folder(fill(tmp_path, "c/1.jpg", "c/.ipynb_checkpoints/1-checkpoint.jpg"))
    assert len(index.files) == 2
    assert index.notes[-1] == (
        "Images in folders .ipynb_checkpoints below a class's folder (1) belong to that class, as"
        " in Keras. They are copies that Jupyter makes: remove them."
    )


def test_files_that_a_pipeline_cannot_use_are_counted_by_kind_with_what_to_do(
    tmp_path: Path,
) -> None:
    fill(tmp_path, "c/1.jpg", "c/1.CR2", "c/2.cr2", "d/1.nef", "d/1.heif", "d/1.TIF", "d/2.avif")
    fill(tmp_path, "c/Thumbs.db", "d/Thumbs.db", "d/.DS_Store")
    index = index_folder(tmp_path)
    assert (len(index.files), index.ignored) == (4, 6)
    foreign, raw, system = index.notes
    assert foreign == (
        "TensorFlow does not decode files of these kinds: 1 .tif, 1 .avif, 1 .heif. Convert them to"
        " JPEG or PNG."
    )
    assert raw == (
        "Camera raw files are ignored: 2 .cr2, 1 .nef. Export them as JPEG to measure them."
    )
    assert system == (
        "Files of the system are ignored: 2 Thumbs.db (thumbnails of Windows), 1 .DS_Store"
        " (settings of macOS)."
    )


def test_folders_of_camera_raw_files_alone_are_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RequestError) as caught:
        index_folder(fill(tmp_path, "a/1.cr2", "b/2.cr2"))
    assert caught.value.hint == (
        "Camera raw files are ignored: 2 .cr2. Export them as JPEG to measure them."
    )


def test_classes_of_links_alone_are_refused_with_the_option(tmp_path: Path) -> None:
    fill(tmp_path, "photos/a/note.txt", "elsewhere/1.jpg")
    (tmp_path / "photos/a/link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RequestError) as caught:
        index_folder(tmp_path / "photos")
    assert "--follow-links follows them" in caught.value.hint


def test_a_folder_of_system_folders_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"found only hidden or system folders \(__MACOSX\)"):
        index_folder(fill(tmp_path, "__MACOSX/._1.jpg", "1.jpg"))


def test_links_to_folders_are_followed_if_asked_for(tmp_path: Path) -> None:
    fill(tmp_path, "elsewhere/x/1.jpg", "photos/c/2.jpg")
    (tmp_path / "photos/c/deeper").symlink_to(tmp_path / "elsewhere")
    assert index_images(tmp_path / "photos", Layout()).files == ("c/2.jpg",)
    index = index_images(tmp_path / "photos", Layout(follow_links=True))
    assert index.files == ("c/2.jpg", "c/deeper/x/1.jpg")
    assert not any("not followed" in note for note in index.notes)
    assert index_images(tmp_path / "photos", Layout(follow_links=True, labels=r"(\d)")).files == (
        "c/deeper/x/1.jpg",
        "c/2.jpg",
    )


def test_links_that_lead_round_are_not_followed_and_said(tmp_path: Path) -> None:
    fill(tmp_path, "a/1.jpg", "b/2.jpg")
    (tmp_path / "a/itself").symlink_to(".")
    (tmp_path / "a/root").symlink_to("/")
    (tmp_path / "a/b").symlink_to("../b")
    (tmp_path / "b/a").symlink_to("../a")
    index = index_folder(tmp_path, follow_links=True)
    assert index.files == ("a/1.jpg", "a/b/2.jpg", "b/2.jpg", "b/a/1.jpg")
    assert "Links that lead to a folder around them (6) are not followed." in index.notes


def test_a_link_to_nothing_is_no_class_and_named(tmp_path: Path) -> None:
    fill(tmp_path, "a/1.jpg")
    (tmp_path / "b").symlink_to("nowhere")
    index = index_folder(tmp_path)
    assert (index.class_names, index.ignored) == (("a",), 1)
    assert index.notes == ("Links that lead nowhere (1) are ignored: b.",)


@pytest.mark.parametrize(
    ("name", "content", "what", "hint"),
    [
        ("a.zip", b"PK\x03\x04", "a zip archive", "unpack it, then"),
        ("a.npz", b"PK\x03\x04", "an archive of NumPy arrays", "write its images as files"),
        ("a.tar", bytes(257) + b"ustar", "a tar archive", "unpack it, then"),
        ("a.tar.gz", b"\x1f\x8b\x08", "a gzip file", "unpack it, then"),
        ("a.h5", b"\x89HDF\r\n\x1a\n", "an HDF5 file", "write its images as files"),
        ("a.parquet", b"PAR1", "a parquet file", "write its images as files"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "an image (JPEG)", "name the folder that holds"),
        ("a.csv", b"a.jpg,cat", "a file", "and this file with --labels"),
    ],
)
def test_a_file_in_place_of_a_folder_is_named_for_what_it_is(
    tmp_path: Path, name: str, content: bytes, what: str, hint: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RequestError) as caught:
        index_folder(tmp_path / name)
    assert caught.value.sentence == (
        f"{tmp_path / name} is {what}: expected a folder with one sub-folder of photos per class"
    )
    assert hint in caught.value.hint


@pytest.mark.tensorflow
@pytest.mark.thorough
@pytest.mark.parametrize("follow_links", [False, True])
def test_classes_and_links_are_what_keras_makes_of_them(
    photos: Path, tmp_path: Path, follow_links: bool
) -> None:
    import keras

    for name in ("Cats", "dogs"):
        shutil.copytree(photos / "cats", tmp_path / "P" / name)
    (tmp_path / "P/linked").symlink_to(photos / "dogs")
    (tmp_path / "P/dogs/deeper").symlink_to(photos / "owls")
    (tmp_path / "P/dogs/99.jpg").symlink_to(photos / "owls/00.jpg")
    index = index_folder(tmp_path / "P", follow_links=follow_links)

    def by_keras() -> tuple[list[str], list[str]]:
        dataset = keras.utils.image_dataset_from_directory(
            tmp_path / "P", shuffle=False, follow_links=follow_links, verbose=False
        )
        return dataset.class_names, dataset.file_paths

    assert by_keras() == (list(index.class_names), list(index.paths))
    assert len(index.files) == 40 + 13 * follow_links
    (tmp_path / "P/__MACOSX").mkdir()
    assert index_folder(tmp_path / "P").class_names == ("Cats", "dogs", "linked")
    assert by_keras()[0] == ["Cats", "__MACOSX", "dogs", "linked"]
