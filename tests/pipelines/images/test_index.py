import os
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import Index, counts, image_id, index_folder, shown, take

NOBODY = 65534


def fill(folder: Path, *files: str) -> Path:
    """Make empty files: the index reads names, not photos."""
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def refused(folder: Path) -> str:
    with pytest.raises(RequestError) as caught:
        index_folder(folder)
    return str(caught.value)


def index_of(*sizes: int) -> Index:
    """Return an index of as many images in each class as given."""
    names = tuple(f"class{label}" for label in range(len(sizes)))
    labels = tuple(label for label, size in enumerate(sizes) for _ in range(size))
    files = tuple(f"{names[label]}/{place:05d}.jpg" for place, label in enumerate(labels))
    return Index(Path("/photos"), names, files, labels, ignored=3)


@contextmanager
def barred(folder: Path) -> Iterator[None]:
    """Bar a folder from everybody. Nothing is barred to root, who becomes nobody for a while."""
    user = os.geteuid()
    folder.chmod(0)
    try:
        with suppress(OSError):
            os.seteuid(NOBODY if user == 0 else user)
        if os.access(folder, os.R_OK, effective_ids=True):
            pytest.skip("nothing can be barred to root here")
        yield
    finally:
        os.seteuid(user)
        folder.chmod(0o755)


@pytest.fixture
def open_to_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in a folder whose content can be reached from there, by its relative path, by nobody."""
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)


def test_the_photos_are_listed_by_class_and_labelled_with_its_place(photos: Path) -> None:
    index = index_folder(photos)
    assert index.class_names == ("cats", "dogs", "owls")
    assert index.files[0] == "cats/00.jpg"
    assert index.files[-1] == "owls/12.jpg"
    assert index.labels == (0,) * 13 + (1,) * 13 + (2,) * 13
    assert index.paths[0] == str(photos / "cats" / "00.jpg")
    assert counts(index) == {"cats": 13, "dogs": 13, "owls": 13}


def test_classes_and_files_come_in_the_order_of_code_points(tmp_path: Path) -> None:
    fill(tmp_path, "é/1.jpg", "a/é.jpg", "a/b.jpg", "a/10.jpg", "a/2.jpg", "a/B.jpg", "B/1.jpg")
    index = index_folder(tmp_path)
    assert index.class_names == ("B", "a", "é")
    assert " ".join(index.files) == ("B/1.jpg a/10.jpg a/2.jpg a/B.jpg a/b.jpg a/é.jpg é/1.jpg")
    assert index.labels == (0, 1, 1, 1, 1, 1, 2)


def test_folders_below_a_class_come_in_the_order_of_their_whole_paths(tmp_path: Path) -> None:
    fill(tmp_path, "c/x/y/1.jpg", "c/x-1/1.jpg", "c/x/1.jpg", "c/z.jpg")
    files = index_folder(tmp_path).files
    assert " ".join(files) == "c/z.jpg c/x/1.jpg c/x-1/1.jpg c/x/y/1.jpg"


def test_a_suffix_in_upper_case_counts(tmp_path: Path) -> None:
    fill(tmp_path, "c/1.JPG", "c/2.Jpeg", "c/3.PNG", "c/4.jpeg", "c/5.png", "c/6.BMP")
    fill(tmp_path, "c/7.WebP", "c/8.GIF")
    index = index_folder(tmp_path)
    assert len(index.files) == 8
    assert index.ignored == 0


def test_images_that_not_every_pipeline_decodes_are_no_other_files(tmp_path: Path) -> None:
    index = index_folder(fill(tmp_path, "c/1.tif", "c/2.SVG", "c/3.jpg"))
    assert (len(index.files), index.ignored) == (3, 0)


def test_what_is_no_photo_or_stands_outside_the_classes_is_ignored_and_counted(
    photos: Path, tmp_path: Path
) -> None:
    assert index_folder(photos).ignored == 1
    fill(tmp_path, "LICENSE.txt", "cover.jpg", "c/1.jpg", "c/Thumbs.db", "c/x/1.jpg.part")
    index = index_folder(tmp_path)
    assert index.files == ("c/1.jpg",)
    assert index.ignored == 4


def test_a_class_without_photos_beside_others_keeps_its_label(tmp_path: Path) -> None:
    fill(tmp_path, "a/1.jpg", "c/1.jpg")
    (tmp_path / "b").mkdir()
    index = index_folder(tmp_path)
    assert index.labels == (0, 2)
    assert counts(index) == {"a": 1, "b": 0, "c": 1}
    assert index.notes == ("No images are in the folders of these classes (1): b.",)


def test_the_paths_are_absolute_wherever_the_folder_was_seen_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, "photos/c/1.jpg")
    monkeypatch.chdir(tmp_path)
    assert index_folder(Path("photos")).paths == (str(tmp_path / "photos/c/1.jpg"),)


def test_links_to_files_count_and_links_to_folders_are_not_followed_below_a_class(
    tmp_path: Path,
) -> None:
    fill(tmp_path, "elsewhere/1.jpg", "photos/c/1.jpg")
    (tmp_path / "photos/c/2.jpg").symlink_to(tmp_path / "elsewhere/1.jpg")
    (tmp_path / "photos/c/deeper").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos/c/round").symlink_to(tmp_path / "photos/c")
    index = index_folder(tmp_path / "photos")
    assert index.files == ("c/1.jpg", "c/2.jpg")
    assert index.notes == (
        "Links to folders (2) are not followed, as in Keras; --follow-links follows them.",
    )


def test_a_link_that_leads_round_to_itself_is_no_class(tmp_path: Path) -> None:
    fill(tmp_path, "c/1.jpg")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    assert index_folder(tmp_path).class_names == ("c",)


def test_images_deeper_down_belong_to_their_class_which_is_said(tmp_path: Path) -> None:
    index = index_folder(fill(tmp_path, "c/1.jpg", "c/x/2.jpg", "c/x/y/3.jpg"))
    assert index.labels == (0, 0, 0)
    (note,) = index.notes
    assert note == (
        "Images in folders below a class's folder (2) belong to that class, as in Keras;"
        " --classes-from leaf uses each of these folders as a class."
    )


def test_hidden_folders_are_no_classes_unless_they_are_asked_for(tmp_path: Path) -> None:
    for name in (".ipynb_checkpoints/0-checkpoint.jpg", "cats/0.jpg", "dogs/0.jpg"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    index = index_folder(tmp_path)
    assert index.class_names == ("cats", "dogs")
    (note,) = index.notes
    assert note == (
        "Hidden or system folders (1) are not classes: .ipynb_checkpoints (copies that Jupyter"
        " makes)."
    )
    assert index.ignored == 0
    asked = index_folder(tmp_path, classes=[".ipynb_checkpoints", "cats"])
    assert asked.class_names == (".ipynb_checkpoints", "cats")


def test_classes_are_taken_in_the_order_asked_for_and_the_others_are_named(tmp_path: Path) -> None:
    fill(tmp_path, "cats/1.jpg", "dogs/1.jpg", "owls/1.jpg", "owls/2.jpg")
    index = index_folder(tmp_path, ("owls", "cats"))
    assert index.class_names == ("owls", "cats")
    assert index.files == ("owls/1.jpg", "owls/2.jpg", "cats/1.jpg")
    assert index.labels == (0, 0, 1)
    assert index.notes == ("Other classes (1) are left out: dogs.",)


def test_a_class_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    fill(tmp_path, *(f"{name}/1.jpg" for name in "abcdefg"))
    with pytest.raises(RequestError) as caught:
        index_folder(tmp_path, ("a", "cats"))
    assert str(caught.value) == (
        "--classes: there is no class cats; found a, b, c, d, e and 2 more\n"
        "hint: choose among these, separated by commas"
    )


def test_names_stand_on_one_line_of_a_sentence_whatever_they_hold() -> None:
    assert shown("two\nlines \x1b[31m \u202e") == r"two\nlines \x1b[31m \u202e"
    assert shown("<script> 'a' \"b\" 한국어") == "<script> 'a' \"b\" 한국어"
    assert shown(os.fsdecode(b"caf\xe9")) == r"caf\xe9"


@pytest.mark.parametrize(
    "name",
    [
        "two words",
        "<script>alert(1)</script>".replace("/", ":"),
        'it\'s "q"',
        "한국어 🐈",
        "x" * 80,
    ],
)
def test_classes_and_files_may_have_any_name(tmp_path: Path, name: str) -> None:
    index = index_folder(fill(tmp_path, f"{name}/{name}.jpg"))
    assert index.class_names == (name,)
    assert index.files == (f"{name}/{name}.jpg",)


def test_a_link_to_a_folder_is_a_class_like_any_other(tmp_path: Path) -> None:
    fill(tmp_path, "elsewhere/1.jpg", "photos/b/1.jpg")
    (tmp_path / "photos/a").symlink_to(tmp_path / "elsewhere")
    assert index_folder(tmp_path / "photos").files == ("a/1.jpg", "b/1.jpg")


def test_a_missing_folder_is_named_with_what_was_expected(tmp_path: Path) -> None:
    assert refused(tmp_path / "photos") == (
        f"there is no folder {tmp_path}/photos:"
        " expected a folder with one sub-folder of photos per class"
    )


def test_a_file_is_not_taken_for_a_folder(tmp_path: Path) -> None:
    fill(tmp_path, "photos.zip")
    assert refused(tmp_path / "photos.zip") == (
        f"{tmp_path}/photos.zip is a file: expected a folder with one sub-folder of photos per"
        " class"
    )


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    sentence = refused(tmp_path)
    assert sentence == (
        f"{tmp_path}: expected one sub-folder of photos per class; found nothing in it"
    )


def test_a_folder_of_photos_that_are_not_in_classes_is_refused(tmp_path: Path) -> None:
    sentence = refused(fill(tmp_path, "1.jpg", "2.jpg"))
    assert sentence == (
        f"{tmp_path}: expected one sub-folder of photos per class;"
        " found no sub-folder, only files (2)\n"
        "hint: if the files' names hold the labels, use --labels"
    )


def test_classes_without_any_photo_are_refused(tmp_path: Path) -> None:
    assert refused(fill(tmp_path, "a/1.doc", "a/2.doc", "b/1.txt", "README")) == (
        f"{tmp_path}: expected photos (.jpg, .jpeg, .png, .bmp, .gif, .webp, .jpe, .jfif, .mpo)"
        " in its sub-folders (2); found none, only other files (4)"
    )


def test_classes_without_any_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert refused(tmp_path).endswith(" in its sub-folders (1); found no file")


@pytest.mark.parametrize("folder", ["photos", "photos/c", "photos/c/x"])
def test_a_folder_that_may_not_be_listed_is_named(open_to_all: None, folder: str) -> None:
    photos = fill(Path("photos"), "c/1.jpg", "c/x/1.jpg")
    with barred(Path(folder)):
        sentence = refused(photos)
    assert sentence == (
        f"{folder} cannot be read: Permission denied; expected a folder that can be listed"
    )


def test_a_folder_inside_one_that_may_not_be_entered_is_named(open_to_all: None) -> None:
    photos = fill(Path("private/photos"), "c/1.jpg")
    with barred(Path("private")):
        sentence = refused(photos)
    assert sentence.startswith("private/photos cannot be read: Permission denied")


def test_a_part_is_taken_evenly_from_all_classes() -> None:
    assert counts(take(index_of(100, 100, 100), 30, seed=0)) == {
        "class0": 10,
        "class1": 10,
        "class2": 10,
    }
    assert sorted(counts(take(index_of(100, 100, 100), 31, seed=0)).values()) == [10, 10, 11]


def test_a_small_class_gives_all_it_has_and_the_others_fill_the_gap() -> None:
    assert counts(take(index_of(50, 2, 50, 0), 22, seed=0)) == {
        "class0": 10,
        "class1": 2,
        "class2": 10,
        "class3": 0,
    }


def test_the_same_seed_takes_the_same_images_and_another_seed_takes_others() -> None:
    index = index_of(100, 100)
    assert take(index, 20, seed=3) == take(index, 20, seed=3)
    assert take(index, 20, seed=3).files != take(index, 20, seed=4).files


def test_the_seed_of_the_program_around_it_has_no_say_in_what_is_taken() -> None:
    index = index_of(100, 100)
    random.seed(1)
    before = take(index, 20, seed=3)
    random.seed(2)
    assert take(index, 20, seed=3) == before


def test_taking_as_many_as_there_are_or_more_is_taking_the_index_itself() -> None:
    index = index_of(3, 4)
    assert take(index, 7, seed=0) is index
    assert take(index, 1000, seed=0) is index


def test_a_part_says_of_its_folder_what_the_whole_says() -> None:
    index = index_of(5, 5)
    part = take(index, 4, seed=0)
    assert part.folder == index.folder
    assert part.class_names == index.class_names
    assert part.ignored == index.ignored


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=6),
    st.integers(0, 250),
    st.integers(0, 2**32 - 1),
)
def test_a_part_has_the_size_asked_for_keeps_order_and_labels_and_favours_no_class(
    sizes: list[int], images: int, seed: int
) -> None:
    index = index_of(*sizes)
    part = take(index, images, seed)
    assert len(part.files) == min(images, sum(sizes))
    assert list(part.files) == sorted(set(part.files))  # these names sort as the index does
    label_of = dict(zip(index.files, index.labels, strict=True))
    assert part.labels == tuple(label_of[file] for file in part.files)
    taken = [part.labels.count(label) for label in range(len(sizes))]
    assert all(
        count in {size, max(taken) - 1, max(taken)}
        for count, size in zip(taken, sizes, strict=True)
    )


def test_a_name_is_shown_as_it_is_and_its_undecodable_bytes_as_hexadecimal() -> None:
    assert image_id("c/é 1.jpg") == "c/é 1.jpg"
    assert image_id(os.fsdecode(b"c/caf\xe9.jpg")) == r"c/caf\xe9.jpg"


def test_a_file_whose_name_cannot_be_decoded_is_found_and_can_be_opened(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    (fill(tmp_path, "c/1.jpg") / "c" / name).write_bytes(b"photo")
    index = index_folder(tmp_path)
    assert index.files == ("c/1.jpg", f"c/{name}")
    assert Path(index.paths[1]).read_bytes() == b"photo"
