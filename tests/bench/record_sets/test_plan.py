"""The plan of a set of record files: what each file gets, and what counts as complete."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from feedbench.bench.record_sets import manifest
from feedbench.bench.record_sets import plan as plans
from feedbench.bench.record_sets.manifest import Shard, digest_of
from feedbench.bench.record_sets.plan import Plan
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError

PLAN = Plan(
    key="key", spec="tfrecord_sharded:shards=3", compression="none", shards=3, needed_bytes=1
)
UNDECODABLE = os.fsdecode(b"/photos/a/\xff.jpg")
WORKLOAD = Workload(
    folder="/photos",
    files=(*(f"/photos/a/{number}.jpg" for number in range(9)), UNDECODABLE),
    labels=(0,) * 10,
    class_names=("a",),
    height=32,
    width=32,
    folder_images=10,
)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    plans.begin(tmp_path)
    plans.write(tmp_path, PLAN, WORKLOAD)
    return tmp_path


def test_each_image_is_in_one_file_of_the_plan(out: Path) -> None:
    listed = [entry for number in range(3) for entry in plans.entries(out, number)]
    assert sorted(file for file, _, _ in listed) == sorted(WORKLOAD.files)
    assert {file: name for file, _, name in listed}[UNDECODABLE] == rb"a/\xff.jpg"
    assert [len(plans.entries(out, number)) for number in range(3)] == [4, 3, 3]


def test_a_process_reads_the_form_without_the_list_of_all_images(out: Path) -> None:
    form = plans.form_of(out)
    assert (form.images, form.height, form.class_names) == (0, 32, ("a",))


def test_a_file_is_intact_only_with_the_content_that_was_written(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"records")
    size, sha256 = digest_of(tmp_path / "f")
    shard = Shard(file="f", images=1, bytes=size, sha256=sha256)
    assert shard.is_intact(tmp_path)
    (tmp_path / "f").write_bytes(b"recordz")
    assert not shard.is_intact(tmp_path)
    (tmp_path / "f").unlink()
    assert not shard.is_intact(tmp_path)


def test_an_unfinished_note_does_not_count_as_a_complete_file(out: Path) -> None:
    shard = Shard(file="f", images=4, bytes=1, sha256="0")
    plans.set_done(out, 1, shard)
    assert plans.all_done(out, 3) == [shard]
    (out / plans.FOLDER / "done-00001").write_bytes(b'{"file": "f", "ima')
    assert plans.all_done(out, 3) == []


def test_a_damaged_manifest_is_refused_by_its_name(tmp_path: Path) -> None:
    assert manifest.read(tmp_path) is None
    (tmp_path / manifest.NAME).write_text("{}")
    with pytest.raises(RequestError, match=r"manifest\.json: expected the manifest"):
        manifest.read(tmp_path)
