"""What every batch of the timed part must be, however fast it comes."""

from __future__ import annotations

import numpy as np
import pytest

from feedbench.bench.measured.batches.timed_batches import TimedBatches
from feedbench.pipelines.contract import Batch
from feedbench.pipelines.errors import WrongWorkError
from tests.support.pipelines.claimed_feeds import a_batch, a_workload

RIGHT = a_batch(8)
LABELS = RIGHT[1]

WRONG = {
    "tiny images": (np.zeros((8, 1, 1, 3), np.float32), LABELS),
    "another dtype": (np.zeros((8, 4, 4, 3), np.uint8), LABELS),
    "too many": a_batch(9),
    "none": a_batch(0),
    "missing labels": (RIGHT[0], LABELS[:-1]),
    "labels as text": (RIGHT[0], LABELS.astype(str)),
    "images that share memory": (np.broadcast_to(RIGHT[0][:1], RIGHT[0].shape), LABELS),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_batch_of_another_form_is_refused_wherever_it_comes(wrong: Batch) -> None:
    for before in (0, 1, 20):
        timed = TimedBatches(a_workload(32))
        for _ in range(before):
            timed.take(RIGHT)
        epoch = before // 4 + 1
        with pytest.raises(WrongWorkError, match=f"^in epoch {epoch} of its timed part, it deliv"):
            timed.take(wrong)


def test_a_short_batch_is_right_and_the_images_are_counted() -> None:
    timed = TimedBatches(a_workload(12))
    assert [timed.take(a_batch(count)) for count in (8, 4, 8, 4)] == [8, 4, 8, 4]


def test_a_few_batches_are_kept() -> None:
    timed = TimedBatches(a_workload(32))
    for _ in range(100):
        timed.take(a_batch(8))
    assert 1 <= len(timed.kept.batches) <= 4
