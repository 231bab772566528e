"""What people deliver by mistake is named, by the proof of a whole feed.

tests/end_to_end/own_loaders/test_loaders.py has more mistakes, in loaders.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from feedbench.bench.equal_work import references
from feedbench.bench.equal_work.mistakes import recognition
from feedbench.bench.equal_work.references import Levels
from feedbench.bench.records.proof import Proof
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.forms import RANGES, STRETCH, Fit
from tests.support.builders import natural_photos, workload_over
from tests.support.pipelines.feeds import Feed, proof_of

pytestmark = pytest.mark.tensorflow  # one of the mistakes is TensorFlow's fast transform

IMAGES = 40


@pytest.fixture(scope="module")
def natural(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """40 natural-looking photos, to 96x96 in batches of 16."""
    folder = tmp_path_factory.mktemp("natural") / "photos"
    return natural_photos(folder, IMAGES, side=96, batch_size=16)


@pytest.fixture
def prove(natural: Workload, tmp_path: Path) -> Callable[..., Proof]:
    return lambda **feed: proof_of(tmp_path, Feed(natural, **feed), natural)


def by_area(image: Image.Image, workload: Workload) -> Levels:
    """Each sample is the mean of what it covers, in whole grey levels, as OpenCV has it."""
    import tensorflow as tf

    size = (workload.height, workload.width)
    resized = tf.image.resize(np.asarray(image), size, method="area")
    return np.rint(np.asarray(resized, np.float32))


@pytest.mark.parametrize(("enough", "images"), [(16_000_000, 12), (1, 4)])
def test_a_mistake_is_tried_on_fewer_files_if_they_are_large(
    natural: Workload, monkeypatch: pytest.MonkeyPatch, enough: int, images: int
) -> None:
    monkeypatch.setattr(recognition, "_ENOUGH_PIXELS", enough)
    decoded = [references.decoded(file) for file in natural.files[:12]]
    swapped = [references.sampled(image, natural)[..., ::-1] for image in decoded]
    likeness = recognition.of_pixels(natural, dict(enumerate(swapped)), 30.0)
    assert likeness is not None
    assert "red and blue" in likeness.name
    assert likeness.images == images


@pytest.mark.thorough
def test_the_area_filter_is_named_with_its_distance(prove: Any) -> None:
    proof = prove(make=by_area)
    assert proof.work == "different"
    assert proof.reason.startswith(
        "its pixels match the area filter (OpenCV's INTER_AREA, TensorFlow's area), "
    )
    assert proof.reason.endswith(" grey levels from the reference")


def central_crop(image: Image.Image, workload: Workload) -> Levels:
    left, top = round(image.width / 16), round(image.height / 16)
    middle = image.crop((left, top, image.width - left, image.height - top))
    return references.sampled(middle, workload)


@pytest.mark.thorough
def test_a_crop_is_named_where_all_images_still_match_their_files(
    natural: Workload, tmp_path: Path
) -> None:
    folder = tmp_path / "smooth" / "c"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(12):
        image = Image.fromarray(rng.integers(100, 150, (3, 3, 3), dtype=np.uint8))
        image.resize((400, 300), Image.Resampling.BICUBIC).save(folder / f"{number}.png")
    workload = replace(workload_over(tmp_path / "smooth"), height=96, width=96)
    proof = proof_of(tmp_path, Feed(workload, central_crop), workload)
    assert proof.counts.unknown == 0
    assert proof.work == "different"
    assert "a central crop of 87.5% of each side" in str(proof.reason)


def test_values_divided_by_255_twice_match_no_file_and_are_named(prove: Any) -> None:
    proof = prove(change=lambda images, labels, _: (images / np.float32(255), labels))
    assert (proof.work, proof.is_wrong) == ("different", False)
    assert (proof.counts.unknown, proof.counts.missing) == (IMAGES, IMAGES)
    assert proof.reason == (
        f"{IMAGES} of {IMAGES} delivered images match no file; they are values divided by 255 twice"
    )
    assert proof.shuffle.kind == "unknown"


@pytest.mark.thorough
@pytest.mark.parametrize("asked", ["0..255", "-1..1", "imagenet", "caffe"])
def test_values_of_0_to_1_are_named_where_another_range_was_asked_for(
    natural: Workload, tmp_path: Path, asked: str
) -> None:
    values = RANGES[asked]
    workload = replace(natural, value_range=values.bounds, normalization=values.normalization)
    proof = proof_of(tmp_path, Feed(workload), workload)
    assert proof.work == "different"
    assert str(proof.reason).endswith("they are values of 0..1 (--range 0..1)")


@pytest.mark.thorough
def test_stretched_images_are_named_where_a_crop_was_asked_for(
    natural: Workload, tmp_path: Path
) -> None:
    cropped = replace(natural, fit=Fit("crop"))

    def stretched(image: Image.Image, workload: Workload) -> Levels:
        return references.sampled(image, replace(workload, fit=STRETCH))

    proof = proof_of(tmp_path, Feed(cropped, stretched), cropped)
    assert proof.work == "different"
    assert "images stretched to the delivered size (--fit stretch)" in str(proof.reason)
    assert proof_of(tmp_path, Feed(cropped), cropped).work == "same"
