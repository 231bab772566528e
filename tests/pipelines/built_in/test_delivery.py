"""What every built-in pipeline delivers, by real TensorFlow from real files."""

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from feedbench.pipelines import catalog
from feedbench.pipelines.contract import KnobOverruledWarning, Preparing, Workload
from feedbench.pipelines.images.index import index_folder
from tests.support.specs import quick_by_default

pytestmark = pytest.mark.tensorflow

HEIGHT, WIDTH = 32, 40
BATCH_SIZES = [8, 8, 8, 8, 7]  # of the 39 photos

SHUFFLED_TFDATA = (
    "tfdata_naive",
    "tfdata_naive:graph_rewrites=off",
    "tfdata_tuned",
    "tfdata_tuned:cache=none",
    "tfdata_tuned:cache=file",
    "tfdata_tuned:shuffle=5",
    "tfdata_tuned:parallel_calls=2",
    "tfdata_tuned:parallel_calls=none",
    "tfdata_tuned:prefetch=none",
    "tfdata_tuned:cache=none,deterministic=false",
    "tfrecord_gzip",
    "tfrecord_gzip:shards=2,cache=file",
    "tfrecord_sharded",
    "tfrecord_sharded:shards=1",
    "tfrecord_sharded:shards=3,parallel_calls=2,shuffle=20",
    "tfrecord_sharded:cache=memory,parallel_calls=none",
)
SHUFFLED = ("image_data_generator", "image_data_generator:interpolation=nearest", *SHUFFLED_TFDATA)
IN_FILE_ORDER = (
    "tfdata_naive:shuffle=none",
    "tfdata_naive:graph_rewrites=off,shuffle=none",
    "tfdata_tuned:shuffle=none",
    "tfdata_tuned:cache=none,shuffle=none",
    "tfdata_tuned:cache=file,shuffle=none",
    "tfdata_tuned:parallel_calls=2,prefetch=2,shuffle=none",
)

ALL = (*SHUFFLED, *IN_FILE_ORDER)

Pixels = npt.NDArray[np.float32]
Batches = list[tuple[Pixels, npt.NDArray[np.int32]]]
Open = Callable[..., Any]


@dataclass(frozen=True)
class Taken:
    """What was taken of one pipeline, one after another."""

    epochs: list[Batches]  # three whole ones
    after_abandoned: list[tuple[Batches, Batches]]  # a part of an epoch, and the whole one after it
    repeated: Batches  # 15 batches of repeat(), after all that


Take = Callable[[str], Taken]


def workload_of(folder: Path) -> Workload:
    index = index_folder(folder)
    return Workload(
        files=index.paths,
        labels=index.labels,
        class_names=index.class_names,
        height=HEIGHT,
        width=WIDTH,
        batch_size=8,
        folder_images=len(index.files),
    )


@pytest.fixture(scope="session")
def workload(photos: Path) -> Workload:
    return workload_of(photos)


@pytest.fixture
def opened(workload: Workload, tmp_path: Path) -> Open:
    """Opens the pipeline of a SPEC, by default over the 39 photos."""

    def open_(spec: str, work: Workload = workload) -> Any:
        return opened_in(tmp_path, spec, work)

    return open_


def opened_in(folder: Path, spec: str, workload: Workload) -> Any:
    prepared, scratch = folder / "prepared", folder / "scratch"
    prepared.mkdir(exist_ok=True)
    scratch.mkdir(exist_ok=True)
    pipeline = catalog.load(catalog.parse(spec))
    if isinstance(pipeline, Preparing):
        pipeline.prepare(workload, prepared)
    return pipeline.open(workload, prepared, scratch)


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


def as_arrays(batches: Iterable[Any]) -> Batches:
    return [(np.asarray(images), np.asarray(labels)) for images, labels in batches]


@pytest.fixture(scope="session")
def pillows(workload: Workload) -> Pixels:
    """The photos as Pillow decodes and resizes them, in file order: `[39, 32, 40, 3]`."""
    return np.stack([pillow(file) for file in workload.files])


def pillow(file: str, resampling: Image.Resampling = Image.Resampling.BILINEAR) -> Pixels:
    with Image.open(file) as image:
        resized = image.convert("RGB").resize((WIDTH, HEIGHT), resampling)
        return np.asarray(resized, np.float32) / np.float32(255)


def delivered(batches: Iterable[Any]) -> tuple[Pixels, npt.NDArray[np.int32]]:
    """Return all images and labels of some batches."""
    images, labels = zip(*as_arrays(batches), strict=True)
    return np.concatenate(images), np.concatenate(labels)


def places(images: Pixels, pillows: Pixels) -> list[int]:
    """Return for each image the place of the file that looks most like it, and much like it."""
    differences = np.abs(images[:, None] - pillows[None]).mean(axis=(2, 3, 4))
    assert differences.min(axis=1).max() < 0.05
    return [int(place) for place in differences.argmin(axis=1)]


def sizes(batches: Iterable[Any]) -> list[int]:
    return [len(np.asarray(labels)) for _, labels in batches]


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


@pytest.mark.parametrize("cache", ["memory", "file"])
def test_a_cache_survives_from_one_epoch_to_the_next(
    opened: Open, photos: Path, pillows: Pixels, tmp_path: Path, cache: str
) -> None:
    copy = shutil.copytree(photos, tmp_path / "copy")
    feed = opened(f"tfdata_tuned:cache={cache}", workload_of(copy))
    delivered(feed)
    shutil.rmtree(copy)
    images, _ = delivered(feed)
    assert sorted(places(images, pillows)) == list(range(39))
    images, _ = delivered(islice(feed.repeat(), 5))
    assert sorted(places(images, pillows)) == list(range(39))


@pytest.mark.parametrize("spec", ["tfdata_tuned:cache=none", "tfdata_naive"])
def test_without_a_cache_every_epoch_reads_the_files(
    opened: Open, photos: Path, tmp_path: Path, spec: str
) -> None:
    from tensorflow.errors import NotFoundError

    copy = shutil.copytree(photos, tmp_path / "copy")
    feed = opened(spec, workload_of(copy))
    delivered(feed)
    shutil.rmtree(copy)
    with pytest.raises(NotFoundError):
        delivered(feed)


@pytest.mark.parametrize(
    "spec", ["tfrecord_gzip:shards=1", "tfrecord_gzip:shards=3", "tfrecord_sharded:shards=2"]
)
def test_records_are_delivered_in_one_order_each_epoch_when_not_shuffled(
    opened: Open, pillows: Pixels, spec: str
) -> None:
    feed = opened(f"{spec},shuffle=none")
    orders = [places(delivered(feed)[0], pillows) for _ in range(2)]
    assert orders[0] == orders[1] != list(range(39))


@pytest.mark.parametrize("spec", quick_by_default(ALL))
def test_a_photo_that_has_gone_is_an_error_and_not_a_smaller_epoch(
    opened: Open, photos: Path, tmp_path: Path, spec: str
) -> None:
    from tensorflow.errors import NotFoundError

    copy = shutil.copytree(photos, tmp_path / "copy")
    work = workload_of(copy)
    (copy / "dogs" / "03.jpg").unlink()
    with pytest.raises((FileNotFoundError, NotFoundError), match=r"dogs/03\.jpg"):
        delivered(opened(spec, work))


@pytest.mark.parametrize("spec", quick_by_default(ALL))
def test_only_records_and_a_file_cache_are_written_each_into_its_own_folder(
    opened: Open, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str
) -> None:
    copy = shutil.copytree(photos, tmp_path / "copy")
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    before = set(tmp_path.rglob("*"))
    delivered(opened(spec, workload_of(copy)))
    prepared, scratch = tmp_path / "prepared", tmp_path / "scratch"
    written = {file.parent for file in set(tmp_path.rglob("*")) - before - {prepared, scratch}}
    assert written - {prepared} == ({scratch} if "cache=file" in spec else set())
    assert (prepared in written) == ("tfrecord" in spec)


def stages(dataset: Any) -> set[str]:
    """Return the stages that TensorFlow runs, its own rewrites included."""
    import tensorflow as tf

    iterator = iter(dataset)
    for _ in range(3):
        next(iterator)
    model = tf.data.experimental.get_model_proto(iterator)
    return {node.name for node in model.nodes.values()}


def added(names: set[str]) -> set[str]:
    """Return those of the stages that work in parallel or ahead."""
    words = ("Parallel", "MapAndBatch", "Prefetch")
    return {name for name in names if any(word in name for word in words)}


def test_without_rewrites_tensorflow_adds_no_parallel_stage_and_no_prefetch(
    opened: Open,
) -> None:
    as_written = opened("tfdata_naive:graph_rewrites=off")
    for dataset in (as_written, as_written.repeat()):
        assert any("Map" in name for name in stages(dataset))
        assert not added(stages(dataset))
    rewritten = opened("tfdata_naive")
    for dataset in (rewritten, rewritten.repeat()):
        assert added(stages(dataset))


def test_without_rewrites_the_stages_that_were_asked_for_remain(opened: Open) -> None:
    spec = "tfdata_naive:graph_rewrites=off,parallel_calls=2,prefetch=1"
    names = " ".join(stages(opened(spec)))
    assert "ParallelMap" in names
    assert "Prefetch" in names


@pytest.mark.parametrize("rewrites", ["default", "off"])
@pytest.mark.parametrize("deterministic", ["true", "false"])
def test_tensorflow_is_told_whether_the_order_matters(
    opened: Open, deterministic: str, rewrites: str
) -> None:
    spec = f"tfdata_naive:deterministic={deterministic},graph_rewrites={rewrites}"
    assert opened(spec).options().deterministic is (deterministic == "true")


@pytest.mark.parametrize("spec", ["tfdata_tuned", "tfdata_tuned:cache=file"])
def test_a_cache_that_would_not_fit_is_warned_of_and_done_without(
    opened: Open, workload: Workload, pillows: Pixels, tmp_path: Path, spec: str
) -> None:
    huge = replace(workload, folder_images=10**12)
    with pytest.warns(KnobOverruledWarning, match="cache=none instead of cache=") as caught:
        feed = opened(spec, huge)
    (warning,) = [entry.message for entry in caught]
    assert isinstance(warning, KnobOverruledWarning)
    assert (warning.knob, warning.used) == ("cache", "none")
    assert sorted(places(delivered(feed)[0], pillows)) == list(range(39))
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize("spec", ["image_data_generator", "tfdata_naive", "tfdata_tuned"])
def test_png_grey_and_oddly_named_photos_are_delivered_in_three_channels(
    opened: Open, tmp_path: Path, spec: str
) -> None:
    folder = tmp_path / "odd" / "c"
    folder.mkdir(parents=True)
    ramp = np.linspace(40, 200, 60, dtype=np.uint8)[None].repeat(48, axis=0)
    colour = Image.fromarray(np.stack([ramp, ramp[:, ::-1], ramp // 2], axis=2))
    colour.save(folder / "1.png")
    colour.save(folder / "2 é.JPEG", quality=95)
    Image.fromarray(ramp).save(folder / "3.jpg", quality=95)
    (folder / "3.jpg").rename(folder / os.fsdecode(b"4-\xff.jpg"))
    work = workload_of(tmp_path / "odd")
    expected = [pillow(file) for file in work.files]
    images, _ = delivered(opened(spec, work))
    assert len(images) == 3
    for photo in expected:
        assert min(np.abs(image - photo).max() for image in images) < 0.05


def test_the_index_lists_the_files_as_keras_flow_from_directory_does(tmp_path: Path) -> None:
    import keras

    in_letters = ["B/1.jpg", "a/é.jpg", "a/b.jpg", "a/10.jpg", "a/2.jpg", "a/B.JPG", "é/1.png"]
    nested = ["c/x/y/1.jpg", "c/x-1/1.jpg", "c/x/1.jpg", "c/z.jpeg", "c/LICENSE.txt", "a b/1.jpg"]
    for name in in_letters + nested:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "d").symlink_to(tmp_path / "c")
    (tmp_path / "c" / "below").symlink_to(tmp_path / "a")
    (tmp_path / "empty").mkdir()
    generator = keras.src.legacy.preprocessing.image.ImageDataGenerator()
    theirs = generator.flow_from_directory(tmp_path, shuffle=False)
    ours = index_folder(tmp_path)
    assert list(ours.files) == theirs.filenames
    assert list(ours.labels) == theirs.classes.tolist()
    assert {name: label for label, name in enumerate(ours.class_names)} == theirs.class_indices
