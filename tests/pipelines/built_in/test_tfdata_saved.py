"""Images that Dataset.save writes, by real TensorFlow and real files."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedbench.pipelines.built_in.stored.tfdata_saved import FOLDER, MOST_SHARDS, TfdataSaved
from feedbench.pipelines.built_in.tfrecord.tfrecord_sharded import TfrecordSharded
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import PreparationError, RequestError
from feedbench.pipelines.forms import RANGES, Fit
from tests.support.builders import natural_photos, workload_over
from tests.support.pipelines.feeds import proof_of

thorough = [pytest.mark.tensorflow, pytest.mark.thorough]

BYTES: dict[str, Any] = {"dtype": "uint8", "value_range": (0.0, 255.0)}
CAFFE: dict[str, Any] = {"value_range": RANGES["caffe"].bounds, "normalization": "caffe"}


@pytest.fixture(scope="module")
def natural(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """40 natural-looking photos of several proportions, to 64x48."""
    folder = tmp_path_factory.mktemp("natural") / "photos"
    return replace(natural_photos(folder, 40, side=64, batch_size=16), width=48)


def opened(pipeline: TfdataSaved, workload: Workload, folder: Path) -> Any:
    for name in ("prepared", "scratch"):
        (folder / name).mkdir(exist_ok=True)
    pipeline.prepare(workload, folder / "prepared")
    return pipeline.open(workload, folder / "prepared", folder / "scratch")


def test_saved_images_depend_on_what_is_stored_as_records_do(photos: Path) -> None:
    work = replace(workload_over(photos), height=64, width=48)
    choices: list[dict[str, Any]] = [{}, {"store": "encoded"}, {"store": "resized", "quality": 80}]
    for knobs in choices:
        saved = TfdataSaved(shards=2, **knobs)
        records = TfrecordSharded(**{"store": "raw", "shards": 2, **knobs})
        expected = records.preparation(work)
        del expected["compression"]
        assert saved.preparation(work) == expected
        assert saved.prepared_bytes(work) == records.prepared_bytes(work)


def test_there_are_no_more_files_than_a_process_may_open(photos: Path) -> None:
    work = replace(workload_over(photos), height=20_000, width=20_000)
    assert TfdataSaved().shards_of(work) == work.images
    many = replace(work, files=work.files * 50, labels=work.labels * 50)
    assert TfdataSaved().shards_of(many) == MOST_SHARDS
    assert TfdataSaved(shards=3).shards_of(many) == 3


def test_smaller_images_than_are_delivered_are_refused() -> None:
    with pytest.raises(RequestError, match="stored_size=200: expected at least 224 pixels"):
        TfdataSaved(store="resized", stored_size=200).refuse(Fit(), (224, 224))


class TestDelivered:
    """What a preparation saved, read by Dataset.load."""

    pytestmark = thorough

    @pytest.mark.parametrize(
        ("knobs", "form", "most"),
        [
            ({}, BYTES, 0.01),
            ({"shards": 3}, CAFFE | {"fit": Fit("pad"), "data_format": "channels_first"}, 0.3),
            ({"store": "encoded", "parallel_calls": 2}, {"fit": Fit("crop")}, 0.01),
        ],
        ids=str,
    )
    def test_it_is_the_same(
        self,
        knobs: dict[str, Any],
        form: dict[str, Any],
        most: float,
        natural: Workload,
        tmp_path: Path,
    ) -> None:
        work = replace(natural, **form)
        proof = proof_of(tmp_path, opened(TfdataSaved(**knobs), work, tmp_path), work)
        assert proof.work == "same", proof.reason
        assert proof.from_sampled is not None
        assert proof.from_sampled.mean < most

    def test_every_epoch_has_a_new_order_and_tensorflow_knows_its_length(
        self, natural: Workload, tmp_path: Path
    ) -> None:
        feed = opened(TfdataSaved(shards=3), natural, tmp_path)
        epochs = [np.concatenate([labels for _, labels in feed]) for _ in range(2)]
        assert sorted(epochs[0]) == sorted(epochs[1]) == sorted(natural.labels)
        assert not np.array_equal(epochs[0], epochs[1])
        assert int(feed.cardinality()) == 3
        shards = [*(tmp_path / "prepared" / FOLDER).glob("*/*.shard")]
        assert len(shards) == 3  # as many as were asked for, each with a part

    def test_files_that_are_gone_are_called_so(self, natural: Workload, tmp_path: Path) -> None:
        with pytest.raises(PreparationError, match="its prepared files are gone from"):
            TfdataSaved().open(natural, tmp_path, tmp_path)

    def test_writing_waits_for_a_slow_disk_and_not_for_ever(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from feedbench.pipelines.built_in.stored import saved_dataset

        monkeypatch.setattr(saved_dataset, "_MOST_WAITING", 1000)
        monkeypatch.setattr(saved_dataset, "_STEP", 100)
        monkeypatch.setattr(saved_dataset, "_STALLED_SECONDS", 0.1)
        file = tmp_path / "00000000.snapshot"
        file.write_bytes(b"")
        source = saved_dataset._Source(repeat(bytes(400), 50), [0] * 50, tmp_path, None)
        taken = 0
        for place, _, _ in source.elements():
            if place < 20:  # the disk takes them
                os.truncate(file, 400 * place)
            taken += 1
        assert 20 < taken < 25
        assert isinstance(source.error, TimeoutError)
