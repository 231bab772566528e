"""Labels that stand elsewhere than in sub-folders, and parts of a data set."""

import os
from pathlib import Path

import pytest

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.layouts import Layout, index_images
from tests.pipelines.images.test_index import fill


def csv_of(folder: Path, *lines: str) -> str:
    file = folder / "labels.csv"
    file.write_bytes(os.fsencode("\n".join([*lines, ""])))
    return str(file)


def labelled(folder: Path, labels: str, *classes: str) -> dict[str, str]:
    index = index_images(folder, Layout(labels=labels, classes=classes or None))
    return {
        file: index.class_names[label]
        for file, label in zip(index.files, index.labels, strict=True)
    }


def refused(folder: Path, **given: object) -> str:
    with pytest.raises(RequestError) as caught:
        index_images(folder, Layout(**given))  # type: ignore[arg-type]
    error = caught.value
    assert "\n" not in error.sentence
    assert "\n" not in error.hint
    return str(error).replace(str(folder), "F")


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    return fill(tmp_path / "flat", "cat.0.jpg", "dog.0.jpg", "cat.1.jpg", "notes.txt")


@pytest.mark.parametrize(
    "lines",
    [
        ("cat.0.jpg,cats", "dog.0.jpg,dogs"),
        ("file,label", "cat.0.jpg,cats", "dog.0.jpg,dogs"),
        ("label,image", "cats,cat.0.jpg", "dogs,dog.0.jpg"),
        ("\ufefffile,label", "./cat.0.jpg, cats", '"dog.0.jpg","dogs"'),
        ("n,filename,width,class", "1,cat.0.jpg,5,cats", "2,dog.0.jpg,5,dogs"),
        ("id,filename,label", "7,cat.0.jpg,cats", "8,dog.0.jpg,dogs"),
        ("width,id,label", "5,cat.0.jpg,cats", "5,dog.0.jpg,dogs"),
        ("photo,what it shows", "cat.0.jpg,cats", "dog.0.jpg,dogs"),
        ("cat.0.jpg,cats\r", "dog.0.jpg,dogs\r"),
    ],
)
def test_a_csv_names_files_and_labels_with_a_header_or_without(
    flat: Path, lines: tuple[str, ...]
) -> None:
    label_of = labelled(flat, csv_of(flat, *lines))
    assert label_of == {"cat.0.jpg": "cats", "dog.0.jpg": "dogs"}


def test_what_a_csv_does_not_name_is_ignored_and_counted(flat: Path) -> None:
    index = index_images(flat, Layout(labels=csv_of(flat, "cat.0.jpg,cats")))
    assert (index.files, index.ignored) == (("cat.0.jpg",), 4)


def test_a_csv_may_name_files_in_folders_without_a_suffix_and_not_in_utf_8(flat: Path) -> None:
    odd = os.fsdecode(b"caf\xe9")
    fill(flat, "x/photo", odd)
    assert labelled(flat, csv_of(flat, "x/photo,a", f"{odd},b")) == {"x/photo": "a", odd: "b"}


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (
            ("cat.0.jpg,cats", "gone.jpg,cats"),
            "line 2: expected a file in F; there is no gone.jpg\nhint: correct the name or remove",
        ),
        (("gone.jpg,cats",), "line 1: expected a file in F; there is no gone.jpg"),
        (
            ("cat.0.jpg,cats", "dog.0.jpg,dogs", "./cat.0.jpg,dogs"),
            "line 3: expected each file once; found ./cat.0.jpg again, as in line 1",
        ),
        (
            ("cat.0.jpg,cats", "", "dog.0.jpg,dogs"),
            "line 2: expected 2 fields, with the file and its",
        ),
        (
            ("cat.0.jpg,cats", "dog.0.jpg"),
            "line 2: expected 2 fields, with the file and its label",
        ),
        (("file,label", ",cats"), "line 2: expected a file; found none with cats"),
        (("cat.0.jpg,",), "line 1: expected a label; found none after cat.0.jpg"),
        (("/etc/passwd,a",), "line 1: expected a name relative to F, below it; found /etc/passwd"),
        (("../b.jpg,a",), "line 1: expected a name relative to F, below it; found ../b.jpg"),
        (('cat.0.jpg,"cats',), "line 1: expected file,label; found invalid CSV"),
        (
            ("a,b,c", "cat.0.jpg,cats,1"),
            "target; found 3 columns with the titles a, b, c\nhint: choose the column of the",
        ),
        (("cat.0.jpg,cats,1",), "found 3 columns with no titles\nhint: choose the column of"),
        (("file,image,label", "1,2,3"), "line 2: expected a file in F; there is no 1"),
        (("file,label",), "labels.csv: expected lines of file,label; found none"),
        ((), "labels.csv: expected lines of file,label; found none"),
    ],
)
def test_a_wrong_line_of_a_csv_is_named_with_its_number(
    flat: Path, lines: tuple[str, ...], sentence: str
) -> None:
    assert sentence in refused(flat, labels=csv_of(flat, *lines))


def test_a_csv_that_is_no_text_is_one_sentence(flat: Path) -> None:
    file = flat / "labels.csv"
    file.write_bytes(bytes(range(256)))
    assert "labels.csv" in refused(flat, labels=str(file))


@pytest.mark.parametrize(
    ("expression", "names", "classes"),
    [
        (r"(\w+)\.\d+\.", ("cat.0.jpg", "dog.0.jpg", "x/cat.1.jpg"), ["cat", "dog", "cat"]),
        (r"^(\w+)/", ("cats/a/1.jpg", "dogs/a/1.jpg"), ["cats", "dogs"]),
        (r"([^/]+)/[^/]+$", ("x/cats/1.jpg", "y/dogs/1.jpg"), ["cats", "dogs"]),
        (r"^(\d+)_", ("10_0001.png", "3_0001.png", "3_0002.png"), ["10", "3", "3"]),
        (r"-(.*)\.jpg$", ("1-한국어.jpg", "2-<script>.jpg"), ["한국어", "<script>"]),
    ],
)
def test_labels_may_stand_in_the_paths_below_the_folder(
    tmp_path: Path, expression: str, names: tuple[str, ...], classes: list[str]
) -> None:
    fill(tmp_path, *names)
    assert labelled(tmp_path, expression) == dict(zip(names, classes, strict=True))


def test_classes_and_files_of_a_flat_folder_come_in_the_order_of_code_points(flat: Path) -> None:
    index = index_images(flat, Layout(labels=r"^(\w+)\."))
    assert index.class_names == ("cat", "dog")
    assert index.files == ("cat.0.jpg", "cat.1.jpg", "dog.0.jpg")
    assert index.ignored == 1


def test_names_that_hold_no_label_are_ignored_and_said(flat: Path) -> None:
    fill(flat, "cover.jpg")
    index = index_images(flat, Layout(labels=r"^(\w+)\.\d"))
    assert index.ignored == 2
    assert index.notes == (
        r"Images whose paths do not match ^(\w+)\.\d (1) are ignored: cover.jpg.",
    )


def test_an_expression_that_is_no_utf_8_can_be_said(flat: Path) -> None:
    (note,) = index_images(flat, Layout(labels=os.fsdecode(b"caf\xe9|^(cat)"))).notes
    assert note == r"Images whose paths do not match caf\xe9|^(cat) (1) are ignored: dog.0.jpg."


def test_some_classes_may_be_taken_of_a_flat_folder(flat: Path) -> None:
    assert labelled(flat, r"^(\w+)\.", "dog") == {"dog.0.jpg": "dog"}


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("cat", "or a regular expression with one group, such as"),
        ("(c)(a)", "found 2 groups"),
        ("(cat", "found missing ), unterminated subpattern"),
        ("(bird)", "below F; found paths such as cat.0.jpg\nhint: try it on that path"),
        ("nowhere.csv", "found no such file"),
    ],
)
def test_an_expression_that_cannot_be_meant_is_refused(
    flat: Path, expression: str, sentence: str
) -> None:
    assert sentence in refused(flat, labels=expression)


def test_an_expression_that_matches_names_alone_is_told_from_one_that_matches_nothing(
    tmp_path: Path,
) -> None:
    sentence = refused(fill(tmp_path, "x/cat.0.jpg"), labels=r"^(\w+)\.")
    assert "found paths such as x/cat.0.jpg\nhint: it matches file names without" in sentence


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    return fill(tmp_path / "P", "train/a/1.jpg", "train/b/1.jpg", "val/a/2.jpg", "test/a/3.jpg")


@pytest.mark.parametrize(
    ("part", "folder", "files", "others"),
    [
        (None, "train", ("a/1.jpg", "b/1.jpg"), "val and test"),
        ("train", "train", ("a/1.jpg", "b/1.jpg"), "val and test"),
        ("validation", "val", ("a/2.jpg",), "train and test"),
        ("test", "test", ("a/3.jpg",), "train and val"),
    ],
)
def test_one_part_of_a_data_set_is_taken_and_said(
    parts: Path, part: str | None, folder: str, files: tuple[str, ...], others: str
) -> None:
    index = index_images(parts, Layout(part=part))
    assert index.folder == parts / folder
    assert index.files == files
    assert index.notes == (f"Used the part {folder}, and not {others}; --part selects another.",)


@pytest.mark.parametrize(
    ("folders", "taken"),
    [
        (("Train", "Test"), "Train"),
        (("TRAIN", "train", "test"), "train"),
        (("Training", "Testing"), "Training"),
        (("training", "train", "val"), "train"),
    ],
)
def test_a_part_is_known_in_any_case_and_by_the_first_of_its_names(
    tmp_path: Path, folders: tuple[str, ...], taken: str
) -> None:
    for name in folders:
        fill(tmp_path, f"{name}/a/1.jpg")
    index = index_images(tmp_path, Layout())
    assert (index.folder, index.class_names) == (tmp_path / taken, ("a",))


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    fill(tmp_path, "train/1.jpg", "test/1.jpg")
    assert index_images(tmp_path, Layout()).class_names == ("test", "train")


def test_a_part_may_be_flat_where_the_names_hold_the_labels(parts: Path) -> None:
    fill(parts, "val/cat.1.jpg")
    index = index_images(parts, Layout(part="validation", labels=r"^(\w+)\.\d"))
    assert index.files == ("cat.1.jpg",)


@pytest.mark.parametrize("part", ["train", "validation"])
def test_a_part_that_is_not_there_is_refused(tmp_path: Path, part: str) -> None:
    fill(tmp_path, "a/1.jpg")
    assert f"for --part {part}, expected a folder" in refused(tmp_path, part=part)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"part": "training"}, "--part 'training': expected train or validation or test"),
        ({"classes": ("a", "a")}, "--classes: expected names separated by commas; found 'a' twice"),
        ({"classes": ("a", "")}, "--classes: expected names separated by commas; found an empty"),
        ({"classes": ()}, "--classes: expected names separated by commas; found an empty name"),
    ],
)
def test_a_layout_that_cannot_be_meant_is_refused(
    parts: Path, given: dict[str, object], sentence: str
) -> None:
    assert sentence in refused(parts, **given)


def test_a_part_beside_a_file_of_labels_is_refused(parts: Path) -> None:
    labels = csv_of(parts, "train/a/1.jpg,a")
    assert "expected no --part with a CSV file" in refused(parts, labels=labels, part="train")


def test_a_missing_folder_is_named_in_every_layout(tmp_path: Path) -> None:
    sentence = refused(tmp_path / "gone", labels=r"^(\w+)\.")
    assert sentence == "there is no folder F: expected a folder with photos"
