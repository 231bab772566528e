"""Keras' image_dataset_from_directory, in both forms: what is proven of it, and that knobs act."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from feedbench.bench.processes.folder_views import Views
from feedbench.bench.processes.workload_file import write_workload
from feedbench.pipelines import catalog
from feedbench.pipelines.built_in.keras import directory_dataset
from feedbench.pipelines.contract import KnobOverruledWarning, Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.forms import CAFFE, IMAGENET, Fit
from feedbench.pipelines.images.file_formats import formats_of
from feedbench.pipelines.images.index import index_folder, take
from tests.support.builders import workload_over
from tests.support.images import reference
from tests.support.pipelines.feeds import proof_of

pytestmark = [pytest.mark.tensorflow, pytest.mark.thorough]

NAME = "image_dataset_from_directory"
GRAIN = "image_dataset_from_directory_grain"
PAD: dict[str, Any] = {"fit": Fit("pad")}
FORMS: list[dict[str, Any]] = [
    {},
    {"value_range": (-1, 1)},
    {"value_range": (0, 255)},
    {"dtype": "uint8", "value_range": (0, 255)},
    {"channels": 1, "label_mode": "categorical"},
    {"channels": 1, "dtype": "uint8", "value_range": (0, 255)},
    {"fit": Fit("crop")},
    PAD,
    {"normalization": "imagenet", "value_range": IMAGENET.bounds},
    {"normalization": "caffe", "value_range": CAFFE.bounds},
    {"dtype": "float16", "data_format": "channels_first"},
    {"dtype": "bfloat16", "data_format": "channels_first", "channels": 1},
]


def opened(spec: str, workload: Workload, folder: Path) -> Any:
    """Open a pipeline as a trial does: with a folder of exactly the workload's images."""
    parsed, file = catalog.parse(spec), folder / "workload.json"
    assert parsed.walks_folder
    write_workload(workload, file)
    given = replace(workload, folder=Views(folder).folder(file))
    return catalog.load(parsed).open(given, folder, folder)


def epochs_of(feed: Any, count: int = 2) -> list[list[tuple[Any, Any]]]:
    return [[(np.asarray(x), np.asarray(y)) for x, y in feed] for _ in range(count)]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_its_images_are_those_of_tensorflow_by_its_fast_transform(
    natural: Workload, tmp_path: Path, form: dict[str, Any]
) -> None:
    work = replace(natural, **form)
    proof = proof_of(tmp_path, opened(NAME, work, tmp_path), work)
    assert proof.work == "same", proof.reason
    assert proof.likeness is not None
    assert proof.likeness.name == "TensorFlow's fast JPEG transform"


@pytest.mark.parametrize("form", [form for form in FORMS if form != PAD], ids=str)
def test_grains_images_are_the_same_in_a_fixed_order(
    natural: Workload, tmp_path: Path, form: dict[str, Any]
) -> None:
    pytest.importorskip("grain")
    work = replace(natural, **form)
    proof = proof_of(tmp_path, opened(GRAIN, work, tmp_path), work)
    assert proof.work == "same", proof.reason
    assert proof.shuffle is not None
    assert proof.shuffle.kind == "fixed"


def test_a_part_of_a_folder_is_delivered_and_nothing_else(photos: Path, tmp_path: Path) -> None:
    index = take(index_folder(photos), 12, seed=0)
    whole = workload_over(photos)
    work = replace(whole, files=index.paths, labels=index.labels, label_mode="categorical")
    epochs = epochs_of(opened(NAME, work, tmp_path))
    for batches in epochs:
        labels = np.concatenate([labels for _, labels in batches]).argmax(axis=1)
        assert sorted(labels) == sorted(work.labels)


def test_a_fit_that_keras_does_not_have_is_refused_in_a_sentence(
    natural: Workload, tmp_path: Path
) -> None:
    work = replace(natural, fit=Fit("crop", 0.875))
    with pytest.raises(RequestError) as refused:
        opened(NAME, work, tmp_path)
    assert (
        refused.value.sentence
        == "Keras cannot fit images by --fit crop=0.875 when it lists a folder"
    )
    assert refused.value.hint == "use --fit stretch, crop or pad, or another pipeline"


def test_padding_by_grain_is_refused_because_it_is_other_work(
    natural: Workload, tmp_path: Path
) -> None:
    pytest.importorskip("grain")
    with pytest.raises(RequestError, match=r"pads images before it resizes them; --fit pad") as no:
        opened(GRAIN, replace(natural, **PAD), tmp_path)
    assert no.value.hint == f"use {NAME}"


@pytest.mark.parametrize("name", [NAME, GRAIN])
def test_binary_labels_stay_with_their_images(tmp_path: Path, name: str) -> None:
    if name == GRAIN:
        pytest.importorskip("grain")
    for label, value in (("dark", 10), ("light", 200)):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(5):
            image = Image.new("RGB", (9, 7), (value + number,) * 3)
            image.save(tmp_path / "photos" / label / f"{number}.png")
    work = replace(workload_over(tmp_path / "photos"), label_mode="binary", batch_size=4)
    (batches,) = epochs_of(opened(name, work, tmp_path), 1)
    # Behind a cache, whole batches are shuffled: the short one may come at any place.
    assert sorted(len(labels) for _, labels in batches) == [2, 4, 4]
    for images, labels in batches:
        assert labels.dtype == np.float32
        assert labels.tolist() == (images.mean(axis=(1, 2, 3)) > 0.5)[:, None].tolist()


@pytest.mark.parametrize("channels", [1, 3])
def test_every_format_is_delivered_webp_and_odd_suffixes_too(tmp_path: Path, channels: Any) -> None:
    folder = tmp_path / "photos" / "c"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number, (name, how) in enumerate(
        (
            ("a.png", "PNG"),
            ("b.bmp", "BMP"),
            ("c.webp", "WEBP"),
            ("d.gif", "GIF"),
            ("e.JPG", "PNG"),
            ("f.webp", "BMP"),
        )
    ):
        small = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
        picture = Image.fromarray(small).resize((30 + number, 20), Image.Resampling.NEAREST)
        lossless = {"lossless": True} if how == "WEBP" else {}
        picture.save(folder / name, format=how, **lossless)
    Image.new("RGB", (1, 1), (9, 99, 199)).save(folder / "g.png")  # of one pixel
    work = replace(workload_over(tmp_path / "photos"), channels=channels, value_range=(0, 255))
    work = replace(work, formats=formats_of(work.files), batch_size=8)
    (batches,) = epochs_of(opened(NAME, work, tmp_path), 1)
    images = np.concatenate([images for images, _ in batches])
    expected = [reference.sampled(reference.decoded(file), 32, 32) for file in work.files]
    if channels == 1:
        expected = [reference.grey(image) for image in expected]
    for image in expected:
        assert min(np.abs(image - other).max() for other in images) < 0.01


def batches_as_bytes(batches: list[tuple[Any, Any]]) -> list[bytes]:
    return [images.tobytes() for images, _ in batches]


@pytest.mark.parametrize("cache", ["memory", "file"])
def test_from_a_cache_come_the_batches_of_the_first_epoch_in_another_order(
    natural: Workload, tmp_path: Path, cache: str
) -> None:
    first, second = epochs_of(
        opened(f"{NAME}:cache={cache}", replace(natural, batch_size=4), tmp_path)
    )
    assert sorted(batches_as_bytes(first)) == sorted(batches_as_bytes(second))
    assert batches_as_bytes(first) != batches_as_bytes(second)
    assert bool(list(tmp_path.glob("cache*data*"))) == (cache == "file")


@pytest.mark.parametrize(("cache", "kind"), [("memory", "partial"), ("none", "full")])
def test_a_shuffle_of_whole_batches_is_noticed(
    natural: Workload, tmp_path: Path, cache: str, kind: str
) -> None:
    feed = opened(f"{NAME}:cache={cache}", natural, tmp_path)
    proof = proof_of(tmp_path, feed, natural)
    assert proof.shuffle is not None
    assert proof.shuffle.kind == kind


def test_without_a_cache_the_images_of_a_batch_change(natural: Workload, tmp_path: Path) -> None:
    first, second = epochs_of(opened(f"{NAME}:cache=none", natural, tmp_path))
    assert not set(batches_as_bytes(first)) & set(batches_as_bytes(second))


def test_without_a_shuffle_of_batches_a_cache_fixes_the_order(
    natural: Workload, tmp_path: Path
) -> None:
    feed = opened(f"{NAME}:shuffle_batches=none", natural, tmp_path)
    first, second = epochs_of(feed)
    assert batches_as_bytes(first) == batches_as_bytes(second)
    proof = proof_of(tmp_path, feed, natural)
    assert proof.shuffle is not None
    assert proof.shuffle.kind == "fixed"


def test_another_interpolation_is_noticed(natural: Workload, tmp_path: Path) -> None:
    feed = opened(f"{NAME}:interpolation=nearest", natural, tmp_path)
    assert proof_of(tmp_path, feed, natural).work == "different"


@pytest.mark.parametrize(
    "knobs", ["prefetch=none,parallel_calls=none", "prefetch=3,parallel_calls=2"]
)
def test_a_knob_of_speed_changes_no_image(natural: Workload, tmp_path: Path, knobs: str) -> None:
    expected, _ = epochs_of(opened(NAME, natural, tmp_path))
    (tmp_path / "other").mkdir()
    delivered, _ = epochs_of(opened(f"{NAME}:{knobs}", natural, tmp_path / "other"))
    assert batches_as_bytes(delivered) == batches_as_bytes(expected)


def test_what_does_not_fit_in_memory_is_overruled_with_a_remark(
    natural: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory_dataset, "available_bytes", lambda: 40 * natural.image_bytes)
    with pytest.warns(KnobOverruledWarning) as warned:
        feed = opened(NAME, natural, tmp_path)
    assert [str(each.message).partition(":")[0] for each in warned] == [
        "cache=file instead of cache=memory",
        "shuffle_batches=2 instead of shuffle_batches=1000",
    ]
    assert [len(images) for images, _ in epochs_of(feed, 1)[0]].count(16) == 3


def test_a_folder_that_holds_other_images_is_refused_in_a_sentence(
    photos: Path, tmp_path: Path
) -> None:
    work = workload_over(photos)
    fewer = replace(work, files=work.files[:-1], labels=work.labels[:-1])
    with pytest.raises(RequestError, match=r"^Keras lists 39 images in .*; expected 38: it takes"):
        catalog.load(catalog.parse(NAME)).open(fewer, tmp_path, tmp_path)


def test_without_grain_a_sentence_says_what_to_install(
    natural: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "grain", None)
    monkeypatch.setattr(directory_dataset, "find_spec", lambda _: None)
    with pytest.raises(RequestError) as refused:
        opened(GRAIN, natural, tmp_path)
    assert refused.value.sentence == f"{GRAIN} needs the package grain, which is not installed"
    assert refused.value.hint == f"pip install grain, or use {NAME}"


def test_a_keras_without_the_form_of_grain_is_told_in_a_sentence(
    natural: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    monkeypatch.setattr(keras.utils, "image_dataset_from_directory", lambda directory: None)
    with pytest.raises(RequestError, match=r"needs a Keras with format='grain'; found Keras 3"):
        opened(GRAIN, natural, tmp_path)
