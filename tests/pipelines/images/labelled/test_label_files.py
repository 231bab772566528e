"""Files of labels as people have them: other delimiters, encodings, names and columns."""

import os
from pathlib import Path

import pytest

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.layouts import Layout, index_images
from tests.pipelines.images.test_index import fill
from tests.pipelines.images.test_layouts import csv_of, labelled, refused

EXPECTED = {"a/1.jpg": "cats", "b/2.jpg": "dogs"}


@pytest.fixture
def nested(tmp_path: Path) -> Path:
    return fill(tmp_path / "photos", "a/1.jpg", "b/2.jpg")


@pytest.mark.parametrize(
    "lines",
    [
        ("a/1.jpg;cats", "b/2.jpg;dogs"),
        ("a/1.jpg\tcats", "b/2.jpg\tdogs"),
        ("Datei;Klasse", "a/1.jpg;cats", "b/2.jpg;dogs"),
        ("cats;a/1.jpg", "dogs;b/2.jpg"),
    ],
)
def test_fields_may_be_between_semicolons_or_tabs(nested: Path, lines: tuple[str, ...]) -> None:
    assert labelled(nested, csv_of(nested, *lines)) == EXPECTED


def test_a_label_may_hold_a_semicolon_or_a_comma(nested: Path) -> None:
    lines = ('a/1.jpg,"cats; tame"', 'b/2.jpg,"dogs, wild"')
    assert list(labelled(nested, csv_of(nested, *lines)).values()) == ["cats; tame", "dogs, wild"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_may_be_utf_16_or_have_a_byte_order_mark(nested: Path, encoding: str) -> None:
    file = nested / "labels.csv"
    file.write_bytes("file,label\r\na/1.jpg,cats\r\nb/2.jpg,한국어\r\n".encode(encoding))
    assert labelled(nested, str(file)) == {"a/1.jpg": "cats", "b/2.jpg": "한국어"}


@pytest.mark.parametrize(
    "names",
    [
        ("{folder}/a/1.jpg", "{folder}/b/2.jpg"),
        ("1.jpg", "2.jpg"),
        ("1", "2"),
        ("a/1", "b/2"),
        ("a\\1.jpg", "b\\2.jpg"),
        (".\\a\\1.jpg", "./b/2.jpg"),
        ("photos/a/1.jpg", "photos/b/2.jpg"),
    ],
)
def test_files_are_found_by_the_names_that_people_give_them(
    nested: Path, names: tuple[str, str]
) -> None:
    first, second = (name.format(folder=nested) for name in names)
    file = csv_of(nested.parent, f"{first},cats", f"{second},dogs")
    assert labelled(nested, file) == EXPECTED


def test_absolute_paths_may_be_those_behind_a_link(nested: Path) -> None:
    (nested.parent / "link").symlink_to(nested)
    lines = (f"{nested}/a/1.jpg,cats", f"{nested.parent}/link/b/2.jpg,dogs")
    assert labelled(nested.parent / "link", csv_of(nested, *lines)) == EXPECTED


def test_a_name_with_a_backslash_in_it_is_that_file(nested: Path) -> None:
    fill(nested, "a\\1.jpg")
    assert labelled(nested, csv_of(nested, "a\\1.jpg,cats")) == {"a\\1.jpg": "cats"}


@pytest.mark.parametrize("name", ["1.jpg", "1"])
def test_a_bare_name_of_several_files_is_refused_with_their_paths(nested: Path, name: str) -> None:
    fill(nested, "b/1.jpg")
    sentence = refused(nested, labels=csv_of(nested, f"{name},cats"))
    assert f"found {name}, which 2 files have: a/1.jpg, b/1.jpg\nhint: give the path" in sentence


MANY = ("id,image,width,breed,kind", "7,1.jpg,640,siamese,cats", "8,2.jpg,480,beagle,dogs")


@pytest.mark.parametrize("column", ["kind", "KIND", "5"])
def test_the_column_of_the_labels_may_be_chosen(nested: Path, column: str) -> None:
    layout = Layout(labels=csv_of(nested, *MANY), label_column=column)
    index = index_images(nested, layout)
    assert (index.files, index.class_names) == (("a/1.jpg", "b/2.jpg"), ("cats", "dogs"))


def test_without_titles_the_files_are_where_names_of_files_are(nested: Path) -> None:
    layout = Layout(labels=csv_of(nested, "7,cats,a/1.jpg", "8,dogs,b/2.jpg"), label_column="2")
    assert index_images(nested, layout).files == ("a/1.jpg", "b/2.jpg")


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ("species", "--label-column 'species': expected a title or a number of a column in"),
        ("6", "found the titles id, image, width, breed, kind"),
        ("0", "--label-column '0': expected a title or a number"),
    ],
)
def test_a_column_that_is_not_there_is_refused_with_those_that_are(
    nested: Path, column: str, sentence: str
) -> None:
    assert sentence in refused(nested, labels=csv_of(nested, *MANY), label_column=column)


def test_a_column_of_labels_needs_a_file_of_labels() -> None:
    with pytest.raises(RequestError, match="--label-column 'x': expected a CSV file for --labels"):
        Layout(label_column="x", labels=r"(\w+)")


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (("1.jpg,0.37", "2.jpg,1"), "found numbers with fractions, such as 0.37\nhint: Feedbench"),
        (("1.jpg,cat|tame", "2.jpg,cat"), "found several, such as cat|tame\nhint: keep one label"),
        (("1.jpg,\"['cat', 'tame']\"", "2.jpg,['cat']"), "found several, such as ['cat', 'tame']"),
        (("1.jpg,cat", "1.jpg,tame"), "as in line 1 with another label\nhint: keep one label"),
        (("1.jpg,cat", "1.jpg,cat"), "as in line 1\nhint: remove one of the two lines"),
    ],
)
def test_labels_that_are_no_classes_are_refused(
    nested: Path, lines: tuple[str, ...], sentence: str
) -> None:
    assert sentence in refused(nested, labels=csv_of(nested, *lines))


def test_numbers_without_fractions_are_classes(nested: Path) -> None:
    assert list(labelled(nested, csv_of(nested, "1.jpg,1.0", "2.jpg,2")).values()) == ["1.0", "2"]


def test_a_file_beside_the_folder_may_hold_names_that_are_no_utf_8(nested: Path) -> None:
    odd = os.fsdecode(b"caf\xe9.jpg")
    fill(nested, f"b/{odd}")
    assert labelled(nested, csv_of(nested.parent, f"{odd},a")) == {f"b/{odd}": "a"}


def test_a_file_that_begins_with_a_blank_line_is_refused(nested: Path) -> None:
    assert "line 1: expected 2 fields" in refused(
        nested, labels=csv_of(nested.parent, "", "a/1.jpg,a")
    )


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("labels.xlsx", b"PK\x03\x04", "an Excel file"),
        ("labels.parquet", b"PAR1", "a parquet file"),
        ("labels.json", b'{"images": []}', "a JSON file"),
        ("labels.json", b'[ {"file": "1.jpg"}]', "a JSON file"),
    ],
)
def test_what_is_no_csv_file_is_named(nested: Path, name: str, content: bytes, what: str) -> None:
    file = nested / name
    file.write_bytes(content)
    assert refused(nested, labels=str(file)) == (
        f"--labels F/{name} is {what}: expected a CSV file\nhint: save it as CSV, with lines of"
        " file,label"
    )
