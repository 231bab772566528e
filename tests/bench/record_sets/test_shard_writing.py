"""One record file of a plan, by real TensorFlow."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest

from feedbench.bench.record_sets import plan as plans
from feedbench.bench.record_sets.plan import Plan
from feedbench.bench.record_sets.shard_writing import pipeline_of, write_shard
from feedbench.bench.record_sets.writing_task import Task, serve
from feedbench.bench.records.messages import Counted, Event, Failed
from tests.support.builders import workload_over

pytestmark = [pytest.mark.tensorflow, pytest.mark.thorough]

SHARDS = 3
SPECS = [
    f"tfrecord_sharded:store=encoded,shards={SHARDS}",
    f"tfrecord_sharded:store=encoded,compression=gzip,shards={SHARDS}",
    f"tfrecord_sharded:store=resized,shards={SHARDS}",
    f"tfrecord_sharded:store=raw,shards={SHARDS}",
]


def planned(photos: Path, out: Path, spec: str = SPECS[0]) -> Path:
    """Write the plan of these photos to a new folder."""
    pipeline = pipeline_of(spec)
    plans.begin(out)
    plan = Plan(
        key="key",
        spec=spec,
        compression=pipeline.compression,
        shards=SHARDS,
        needed_bytes=10_000_000,
    )
    plans.write(out, plan, workload_over(photos))
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.glob("images-*")}


@pytest.mark.parametrize("spec", SPECS)
def test_record_files_written_one_by_one_are_those_of_the_pipeline(
    photos: Path, tmp_path: Path, spec: str
) -> None:
    out = planned(photos, tmp_path / "out", spec)
    for number in reversed(range(SHARDS)):
        write_shard(str(out), number)
    (tmp_path / "prepared").mkdir()
    pipeline_of(spec).prepare(workload_over(photos), tmp_path / "prepared")
    assert contents(out) == contents(tmp_path / "prepared")
    assert len(contents(out)) == SHARDS
    assert sum(shard.images for shard in plans.all_done(out, SHARDS)) == 39


def test_a_complete_record_file_is_kept_and_a_damaged_one_is_written_again(
    photos: Path, tmp_path: Path
) -> None:
    out = planned(photos, tmp_path / "out")
    for number in range(SHARDS):
        write_shard(str(out), number)
    before = contents(out)
    first, second, _ = sorted(out.glob("images-*"))
    kept = first.stat().st_mtime_ns
    second.write_bytes(second.read_bytes()[:-1])
    for number in range(SHARDS):
        write_shard(str(out), number)
    assert contents(out) == before
    assert first.stat().st_mtime_ns == kept


def test_a_photo_that_is_gone_is_named_and_its_record_file_is_absent(
    photos: Path, tmp_path: Path
) -> None:
    out = planned(photos, tmp_path / "out")
    gone = Path(plans.entries(out, 1)[5][0])
    content = gone.read_bytes()
    gone.unlink()
    try:
        with pytest.raises(FileNotFoundError):
            write_shard(str(out), 1)
    finally:
        gone.write_bytes(content)
    failure = plans.failure(out)
    assert failure is not None
    assert failure.sentence == f"{gone}: No such file or directory"
    assert contents(out) == {}
    assert plans.all_done(out, SHARDS) == []


@pytest.mark.skipif(find_spec("apache_beam") is None, reason="needs the extra feedbench[beam]")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("spec", SPECS)
def test_beam_writes_the_same_bytes(photos: Path, tmp_path: Path, spec: str) -> None:
    out = planned(photos, tmp_path / "out", spec)
    events = by_beam(out, tmp_path)
    (tmp_path / "prepared").mkdir()
    pipeline_of(spec).prepare(workload_over(photos), tmp_path / "prepared")
    assert events == [Counted(images=39)]
    assert contents(out) == contents(tmp_path / "prepared")


@pytest.mark.skipif(find_spec("apache_beam") is None, reason="needs the extra feedbench[beam]")
@pytest.mark.filterwarnings("ignore")
def test_an_option_that_beam_would_ignore_is_refused(photos: Path, tmp_path: Path) -> None:
    (failed,) = by_beam(planned(photos, tmp_path / "out"), tmp_path, "--direct_num_wrokers=2")
    assert isinstance(failed, Failed)
    assert failed.sentence == "--direct_num_wrokers: expected an option of Apache Beam"


def by_beam(out: Path, scratch: Path, *arguments: str) -> list[Event]:
    """Have Beam carry out the plan, and return what it reports."""
    file = scratch / "task.json"
    Task(out=str(out), runner="beam", arguments=list(arguments)).write(file)
    assert msgspec.json.decode(file.read_bytes())["runner"] == "beam"
    events: list[Event] = []
    serve(file, events.append)
    return events
