"""WebDataset, where its extra is installed."""

from __future__ import annotations

import os
import tarfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedbench.pipelines.contract import KnobOverruledWarning, Preparing, Workload
from feedbench.pipelines.errors import PreparationError, RequestError
from feedbench.pipelines.peers.tar_shards.webdataset import Webdataset
from tests.support.builders import natural_photos, workload_over
from tests.support.extras import needs_extra
from tests.support.pipelines.feeds import proof_of

pytestmark = needs_extra("webdataset", "webdataset", "torch", "torchvision")


def opened(workload: Workload, folder: Path, **knobs: Any) -> Any:
    """A feed of shards that are written to a folder."""
    pipeline = Webdataset(**knobs)
    prepared = folder / "prepared"
    if not prepared.exists():
        prepared.mkdir()
        pipeline.prepare(workload, prepared)
    return pipeline.open(workload, prepared, folder)


@pytest.mark.thorough
@pytest.mark.parametrize(("antialias", "work"), [(False, "same"), (True, "near")])
def test_its_work_is_same_without_antialiasing_and_near_by_default(
    antialias: bool, work: str, tmp_path: Path
) -> None:
    natural = natural_photos(tmp_path / "photos", 40, side=64, batch_size=16)
    feed = opened(natural, tmp_path, workers=1, shards=1, antialias=antialias)
    proof = proof_of(tmp_path, feed, natural)
    assert proof.work == work, proof.reason
    assert proof.shuffle.fixed_in is None


@pytest.mark.parametrize("mix", [0, 8])
def test_every_epoch_has_each_image_once_in_a_new_order_and_a_short_last_batch(
    mix: int, photos: Path, tmp_path: Path
) -> None:
    work = replace(workload_over(photos), batch_size=16)
    feed = opened(work, tmp_path, workers=2, shards=3, mix=mix)
    epochs = [[(images.copy(), labels) for images, labels in feed] for _ in range(2)]
    for epoch in epochs:
        assert [len(labels) for _, labels in epoch] == [16, 16, 7]
        assert sorted(np.concatenate([labels for _, labels in epoch])) == sorted(work.labels)
        assert all(labels.dtype == np.int32 for _, labels in epoch)
    whole = [[each.tobytes() for images, _ in epoch for each in images] for epoch in epochs]
    assert whole[0] != whole[1]
    assert sorted(whole[0]) == sorted(whole[1])


def test_shards_hold_the_bytes_and_the_label_of_each_file_once(
    photos: Path, tmp_path: Path
) -> None:
    work = workload_over(photos)
    Webdataset(shards=3).prepare(work, tmp_path)
    stored = []
    assert len(list(tmp_path.glob("*.tar"))) == 3
    for shard in tmp_path.glob("*.tar"):
        with tarfile.open(shard) as tar:
            members = [tar.extractfile(name) for name in sorted(tar.getnames(), reverse=True)]
            contents = [member.read() for member in members if member is not None]
        stored += list(zip(contents[::2], map(int, contents[1::2]), strict=True))
    pairs = zip(work.files, work.labels, strict=True)
    files = [(Path(file).read_bytes(), label) for file, label in pairs]
    assert sorted(stored) == sorted(files)
    written = sum(shard.stat().st_size for shard in tmp_path.glob("*.tar"))
    assert Webdataset(shards=3).prepared_bytes(work) == pytest.approx(written, rel=0.5)


def test_shards_depend_on_their_number_alone(photos: Path) -> None:
    work = workload_over(photos)
    pipeline = Webdataset(shards=3, workers=1)
    assert isinstance(pipeline, Preparing)
    assert pipeline.preparation(work) == {"shards": 3}
    assert Webdataset(shards=1000).preparation(work) == {"shards": work.images}


def test_a_full_disk_is_reported_before_anything_is_written(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Webdataset, "prepared_bytes", lambda self, work: 10**18)
    with pytest.raises(PreparationError, match=r"but only .* are free"):
        Webdataset().prepare(workload_over(photos), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_photo_that_became_a_pipe_is_named_at_once(photos: Path, tmp_path: Path) -> None:
    work = workload_over(photos)
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)  # whoever opens it as a file waits for ever
    work = replace(work, files=(*work.files, str(pipe)), labels=(*work.labels, 0))
    with pytest.raises(OSError, match="it is not a regular file"):
        Webdataset(shards=1).prepare(work, tmp_path)
    assert list(tmp_path.glob("*.tar")) == []


def test_there_are_no_more_workers_than_shards(photos: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        opened(workload_over(photos), tmp_path, shards=2, workers=5)
    remarks = [each.message for each in caught if issubclass(each.category, KnobOverruledWarning)]
    assert [str(remark) for remark in remarks] == [
        "workers=2 instead of workers=5: each reads whole shards, and there are 2"
    ]


def test_a_buffer_of_images_that_the_shared_memory_cannot_hold_is_refused(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = replace(workload_over(photos), batch_size=1, height=20_000, width=20_000)
    with pytest.raises(RequestError, match=r"2 workers keep .* batches of 4800.0 MB in /dev/shm"):
        opened(work, tmp_path, workers=2, shards=2)
