"""A feed laid beside the references: what is found of the right one, and of faults in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from feedbench.bench.equal_work import references
from feedbench.bench.equal_work.references import half_pixel_centres, in_form, interpolated
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import WrongWorkError
from tests.support.builders import natural_photos, workload_over
from tests.support.pipelines.feeds import Feed, proof_of

pytestmark = pytest.mark.tensorflow  # what differs is held against TensorFlow's fast transform

IMAGES = 60


@pytest.fixture(scope="module")
def natural(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """60 natural-looking photos, to 96x96 in batches of 16."""
    folder = tmp_path_factory.mktemp("natural") / "photos"
    return natural_photos(folder, IMAGES, side=96, batch_size=16)


@pytest.fixture
def prove(natural: Workload, tmp_path: Path) -> Callable[..., Any]:
    def proof(**feed: Any) -> Any:
        return proof_of(tmp_path, Feed(natural, **feed), natural)

    return proof


def test_images_by_tensorflows_sampling_are_the_same(prove: Any) -> None:
    proof = prove()
    assert (proof.work, proof.reason, proof.is_wrong) == ("same", None, False)
    assert (proof.counts.images, proof.counts.is_right, proof.compared) == (60, True, 60)
    assert proof.from_sampled.mean == pytest.approx(0, abs=0.002)
    assert proof.from_filtered.mean > 0.3
    assert proof.shuffle.kind == "full"


def test_images_by_pillows_filter_are_near_and_the_filter_is_named(prove: Any) -> None:
    proof = prove(make=references.filtered)
    assert proof.work == "near"
    assert proof.reason.startswith(
        "its pixels are 0.00 grey levels from Pillow's antialiased bilinear filter"
    )


def exchanged(image: Image.Image, workload: Workload) -> Any:
    return references.sampled(image, workload)[..., ::-1]


def grey(image: Image.Image, workload: Workload) -> Any:
    return references.sampled(image.convert("L").convert("RGB"), workload)


def half_a_pixel_off(image: Image.Image, workload: Workload) -> Any:
    def legacy(size: int, count: int) -> Any:
        return half_pixel_centres(size, count) + np.float32(0.5 - 0.5 * size / count)

    return in_form(interpolated(np.asarray(image), workload, legacy), workload)


def nearest(image: Image.Image, workload: Workload) -> Any:
    return np.asarray(
        image.resize((workload.width, workload.height), Image.Resampling.NEAREST), np.float32
    )


def by_lanczos(image: Image.Image, workload: Workload) -> Any:
    return np.asarray(
        image.resize((workload.width, workload.height), Image.Resampling.LANCZOS), np.float32
    )


def blurred(image: Image.Image, workload: Workload) -> Any:
    small = image.resize((workload.width // 4, workload.height // 4))
    return np.asarray(small.resize((workload.width, workload.height)), np.float32)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (exchanged, "its pixels match swapped red and blue channels, "),
        (half_a_pixel_off, "its pixels match bilinear sampling half a pixel off"),
        (nearest, "its pixels match nearest-neighbour sampling, "),
        (grey, "its pixels match grey values in all three channels, "),
        (by_lanczos, "its pixels match Pillow's Lanczos filter, "),
    ],
)
def test_other_pixels_are_different_and_named(prove: Any, make: Any, name: str) -> None:
    proof = prove(make=make)
    assert proof.work == "different"
    assert proof.reason.startswith(name)
    assert proof.reason.endswith(" grey levels from the reference")
    assert not proof.is_wrong


def test_other_pixels_that_nobody_knows_are_different_by_their_distances(prove: Any) -> None:
    proof = prove(make=blurred)
    assert proof.work == "different"
    assert "from TensorFlow's sampling (expected 1.5 at most), and" in proof.reason


def test_nearest_sampling_is_different_where_images_are_so_smooth_that_it_is_not_far(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "smooth" / "c"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(8):
        small = Image.fromarray(rng.integers(60, 190, (9, 9, 3), dtype=np.uint8))
        small.resize((400, 300), Image.Resampling.BICUBIC).save(folder / f"{number}.png")
    workload = replace(workload_over(tmp_path / "smooth"), height=160, width=160)
    proof = proof_of(tmp_path, Feed(workload, nearest), workload)
    assert proof.from_sampled is not None
    assert proof.from_sampled.mean < 1
    assert proof.work == "different"
    assert "nearest-neighbour sampling" in str(proof.reason)


def turned(turn: Callable[[Image.Image, Workload], Image.Image]) -> Any:
    return lambda image, workload: references.sampled(turn(image, workload), workload)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (turned(lambda image, _: ImageOps.mirror(image)), "images mirrored left to right"),
        (turned(lambda image, _: ImageOps.flip(image)), "images upside down"),
        (
            turned(lambda image, _: ImageOps.fit(image, (min(image.size),) * 2)),
            "images cropped to the delivered proportions",
        ),
        (
            turned(lambda image, _: ImageOps.pad(image, (max(image.size),) * 2)),
            "images padded with black before they are resized",
        ),
    ],
)
def test_images_that_show_something_else_are_unknown_and_named(
    prove: Any, make: Any, name: str
) -> None:
    proof = prove(make=make)
    assert proof.work == "different"
    assert proof.counts.unknown > IMAGES / 2
    assert "delivered images match no file; they are " in proof.reason
    assert name in proof.reason


def test_noise_shows_none_of_the_files(natural: Workload, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def noise(images: Any, labels: Any, _: int) -> tuple[Any, Any]:
        return rng.random(images.shape, np.float32), labels

    proof = proof_of(tmp_path, Feed(natural, change=noise), natural)
    assert (proof.work, proof.counts.unknown, proof.compared) == ("different", 60, 0)
    assert proof.reason == "60 of 60 delivered images match no file"


def first_twice(order: list[int], epoch: int) -> list[int]:
    return [order[order.index(7)] if place == 3 else place for place in order]


def test_an_image_that_comes_twice_and_one_that_never_comes_are_wrong_and_named(
    prove: Any,
) -> None:
    proof = prove(order=first_twice)
    assert (proof.work, proof.is_wrong) == ("different", True)
    assert (proof.counts.doubled, proof.counts.missing, proof.counts.unknown) == (1, 1, 0)
    files = proof.counts.first_doubled, proof.counts.first_missing
    assert proof.reason == (
        f"1 image too many ({files[0]}) and 1 image missing ({files[1]}); expected every image once"
    )


def test_what_is_wrong_in_the_second_epoch_alone_is_found_as_well(prove: Any) -> None:
    proof = prove(order=lambda order, epoch: first_twice(order, epoch) if epoch == 2 else order)
    assert proof.is_wrong
    assert proof.reason.startswith("in its second epoch, 1 image too many (")


def shifted(images: Any, labels: Any, _: int) -> tuple[Any, Any]:
    return images, (labels + 1) % 5


def coarse(images: Any, labels: Any, epoch: int) -> tuple[Any, Any]:
    """Deliver every epoch after the first at half the resolution, as a cheaper cache would."""
    if epoch > 1:
        images = images[:, ::2, ::2].repeat(2, axis=1).repeat(2, axis=2)
    return images, labels


def test_other_pixels_in_the_second_epoch_alone_are_found_as_well(prove: Any) -> None:
    proof = prove(change=coarse)
    assert (proof.work, proof.is_wrong) == ("different", False)
    assert proof.reason.startswith("in its second epoch, its pixels are ")


def test_other_images_in_the_second_epoch_alone_are_named(prove: Any) -> None:
    proof = prove(change=lambda x, y, epoch: (x[:, :, ::-1] if epoch > 1 else x, y))
    assert proof.work == "different"
    assert proof.reason.startswith("in its second epoch, ")
    assert "they are images mirrored left to right" in proof.reason


def test_of_a_large_folder_the_second_epochs_pixels_are_compared_where_there_are_enough(
    natural: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedbench.bench.equal_work.proof_task.SECOND_EPOCH_IMAGES", 32)
    monkeypatch.setattr("feedbench.bench.equal_work.compared_epoch.LEAST_COMPARED", 33)
    assert proof_of(tmp_path, Feed(natural, change=coarse), natural).work == "same"
    proof = proof_of(tmp_path, Feed(natural, order=second_twice), natural)
    assert proof.reason is not None
    assert proof.reason.startswith("in its second epoch, 1 image too many (")
    monkeypatch.setattr("feedbench.bench.equal_work.compared_epoch.LEAST_COMPARED", 32)
    proof = proof_of(tmp_path, Feed(natural, change=coarse), natural)
    assert (proof.work, proof.compared) == ("different", 32)


def second_twice(order: list[int], epoch: int) -> list[int]:
    return [order[0], order[0], *order[2:]] if epoch > 1 else order


def test_labels_shifted_by_one_are_wrong_and_the_first_is_named(
    prove: Any, natural: Workload
) -> None:
    proof = prove(change=shifted)
    first, second = natural.class_names[:2]
    assert (proof.work, proof.is_wrong, proof.counts.wrong_labels) == ("different", True, 60)
    assert proof.reason.startswith(f"60 of 60 images have the wrong label ({first}/")
    assert proof.reason.endswith(f" as {second!r})")


def test_two_labels_exchanged_within_a_batch_are_found(prove: Any) -> None:
    def exchange(images: Any, labels: Any, _: int) -> tuple[Any, Any]:
        wrong = labels.copy()
        one, other = 0, int(np.flatnonzero(labels != labels[0])[0])
        wrong[[one, other]] = wrong[[other, one]]
        return images, wrong

    assert prove(change=exchange).counts.wrong_labels == 8  # two in each of four batches


def test_a_few_broken_images_among_good_ones_are_different(prove: Any) -> None:
    def broken(images: Any, labels: Any, _: int) -> tuple[Any, Any]:
        images[0, ::2] = np.clip(images[0, ::2] + 0.25, 0, 1)
        images[0, 1::2] = np.clip(images[0, 1::2] - 0.25, 0, 1)
        return images, labels

    proof = prove(change=broken)
    assert proof.work == "different"
    assert proof.off == 4
    assert proof.reason.startswith("4 of 60 images have different pixels (")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda x, y, _: (x * 255, y), "it delivered values from 0 to 2"),
        (lambda x, y, _: (x.astype(np.float64), y), "it delivered images of float64 [16, 96, 96"),
        (lambda x, y, _: (x * np.float32(np.nan), y), "values that are not finite numbers, such"),
        (lambda x, y, _: (x[:0], y[:0]), "it delivered a batch of 0 images; expected 1 to 16"),
        (lambda x, y, _: (x, y[:, None, None]), "labels of int32 [16, 1, 1]; expected int32 [16]"),
        (lambda x, y, _: ([*x[1:], x[0, :9]], y), "it delivered images of several sizes in one"),
        (
            lambda x, y, _: (x, y.astype(str).astype(object)),
            "it delivered labels as text; expected numbers",
        ),
        (lambda x, y, _: (x, [[1], [1, 2]]), "it delivered labels of several sizes in one batch"),
        (lambda x, y, _: (x[:, :9], y), "it delivered images of float32 [16, 9, 96, 3]; expected"),
    ],
)
def test_a_batch_of_another_form_fails_in_one_sentence(
    prove: Any, change: Any, sentence: str
) -> None:
    with pytest.raises(WrongWorkError) as error:
        prove(change=change)
    assert sentence in str(error.value)
    assert "expected" in str(error.value)


def test_dicts_with_int64_labels_are_the_same_and_noted(prove: Any) -> None:
    proof = prove(change=lambda x, y, _: {"image": x, "label": y.astype(np.int64)})
    assert (proof.work, proof.reason) == ("same", None)
    assert proof.forms == [
        "it delivers dicts: 'image' and 'label' are compared, and nothing else",
        "its labels are int64 [B]; the built-in pipelines deliver int32 [B]",
    ]


def test_images_of_another_size_in_a_later_batch_fail(prove: Any) -> None:
    batches = 0

    def later(images: Any, labels: Any, _: int) -> tuple[Any, Any]:
        nonlocal batches
        batches += 1
        return (images[:, ::2], labels) if batches == 3 else (images, labels)

    with pytest.raises(WrongWorkError, match=r"images of float32 \[16, 48, 96, 3\]; expected"):
        prove(change=later)


def test_a_ragged_tensor_fails_in_one_sentence(prove: Any) -> None:
    import tensorflow as tf

    def ragged(images: Any, labels: Any, _: int) -> tuple[Any, Any]:
        return tf.ragged.stack([images[0], images[1, :50]]), labels[:2]

    with pytest.raises(WrongWorkError, match="images of several sizes in one batch"):
        prove(change=ragged)


def test_a_feed_that_is_good_for_one_epoch_only_fails(natural: Workload, tmp_path: Path) -> None:
    with pytest.raises(WrongWorkError, match="it delivered 0 images in an epoch; expected 60"):
        proof_of(tmp_path, iter(list(Feed(natural))), natural)


def test_an_unshuffled_feed_and_a_fixed_order_are_told_from_a_full_shuffle(prove: Any) -> None:
    none = prove(seed=None).shuffle
    assert none.kind == "none"
    assert none.batch_classes < 2 < none.batch_classes_by_chance
    mixed = np.random.default_rng(1).permutation(IMAGES).tolist()
    assert prove(order=lambda order, epoch: mixed).shuffle.kind == "fixed"
    assert prove().shuffle.kind == "full"


def test_of_many_images_all_are_counted_and_a_sample_is_compared(
    natural: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedbench.bench.equal_work.reference_files.SAMPLE_IMAGES", 20)
    proof = proof_of(tmp_path, Feed(natural, order=first_twice), natural)
    assert (proof.compared, proof.counts.images, proof.counts.doubled) == (20, 60, 1)


def test_progress_is_told_while_images_are_compared(natural: Workload, tmp_path: Path) -> None:
    told: list[Any] = []
    proof_of(tmp_path, Feed(natural), natural, told.append)
    assert told


def test_uint8_minus_one_to_one_and_grey_are_compared_in_grey_levels(
    natural: Workload, tmp_path: Path
) -> None:
    whole = replace(natural, dtype="uint8", value_range=(0.0, 255.0))

    def to_uint8(images: Any, labels: Any, _: int) -> tuple[Any, Any]:
        return np.rint(images * 255).astype(np.uint8), labels

    proof = proof_of(tmp_path, Feed(whole, change=to_uint8), whole)
    assert (proof.work, proof.from_sampled and proof.from_sampled.worst) == ("same", 0)
    around = replace(natural, value_range=(-1.0, 1.0), channels=1)
    shutil.rmtree(tmp_path / "references")

    def around_0(images: Any, labels: Any, _: int) -> tuple[Any, Any]:
        return images * 2 - 1, labels

    assert proof_of(tmp_path, Feed(around, change=around_0), around).work == "same"
    assert proof_of(tmp_path, Feed(around), around).work == "different"
