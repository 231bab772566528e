"""The option that a sentence names, where a loader delivers another form than was asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from feedbench.bench.measured.batches.batch_checks import EpochCheck, check_range
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import WrongWorkError
from tests.bench.measured.batches.test_batch_checks import GREY, WORKLOAD, labels

SIX_HUNDRED = replace(
    WORKLOAD,
    files=tuple(f"/photos/{place}.jpg" for place in range(600)),
    labels=(0,) * 200 + (1,) * 200 + (2,) * 200,
    batch_size=32,
)


def sentence_of(workload: Workload, *batches: tuple[Any, Any], ends: bool = False) -> str:
    """The sentence that refuses these batches."""
    with pytest.raises(WrongWorkError) as error:
        deliver(workload, *batches, ends=ends)
    return str(error.value)


def deliver(workload: Workload, *batches: tuple[Any, Any], ends: bool) -> None:
    check = EpochCheck(workload)
    for images, its_labels in batches:
        check.batch((images, its_labels))
        check_range(images, workload)
    if ends:
        check.end()


@pytest.mark.parametrize(
    ("images", "workload", "hint"),
    [
        (
            np.zeros((2, 4, 6, 3), np.uint8),
            WORKLOAD,
            "convert them to float32, or use --dtype uint8",
        ),
        (np.zeros((2, 4, 6, 1), np.float32), GREY, "convert them to uint8, or use --dtype float32"),
        (np.zeros((2, 4, 6, 3)), WORKLOAD, "convert them to float32"),
        (np.zeros((2, 4, 6, 1), np.float32), WORKLOAD, "use --channels 1 to compare such images"),
        (np.zeros((2, 3, 4, 6), np.float32), WORKLOAD, "use --layout channels_first for these"),
        (
            np.zeros((2, 4, 6, 3), np.float32),
            replace(WORKLOAD, data_format="channels_first"),
            "use --layout channels_last for these",
        ),
        (np.zeros((2, 6, 4, 3), np.float32), WORKLOAD, "height and width seem to be exchanged"),
        (np.zeros((2, 8, 8, 3), np.float32), WORKLOAD, "workload.width, or use --image-size 8"),
        (np.zeros((2, 8, 9, 3), np.float32), WORKLOAD, "workload.width, or use --image-size 8x9"),
        (
            np.zeros((4, 6, 3), np.float32),
            WORKLOAD,
            "these look like a single image; put images into batches",
        ),
    ],
)
def test_another_shape_or_dtype(images: Any, workload: Workload, hint: str) -> None:
    assert sentence_of(workload, (images, labels(0, 0))).endswith(hint)


def test_batches_of_64_for_32() -> None:
    sentence = sentence_of(
        SIX_HUNDRED, (np.zeros((64, 4, 6, 3), np.float32), np.zeros(64, np.int32))
    )
    assert sentence == (
        "it delivered a batch of 64 images; expected 1 to 32\n"
        "hint: use workload.batch_size, or --batch-size 64"
    )


@pytest.mark.parametrize(
    ("low", "high", "asked", "hint"),
    [
        (0, 255, (0.0, 1.0), "\nhint: use --range 0..255 for these values"),
        (3, 251, (0.0, 1.0), "\nhint: use --range 0..255 for these values"),
        (-0.9, 1, (0.0, 1.0), "\nhint: use --range -1..1 for these values"),
        (-0.9, 1, (0.0, 255.0), "\nhint: use --range -1..1 for these values"),
        (-0.2, 1.1, (0.0, 1.0), "hint: clip them: bicubic and Lanczos filters exceed the range"),
        (-1.2, 1.4, (-1.0, 1.0), "hint: clip them: bicubic and Lanczos filters exceed the range"),
        (-2.1, 2.6, (0.0, 1.0), "\nhint: use --range imagenet for these values"),
        (-120, 150, (0.0, 1.0), "\nhint: use --range caffe for these values"),
        (-1000, 3000, (0.0, 1.0), "expected 0 to 1"),
    ],
)
def test_values_of_another_range(low: float, high: float, asked: Any, hint: str) -> None:
    images = np.linspace(low, high, 2 * 4 * 6 * 3, dtype=np.float32).reshape(2, 4, 6, 3)
    workload = replace(WORKLOAD, value_range=asked)
    assert sentence_of(workload, (images, labels(0, 0))).endswith(hint)


def epoch_of(*its_labels: int) -> list[tuple[Any, Any]]:
    """Batches of 32 of images with these labels."""
    parts = [its_labels[start : start + 32] for start in range(0, len(its_labels), 32)]
    return [(np.zeros((len(part), 4, 6, 3), np.float32), labels(*part)) for part in parts]


@pytest.mark.parametrize(
    ("delivered", "hint"),
    [
        (
            (0,) * 160 + (1,) * 160 + (2,) * 160,
            "hint: these 80% seem to be one part of a split; leave out",
        ),
        (
            (0,) * 200 + (1,) * 200 + (2,) * 80,
            "hint: these 80% seem to be one part of a split; leave out",
        ),
        (
            (0,) * 200 + (1,) * 100,
            "these 50% seem to be one part of a split, with no image of the class 'owls'; leave",
        ),
        ((0,) * 200 + (1,) * 192 + (2,) * 184, "hint: the last short batch seems to be dropped"),
        ((0,) * 200 + (1,) * 200, "hint: no image of the class 'owls' arrived"),
        ((0,) * 200 + (1,) * 200 + (2,) * 197, "every image once"),
    ],
)
def test_an_epoch_that_is_too_short(delivered: tuple[int, ...], hint: str) -> None:
    sentence = sentence_of(SIX_HUNDRED, *epoch_of(*delivered), ends=True)
    assert sentence.startswith(f"it delivered {len(delivered)} images in an epoch; expected 600,")
    assert hint in sentence
    assert ("\nhint: " in sentence) == (hint != "every image once")
