"""What built-in pipelines deliver of an augmented workload, by real TensorFlow and Keras."""

from __future__ import annotations

import importlib.util
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from feedbench.bench.processes.workload_file import workload_of
from feedbench.pipelines import catalog
from feedbench.pipelines.augmentation.reading import augmentation
from feedbench.pipelines.contract import KnobOverruledWarning, Preparing, Workload
from feedbench.pipelines.images.index import index_folder

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.thorough,
    # Keras' ImageDataGenerator imports it from there.
    pytest.mark.filterwarnings("ignore:Please import `affine_transform`:DeprecationWarning"),
]

needs_extra = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("cv2", "simplejpeg"))),
    reason="needs pip install 'feedbench[fast]'",
)

SIZE = 32
IMAGES = 24
ALL = (
    "image_data_generator",
    "py_dataset",
    "image_dataset_from_directory",
    "tfdata_naive",
    "tfdata_naive:augment=image",
    "tfdata_tuned",
    "tfdata_tuned:augment=image",
    "tfdata_tuned:cache_at=encoded",
    "tfdata_tuned:cache_at=decoded,augment=image",
    "tfdata_tuned:cache_at=batched,shuffle=batches",
    "tfrecord_sharded:shards=2",
    "tfrecord_sharded:store=raw",
    "tfrecord_sharded:store=raw,augment=image,cache=memory",
    pytest.param("threads", marks=needs_extra),
)
EVERYTHING = "flip,vertical_flip,rotate=20,shift=0.1,zoom=0.2,brightness=0.2"

Batches = list[tuple[Any, Any]]


@pytest.fixture(scope="module")
def arrows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of a bright top left corner, each of its own grey, in two classes."""
    folder = tmp_path_factory.mktemp("arrows")
    for place in range(IMAGES):
        grey = 60 + 4 * place
        image = Image.new("RGB", (SIZE, SIZE), (grey, grey, grey))
        ImageDraw.Draw(image).rectangle((0, 0, SIZE // 4, SIZE // 4), (200, 200, 200))
        file = folder / "ab"[place % 2] / f"{place:02}.png"
        file.parent.mkdir(exist_ok=True)
        image.save(file)
    return folder


def over(folder: Path, text: str, **form: Any) -> Workload:
    index = index_folder(folder)
    workload = workload_of(
        index,
        folder_images=len(index.files),
        image_size=(SIZE, SIZE),
        batch_size=8,
        value_range=(0.0, 255.0),
        seed=3,
        augmentation=augmentation("--augment", text) if text else None,
    )
    return replace(workload, **form)


def opened(spec: str, workload: Workload, folder: Path) -> Any:
    prepared, scratch = folder / "prepared", folder / "scratch"
    for each in (prepared, scratch):
        shutil.rmtree(each, ignore_errors=True)
        each.mkdir()
    pipeline = catalog.load(catalog.parse(spec))
    if isinstance(pipeline, Preparing):
        pipeline.prepare(workload, prepared)
    return pipeline.open(workload, prepared, scratch)


def epochs_of(feed: Any, count: int = 2) -> list[tuple[Any, Any]]:
    """The images and the labels of each epoch, in one array."""
    return [joined(each) for each in batches_of(feed, count)]


def batches_of(feed: Any, count: int) -> Iterator[Batches]:
    for _ in range(count):
        if hasattr(feed, "on_epoch_end"):  # a PyDataset, as `fit` reads it
            yield [feed[place] for place in range(len(feed))]
            feed.on_epoch_end()
        else:
            yield [(np.asarray(images), np.asarray(labels)) for images, labels in feed]


def joined(batches: Batches) -> tuple[Any, Any]:
    images, labels = zip(*batches, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def greys_of(images: Any) -> list[int]:
    """The grey of each image's ground, which flips, rotations and shifts do not change."""
    return [int(np.median(image)) for image in images]


def corner_of(image: Any) -> str:
    """Where the bright corner of an image `[H, W, C]` is."""
    corners = {"tl": (2, 2), "tr": (2, -3), "bl": (-3, 2), "br": (-3, -3)}
    return max(corners, key=lambda name: float(image[(*corners[name], 0)]))


@pytest.mark.parametrize("spec", ALL)
def test_each_epoch_has_each_image_once_with_its_label_and_new_draws(
    spec: str, arrows: Path, tmp_path: Path
) -> None:
    work = over(arrows, "flip,rotate=20,shift=0.1")
    first, second = epochs_of(opened(spec, work, tmp_path))
    by_grey = [
        dict(zip(greys_of(images), zip(images, labels, strict=True), strict=True))
        for images, labels in (first, second)
    ]
    assert sorted(by_grey[0]) == sorted(by_grey[1]) == [60 + 4 * place for place in range(IMAGES)]
    for grey, (image, label) in by_grey[0].items():
        again, same_label = by_grey[1][grey]
        assert label == same_label == (grey - 60) // 4 % 2
        assert image.shape == (SIZE, SIZE, 3)
        assert np.abs(image - again).max() > 1  # another epoch, another draw


@pytest.mark.parametrize("spec", ALL)
def test_flips_are_left_to_right_for_about_half_of_the_images(
    spec: str, arrows: Path, tmp_path: Path
) -> None:
    feed = opened(spec, over(arrows, "flip"), tmp_path)
    corners = Counter(corner_of(image) for images, _ in epochs_of(feed, 4) for image in images)
    assert set(corners) == {"tl", "tr"}
    assert 0.3 < corners["tr"] / corners.total() < 0.7  # of 96 images


@pytest.mark.parametrize("spec", ALL)
def test_brightness_is_a_factor_of_all_values_within_its_range(
    spec: str, arrows: Path, tmp_path: Path
) -> None:
    feed = opened(spec, over(arrows, "brightness=0.2"), tmp_path)
    factors = []
    for images, _ in epochs_of(feed, 4):
        for image in images.astype(float):
            bright, ground = image[2, 2, 0], image[-3, -3, 0]
            factor = bright / 200
            factors.append(factor)
            # Added numbers would change this ratio. Pillow's values are whole.
            assert any(abs(ground - (60 + 4 * place) * factor) < 1.5 for place in range(IMAGES))
    assert 0.79 <= min(factors) < 0.86
    assert 1.14 < max(factors) <= 1.21


@pytest.mark.parametrize("spec", ALL)
@pytest.mark.parametrize(
    "form",
    [
        {"dtype": "uint8"},
        {"dtype": "float16", "value_range": (0.0, 1.0)},
        {"channels": 1, "value_range": (-1.0, 1.0)},
        {"data_format": "channels_first", "value_range": (0.0, 1.0)},
        {"normalization": "caffe"},
    ],
)
def test_every_form_is_augmented(
    spec: str, form: dict[str, Any], arrows: Path, tmp_path: Path
) -> None:
    work = over(arrows, EVERYTHING, **form)
    (images, labels), (again, _) = epochs_of(opened(spec, work, tmp_path))
    assert images.shape == (IMAGES, *work.shape)
    assert images.dtype.name == work.dtype
    assert Counter(labels.tolist()) == {0: IMAGES // 2, 1: IMAGES // 2}
    low, high = work.values.bounds
    assert low - 0.01 <= float(images.min())
    assert float(images.max()) <= high + 0.01
    assert float(images.astype("float64").std()) > 0.02 * (high - low)  # not scaled twice
    assert not np.array_equal(np.sort(images, axis=0), np.sort(again, axis=0))


@pytest.mark.parametrize(
    "spec", ["tfdata_tuned:augment_in=model", "image_dataset_from_directory:augment_in=model"]
)
def test_images_that_the_model_augments_are_delivered_as_they_are(
    spec: str, arrows: Path, tmp_path: Path
) -> None:
    augmented, _ = epochs_of(opened(spec, over(arrows, EVERYTHING), tmp_path))
    plain, _ = epochs_of(opened(spec, over(arrows, ""), tmp_path))
    assert sorted(image.tobytes() for image in augmented[0]) == sorted(
        image.tobytes() for image in plain[0]
    )


def test_behind_a_cache_of_batches_whole_batches_are_augmented_and_a_warning_says_so(
    arrows: Path, tmp_path: Path
) -> None:
    spec = "tfdata_tuned:cache_at=batched,shuffle=batches,augment=image"
    with pytest.warns(KnobOverruledWarning, match="augment=batch instead of augment=image"):
        opened(spec, over(arrows, "flip"), tmp_path)


def test_the_same_seed_draws_the_same_in_a_pipeline_that_does_one_thing_at_a_time(
    arrows: Path, tmp_path: Path
) -> None:
    spec = "tfdata_naive:graph_rewrites=off,augment=batch"
    work = over(arrows, EVERYTHING)
    first, again = (epochs_of(opened(spec, work, tmp_path), 1)[0][0] for _ in range(2))
    other = epochs_of(opened(spec, replace(work, seed=4), tmp_path), 1)[0][0]
    assert np.array_equal(first, again)
    assert not np.array_equal(np.sort(first, axis=0), np.sort(other, axis=0))


def test_draws_of_one_image_do_not_depend_on_each_other(tmp_path: Path) -> None:
    """With one seed for all layers, an image that turns left would always be flipped."""
    from feedbench.pipelines.augmentation.layers import layers

    seeds = [layer.seed for layer in layers(augmentation("--augment", EVERYTHING), 7)]
    assert len(seeds) == len(set(seeds)) == 5
