"""A loader that walks `workload.folder` finds exactly the workload's images, in its order."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from feedbench.bench.processes.client import Processes
from feedbench.bench.processes.folder_views import (
    Views,
    class_folders,
    holds_exactly,
    link_names,
    make_view,
)
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.processes.trials import Trials
from feedbench.bench.processes.workload_file import workload_of, write_workload
from feedbench.pipelines.catalog import parse
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import Index, part, take
from feedbench.pipelines.images.layouts import Layout, index_images
from feedbench.pipelines.images.split.by_seed import split
from tests.support.images import odd
from tests.support.pipelines import loaders

KERAS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


def workload_of_index(index: Index) -> Workload:
    return workload_of(
        index, folder_images=len(index.files), image_size=(8, 8), batch_size=8, seed=0
    )


def workload_from(folder: Path, limit: int = 1000, **layout: object) -> Workload:
    """The images of a folder, or a part of them, as a run takes them."""
    given = Layout(**layout)  # type: ignore[arg-type]
    return workload_of_index(take(index_images(folder, given), limit, seed=0))


def viewed(workload: Workload, scratch: Path) -> Path:
    """The folder that a loader is given for a workload."""
    scratch.mkdir()
    write_workload(workload, scratch / "images.json")
    return Path(Views(scratch).folder(scratch / "images.json"))


def walked(folder: Path, classes: tuple[str, ...] | None = None) -> list[tuple[str, int]]:
    """The real file and the label of each image, as Keras and torchvision list a folder."""
    names = classes or sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    return [
        (os.path.realpath(f"{root}/{file}"), label)
        for label, name in enumerate(names)
        for root, _, files in sorted(os.walk(folder / name))
        for file in sorted(files)
        if file.lower().endswith(KERAS)
    ]


def expected(workload: Workload) -> list[tuple[str, int]]:
    return [
        (os.path.realpath(file), label)
        for file, label in zip(workload.files, workload.labels, strict=True)
    ]


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def write(file: Path, content: bytes | None = None) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(odd.jpeg(8, 8) if content is None else content)


@pytest.fixture
def tidy(tmp_path: Path) -> Path:
    """Two classes of three images, and nothing else."""
    for name in ("cats", "dogs"):
        for number in range(3):
            write(tmp_path / "tidy" / name / f"{number}.jpg")
    return tmp_path / "tidy"


def test_a_folder_that_holds_nothing_else_is_walked_itself(tidy: Path, tmp_path: Path) -> None:
    workload = workload_from(tidy)
    assert viewed(workload, tmp_path / "scratch") == tidy
    assert walked(tidy) == expected(workload)


def test_classes_in_another_order_need_no_view(tidy: Path, tmp_path: Path) -> None:
    workload = workload_from(tidy, classes=("dogs", "cats"))
    assert viewed(workload, tmp_path / "scratch") == tidy
    assert walked(tidy, workload.class_names) == expected(workload)


def test_of_a_part_the_view_holds_exactly_that(tidy: Path, tmp_path: Path) -> None:
    workload = workload_from(tidy, limit=4)
    view = viewed(workload, tmp_path / "scratch")
    assert view.parent == tmp_path / "scratch"
    assert walked(view) == expected(workload)
    assert {file.name for file in view.rglob("*.jpg")} <= {"0.jpg", "1.jpg", "2.jpg"}


@pytest.mark.parametrize(
    "stray",
    ["LICENSE.txt", "cats/Thumbs.db", ".git/config", "cats/.hidden.jpg", "cats/kittens/1.jpg"],
)
def test_whatever_else_is_in_the_folder_is_not_in_the_view(
    tidy: Path, tmp_path: Path, stray: str
) -> None:
    write(tidy / stray)
    workload = workload_from(tidy)
    view = viewed(workload, tmp_path / "scratch")
    assert view != tidy
    assert walked(view) == expected(workload)
    assert sorted(entry.name for entry in view.iterdir()) == ["cats", "dogs"]
    assert all(file.is_symlink() for name in ("cats", "dogs") for file in (view / name).iterdir())


def test_classes_that_are_left_out_are_not_in_the_view(tidy: Path, tmp_path: Path) -> None:
    workload = workload_from(tidy, classes=("dogs",))
    view = viewed(workload, tmp_path / "scratch")
    assert [entry.name for entry in view.iterdir()] == ["dogs"]
    assert walked(view) == expected(workload)


def test_bad_images_that_are_left_out_are_not_in_the_view(tidy: Path, tmp_path: Path) -> None:
    index = index_images(tidy, Layout())
    workload = workload_of_index(part(index, [0, 1, 3, 4, 5]))
    assert walked(viewed(workload, tmp_path / "scratch")) == expected(workload)


def test_a_class_of_which_no_image_is_taken_keeps_its_folder_and_so_the_labels(
    tidy: Path, tmp_path: Path
) -> None:
    (tidy / "birds").mkdir()
    workload = workload_from(tidy, limit=3)
    view = viewed(workload, tmp_path / "scratch")
    assert sorted(entry.name for entry in view.iterdir()) == ["birds", "cats", "dogs"]
    assert walked(view) == expected(workload)


def test_labels_from_names_and_from_a_csv_file_become_class_folders(tmp_path: Path) -> None:
    flat, listed = tmp_path / "flat", tmp_path / "labels.csv"
    for name in ("cat.1.jpg", "dog.1.jpg", "cat.2.jpg"):
        write(flat / name)
    write(flat / "deep" / "cat.1.jpg")
    listed.write_text("file,label\ncat.2.jpg,a\ndeep/cat.1.jpg,b/c\ncat.1.jpg,a\ndog.1.jpg,..\n")
    by_name = workload_from(flat, labels=r"^(\w+)\.")
    by_file = workload_from(flat, labels=str(listed))
    view = viewed(by_name, tmp_path / "scratch")
    assert walked(view) == expected(by_name)
    assert walked(viewed(by_file, tmp_path / "other")) == expected(by_file)
    assert sorted(entry.name for entry in view.iterdir()) == ["cat", "dog"]


def test_a_part_of_a_data_set_is_its_own_folder(tidy: Path, tmp_path: Path) -> None:
    shutil.copytree(tidy, tmp_path / "set" / "train")
    shutil.copytree(tidy, tmp_path / "set" / "val")
    workload = workload_from(tmp_path / "set", part="validation")
    assert viewed(workload, tmp_path / "scratch") == tmp_path / "set" / "val"


def test_files_of_one_name_in_several_folders_are_numbered_in_their_order(tmp_path: Path) -> None:
    for name in ("1.jpg", "x-1/1.jpg", "x/1.jpg", "x/y/0.jpg"):
        write(tmp_path / "photos" / "cats" / name)
    workload = workload_from(tmp_path / "photos")
    view = viewed(workload, tmp_path / "scratch")
    assert walked(view) == expected(workload)
    assert _names(view / "cats") == ["0-1.jpg", "1-1.jpg", "2-1.jpg", "3-0.jpg"]


@pytest.mark.parametrize(
    ("name", "content", "link"),
    [
        ("a.jpeg", odd.jpeg(), "a.jpeg"),
        ("A.JPG", odd.jpeg(), "A.JPG"),
        ("named wrongly.png", odd.jpeg(), "named wrongly.png"),
        ("a.webp", odd.jpeg(), "a.webp.jpg"),
        ("a.jfif", odd.jpeg(), "a.jfif.jpg"),
        ("a.gif", odd.png(), "a.gif.png"),
        ("no_suffix", odd.jpeg(), "no_suffix.jpg"),
    ],
)
def test_a_link_has_a_suffix_that_every_loader_lists(
    tmp_path: Path, name: str, content: bytes, link: str
) -> None:
    write(tmp_path / name, content)
    assert link_names([str(tmp_path / name)]) == [link]


def test_names_that_are_no_text_or_too_long_are_replaced(tmp_path: Path) -> None:
    cats, long = tmp_path / "photos" / "cats", "x" * 250 + ".webp"
    cats.mkdir(parents=True)
    for name in (b"\xff\xfe.jpg", b"line\nbreak.jpg", b".hidden.jpg", "ü[*]?.jpg".encode()):
        write(cats / os.fsdecode(name))
    write(cats / long)
    workload = workload_from(tmp_path / "photos")
    view = viewed(workload, tmp_path / "scratch")
    assert walked(view) == expected(workload)
    assert all(name.isascii() and name.isprintable() for name in _names(view / "cats"))


@pytest.mark.parametrize("name", ["", ".", "..", ".git", "a/b", "\udcff", "n" * 256])
def test_a_class_that_cannot_name_a_folder_has_all_folders_numbered(name: str) -> None:
    names = class_folders(["cats", name])
    assert names == sorted(names)
    assert names[0] == "0-cats"
    assert names[1].startswith("1-")
    assert names[1].isascii()
    assert len(names[1]) < 100


@pytest.mark.parametrize("name", ["New\u00a0York", "a\nb", "ü[*]?", "n" * 255])
def test_a_class_keeps_a_name_that_can_name_a_folder(name: str) -> None:
    assert class_folders(["cats", name]) == ["cats", name]


def test_two_workloads_of_the_same_images_share_a_view(tidy: Path, tmp_path: Path) -> None:
    views, files = Views(tmp_path), [tmp_path / "a.json", tmp_path / "b.json", tmp_path / "c.json"]
    for file, limit in zip(files, (4, 4, 3), strict=True):
        write_workload(workload_from(tidy, limit), file)
    folders = [views.folder(file) for file in (*files, files[0])]
    assert folders[0] == folders[1] == folders[3] != folders[2]


def test_a_view_that_cannot_be_written_is_one_sentence(tidy: Path, tmp_path: Path) -> None:
    write_workload(workload_from(tidy, limit=4), tmp_path / "images.json")
    with pytest.raises(RequestError, match=r"(?s)^cannot write the links to 4 images to .*TMPDIR"):
        Views(tmp_path / "nowhere").folder(tmp_path / "images.json")


def test_to_remove_a_view_removes_no_image(tidy: Path, tmp_path: Path) -> None:
    workload = workload_from(tidy)
    make_view(workload, tmp_path / "view")
    shutil.rmtree(tmp_path / "view")
    assert holds_exactly(workload)


WALKS = """
def photos(workload):
    found = sorted(os.path.realpath(os.path.join(root, file))
                   for root, _, files in os.walk(workload.folder) for file in files)
    assert found == sorted(map(os.path.realpath, workload.files)), found
    assert os.listdir(workload.scratch) == []
    return batches(workload)
"""


@pytest.mark.tensorflow
def test_a_loader_is_given_a_folder_of_its_images_and_an_empty_one(
    processes: Processes, workload_file: Path, tmp_path: Path
) -> None:
    run, scratch = RunFolder(tmp_path / "R"), tmp_path / "scratch"
    run.create()
    scratch.mkdir()
    trials = Trials(processes, run, scratch, ("a",), fresh_interpreter=False, views=Views(scratch))
    spec = parse(f"a={loaders.write_loader(tmp_path, WALKS)}:photos")
    record = trials.run(spec, "pilot", workload_file, Limit(60.0))
    assert record.ended == "measured", record.why


def test_of_a_split_a_loader_finds_the_measured_part_alone(tidy: Path, tmp_path: Path) -> None:
    whole = index_images(tidy, Layout())
    parts = [
        workload_of_index(split(whole, 0.5, 0, subset)) for subset in ("training", "validation")
    ]
    for place, workload in enumerate(parts):
        view = viewed(workload, tmp_path / f"scratch-{place}")
        assert walked(view) == expected(workload)
    assert sorted(expected(parts[0]) + expected(parts[1])) == sorted(
        expected(workload_of_index(whole))
    )
