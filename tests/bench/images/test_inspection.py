"""`feedbench inspect`: what is in a folder, without and with decoding."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rich.console import Console

from feedbench.bench.images.check import Checks
from feedbench.bench.images.inspection import inspect
from feedbench.bench.processes.progress import Quiet
from feedbench.bench.records.checks.inspection import Inspection
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.layouts import Layout
from feedbench.reports.terminal.inspection import show
from tests.support.images.odd import encoded, jpeg, noise, png, png_of, write_odd_files

COMMAND = Path(sys.executable).with_name("feedbench")


def inspected(folder: Path, **given: Any) -> Inspection:
    options: dict[str, Any] = {"image_size": (10, 20), "channels": 3, "listener": Quiet()}
    layout = given.pop("layout", Layout())
    return inspect(folder, layout, Checks(how="header"), **options | given)


def text(inspection: Inspection) -> str:
    console = Console(file=StringIO(), highlight=False)
    show(inspection, console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(printed, str)
    assert all(len(line) <= 100 for line in printed.splitlines())
    return printed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        (tmp_path / "P" / name).mkdir(parents=True)
    turned = Image.Exif()
    turned[0x0112] = 6
    (tmp_path / "P/a/1.jpg").write_bytes(jpeg(40, 60))
    (tmp_path / "P/a/2.png").write_bytes(png(30, 20))
    (tmp_path / "P/b/same.jpg").write_bytes(jpeg(40, 60))
    (tmp_path / "P/b/turned.jpg").write_bytes(
        encoded(Image.fromarray(noise(8, 9)), "JPEG", exif=turned)
    )
    (tmp_path / "P/b/empty.jpg").write_bytes(b"")
    (tmp_path / "P/b/photo").write_bytes(jpeg())
    (tmp_path / "P/b/LICENSE.txt").write_text("free")
    return tmp_path / "P"


def test_it_counts_classes_formats_modes_bytes_and_ignored_files(folder: Path) -> None:
    inspection = inspected(folder)
    assert (inspection.images, inspection.classes) == (5, {"a": 2, "b": 3})
    assert inspection.formats == {"JPEG": 3, "PNG": 1}
    assert inspection.modes == {"RGB": 3, "L": 1}
    assert inspection.bytes == sum(file.stat().st_size for file in folder.glob("*/*.*g"))
    assert inspection.ignored_files == 2
    assert [(left.file, left.reason) for left in inspection.ignored_images] == [
        ("b/photo", "starts like JPEG, but its name has no image suffix")
    ]


def test_widths_and_heights_are_counted_in_bins_that_hold_every_image(folder: Path) -> None:
    inspection = inspected(folder)
    assert (inspection.widths[0].least, inspection.widths[-1].most) == (9, 60)
    assert sum(one.images for one in inspection.widths) == 4
    assert sum(one.images for one in inspection.heights) == 4
    assert all(one.least <= one.most for one in inspection.widths)


def test_images_of_one_size_make_one_bin(photos: Path) -> None:
    inspection = inspected(photos)
    assert [(one.least, one.most, one.images) for one in inspection.widths] == [(60, 60, 39)]


def test_duplicates_are_found_by_content_and_orientations_by_exif(folder: Path) -> None:
    inspection = inspected(folder)
    assert inspection.duplicates == [["a/1.jpg", "b/same.jpg"]]
    assert inspection.orientations == {"6": 1}


def test_bad_files_are_named_and_take_no_part_of_the_cache(folder: Path) -> None:
    inspection = inspected(folder)
    assert [(left.file, left.reason) for left in inspection.bad] == [
        ("b/empty.jpg", "an empty file")
    ]
    assert inspection.cache_bytes == 4 * 10 * 20 * 3 * 4
    assert inspected(folder, channels=1).cache_bytes == 4 * 10 * 20 * 4


def test_the_text_says_all_of_it(folder: Path) -> None:
    printed = " ".join(text(inspected(folder)).split())
    for sentence in (
        "5 images in 2 classes",
        "Formats: JPEG 3, PNG 1",
        "Images with an EXIF rotation: 1 (orientation 6: 1). TensorFlow and Keras ignore",
        "a/1.jpg = b/same.jpg",
        "A cache of the decoded images at 10x20x3 float32 takes 9.60 kB",
        "b/photo: starts like JPEG",
        "Bad images: 1; only headers were checked.",
        "b/empty.jpg: an empty file",
    ):
        assert sentence in printed


def test_a_folder_without_labels_can_be_inspected(folder: Path) -> None:
    inspection = inspected(folder / "b")
    assert inspection.images == 3
    assert "3 images, " in text(inspection)
    assert "a run needs --labels" in text(inspection)


def test_photos_next_to_a_system_folder_need_no_labels_either(folder: Path) -> None:
    (folder / "b/__MACOSX").mkdir()
    assert inspected(folder / "b", layout=Layout(follow_links=True)).images == 3


def test_another_layout_can_be_inspected(folder: Path) -> None:
    inspection = inspected(folder, layout=Layout(labels=r"(\d)\.[a-z]+$"))
    assert inspection.classes == {"1": 1, "2": 1}


@pytest.mark.parametrize("label", ["x" * 300, "/bin", "..", "a\0b"])
def test_labels_of_a_csv_are_no_folders_and_may_be_anything(folder: Path, label: str) -> None:
    (folder / "labels.csv").write_text(f"b/photo,{label}\na/1.jpg,cats\n")
    inspection = inspected(folder, layout=Layout(labels=str(folder / "labels.csv")))
    assert inspection.classes == {label: 1, "cats": 1}
    assert inspection.ignored_images == []


def test_images_without_a_suffix_are_found_in_a_class_that_is_a_link(folder: Path) -> None:
    (folder / "b").rename(folder.parent / "elsewhere")
    (folder / "b").symlink_to(folder.parent / "elsewhere")
    assert [left.file for left in inspected(folder).ignored_images] == ["b/photo"]


def test_many_files_of_the_same_content_are_counted_and_not_all_named(folder: Path) -> None:
    (folder / "b/same.jpg").unlink()
    for number in range(10, 61):
        (folder / "a" / f"{number}.jpg").hardlink_to(folder / "a/1.jpg")
    inspection = inspected(folder)
    assert len(inspection.duplicates[0]) == 52
    assert (inspection.class_duplicates, inspection.part_duplicates) == ([], [])
    printed = text(inspection)
    assert (
        "Duplicates: 51 files with the same content as another file of the same class:" in printed
    )
    assert "a/1.jpg = a/10.jpg = a/11.jpg = a/12.jpg = a/13.jpg = 47 more" in printed


def test_duplicates_across_classes_come_before_harmless_ones(folder: Path) -> None:
    for number in range(10, 20):
        (folder / "a" / f"{number}.jpg").hardlink_to(folder / "a/1.jpg")
    (folder / "b/3.png").write_bytes(png(7, 7))
    (folder / "b/4.png").write_bytes(png(7, 7))
    inspection = inspected(folder)
    (group,) = inspection.class_duplicates
    assert [(image.file, image.class_name) for image in group[:2]] == [
        ("a/1.jpg", "a"),
        ("b/same.jpg", "b"),
    ]
    assert len(group) == 12
    printed = text(inspection)
    assert "Duplicates across classes: 1 image. Their labels differ" in printed
    assert "  a/1.jpg = b/same.jpg = a/10.jpg = a/11.jpg = a/12.jpg = 7 more\n" in printed
    assert (
        "Other duplicates: 1 file with the same content as another file of the same class:\n "
        " b/3.png" in printed
    )
    assert printed.index("across classes") < printed.index("Other duplicates")


def test_classes_of_duplicates_are_named_where_their_folders_do_not_name_them(
    tmp_path: Path,
) -> None:
    for name in ("cat.1.jpg", "dog.1.jpg"):
        (tmp_path / name).write_bytes(jpeg())
    printed = text(inspected(tmp_path, layout=Layout(labels=r"^(\w+)\.")))
    assert "  cat.1.jpg (cat) = dog.1.jpg (dog)" in printed


def test_images_that_are_in_several_parts_come_first(folder: Path) -> None:
    for part in ("train", "val"):
        shutil.copytree(folder, folder.parent / "parts" / part)
    (folder.parent / "parts/val/b/3.png").write_bytes(png(7, 7))
    (folder.parent / "parts/val/b/4.png").write_bytes(png(7, 7))
    inspection = inspected(folder.parent / "parts")
    assert inspection.part_duplicates == [
        ["train/a/1.jpg", "val/a/1.jpg", "train/b/same.jpg", "val/b/same.jpg"],
        ["train/a/2.png", "val/a/2.png"],
        ["train/b/turned.jpg", "val/b/turned.jpg"],
    ]
    assert inspection.duplicates == [["a/1.jpg", "b/same.jpg"]]
    printed = text(inspection)
    assert "Duplicates across parts: 3 images. What a model is trained on must not" in printed
    assert printed.index("across parts") < printed.index("across classes")


def test_bad_images_are_summed_up_by_reason_with_three_examples_each(folder: Path) -> None:
    for number in range(700):
        (folder / "a" / f"{number:03d}.jpg").write_bytes(b"")
    for number in range(5):
        (folder / "b" / f"{number}.png").write_bytes(png_of(20_000 + number, 14_000))
    inspection = inspected(folder)
    assert len(inspection.bad) == 706
    printed = text(inspection)
    assert "  701 images: an empty file\n    a/000.jpg\n    a/001.jpg\n    a/002.jpg\n" in printed
    assert (
        "  5 images: N x N pixels: over the limit of N (--max-pixels)\n    b/0.png: 20,000 x"
        in (printed)
    )
    assert printed.count("pixels: over") == 4
    assert "--format json lists all of them" in printed
    assert len(printed.splitlines()) < 60


class Replacing(Quiet):
    """Replaces a photo once all have been checked."""

    def __init__(self, photo: Path) -> None:
        self._photo = photo

    def stage(self, text: str) -> None:
        if "duplicates" in text:
            self._photo.write_bytes(jpeg(40, 60) + b"more")


def test_a_photo_that_changes_meanwhile_is_named(folder: Path) -> None:
    assert "changed" not in text(inspected(folder))
    inspection = inspected(folder, listener=Replacing(folder / "a" / "1.jpg"))
    (note,) = inspection.notes
    assert note.startswith("The photo a/1.jpg changed while the folder was checked.")
    assert note in " ".join(text(inspection).split())


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"\.mpo\); found no file$"):
        inspected(tmp_path)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(RequestError, match=r"found none, only other files \(1\)"):
        inspected(tmp_path)


def test_names_of_any_kind_fit_on_the_terminal(tmp_path: Path) -> None:
    for name in (
        "<script>alert(1)<:script>",
        "x" * 200,
        "한국어 🐈",
        os.fsdecode(b"caf\xe9"),
        "a\nb",
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(jpeg())
        (tmp_path / name / f"{name}.jpg").write_bytes(b"")
    printed = text(inspected(tmp_path))
    assert r"caf\xe9" in printed
    assert r"a\nb" in printed


@pytest.mark.tensorflow
def test_the_command_decodes_every_file_and_bad_ones_are_no_error(tmp_path: Path) -> None:
    expected = write_odd_files(tmp_path / "P" / "odd")
    env = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    words = [str(COMMAND), "inspect", str(tmp_path / "P"), "--format", "json"]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    bad = {Path(left["file"]).name for left in json.loads(done.stdout)["bad"]}
    assert bad == expected.keys()


@pytest.mark.tensorflow
def test_it_names_a_reason_for_every_odd_file_that_it_would_leave_out(
    odd: Path, tmp_path: Path
) -> None:
    env = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    words = [str(COMMAND), "inspect", str(odd)]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Bad images: 38; every image was decoded by TensorFlow and by Pillow." in done.stdout
    assert "20,000 x 14,000 pixels: over the limit" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere"], "there is no folder nowhere: expected a folder with photos"),
        (["PHOTOS", "--format", "xml"], "--format 'xml': expected text or json"),
        (["PHOTOS", "--channels", "2"], "--channels '2': expected 1 or 3"),
        (["PHOTOS", "--check", "well"], "--check 'well': expected none, header or decode"),
    ],
)
def test_a_wrong_request_is_one_sentence(
    words: list[str], sentence: str, photos: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [COMMAND, "inspect", *(str(photos) if word == "PHOTOS" else word for word in words)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"feedbench: {sentence}")
    assert len(done.stderr.splitlines()) == 1
