"""What is in the record files, by real TensorFlow, and what comes of it when something fails."""

from __future__ import annotations

import errno
import gzip
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from feedbench.pipelines.built_in.tfrecord.tfrecord_gzip import TfrecordGzip
from feedbench.pipelines.built_in.tfrecord.tfrecord_sharded import TfrecordSharded
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import PreparationError
from tests.support.builders import workload_over

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def workload(photos: Path) -> Workload:
    return workload_over(photos)


def records_in(folder: Path, compression: str = "") -> list[dict[str, Any]]:
    """Return what the record files hold, read by TensorFlow's own reader."""
    import tensorflow as tf

    files = sorted(map(os.fspath, folder.iterdir()))
    records = []
    for record in tf.data.TFRecordDataset(files, compression).as_numpy_iterator():
        feature = tf.train.Example.FromString(record).features.feature
        records.append(
            {
                "image_raw": feature["image_raw"].bytes_list.value[0],
                "label": feature["label"].int64_list.value[0],
                "id": feature["id"].bytes_list.value[0].decode(),
                "names": set(feature),
            }
        )
    return records


@pytest.mark.parametrize(
    ("pipeline", "compression"), [(TfrecordGzip(), "GZIP"), (TfrecordSharded(), "")]
)
def test_every_image_has_one_record_with_its_own_bytes_its_label_and_its_id(
    workload: Workload, photos: Path, tmp_path: Path, pipeline: Any, compression: str
) -> None:
    pipeline.prepare(workload, tmp_path)
    by_id = {record["id"]: record for record in records_in(tmp_path, compression)}
    assert len(by_id) == len(records_in(tmp_path, compression)) == 39
    for file, label in zip(workload.files, workload.labels, strict=True):
        record = by_id[str(Path(file).relative_to(photos))]
        assert record["image_raw"] == Path(file).read_bytes()
        assert record["label"] == label
        assert record["names"] == {"image_raw", "label", "id"}


def test_gzip_is_one_file_that_any_gunzip_can_read_and_holds_the_very_same_records(
    workload: Workload, tmp_path: Path
) -> None:
    zipped, plain = tmp_path / "zipped", tmp_path / "plain"
    zipped.mkdir()
    plain.mkdir()
    TfrecordGzip().prepare(workload, zipped)
    TfrecordSharded(shards=1).prepare(workload, plain)
    [gz], [raw] = zipped.iterdir(), plain.iterdir()
    assert (gz.name, raw.name) == (
        "images-00000-of-00001.tfrecord.gz",
        "images-00000-of-00001.tfrecord",
    )
    assert gzip.decompress(gz.read_bytes()) == raw.read_bytes()


def test_as_many_shards_are_written_as_there_are_cores_at_least(
    workload: Workload, tmp_path: Path
) -> None:
    auto = TfrecordSharded()
    auto.prepare(workload, tmp_path)
    assert len(list(tmp_path.iterdir())) == min(len(os.sched_getaffinity(0)), 39)
    assert auto.preparation(workload)["shards"] == len(list(tmp_path.iterdir()))


def test_no_shard_is_empty(workload: Workload, tmp_path: Path) -> None:
    TfrecordSharded(shards=1000).prepare(workload, tmp_path)
    assert len(list(tmp_path.iterdir())) == 39


def test_the_classes_are_mixed_in_every_shard_and_always_in_the_same_way(
    workload: Workload, tmp_path: Path
) -> None:
    orders = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        TfrecordSharded(shards=2).prepare(workload, tmp_path / name)
        orders.append([record["id"] for record in records_in(tmp_path / name)])
    assert orders[0] == orders[1]
    for shard in (orders[0][:20], orders[0][20:]):
        assert {name.partition("/")[0] for name in shard} == {"cats", "dogs", "owls"}


def test_what_the_records_depend_on_is_not_what_is_delivered(workload: Workload) -> None:
    other = replace(workload, height=99, batch_size=3, seed=5)
    for pipeline in (TfrecordGzip(), TfrecordSharded(shards=3)):
        assert pipeline.preparation(other) == pipeline.preparation(workload)
    assert TfrecordGzip(cache="memory").preparation(workload) == TfrecordGzip().preparation(
        workload
    )
    assert TfrecordSharded(shards=3).preparation(workload) != TfrecordSharded(shards=4).preparation(
        workload
    )


def test_a_name_that_is_not_valid_utf_8_has_an_id_that_is(photos: Path, tmp_path: Path) -> None:
    folder, prepared = tmp_path / "photos", tmp_path / "prepared"
    prepared.mkdir()
    odd = os.fsencode(folder / "cats") + b"/\xff.jpg"
    (folder / "cats").mkdir(parents=True)
    shutil.copy(os.fsencode(next((photos / "cats").iterdir())), odd)
    TfrecordSharded().prepare(workload_over(folder), prepared)
    assert [record["id"] for record in records_in(prepared)] == ["cats/\\xff.jpg"]


def test_a_disk_with_too_little_room_is_left_as_it_is_with_what_is_needed_and_what_is_free(
    workload: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=2000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(PreparationError) as refused:
        TfrecordSharded().prepare(workload, tmp_path)
    needed = sum(map(os.path.getsize, workload.files)) / 1e6
    sentence = re.match(
        r"its records need about (.*) MB, but only 0\.002 MB are free", str(refused.value)
    )
    assert sentence is not None
    assert needed < float(sentence[1]) < 1.2 * needed
    assert "free some space, or choose another folder (--prepared" in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 KB. Skips where none can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", os.fspath(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("no small disk can be mounted here: it takes root")
    yield disk
    subprocess.run(["umount", os.fspath(disk)], check=True)


@pytest.mark.parametrize("pipeline", [TfrecordGzip(), TfrecordSharded(shards=2)])
def test_a_disk_that_fills_while_it_is_written_leaves_no_file_that_looks_whole(
    workload: Workload, small_disk: Path, monkeypatch: pytest.MonkeyPatch, pipeline: Any
) -> None:
    usage = shutil.disk_usage(small_disk)
    lots = usage._replace(free=10**9)  # as it was before somebody else filled it
    answers = iter([lots])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: next(answers, usage))
    with pytest.raises(
        PreparationError, match=r"its records need about 0\.\d+ MB, but only 0\.\d+ MB are"
    ):
        pipeline.prepare(workload, small_disk)
    assert list(small_disk.glob("images-*")) == []


def test_a_photo_that_cannot_be_read_is_named(photos: Path, tmp_path: Path) -> None:
    copy, prepared = shutil.copytree(photos, tmp_path / "copy"), tmp_path / "prepared"
    prepared.mkdir()
    work = workload_over(copy)
    photo = copy / "dogs" / "03.jpg"
    photo.unlink()
    photo.mkdir()  # its size can be asked for, and that is all
    with pytest.raises(OSError, match=r"dogs/03\.jpg") as failed:
        TfrecordSharded().prepare(work, prepared)
    assert failed.value.errno == errno.EINVAL
