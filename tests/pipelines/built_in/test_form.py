"""Channels, dtype, range, label mode and file formats: what every built-in pipeline makes of them.

By real TensorFlow from real files, beside a reference of Pillow and NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from feedbench.pipelines import catalog
from feedbench.pipelines.contract import Preparing, Workload
from feedbench.pipelines.images.file_formats import formats_of
from feedbench.pipelines.images.index import index_folder
from tests.support.images import reference
from tests.support.specs import of_spec, quick_by_default

pytestmark = pytest.mark.tensorflow

HEIGHT, WIDTH = 20, 32
SPECS = (
    *catalog.DEFAULT_SPECS,
    "image_data_generator:interpolation=nearest",
    "py_dataset",
    "tfdata_naive:graph_rewrites=off",
    "tfdata_tuned:cache=file",
    "tfdata_tuned:shuffle=none,prefetch=none",
    "tfdata_tuned:cache=none,deterministic=false,parallel_calls=2",
    "tfrecord_sharded:cache=memory",
)
RANGES: dict[str, dict[str, Any]] = {
    "0..1": {"value_range": (0.0, 1.0)},
    "-1..1": {"value_range": (-1.0, 1.0)},
    "0..255": {"value_range": (0.0, 255.0)},
    "uint8": {"value_range": (0.0, 255.0), "dtype": "uint8"},
}

CROSSED = "tfdata_naive"  # in whose form all combinations are looked at

Batches = list[tuple[npt.NDArray[Any], npt.NDArray[Any]]]
Deliver = Callable[[str, Workload], Batches]


def workload_of(folder: Path, **given: Any) -> Workload:
    index = index_folder(folder)
    fields: dict[str, Any] = {"height": HEIGHT, "width": WIDTH, "batch_size": 4}
    return Workload(
        files=index.paths,
        labels=index.labels,
        class_names=index.class_names,
        formats=formats_of(index.paths),
        folder_images=len(index.files),
        **fields | given,
    )


def a_picture(seed: int, height: int = 30, width: int = 50) -> Image.Image:
    """Soft spots in all colours, black and white among them."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    small[0, 0], small[3, 4] = 0, 255
    return Image.fromarray(small).resize((width, height), Image.Resampling.NEAREST)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten PNGs of several sizes in two classes."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(10):
        of_class = folder / ("cats" if number < 6 else "dogs")
        of_class.mkdir(exist_ok=True)
        a_picture(number, 30 + number, 50 - number).save(of_class / f"{number}.png")
    return folder


@pytest.fixture
def deliver(tmp_path: Path) -> Deliver:
    """Delivers the batches of two epochs, the second out of the cache where there is one."""

    def deliver_(spec: str, workload: Workload) -> Batches:
        prepared, scratch = tmp_path / "prepared", tmp_path / "scratch"
        prepared.mkdir(exist_ok=True)
        scratch.mkdir(exist_ok=True)
        pipeline = catalog.load(catalog.parse(spec))
        if isinstance(pipeline, Preparing):
            pipeline.prepare(workload, prepared)
        feed = pipeline.open(workload, prepared, scratch)
        return [
            (np.asarray(images), np.asarray(labels)) for _ in range(2) for images, labels in feed
        ]

    return deliver_


def colours(spec: str, file: str) -> reference.Pixels:
    """Return the resized colours that a pipeline should make of a file, 0 to 255."""
    image = reference.decoded(file)
    if not spec.startswith(("image_data_generator", "py_dataset")):
        return reference.sampled(image, HEIGHT, WIDTH)
    nearest = "nearest" in spec
    filter_ = Image.Resampling.NEAREST if nearest else Image.Resampling.BILINEAR
    return reference.filtered(image, HEIGHT, WIDTH, filter_)


def places(images: npt.NDArray[Any], expected: list[reference.Pixels]) -> list[int]:
    """Return for each image the place of the expected one that it is nearest to."""
    differences = [[np.abs(image - other).mean() for other in expected] for image in images]
    return [int(place) for place in np.argmin(differences, axis=1)]


def joined(batches: Batches) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    images, labels = zip(*batches, strict=True)
    return np.concatenate(images), np.concatenate(labels)


# Every range, and both numbers of channels, of each SPEC; all that there is together of one.
FORMS = [
    *(
        of_spec(spec, spec, kind, 3 if place % 2 else 1)
        for spec in SPECS
        for place, kind in enumerate(RANGES)
    ),
    *(of_spec(CROSSED, CROSSED, kind, 1 if place % 2 else 3) for place, kind in enumerate(RANGES)),
]


@pytest.mark.parametrize(("spec", "kind", "channels"), FORMS)
def test_images_have_the_channels_dtype_and_range_that_were_asked_for(
    deliver: Deliver, pictures: Path, spec: str, kind: str, channels: int
) -> None:
    work = workload_of(pictures, channels=channels, **RANGES[kind])
    images, _ = joined(deliver(spec, work))
    assert images.shape == (20, HEIGHT, WIDTH, channels)
    assert images.dtype == work.dtype
    expected = [colours(spec, file) for file in work.files]
    if channels == 1:
        expected = [reference.grey(image) for image in expected]
    low, high = work.value_range
    expected = [low + image * (high - low) / 255 for image in expected]
    order = places(images, expected)
    assert sorted(order) == sorted(2 * list(range(10)))
    most = 0.501 if kind == "uint8" else 1e-5 * (high - low)
    for image, place in zip(images, order, strict=True):
        assert np.abs(image - expected[place]).max() <= most
    assert images.min() <= low + 0.1 * (high - low)
    assert images.max() >= high - 0.1 * (high - low)


@pytest.mark.parametrize("mode", ["int", "categorical", "binary"])
@pytest.mark.parametrize("spec", quick_by_default(SPECS))
def test_labels_have_the_mode_that_was_asked_for_and_stay_with_their_images(
    deliver: Deliver, pictures: Path, spec: str, mode: str
) -> None:
    work = workload_of(pictures, label_mode=mode)
    batches = deliver(spec, work)
    assert [len(labels) for _, labels in batches] == [4, 4, 2, 4, 4, 2]
    images, labels = joined(batches)
    expected = [colours(spec, file) / 255 for file in work.files]
    true_labels = [work.labels[place] for place in places(images, expected)]
    right = {
        "int": np.array(true_labels, np.int32),
        "categorical": np.array([[1 - label, label] for label in true_labels], np.float32),
        "binary": np.array([[label] for label in true_labels], np.float32),
    }[mode]
    assert labels.dtype == right.dtype
    assert labels.tolist() == right.tolist()


@pytest.mark.parametrize("spec", catalog.DEFAULT_SPECS)
def test_categorical_labels_are_as_wide_as_there_are_classes_even_where_one_has_no_images(
    deliver: Deliver, pictures: Path, spec: str
) -> None:
    work = workload_of(pictures, label_mode="categorical")
    work = replace(work, class_names=(*work.class_names, "owls"))
    _, labels = joined(deliver(spec, work))
    assert labels.sum(axis=0).tolist() == [12, 8, 0]


SAVED: dict[str, dict[str, Any]] = {  # names and how Pillow saves them, without loss but for JPEG
    "a.png": {},
    "b.bmp": {},
    "c.webp": {"lossless": True},
    "d.gif": {"save_all": True, "append_images": [a_picture(99)], "duration": 50},
    "e.jpg": {"quality": 90},
    "f.JPEG": {"quality": 95, "progressive": True},
}


@pytest.fixture(scope="module")
def formats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture in every format, the GIF animated; and two whose names lie about it."""
    folder = tmp_path_factory.mktemp("formats")
    (folder / "c").mkdir()
    for seed, (name, how) in enumerate(SAVED.items()):
        a_picture(seed).save(folder / "c" / name, **how)
    a_picture(20).save(folder / "c" / "g.jpg", format="BMP")
    a_picture(21).save(folder / "c" / "h.webp", format="JPEG", quality=90)
    return folder


@pytest.mark.parametrize(
    ("spec", "channels"),
    [
        *(of_spec(spec, spec, 3 if place % 2 else 1) for place, spec in enumerate(SPECS)),
        (CROSSED, 1),
    ],
)
def test_every_format_is_delivered_and_of_a_gif_the_first_picture(
    deliver: Deliver, formats: Path, spec: str, channels: int
) -> None:
    work = workload_of(formats, channels=channels, value_range=(0.0, 255.0))
    assert work.formats == ("BMP", "GIF", "JPEG", "PNG", "WEBP")
    images, _ = joined(deliver(spec, work))
    expected = [colours(spec, file) for file in work.files]
    if channels == 1:
        expected = [reference.grey(image) for image in expected]
    order = places(images, expected)
    assert sorted(order) == sorted(2 * list(range(8)))
    for image, place in zip(images, order, strict=True):
        assert np.abs(image - expected[place]).max() < 0.01


def test_a_workload_of_one_format_is_decoded_as_a_mixed_one_is(
    deliver: Deliver, formats: Path
) -> None:
    spec, work = "tfdata_tuned:shuffle=none", workload_of(formats)
    mixed, _ = joined(deliver(spec, work))
    for place, file in enumerate(work.files):
        alone = replace(work, files=(file,), labels=(0,), formats=formats_of([file]))
        images, _ = joined(deliver(spec, alone))
        assert np.array_equal(images[0], mixed[place])


def test_jpegs_among_other_formats_keep_the_transform_that_was_asked_for(
    deliver: Deliver, formats: Path
) -> None:
    work = workload_of(formats)
    by_transform = []
    for dct in ("integer_accurate", "integer_fast"):
        images, _ = joined(deliver(f"tfdata_naive:shuffle=none,dct={dct}", work))
        by_transform.append(images)
    differs = np.abs(by_transform[0] - by_transform[1]).max(axis=(1, 2, 3))[:8] > 0
    jpegs = [formats_of([file]) == ("JPEG",) for file in work.files]
    assert differs.tolist() == jpegs


@pytest.mark.parametrize("spec", catalog.DEFAULT_SPECS)
def test_grey_files_stay_as_grey_as_they_are(deliver: Deliver, tmp_path: Path, spec: str) -> None:
    (tmp_path / "grey" / "c").mkdir(parents=True)
    ramp = np.arange(0, 200, 10, dtype=np.uint8)[:, None].repeat(WIDTH, axis=1)
    for name in ("a.png", "b.bmp"):
        Image.fromarray(ramp).save(tmp_path / "grey" / "c" / name)
    work = workload_of(tmp_path / "grey", channels=1, value_range=(0.0, 255.0), dtype="uint8")
    images, _ = joined(deliver(spec, work))
    for image in images:
        assert np.array_equal(image[..., 0], ramp)


@pytest.mark.parametrize(
    "spec", [spec for spec in catalog.DEFAULT_SPECS if spec != "image_data_generator"]
)
def test_halves_are_rounded_to_the_even_number(deliver: Deliver, tmp_path: Path, spec: str) -> None:
    (tmp_path / "pairs" / "c").mkdir(parents=True)
    row = np.array([[10, 11, 11, 12, 254, 255, 0, 1]], np.uint8)
    Image.fromarray(row).save(tmp_path / "pairs" / "c" / "a.png")
    work = workload_of(tmp_path / "pairs", height=1, width=4, **RANGES["uint8"])
    images, _ = joined(deliver(spec, work))
    assert images[0, 0, :, 0].tolist() == [10, 12, 254, 0]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", RANGES)
def test_a_cache_in_a_file_holds_images_as_they_are_delivered(
    deliver: Deliver, pictures: Path, tmp_path: Path, kind: str, channels: int
) -> None:
    work = workload_of(
        pictures, channels=channels, label_mode="categorical", height=64, width=64, **RANGES[kind]
    )
    deliver("tfdata_tuned:cache=file", work)
    held = sum(file.stat().st_size for file in (tmp_path / "scratch").glob("cache*data*"))
    assert work.image_bytes == 64 * 64 * channels * (1 if kind == "uint8" else 4)
    assert 10 * work.image_bytes <= held < 10 * work.image_bytes + 2000
