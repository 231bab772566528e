"""Threads with simplejpeg and OpenCV, where the extra `fast` is installed."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from feedbench.pipelines.augmentation.reading import augmentation
from feedbench.pipelines.built_in.threaded import threads
from feedbench.pipelines.built_in.threaded.buffers import Buffers
from feedbench.pipelines.built_in.threaded.threads import Threads
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.forms import RANGES, Fit
from tests.support.builders import natural_photos, workload_over
from tests.support.images import reference
from tests.support.images.odd import encoded, jpeg, noise
from tests.support.pipelines.feeds import proof_of

HAS_EXTRA = all(map(importlib.util.find_spec, ("cv2", "simplejpeg")))
needs_extra = pytest.mark.skipif(not HAS_EXTRA, reason="needs pip install 'feedbench[fast]'")

BYTES: dict[str, Any] = {"dtype": "uint8", "value_range": (0.0, 255.0)}
CAFFE: dict[str, Any] = {"value_range": RANGES["caffe"].bounds, "normalization": "caffe"}
IMAGENET: dict[str, Any] = {"value_range": RANGES["imagenet"].bounds, "normalization": "imagenet"}


def opened(workload: Workload, folder: Path, **knobs: Any) -> Any:
    return Threads(**knobs).open(workload, folder, folder)


@pytest.fixture(scope="module")
def natural(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """40 natural-looking photos of several proportions, to 64x48 in batches of 16."""
    folder = tmp_path_factory.mktemp("natural") / "photos"
    return replace(natural_photos(folder, 40, side=64, batch_size=16), width=48)


def test_a_missing_library_is_named_with_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "find_spec", lambda name: None)
    with pytest.raises(RequestError) as refused:
        Threads().refuse(Fit(), (224, 224))
    assert str(refused.value) == (
        "it needs simplejpeg and OpenCV, which this Python does not have\n"
        "hint: install the extra: pip install 'feedbench[fast]'"
    )


def test_memory_is_used_again_only_when_nothing_refers_to_it() -> None:
    buffers = Buffers((4, 2), np.dtype("float32"), most=2)
    first = buffers.take()
    part = first[:3]
    del first
    second = buffers.take()
    assert not np.shares_memory(part, second)  # a part is held
    third = buffers.take()  # more than are kept
    assert not np.shares_memory(third, part)
    assert not np.shares_memory(third, second)
    address = part.__array_interface__["data"]
    del part
    assert buffers.take().__array_interface__["data"] == address


@needs_extra
@pytest.mark.thorough
@pytest.mark.parametrize(
    "form",
    [
        {},
        BYTES,
        BYTES | {"fit": Fit("crop"), "channels": 1},
        CAFFE | {"fit": Fit("crop", 0.875)},
        IMAGENET | {"fit": Fit("pad")},
        {"dtype": "bfloat16", "data_format": "channels_first", "channels": 1},
        {"dtype": "float16", "value_range": (-1.0, 1.0), "fit": Fit("pad")},
        BYTES | {"data_format": "channels_first", "label_mode": "categorical"},
    ],
    ids=str,
)
def test_it_delivers_the_same_in_every_form(
    form: dict[str, Any], natural: Workload, tmp_path: Path
) -> None:
    work = replace(natural, **form)
    proof = proof_of(tmp_path, opened(work, tmp_path), work)
    assert proof.work == "same", proof.reason
    assert proof.shuffle.kind in ("full", "unknown")
    assert proof.shuffle.fixed_in is None
    assert proof.from_sampled is not None
    assert proof.from_sampled.mean < 0.4  # OpenCV rounds


EVERYTHING = "flip,vertical_flip,rotate=20,shift=0.1,zoom=0.2,brightness=0.2"


@needs_extra
@pytest.mark.parametrize("mirrors", [(1, 1), (-1, 1), (1, -1), (-1, -1)])
def test_an_image_is_moved_as_image_data_generator_moves_it(mirrors: tuple[int, int]) -> None:
    from feedbench.pipelines.built_in.threaded.drawn import Drawn

    height, width = 60, 80
    image = ndimage.gaussian_filter(noise(height, width, 3).astype(float), (4, 4, 0))
    image = np.interp(image, (image.min(), image.max()), (0, 255)).astype(np.uint8)
    angle, shift, zoom = 0.3, np.asarray([0.08 * height, -0.05 * width]), np.diag([1.15, 0.9])
    rotation = np.asarray([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.asarray([(height - 1) / 2, (width - 1) / 2])
    matrix = rotation @ zoom
    offset = rotation @ shift + centre - matrix @ centre
    expected = np.stack(
        [
            ndimage.affine_transform(band.astype(float), matrix, offset, order=1, mode="nearest")
            for band in np.moveaxis(image, -1, 0)
        ],
        axis=-1,
    )[:: mirrors[1], :: mirrors[0]]
    drawn = Drawn(
        mirror_x=mirrors[0],
        mirror_y=mirrors[1],
        angle=angle,
        shift_x=-0.05,
        shift_y=0.08,
        zoom_x=0.9,
        zoom_y=1.15,
        brightness=1.0,
    )
    assert np.abs(drawn.moved(image) - expected).mean() < 0.6  # rounded, at 1/32 of a pixel
    assert np.abs(drawn.moved(image)[::-1] - expected).mean() > 10


@needs_extra
def test_draws_are_new_for_each_image_and_the_seed_decides_them() -> None:
    from feedbench.pipelines.built_in.threaded.drawn import Draws

    asked = augmentation("--augment", EVERYTHING)
    draws = Draws(asked, 3)
    first, second = [*draws.of(500)], [*draws.of(500)]
    assert len({*first, *second}) == 1000
    assert [*Draws(asked, 3).of(500)] == first
    assert [*Draws(asked, 4).of(500)] != first
    assert 0.4 < np.mean([each.mirror_x < 0 for each in first]) < 0.6
    for name, reach, centre in (("shift_x", 0.1, 0), ("zoom_y", 0.2, 1), ("brightness", 0.2, 1)):
        values = np.array([getattr(each, name) for each in first]) - centre
        assert 0.95 * reach < np.abs(values).max() <= reach
        assert abs(values.mean()) < 0.1 * reach
    nothing = [*Draws(augmentation("--augment", "flip"), 3).of(500)]
    assert {(each.mirror_y, each.angle, each.zoom_x, each.brightness) for each in nothing} == {
        (1, 0.0, 1.0, 1.0)
    }


@needs_extra
@pytest.mark.thorough
def test_images_are_augmented_as_asked(tmp_path: Path) -> None:
    natural = natural_photos(tmp_path / "photos", 60, side=96, batch_size=16)
    work = replace(natural, augmentation=augmentation("--augment", EVERYTHING))
    proof = proof_of(tmp_path, opened(work, tmp_path), work)
    assert (proof.work, proof.reason, proof.is_wrong) == ("augmented", None, False)
    assert proof.augmented is not None
    assert proof.augmented.is_identity_proven
    assert proof.augmented.certain >= 58
    assert proof.shuffle.kind == "full"


@needs_extra
@pytest.mark.thorough
def test_a_reduced_scale_is_near(natural: Workload, tmp_path: Path) -> None:
    proof = proof_of(tmp_path, opened(natural, tmp_path, decode="scaled"), natural)
    assert (proof.work, proof.likeness is not None) == ("near", True), proof.reason


@needs_extra
def test_every_epoch_has_each_image_once_in_a_new_order_and_a_short_last_batch(
    photos: Path, tmp_path: Path
) -> None:
    work = replace(workload_over(photos), batch_size=16)
    feed = opened(work, tmp_path, workers=3, prefetch=1)
    epochs = [[labels.copy() for _, labels in feed] for _ in range(2)]
    repeated = [labels.copy() for _, labels in islice(feed.repeat(), 6)]
    for epoch in (*epochs, repeated[:3], repeated[3:]):
        assert [len(labels) for labels in epoch] == [16, 16, 7]
        assert sorted(np.concatenate(epoch)) == sorted(work.labels)
    orders = {np.concatenate(epoch).tobytes() for epoch in (*epochs, repeated[:3], repeated[3:])}
    assert len(orders) == 4
    again = opened(work, tmp_path, workers=1, prefetch=4)
    assert all(map(np.array_equal, epochs[0], [labels for _, labels in again]))


@needs_extra
def test_a_batch_that_the_consumer_holds_is_never_overwritten(photos: Path, tmp_path: Path) -> None:
    work = replace(workload_over(photos), batch_size=16)
    feed = opened(work, tmp_path)
    held, copies = [], []
    for images, _ in islice(feed.repeat(), 12):
        held.append(images[:1])  # a part is enough
        copies.append(images[:1].copy())
    assert all(map(np.array_equal, held, copies))


@needs_extra
def test_files_that_simplejpeg_refuses_are_decoded_by_pillow(tmp_path: Path) -> None:
    (tmp_path / "photos" / "a").mkdir(parents=True)
    whole = jpeg(40, 60)
    segment = whole.index(b"\xff\xdb")
    content = {
        "png.png": encoded(Image.fromarray(noise(40, 50, 3)), "PNG"),
        "cmyk.jpg": encoded(Image.fromarray(noise(30, 50, 3)).convert("CMYK"), "JPEG"),
        "grey.jpg": encoded(Image.fromarray(noise(30, 50)), "JPEG"),
        "stray.jpg": whole[:segment] + b"\0\0" + whole[segment:],
        os_name(b"\xff.jpg"): whole,
    }
    for name, data in content.items():
        (tmp_path / "photos" / "a" / name).write_bytes(data)
    work = replace(workload_over(tmp_path / "photos"), **BYTES)
    found = np.concatenate([images for images, _ in opened(work, tmp_path)]).astype(float)
    for file in work.files:
        expected = reference.sampled(reference.decoded(file), 32, 32)
        assert np.abs(found - expected).mean(axis=(1, 2, 3)).min() < 1.0, file


@needs_extra
def test_a_file_that_nothing_decodes_raises_in_the_consumer(tmp_path: Path) -> None:
    (tmp_path / "photos" / "a").mkdir(parents=True)
    (tmp_path / "photos" / "a" / "1.jpg").write_bytes(jpeg())
    work = workload_over(tmp_path / "photos")
    Path(work.files[0]).write_bytes(b"no image")
    with pytest.raises(OSError, match="cannot identify image file"):
        list(opened(work, tmp_path))


def os_name(name: bytes) -> str:
    import os

    return os.fsdecode(name)
