"""In how many record files a folder is kept."""

from __future__ import annotations

import pytest

from feedbench.pipelines.tfrecords.record_format import SHARD_BYTES, shard_count


@pytest.mark.parametrize(
    ("encoded_bytes", "images", "cores", "shards"),
    [
        (1_000, 600, 4, 4),  # one a core at least
        (1_000, 3, 4, 3),  # none is empty
        (29 * SHARD_BYTES, 1_000_000, 4, 29),  # none is over its size
        (29 * SHARD_BYTES + 1, 1_000_000, 4, 30),
    ],
)
def test_shards_are_as_many_as_cores_at_least_and_none_is_over_its_size_or_empty(
    encoded_bytes: int, images: int, cores: int, shards: int
) -> None:
    assert shard_count(encoded_bytes, images, cores) == shards
