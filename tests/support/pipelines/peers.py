"""What every loader of another library does with its epochs and batches."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np

from feedbench.pipelines.contract import Workload
from feedbench.pipelines.forms import RANGES

BYTES: dict[str, Any] = {"dtype": "uint8", "value_range": (0.0, 255.0)}
CAFFE: dict[str, Any] = {"value_range": RANGES["caffe"].bounds, "normalization": "caffe"}
IMAGENET: dict[str, Any] = {"value_range": RANGES["imagenet"].bounds, "normalization": "imagenet"}

STRETCHED: list[dict[str, Any]] = [
    {},
    BYTES,
    BYTES | {"channels": 1},
    CAFFE,
    IMAGENET | {"data_format": "channels_first"},
    {"dtype": "bfloat16", "data_format": "channels_first", "channels": 1},
    {"dtype": "float16", "value_range": (-1.0, 1.0)},
    {"value_range": (0.0, 255.0)},
    BYTES | {"data_format": "channels_first", "label_mode": "categorical"},
]
"""Forms of images whose sides are stretched."""


def assert_epochs(feed: Any, work: Workload) -> None:
    """Fail unless epochs have each image once, in new orders, with a short last batch."""
    sizes = [
        min(work.batch_size, work.images - first)
        for first in range(0, work.images, work.batch_size)
    ]
    assert sizes[-1] < work.batch_size
    batches = feed.repeat()
    sources = (feed, feed, islice(batches, len(sizes)), islice(batches, len(sizes)))
    epochs = [[(images.copy(), labels.copy()) for images, labels in each] for each in sources]
    batches.close()
    for epoch in epochs:
        assert [len(labels) for _, labels in epoch] == sizes
        assert [len(images) for images, _ in epoch] == sizes
        assert sorted(np.concatenate([labels for _, labels in epoch])) == sorted(work.labels)
    wholes = [
        sorted(image.tobytes() for images, _ in epoch for image in images) for epoch in epochs
    ]
    assert wholes[0] == wholes[1] == wholes[2] == wholes[3]
    orders = [b"".join(images.tobytes() for images, _ in epoch) for epoch in epochs]
    assert len(set(orders)) == len(orders)


def assert_held(feed: Any, count: int = 12) -> None:
    """Fail if a batch that the consumer holds is overwritten."""
    batches = feed.repeat()
    held, copies = [], []
    for images, _ in islice(batches, count):
        held.append(images[:1])  # a part is enough
        copies.append(images[:1].copy())
    assert all(map(np.array_equal, held, copies))
    batches.close()
