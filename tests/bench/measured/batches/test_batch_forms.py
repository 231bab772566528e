"""The forms in which a batch may come, and which two arrays are taken out of it."""

from __future__ import annotations

import re
from collections import UserDict
from typing import Any

import numpy as np
import pytest

from feedbench.bench.measured.batches.batch_checks import EpochCheck, consume
from feedbench.bench.measured.batches.batch_forms import form_note, pair
from feedbench.pipelines.errors import WrongWorkError
from tests.bench.measured.batches.test_batch_checks import LABELS, WORKLOAD, images, labels

WEIGHTS = np.ones(1, np.float32)


@pytest.mark.parametrize(
    "form",
    [
        lambda x, y: (x, y),
        lambda x, y: [x, y],
        lambda x, y: (x, y, WEIGHTS),
        lambda x, y: (x, y, None),
        lambda x, y: {"image": x, "label": y},
        lambda x, y: {"label": y, "image/filename": "1.jpg", "image": x},
        lambda x, y: {"pixel_values": x, "labels": y},
        lambda x, y: {"x": x, "y": y, "sample_weight": WEIGHTS},
        lambda x, y: UserDict(images=x, target=y),
    ],
)
def test_images_and_labels_are_taken_out_of_every_usual_form_without_a_copy(form: Any) -> None:
    batch = form(given_images := images(1), given_labels := labels(0))
    taken_images, taken_labels = pair(batch)
    assert taken_images is given_images
    assert taken_labels is given_labels
    assert consume(batch) == 1


@pytest.mark.parametrize(
    ("batch", "note"),
    [
        ((1, 2), None),
        ((1, 2, 3), "it delivers (images, labels, weights): the weights are not compared"),
        (
            {"id": 0, "image": 1, "label": 2},
            "it delivers dicts: 'image' and 'label' are compared, and nothing else",
        ),
    ],
)
def test_a_note_names_the_two_that_are_compared(batch: object, note: str | None) -> None:
    assert form_note(batch) == note


def test_an_epoch_has_each_note_once() -> None:
    checked = EpochCheck(WORKLOAD)
    for label in LABELS:
        checked.batch({"image": images(1), "label": np.array([label])})
    assert checked.notes == [
        "it delivers dicts: 'image' and 'label' are compared, and nothing else",
        "its labels are int64 [B]; the built-in pipelines deliver int32 [B]",
    ]
    checked.end()
    checked.labels()


@pytest.mark.parametrize(
    ("delivered", "described"),
    [
        (None, "an object of type NoneType"),
        (np.zeros((2, 4, 6, 3)), "an object of type ndarray"),
        ("ab", "an object of type str"),
        ((), "a tuple of 0"),
        ((1,), "a tuple of 1"),
        ([1, 2, 3, 4], "a list of 4"),
        ({"picture": 1, "kind": 2}, "a dict with the keys 'picture', 'kind'"),
        ({"image": 1}, "a dict with the keys 'image'"),
        ({}, "a dict with the keys none"),
        (dict.fromkeys("abcdefgh"), "'e', 'f', ...;"),
    ],
)
def test_what_is_no_batch_is_refused_by_what_it_is(delivered: object, described: str) -> None:
    expected = f"{re.escape(described)}.*expected.*images.*labels"
    with pytest.raises(WrongWorkError, match=expected):
        pair(delivered)
