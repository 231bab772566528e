"""What every built-in pipeline delivers, by real TensorFlow from real files."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from feedbench.pipelines.contract import Workload
from tests.pipelines.built_in.delivery.delivering import (
    ALL,
    BATCH_SIZES,
    HEIGHT,
    IN_FILE_ORDER,
    SHUFFLED,
    SHUFFLED_TFDATA,
    WIDTH,
    Batches,
    Open,
    Pixels,
    as_arrays,
    delivered,
    opened_in,
    pillow,
    places,
    sizes,
)
from tests.support.specs import quick_by_default

pytestmark = pytest.mark.tensorflow


@dataclass(frozen=True)
class Taken:
    """What was taken of one pipeline, one after another."""

    epochs: list[Batches]  # three whole ones
    after_abandoned: list[tuple[Batches, Batches]]  # a part of an epoch, and the whole one after it
    repeated: Batches  # 15 batches of repeat(), after all that


Take = Callable[[str], Taken]


@pytest.fixture(scope="module")
def taken(workload: Workload, tmp_path_factory: pytest.TempPathFactory) -> Take:
    """Takes epochs of the pipeline of a SPEC; it is opened once for all tests that look at them."""

    @cache
    def take(spec: str) -> Taken:
        feed = opened_in(tmp_path_factory.mktemp("taken"), spec, workload)
        return Taken(
            epochs=[as_arrays(feed) for _ in range(3)],
            after_abandoned=[
                (as_arrays(islice(feed, count)), as_arrays(feed)) for count in (1, 3, 5)
            ],
            repeated=as_arrays(islice(feed.repeat(), 15)),
        )

    return take


def test_no_two_photos_look_so_alike_that_they_could_be_taken_for_each_other(
    pillows: Pixels,
) -> None:
    differences = np.abs(pillows[:, None] - pillows[None]).mean(axis=(2, 3, 4))
    assert np.sort(differences, axis=1)[:, 1].min() > 0.1


@pytest.mark.parametrize("spec", ALL)
def test_every_epoch_delivers_every_image_once_with_its_label(
    taken: Take, workload: Workload, pillows: Pixels, spec: str
) -> None:
    for epoch in taken(spec).epochs:
        images, labels = delivered(epoch)
        order = places(images, pillows)
        assert sorted(order) == list(range(39))
        assert labels.tolist() == [workload.labels[place] for place in order]


@pytest.mark.parametrize("spec", ALL)
def test_batches_are_float32_from_0_to_1_and_int32_and_the_last_one_is_short(
    taken: Take, spec: str
) -> None:
    batches = taken(spec).epochs[0]
    assert [images.shape for images, _ in batches] == [
        (size, HEIGHT, WIDTH, 3) for size in BATCH_SIZES
    ]
    assert [labels.shape for _, labels in batches] == [(size,) for size in BATCH_SIZES]
    assert {(images.dtype.name, labels.dtype.name) for images, labels in batches} == {
        ("float32", "int32")
    }
    for images, _ in batches:
        assert 0 <= images.min() < 0.4
        assert 0.6 < images.max() <= 1


@pytest.mark.parametrize("spec", SHUFFLED)
def test_epochs_come_in_different_orders_when_shuffled(
    taken: Take, pillows: Pixels, spec: str
) -> None:
    orders = [places(delivered(epoch)[0], pillows) for epoch in taken(spec).epochs]
    assert orders[0] != orders[1] != orders[2] != orders[0]
    assert list(range(39)) not in orders


@pytest.mark.parametrize("spec", IN_FILE_ORDER)
def test_epochs_come_in_file_order_when_not_shuffled(
    taken: Take, pillows: Pixels, spec: str
) -> None:
    for epoch in taken(spec).epochs:
        assert places(delivered(epoch)[0], pillows) == list(range(39))


@pytest.mark.parametrize("cache", ["none", "memory", "file"])
def test_a_shuffle_buffer_of_5_looks_5_images_ahead(
    opened: Open, pillows: Pixels, cache: str
) -> None:
    images, _ = delivered(opened(f"tfdata_tuned:shuffle=5,cache={cache}"))
    ahead = [place - turn for turn, place in enumerate(places(images, pillows))]
    assert 0 < max(ahead) < 5


@pytest.mark.parametrize(
    "spec", quick_by_default(spec for spec in SHUFFLED if "deterministic=false" not in spec)
)
def test_the_seed_decides_the_order(
    opened: Open, taken: Take, workload: Workload, pillows: Pixels, tmp_path: Path, spec: str
) -> None:
    orders = [places(delivered(taken(spec).epochs[0])[0], pillows)]
    for seed in (workload.seed, workload.seed + 1):
        shutil.rmtree(tmp_path / "scratch", ignore_errors=True)
        images, _ = delivered(opened(spec, replace(workload, seed=seed)))
        orders.append(places(images, pillows))
    assert orders[0] == orders[1] != orders[2]


@pytest.mark.parametrize("spec", quick_by_default(ALL))
def test_repeat_delivers_exactly_the_batches_of_epoch_after_epoch(
    opened: Open, pillows: Pixels, spec: str
) -> None:
    assert_three_epochs(as_arrays(islice(opened(spec).repeat(), 15)), pillows)


@pytest.mark.parametrize("spec", ALL)
def test_repeating_after_some_epochs_begins_a_whole_one(
    taken: Take, pillows: Pixels, spec: str
) -> None:
    assert_three_epochs(taken(spec).repeated, pillows)


def assert_three_epochs(batches: Batches, pillows: Pixels) -> None:
    assert sizes(batches) == 3 * BATCH_SIZES
    for epoch in (batches[:5], batches[5:10], batches[10:]):
        assert sorted(places(delivered(epoch)[0], pillows)) == list(range(39))


@pytest.mark.parametrize("spec", ALL)
def test_an_abandoned_epoch_takes_nothing_from_the_next(
    taken: Take, pillows: Pixels, spec: str
) -> None:
    for abandoned, whole in taken(spec).after_abandoned:
        assert sizes(abandoned) == BATCH_SIZES[: len(abandoned)]
        assert sorted(places(delivered(whole)[0], pillows)) == list(range(39))
    assert [len(abandoned) for abandoned, _ in taken(spec).after_abandoned] == [1, 3, 5]


@pytest.fixture(scope="module")
def tensorflows(workload: Workload) -> Pixels:
    """The photos as TensorFlow decodes and resizes them, in file order: `[39, 32, 40, 3]`."""
    import tensorflow as tf

    images = []
    for file in workload.files:
        encoded = tf.io.read_file(file)
        decoded = tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")
        images.append(np.asarray(tf.image.resize(decoded, [HEIGHT, WIDTH]) / 255))
    return np.stack(images)


@pytest.mark.parametrize("spec", [*SHUFFLED_TFDATA, *IN_FILE_ORDER])
def test_every_tfdata_pipeline_delivers_the_same_pixels_of_a_file(
    taken: Take, tensorflows: Pixels, pillows: Pixels, spec: str
) -> None:
    for epoch in taken(spec).epochs[:2]:  # the second one out of the cache, where there is one
        images, _ = delivered(epoch)
        assert np.array_equal(images, tensorflows[places(images, pillows)])


@pytest.mark.parametrize(
    ("interpolation", "resampling"),
    [("bilinear", Image.Resampling.BILINEAR), ("nearest", Image.Resampling.NEAREST)],
)
def test_keras_delivers_the_pixels_that_pillow_makes_of_a_file(
    opened: Open,
    workload: Workload,
    pillows: Pixels,
    interpolation: str,
    resampling: Image.Resampling,
) -> None:
    images, _ = delivered(opened(f"image_data_generator:interpolation={interpolation}"))
    for image, place in zip(images, places(images, pillows), strict=True):
        assert np.allclose(image, pillow(workload.files[place], resampling), atol=1e-6)


def test_the_fast_jpeg_transform_differs_a_little_from_the_accurate_one(opened: Open) -> None:
    accurate, fast = (
        delivered(opened(f"tfdata_naive:shuffle=none,dct={dct}"))[0]
        for dct in ("integer_accurate", "integer_fast")
    )
    assert 0 < np.abs(accurate - fast).mean() * 255 < 2
