"""The code of a pipeline lists the images as the run did: by real TensorFlow, on real files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from feedbench.bench.processes.workload_file import write_workload
from feedbench.pipelines.images.index import image_id, index_folder, part, take
from feedbench.pipelines.images.labelled.labels import index_labelled
from tests.reports.code.test_training_code_delivery import (
    CATEGORICAL,
    GREY_BYTES,
    assert_same,
    built_in,
    in_this_one,
    over,
)
from tests.support.builders import KOREAN, SCRIPT
from tests.support.images.odd import encoded, jpeg, noise
from tests.support.pipelines.scripts import code_of

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def odd_folder(tmp_path: Path) -> Path:
    """Images of all formats, under names and in folders of all kinds, and what is no image."""
    folder = tmp_path / f'it\'s "{KOREAN}"' / SCRIPT.replace("/", ":")
    picture = Image.fromarray(noise(20, 30, 3, seed=1))
    frames = [Image.fromarray(noise(20, 20, seed=seed)) for seed in (2, 3)]
    content = {
        "a/B.JPG": jpeg(40, 60),
        "a/a.png": encoded(picture, "PNG"),
        "a/.inner/c.bmp": encoded(picture.rotate(90), "BMP"),
        "a/x-1/1.gif": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "a/x/y/2.webp": encoded(picture, "WEBP", lossless=True),
        "a/x/jpeg named.png": jpeg(50, 30),
        "a/really a jpeg.tif": jpeg(30, 30),
        "a/notes.txt": b"no image",
        "a/bad.jpg": b"no image",
        os.fsdecode(b"a/bad \xff.jpg"): b"no image",
        os.fsdecode(b"b \xfe/good \xff.jpg"): jpeg(33, 44),
        f"b {KOREAN}/{KOREAN}.jpeg": jpeg(34, 44),
        ".hidden/1.jpg": jpeg(35, 44),
        "c/LICENSE": b"an empty class",
    }
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "a" / "link").symlink_to(folder / f"b {KOREAN}")
    (folder / "a" / "a link.jpg").symlink_to(folder / ".hidden" / "1.jpg")
    return folder


@pytest.mark.parametrize(
    ("spec", "form"),
    [
        ("image_data_generator", {}),
        ("image_data_generator", CATEGORICAL),
        ("image_dataset_from_directory", CATEGORICAL),
        ("py_dataset", {}),
        ("tfdata_tuned", CATEGORICAL),
        ("tfrecord_gzip", {}),
        ("tfrecord_sharded", CATEGORICAL),
    ],
    ids=str,
)
def test_a_folder_of_odd_names_formats_and_folders_is_listed_as_the_run_listed_it(
    spec: str, form: dict[str, Any], odd_folder: Path, tmp_path: Path, here: Path
) -> None:
    index = index_folder(odd_folder)
    bad = [file for file in index.files if os.path.basename(file).startswith("bad")]  # noqa: PTH119
    good = [place for place, file in enumerate(index.files) if file not in bad]
    work = over(odd_folder, part(index, good), **form)
    assert (len(bad), work.images, len(work.class_names)) == (2, 10, 4)
    text = code_of(spec, work, *map(image_id, bad))
    assert_same(in_this_one(text, work.images), built_in(spec, work, tmp_path))


def test_of_a_folder_measured_in_part_the_code_takes_the_whole(
    photos: Path, tmp_path: Path, here: Path
) -> None:
    measured = over(photos, take(index_folder(photos), 12, seed=0), folder_images=39)
    assert measured.images == 12
    text = code_of("tfrecord_sharded:shuffle=20", measured)
    expected = built_in("tfrecord_sharded:shuffle=20", over(photos), tmp_path)
    assert_same(in_this_one(text, 39), expected)


def test_only_the_classes_that_were_asked_for_are_taken_in_their_order(
    photos: Path, tmp_path: Path, here: Path
) -> None:
    work = over(photos, index_folder(photos, ["owls", "cats"]))
    found = in_this_one(code_of("tfdata_tuned", work), work.images)
    assert_same(found, built_in("tfdata_tuned", work, tmp_path))


@pytest.mark.parametrize("form", [{}, GREY_BYTES | CATEGORICAL], ids=str)
@pytest.mark.parametrize(
    "spec",
    ["image_data_generator", "image_dataset_from_directory", "tfdata_naive", "tfrecord_gzip"],
)
def test_labels_of_a_csv_file_are_read_from_the_run(
    spec: str, form: dict[str, Any], tmp_path: Path, here: Path
) -> None:
    folder = tmp_path / "flat"
    folder.mkdir()
    names = [*(f"{number}.jpg" for number in range(9)), os.fsdecode(b"\xff.jpg")]
    for number, name in enumerate(names):
        (folder / name).write_bytes(jpeg(30 + number, 40))
    lines = [f"{name},{('tabby', KOREAN)[number % 2]}" for number, name in enumerate(names)]
    csv = tmp_path / "labels.csv"
    csv.write_bytes(os.fsencode("\n".join(lines)))
    work = over(folder, index_labelled(folder, os.fspath(csv)), **form)
    write_workload(work, tmp_path / "images.json")
    text = code_of(spec, work, images_json=tmp_path / "images.json")
    assert_same(in_this_one(text, work.images), built_in(spec, work, tmp_path))
