"""Records of smaller images and of pixels, by real TensorFlow and real files."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from feedbench.bench.equal_work.judgement import accepted
from feedbench.pipelines import catalog
from feedbench.pipelines.built_in.stored.smaller_images import Smaller, mean_bytes
from feedbench.pipelines.built_in.stored.tfdata_saved import TfdataSaved
from feedbench.pipelines.built_in.tfrecord.tfrecord_gzip import TfrecordGzip
from feedbench.pipelines.built_in.tfrecord.tfrecord_sharded import TfrecordSharded
from feedbench.pipelines.contract import KnobOverruledWarning, Workload
from feedbench.pipelines.errors import PreparationError, RequestError
from feedbench.pipelines.forms import RANGES, Fit
from feedbench.pipelines.system.pool import ahead
from tests.support.builders import natural_photos, workload_over
from tests.support.images.odd import encoded, jpeg, noise
from tests.support.pipelines.feeds import proof_of

JPEG = Smaller("jpeg", 24, 90)


def picture_of(stored: bytes) -> Image.Image:
    return Image.open(BytesIO(stored))


def stored_of(data: bytes, folder: Path, how: Smaller = JPEG) -> bytes:
    file = folder / "image"
    file.write_bytes(data)
    return how.of(str(file))


@pytest.mark.parametrize(
    ("kind", "name"), [("jpeg", "JPEG"), ("webp", "WEBP"), ("png", "PNG"), ("bmp", "BMP")]
)
@pytest.mark.parametrize(
    ("height", "width", "expected"), [(48, 60, (30, 24)), (600, 100, (24, 144)), (25, 25, (24, 24))]
)
def test_the_short_side_is_as_asked_for_and_the_proportions_stay(
    kind: str, name: str, height: int, width: int, expected: tuple[int, int], tmp_path: Path
) -> None:
    image = picture_of(stored_of(jpeg(height, width), tmp_path, Smaller(kind, 24, 90)))
    assert (image.format, image.size, image.mode) == (name, expected, "RGB")


@pytest.mark.parametrize(("height", "width"), [(24, 60), (10, 10)])
def test_an_image_that_is_no_larger_is_stored_as_it_is(
    height: int, width: int, tmp_path: Path
) -> None:
    data = jpeg(height, width)
    assert stored_of(data, tmp_path) == data


@pytest.mark.parametrize(("height", "width"), [(24, 60), (10, 10)])
def test_as_a_bmp_it_has_all_its_pixels_and_needs_no_decoder(
    height: int, width: int, tmp_path: Path
) -> None:
    data = jpeg(height, width)
    stored = picture_of(stored_of(data, tmp_path, Smaller("bmp", 24, 90)))
    assert (stored.format, stored.size) == ("BMP", (width, height))
    assert np.array_equal(np.asarray(stored), np.asarray(picture_of(data)))


def test_an_orientation_is_neither_applied_nor_kept(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.fromarray(noise(40, 60, 3))
    for kind in ("JPEG", "PNG"):
        for stored_as in ("jpeg", "webp", "png", "bmp"):
            data = encoded(image, kind, exif=exif)
            stored = picture_of(stored_of(data, tmp_path, Smaller(stored_as, 24, 90)))
            assert stored.size == (36, 24)
            assert 0x0112 not in stored.getexif()


def test_alpha_grey_and_palette_become_colours_without_alpha(tmp_path: Path) -> None:
    image = Image.fromarray(noise(48, 48, 3))
    alpha = image.copy()
    alpha.putalpha(0)
    modes = {
        "alpha": encoded(alpha, "PNG"),
        "grey": encoded(image.convert("L"), "PNG"),
        "grey and alpha": encoded(image.convert("LA"), "PNG"),
        "palette": encoded(image.convert("P"), "PNG"),
        "cmyk": encoded(image.convert("CMYK"), "JPEG"),
    }
    for name, data in modes.items():
        stored = picture_of(stored_of(data, tmp_path, Smaller("png", 24, 90)))
        assert (stored.mode, stored.size) == ("RGB", (24, 24)), name
    seen = picture_of(stored_of(modes["alpha"], tmp_path, Smaller("png", 24, 90)))
    assert np.asarray(seen).std() > 5  # what is transparent has its colours


def test_images_come_in_the_order_of_their_files_and_a_few_ahead(tmp_path: Path) -> None:
    files = []
    for number in range(30):
        files.append(str(tmp_path / f"{number}.jpg"))
        Path(files[-1]).write_bytes(jpeg(30 + number, 200))
    with ThreadPoolExecutor(4) as pool:
        made = list(ahead(pool, JPEG.of, files, 8))
    assert made == [JPEG.of(file) for file in files]


def test_the_few_images_that_forecast_the_size_of_all_are_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    resized = Smaller.of

    def of(how: Smaller, file: str) -> bytes:
        made.append(file)
        return resized(how, file)

    monkeypatch.setattr(Smaller, "of", of)
    files = [str(tmp_path / f"{number}.jpg") for number in range(40)]
    for file in files:
        Path(file).write_bytes(jpeg(60, 60))
    first, second = mean_bytes(files, JPEG), mean_bytes(files, JPEG)
    assert first == second == np.mean([len(JPEG.of(file)) for file in files[::2][:16]])
    assert sorted(made[:16]) == sorted(files[::2][:16])
    assert len(made) == 16 + 16  # by this test


def test_less_than_is_delivered_is_refused_with_what_is_enough() -> None:
    pipeline = TfrecordSharded(store="resized", stored_size=200)
    with pytest.raises(RequestError) as refused:
        pipeline.refuse(Fit(), (180, 224))
    assert str(refused.value) == (
        "stored_size=200: expected at least 224 pixels, the longest side that is delivered\n"
        "hint: raise it, or leave it out: then it is 256"
    )
    with pytest.raises(RequestError, match="expected at least 256 pixels"):
        TfrecordSharded(store="resized", stored_size=255).refuse(Fit("crop", 0.875), (224, 224))
    pipeline.refuse(Fit(), (200, 200))
    TfrecordSharded(stored_size=1).refuse(Fit(), (224, 224))  # nothing is resized


@pytest.mark.parametrize("quality", ["0", "101", "high"])
def test_a_quality_that_no_encoder_has_is_refused(quality: str) -> None:
    spec = catalog.parse(f"tfrecord_sharded:store=resized,quality={quality}")
    with pytest.raises(RequestError) as refused:
        catalog.load(spec)
    expects = "quality expects a whole number from 1 to 100"
    assert str(refused.value) == f"tfrecord_sharded: {expects}; found '{quality}'"


@pytest.mark.parametrize(
    ("knobs", "overruled"),
    [
        ({"quality": 80}, ["quality=95"]),
        ({"store": "raw", "stored_size": 300}, ["stored_size=auto"]),
        ({"store": "resized", "stored_format": "png", "quality": 80}, ["quality=95"]),
        ({"store": "resized", "stored_format": "bmp", "quality": 80}, ["quality=95"]),
        ({"store": "resized", "quality": 80, "stored_size": 300, "stored_format": "webp"}, []),
        ({}, []),
    ],
)
def test_a_knob_that_changes_nothing_is_reported(
    knobs: dict[str, Any], overruled: list[str]
) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        TfrecordSharded(**knobs).warn()
    assert all(isinstance(each.message, KnobOverruledWarning) for each in caught)
    assert [str(each.message).partition(" ")[0] for each in caught] == overruled


@pytest.fixture(scope="module")
def natural(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """40 natural-looking photos of several proportions, to 64x48."""
    folder = tmp_path_factory.mktemp("natural") / "photos"
    return replace(natural_photos(folder, 40, side=64, batch_size=16), width=48)


def test_what_records_depend_on_is_what_they_store(photos: Path) -> None:
    natural = replace(workload_over(photos), height=64, width=48)
    other = replace(
        natural, batch_size=3, seed=5, value_range=(-1.0, 1.0), data_format="channels_first"
    )
    smaller, larger = replace(natural, height=32), replace(natural, height=99)
    plain = TfrecordSharded(shards=2)
    resized = replace(plain, store="resized")
    raw = replace(plain, store="raw")
    keys = [each.preparation(natural) for each in (plain, resized, raw)]
    assert len({str(key) for key in keys}) == 3
    assert [each.preparation(other) for each in (plain, resized, raw)] == keys
    assert plain.preparation(larger) == keys[0]
    assert resized.preparation(replace(smaller, height=64)) == keys[1]
    assert resized.preparation(larger) != keys[1]
    assert raw.preparation(smaller) != keys[2]
    changes: list[dict[str, Any]] = [
        {"quality": 50},
        {"stored_size": 90},
        {"stored_format": "webp"},
    ]
    for change in changes:
        assert replace(resized, **change).preparation(natural) != keys[1]
    for lossless in ("png", "bmp"):
        without = replace(resized, stored_format=lossless)
        assert replace(without, quality=50).preparation(natural) == without.preparation(natural)
    assert replace(raw, dct="integer_fast").preparation(natural) != keys[2]
    assert replace(resized, dct="integer_fast").preparation(natural) == keys[1]


def opened(pipeline: Any, workload: Workload, folder: Path) -> Any:
    for name in ("prepared", "scratch"):
        (folder / name).mkdir()
    pipeline.prepare(workload, folder / "prepared")
    return pipeline.open(workload, folder / "prepared", folder / "scratch")


BYTES: dict[str, Any] = {"dtype": "uint8", "value_range": (0.0, 255.0)}
CAFFE: dict[str, Any] = {"value_range": RANGES["caffe"].bounds, "normalization": "caffe"}


@pytest.mark.tensorflow
@pytest.mark.thorough
@pytest.mark.parametrize(
    "form",
    [
        {},
        BYTES,
        BYTES | {"channels": 1, "fit": Fit("pad")},
        CAFFE | {"data_format": "channels_first", "fit": Fit("crop")},
        {"dtype": "float16", "fit": Fit("crop", 0.875), "value_range": (-1.0, 1.0)},
    ],
    ids=str,
)
@pytest.mark.parametrize("knobs", [{}, {"cache": "memory", "cache_at": "encoded"}], ids=str)
def test_raw_pixels_are_the_same(
    form: dict[str, Any], knobs: dict[str, Any], natural: Workload, tmp_path: Path
) -> None:
    work = replace(natural, **form)
    feed = opened(TfrecordSharded(store="raw", **knobs), work, tmp_path)
    proof = proof_of(tmp_path, feed, work)
    assert proof.work == "same", proof.reason
    assert proof.from_sampled is not None
    assert proof.from_sampled.mean < 0.3  # rounded
    assert (proof.from_sampled.mean < 0.01) == (work.dtype == "uint8")


@pytest.mark.tensorflow
@pytest.mark.thorough
@pytest.mark.parametrize(
    "knobs",
    [
        {"stored_format": "jpeg"},
        {"stored_format": "webp", "cache": "memory", "cache_at": "decoded"},
        {"stored_format": "png", "compression": "gzip", "shards": 1},
        {"stored_format": "bmp", "stored_size": 80},
    ],
    ids=str,
)
def test_smaller_images_are_different_by_a_distance_that_a_user_may_accept(
    knobs: dict[str, Any], natural: Workload, tmp_path: Path
) -> None:
    feed = opened(TfrecordSharded(store="resized", **knobs), natural, tmp_path)
    proof = proof_of(tmp_path, feed, natural)
    assert proof.counts.is_right
    assert proof.work in ("near", "different")
    nearer = min(
        each.mean for each in (proof.from_sampled, proof.from_filtered) if each is not None
    )
    assert nearer < 8
    assert accepted(proof, 8.0).work in ("near", "accepted")
    assert proof.work == "near" or accepted(proof, nearer / 2).work == "different"


@pytest.mark.tensorflow
@pytest.mark.thorough
def test_all_formats_go_into_records_of_smaller_images(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "photos" / name).mkdir(parents=True)
    image = Image.fromarray(noise(80, 100, 3))
    for kind in ("JPEG", "PNG", "BMP", "GIF", "WEBP"):
        suffix = {"JPEG": "jpg"}.get(kind, kind.lower())
        for name, size in (("a", (80, 100)), ("b", (20, 20))):
            file = tmp_path / "photos" / name / f"{kind}.{suffix}"
            file.write_bytes(encoded(image.resize(size), kind))
    work = workload_over(tmp_path / "photos")
    feed = opened(TfrecordSharded(store="resized"), work, tmp_path)
    assert sum(len(labels) for _, labels in feed) == 10


@pytest.mark.tensorflow
@pytest.mark.thorough
@pytest.mark.parametrize("store", ["resized", "raw"])
@pytest.mark.parametrize("kind", [TfrecordSharded, TfrecordGzip, TfdataSaved])
def test_nothing_is_left_where_a_file_cannot_be_decoded(
    store: str, kind: Any, natural: Workload, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(jpeg(99, 99)[:300])
    work = replace(natural, files=(*natural.files, str(broken)), labels=(*natural.labels, 0))
    (tmp_path / "prepared").mkdir()
    with pytest.raises(Exception, match=r"(?i)image|jpeg|truncated"):
        kind(store=store).prepare(work, tmp_path / "prepared")
    whole = [path for path in (tmp_path / "prepared").iterdir() if not path.name.startswith(".")]
    assert len(whole) < 2


@pytest.mark.tensorflow
@pytest.mark.thorough
@pytest.mark.parametrize("kind", [TfrecordSharded, TfdataSaved])
def test_pixels_of_a_photo_that_becomes_a_pipe_are_not_waited_for(
    kind: Any, natural: Workload, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    work = replace(natural, files=(str(pipe), *natural.files), labels=(0, *natural.labels))
    (tmp_path / "prepared").mkdir()
    with pytest.raises(OSError, match=r"it is not a regular file: .*pipe\.jpg"):
        kind(store="raw").prepare(work, tmp_path / "prepared")


@pytest.mark.tensorflow
@pytest.mark.thorough
@pytest.mark.parametrize("store", ["encoded", "resized", "raw"])
@pytest.mark.parametrize("kind", [TfrecordSharded, TfrecordGzip, TfdataSaved])
def test_a_photo_that_became_a_pipe_is_named_at_once_and_nothing_is_left(
    store: str, kind: Any, natural: Workload, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)  # whoever opens it as a file waits for ever
    work = replace(natural, files=(*natural.files, str(pipe)), labels=(*natural.labels, 0))
    (tmp_path / "prepared").mkdir()
    with pytest.raises(OSError, match="it is not a regular file") as raised:
        kind(store=store).prepare(work, tmp_path / "prepared")
    assert raised.value.filename == str(pipe)
    whole = [path for path in (tmp_path / "prepared").iterdir() if not path.name.startswith(".")]
    assert len(whole) < 2


@pytest.mark.tensorflow
@pytest.mark.thorough
def test_all_record_files_of_pixels_share_one_graph(
    natural: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from feedbench.pipelines.built_in import steps

    built: list[Any] = []
    decoded = steps.decoded_file

    def decoded_file(*given: Any) -> Any:
        built.append(given)
        return decoded(*given)

    monkeypatch.setattr(steps, "decoded_file", decoded_file)
    pipeline = TfrecordSharded(store="raw", shards=5)
    pipeline.prepare(replace(natural, height=31), tmp_path)
    assert len(list(tmp_path.iterdir())) == 5
    assert len(built) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() or os.system(f"mount -t tmpfs -o size=1m tmpfs {folder}"):
        pytest.skip("this user may not mount a file system")
    yield folder
    os.system(f"umount {folder}")


@pytest.mark.tensorflow
@pytest.mark.thorough
@pytest.mark.parametrize(
    ("kind", "store"),
    [(TfrecordSharded, "resized"), (TfrecordSharded, "raw"), (TfdataSaved, "raw")],
)
def test_a_disk_that_is_full_is_one_sentence_before_and_during_the_write(
    kind: Any, store: str, natural: Workload, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = replace(natural, height=256, width=256)
    pipeline = kind(store=store, quality=100)
    with pytest.raises(PreparationError, match=r"its records need about [\d.,]+ MB, but only"):
        pipeline.prepare(work, small_disk)
    assert not list(small_disk.iterdir())
    usage = shutil.disk_usage(small_disk)
    plenty = type(usage)(10**12, 0, 10**12)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: plenty)
    with pytest.raises(PreparationError, match="its records need about"):
        pipeline.prepare(work, small_disk)
