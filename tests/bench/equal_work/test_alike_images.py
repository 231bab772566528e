"""Images that are hard to tell apart: of a few pixels, equal files, frames of a burst."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from feedbench.bench.equal_work import references
from feedbench.bench.equal_work.identity.fingerprints import Matcher, fingerprints
from feedbench.bench.equal_work.mistakes import recognition
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.images.sample_photos import write_photos
from tests.support.builders import workload_over
from tests.support.pipelines.feeds import Feed, proof_of

pytestmark = pytest.mark.tensorflow  # what differs is held against TensorFlow's fast transform


@pytest.fixture(scope="module")
def natural(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """60 natural-looking photos, to 48x48 in batches of 16."""
    folder = tmp_path_factory.mktemp("natural") / "photos"
    write_photos(folder, 60)
    return replace(workload_over(folder), height=48, width=48, batch_size=16)


@pytest.mark.parametrize("size", [1, 2, 8, 16])
@pytest.mark.parametrize(
    ("make", "work"), [(references.sampled, "same"), (references.filtered, "near")]
)
def test_of_a_few_pixels_every_image_is_matched_as_well(
    natural: Workload, tmp_path: Path, size: int, make: Any, work: str
) -> None:
    small = replace(natural, height=size, width=size)
    proof = proof_of(tmp_path, Feed(small, make), small)
    assert (proof.work, proof.counts.is_right, proof.off) == (work, True, 0)


def test_a_few_images_that_are_off_stand_out_where_the_others_are_exact(
    natural: Workload, tmp_path: Path
) -> None:
    small = replace(natural, height=24, width=24)

    def brighter(images: Any, labels: Any, _: int) -> tuple[Any, Any]:
        images[0] = np.clip(images[0] * np.float32(1.08), 0, 1)
        return images, labels

    proof = proof_of(tmp_path, Feed(small, change=brighter), small)
    assert proof.from_sampled is not None
    assert proof.from_sampled.mean < 1
    assert (proof.work, proof.off) == ("different", 4)


def test_equal_files_make_no_shuffle_look_worse(natural: Workload, tmp_path: Path) -> None:
    folder = shutil.copytree(natural.folder, tmp_path / "photos")
    for name in natural.class_names:
        for file in sorted((folder / name).iterdir())[:8]:
            shutil.copy(file, folder / name / f"copy-{file.name}")
    workload = replace(workload_over(folder), height=48, width=48, batch_size=16)
    assert proof_of(tmp_path, Feed(workload), workload).shuffle.kind == "full"
    assert proof_of(tmp_path, Feed(workload, seed=None), workload).shuffle.kind == "none"
    first = Path(workload.files[0]).read_bytes()
    for copied in workload.files:
        Path(copied).write_bytes(first)
    shutil.rmtree(tmp_path / "references")
    proof = proof_of(tmp_path, Feed(workload), workload)
    assert (proof.work, proof.shuffle.kind) == ("same", "unknown")


def first_twice(order: list[int], epoch: int) -> list[int]:
    return [order[order.index(7)] if place == 3 else place for place in order]


def frames(folder: Path) -> Workload:
    """A burst of 40 photos of one scene, each a little brighter than the one before."""
    rng = np.random.default_rng(0)
    scene = rng.integers(60, 180, (64, 64, 3))
    (folder / "c").mkdir(parents=True)
    for number in range(40):
        frame = scene + rng.integers(-2, 3, scene.shape) + number / 2
        Image.fromarray(frame.astype(np.uint8)).save(folder / "c" / f"{number:02d}.png")
    return replace(workload_over(folder), height=64, width=64)


def test_in_a_burst_small_differences_in_pixels_are_no_images_doubled(tmp_path: Path) -> None:
    workload = frames(tmp_path / "burst")
    rng = np.random.default_rng(0)

    def less_exact(images: Any, labels: Any, _: int) -> tuple[Any, Any]:
        by = rng.uniform(-1.5, 1.5, (len(images), 1, 1, 1)) / 255
        return np.clip(images + by, 0, 1).astype(np.float32), labels

    proof = proof_of(tmp_path, Feed(workload, change=less_exact), workload)
    assert (proof.work, proof.counts.is_right) == ("same", True)
    proof = proof_of(tmp_path, Feed(workload, order=first_twice), workload)
    assert (proof.counts.doubled, proof.counts.missing) == (1, 1)


def test_jpegs_decoded_at_a_reduced_size_are_named(natural: Workload) -> None:
    small = replace(natural, height=24, width=24)
    delivered = {}
    for place in range(0, 60, 5):
        with Image.open(small.files[place]) as image:
            image.draft("RGB", (24, 24))
            assert image.width < references.decoded(small.files[place]).width
            delivered[place] = references.filtered(image.convert("RGB"), small)
    mistake = recognition.of_pixels(small, delivered, 2.0)
    assert mistake is not None
    assert "decoded at a reduced scale (Pillow's draft mode)" in mistake.name
    assert (mistake.is_fault, mistake.is_reduced) == (False, True)


def matcher_of(workload: Workload) -> Matcher:
    """Finds the files of a workload."""
    images = [references.decoded(file) for file in workload.files]
    both = [np.stack([make(image, workload) for image in images]) for make in references.BOTH]
    return Matcher(np.stack([fingerprints(levels) for levels in both]))


def test_images_turned_as_exif_says_are_named(natural: Workload, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # its orientation: to be turned by 90 degrees
    (tmp_path / "c").mkdir()
    for place in range(3):
        with Image.open(natural.files[place]) as image:
            image.save(tmp_path / "c" / f"{place}.jpg", exif=exif)
    lying = replace(workload_over(tmp_path), height=48, width=48)
    upright = [
        references.sampled(references.decoded(file).rotate(270, expand=True), lying)
        for file in lying.files
    ]
    mistake = recognition.of_unknown(
        lying, range(3), fingerprints(np.stack(upright)), matcher_of(lying)
    )
    assert mistake is not None
    assert (mistake.name, mistake.images) == (
        "images rotated by their EXIF orientation",
        3,
    )


def test_grey_images_have_no_colours_to_exchange(natural: Workload) -> None:
    grey = replace(natural, height=48, width=48, channels=1)
    delivered = {
        place: references.sampled(references.decoded(grey.files[place]), grey) * 0.5
        for place in range(3)
    }
    assert recognition.of_pixels(grey, delivered, 50.0) is None


def test_three_copies_of_a_file_under_other_names_count_as_three(
    natural: Workload, tmp_path: Path
) -> None:
    folder = shutil.copytree(natural.folder, tmp_path / "photos")
    first = Path(natural.files[0])
    for name in ("copy", "again"):
        shutil.copy(first, folder / first.parent.name / f"{first.stem}-{name}.jpg")
    workload = replace(workload_over(folder), height=48, width=48, batch_size=16)
    assert workload.images == len(natural.files) + 2
    proof = proof_of(tmp_path, Feed(workload), workload)
    assert (proof.work, proof.counts.images) == ("same", len(natural.files) + 2)

    def one_for_another(order: list[int], epoch: int) -> list[int]:
        return [5 if place == 1 else place for place in order]

    proof = proof_of(tmp_path, Feed(workload, order=one_for_another), workload)
    assert (proof.counts.missing, proof.counts.doubled) == (1, 1)


def test_a_copy_in_another_class_keeps_the_label_of_each(natural: Workload, tmp_path: Path) -> None:
    folder = shutil.copytree(natural.folder, tmp_path / "photos")
    first, last = Path(natural.files[0]), Path(natural.files[-1])
    shutil.copy(first, folder / last.parent.name / "copy.jpg")
    workload = replace(workload_over(folder), height=48, width=48, batch_size=16)
    assert proof_of(tmp_path, Feed(workload), workload).work == "same"

    def all_as_the_first(images: Any, labels: Any, epoch: int) -> tuple[Any, Any]:
        copies = np.abs(images - images_of_first).reshape(len(images), -1).max(axis=1) == 0
        return images, np.where(copies, np.int32(0), labels)

    images_of_first = references.sampled(references.decoded(workload.files[0]), workload) / 255
    proof = proof_of(tmp_path, Feed(workload, change=all_as_the_first), workload)
    assert proof.counts.wrong_labels == 1
