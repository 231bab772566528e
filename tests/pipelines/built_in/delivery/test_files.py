"""What built-in pipelines read and write: photos, records and caches, by real TensorFlow."""

import os
import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from feedbench.pipelines.contract import KnobOverruledWarning, Workload
from feedbench.pipelines.images.index import index_folder
from tests.pipelines.built_in.delivery.delivering import (
    ALL,
    Open,
    Pixels,
    delivered,
    pillow,
    places,
    workload_of,
)
from tests.support.specs import quick_by_default

pytestmark = pytest.mark.tensorflow


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
