"""What tf.data service costs is said with the figures of the rows that show it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from feedbench.bench.records.diagnosis import Diagnosis
from feedbench.bench.records.row import Row
from feedbench.bench.why.advice import advice_of
from feedbench.bench.why.ceilings.served_feed import InEpochs
from feedbench.pipelines.contract import Batch
from tests.support.builders import a_row, a_run


def sentences(*rows: Row) -> list[str]:
    return [line.sentence for line in advice_of(a_run(*rows), Diagnosis())]


def row(label: str, spec: str, cpu: float, received: float | None = None) -> Row:
    return a_row(
        label, spec=spec, cpu_seconds_per_1000_images=cpu, received_bytes_per_image=received
    )


@pytest.mark.parametrize(
    ("alone", "served"),
    [
        ("tfdata_tuned:cache=none", "tfdata_service:workers=4"),
        ("tfdata_tuned:cache=none,decode=scaled", "tfdata_service:decode=scaled"),
        ("tfrecord_sharded:shards=3", "tfdata_service:of=tfrecord_sharded,compression=none"),
    ],
)
def test_what_the_service_costs_is_said_compared_with_its_pipeline_alone(
    alone: str, served: str
) -> None:
    rows = row("alone", alone, 1.2), row("served", served, 2.5, 577_000)
    assert sentences(*rows) == [
        (
            "the service takes 1.30 s of CPU time more for 1,000 images than alone without it. It"
            " compresses, sends and receives batches, 577 kB an image. On the same cores that only"
            " costs. Start workers on other machines (address=grpc://HOST:PORT)."
        )
    ]


@pytest.mark.parametrize(
    ("alone", "served"),
    [
        ("tfdata_tuned", "tfdata_service"),  # which has no cache
        ("tfdata_tuned:cache=none", "tfdata_service:decode=scaled"),
        ("tfrecord_sharded", "tfdata_service"),
        ("tfdata_tuned:cache=none", "tfdata_service:address=grpc://host:5050"),
        ("tfdata_tuned:cache=none", "tfdata_service:of=gone"),
    ],
)
def test_other_pipelines_show_nothing_of_the_service(alone: str, served: str) -> None:
    assert sentences(row("alone", alone, 1.2), row("served", served, 2.5)) == []


def test_a_repeated_batch_is_cut_where_an_epoch_ends() -> None:
    def endless() -> Iterator[Batch]:
        while True:
            yield np.zeros((32, 2)), np.zeros(32)

    feed = InEpochs(endless(), 80)
    assert [len(labels) for _, labels in feed] == [32, 32, 16]
    repeated = feed.repeat()
    assert [len(next(repeated)[0]) for _ in range(7)] == [32, 32, 16, 32, 32, 16, 32]
