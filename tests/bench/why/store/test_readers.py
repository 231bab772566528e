"""Processes that read files over and over, here of this machine by fsspec."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbench.bench.processes.workload_file import workload_of
from feedbench.bench.why.store.feed import Reading
from feedbench.bench.why.store.readers import Concurrency, Readers
from feedbench.pipelines.images.index import index_folder
from feedbench.pipelines.remote.address import Address
from tests.support.waiting import until

pytest.importorskip("fsspec")
pytestmark = pytest.mark.thorough


def test_each_process_reads_its_share_over_and_over(photos: Path) -> None:
    files = sorted(photos.rglob("*.jpg"))
    expected = {file.stat().st_size for file in files}
    sizes: list[int] = []
    with Readers([f"file://{file}" for file in files], Concurrency(2, 4)) as readers:
        readers.warm_up()

        def were_read() -> bool:
            sizes.extend(readers.take())
            # On a busy machine, one process may read its share many times before the other one.
            return len(sizes) >= 3 * len(files) and {*sizes} >= expected

        until(were_read)
    assert {*sizes} == expected


def test_a_file_that_cannot_be_read_is_an_error_with_its_name(photos: Path) -> None:
    with Readers([f"file://{photos}/gone.jpg"], Concurrency(2, 4)) as readers:
        assert readers.concurrency == Concurrency(1, 4)
        with pytest.raises(OSError, match=r"no such file: file:///.*/gone\.jpg"):
            readers.warm_up()


def test_the_feed_has_batches_of_an_epoch(photos: Path) -> None:
    index = index_folder(Address(f"file://{photos}"))
    work = workload_of(index, folder_images=39, image_size=(32, 32), batch_size=8, seed=0)
    batches = list(Reading(work, Concurrency(1, 4)))
    assert [sizes.shape for sizes, _ in batches] == [(8, 1)] * 4 + [(7, 1)]
    assert [label for _, labels in batches for label in labels] == list(work.labels)
