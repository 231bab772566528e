"""Photos, records and prepared files that change after equal work was proven."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.processes.workload_file import workload_of
from feedbench.bench.records.conditions.sources import SourceChange
from feedbench.bench.records.run import Stopped
from feedbench.bench.records.storage import read_run
from feedbench.bench.records.trial import Fault, TrialRecord
from feedbench.bench.run.keeper import Keeper
from feedbench.bench.run.sources import QUICK_SECONDS, Sources, sources_of, status
from feedbench.bench.verdicts.block_counts.stopping import exact_blocks, when_precise
from feedbench.pipelines.catalog import parse
from feedbench.pipelines.contract import Records, Workload
from feedbench.pipelines.errors import FeedbenchError, RequestError
from feedbench.pipelines.images.index import index_folder
from tests.support.builders import a_proof, a_run
from tests.support.clock import ClaimedClock
from tests.support.runs.summaries import CALM, blocks, failed


@pytest.fixture
def folder(photos: Path, tmp_path: Path) -> Path:
    return shutil.copytree(photos, tmp_path / "photos")


@pytest.fixture
def workload(folder: Path) -> Workload:
    index = index_folder(folder)
    return workload_of(index, folder_images=39, image_size=(8, 8), batch_size=8, seed=0)


def of(workload: Workload, **given: Any) -> Sources:
    return Sources(workload, map(status, sources_of(workload)), **given)


def shrink(file: Path) -> None:
    """Replace a photo by a small one of the same name."""
    with Image.open(file) as image:
        small = image.resize((48, 48))
    small.save(file)


def test_photos_that_stay_as_they_are_have_not_changed(workload: Workload) -> None:
    sources = of(workload)
    assert [sources.compare(block) for block in (0, 1, 2)] == [None, None, None]


def test_photos_that_shrink_are_named_counted_and_dated(folder: Path, workload: Workload) -> None:
    sources = of(workload)
    assert sources.compare_after(0) is sources.compare_after(1) is sources.compare_after(2) is None
    for file in sorted(folder.glob("dogs/*")):
        shrink(file)
    change = sources.compare_after(3)
    dogs = len(list(folder.glob("dogs/*")))
    assert change == SourceChange(
        kind="photo", first="dogs/00.jpg", files=dogs, gone=0, first_block=3, last_block=3
    )
    assert change.clause == (f"the photos dogs/00.jpg and {dogs - 1} others changed during block 3")


def older(file: Path) -> None:
    os.utime(file, ns=(0, file.stat().st_mtime_ns - 1))


def longer(file: Path) -> None:
    modified = file.stat().st_mtime_ns
    file.write_bytes(file.read_bytes() + b"more")
    os.utime(file, ns=(modified, modified))


@pytest.mark.parametrize("touch", [older, longer, Path.unlink])
def test_another_size_another_time_and_no_file_are_changes(
    folder: Path, workload: Workload, touch: Callable[[Path], object]
) -> None:
    sources = of(workload)
    touch(folder / "cats" / "00.jpg")
    change = sources.compare(1)
    assert change is not None
    assert (change.first, change.files) == ("cats/00.jpg", 1)
    verb = "disappeared" if touch is Path.unlink else "changed"
    assert change.clause == f"the photo cats/00.jpg {verb} during block 1"


def test_a_change_stays_the_first_one_though_the_photos_come_back(
    folder: Path, workload: Workload
) -> None:
    sources = of(workload)
    file = folder / "cats" / "00.jpg"
    file.rename(folder / "away")
    first = sources.compare(2)
    (folder / "away").rename(file)
    assert sources.compare(3) is first is not None


def test_the_users_records_and_prepared_files_are_compared_as_well(
    workload: Workload, tmp_path: Path
) -> None:
    own, prepared = tmp_path / "own.tfrecord", tmp_path / "prepared"
    own.write_bytes(b"records")
    (prepared / "shards").mkdir(parents=True)
    shard = prepared / "shards" / "0.tfrecord"
    shard.write_bytes(b"shard")
    records = Records(
        files=(str(own),),
        compressions=("",),
        counts=(39,),
        image_key="image",
        label_key="label",
        label_values=("cats", "dogs", "owls"),
        places=(),
    )
    sources = of(replace(workload, records=records))
    sources.add_prepared([prepared])
    assert sources.compare(1) is None
    shard.write_bytes(b"another shard")
    change = sources.compare(2)
    assert change is not None
    assert (change.kind, change.first) == ("prepared file", str(shard))
    sources = of(replace(workload, records=records))
    own.unlink()
    change = sources.compare(2)
    assert change is not None
    assert (change.kind, change.first, change.gone) == ("record file", str(own), 1)


def test_a_folder_that_is_slow_to_read_is_not_compared_after_each_block(
    folder: Path, workload: Workload
) -> None:
    clock = ClaimedClock()

    def slow() -> float:
        clock.sleep(2 * QUICK_SECONDS)
        return clock()

    sources = of(workload, clock=slow)
    assert sources.compare_after(0) is None
    (folder / "cats" / "00.jpg").unlink()
    assert sources.compare_after(1) is sources.compare_after(2) is None
    change = sources.compare(4)
    assert change is not None
    assert change.clause == "the photo cats/00.jpg disappeared during blocks 1 to 4"


def test_a_trial_that_failed_is_blamed_on_the_photos_only_if_these_have_changed(
    folder: Path, workload: Workload
) -> None:
    sources = of(workload)
    record = failed("a", 2, "it raised NotFoundError", fault=Fault.RAISED)
    assert sources.explained(record) is record
    assert record.is_failure
    (folder / "cats" / "00.jpg").unlink()
    explained = sources.explained(record)
    assert explained.fault is Fault.SOURCES_CHANGED
    assert explained.why == "the photo cats/00.jpg disappeared during blocks 1 to 2"
    assert not explained.is_failure


def fail_in(sources: Sources, meanwhile: Callable[[], object] = lambda: None) -> None:
    with sources.unchanged():
        meanwhile()
        raise FeedbenchError("a pipeline failed")


def test_a_command_without_blocks_names_what_changed_and_what_it_did_meanwhile(
    folder: Path, workload: Workload
) -> None:
    sources = Sources.now(workload, "while pipelines were compared")
    with sources.unchanged():
        pass
    with pytest.raises(RequestError) as error:
        fail_in(sources, lambda: shrink(folder / "cats" / "00.jpg"))
    assert error.value.sentence == "the photo cats/00.jpg changed while pipelines were compared"
    assert error.value.hint == "run it again when nothing writes to them"
    explained = sources.explained(failed("a", 0, "it raised", fault=Fault.RAISED))
    assert (explained.fault, explained.why) == (Fault.SOURCES_CHANGED, error.value.sentence)


def test_an_error_stays_as_it_is_where_nothing_has_changed(workload: Workload) -> None:
    with pytest.raises(FeedbenchError, match="a pipeline failed") as error:
        fail_in(Sources.now(workload, ""))
    assert not isinstance(error.value, RequestError)


def test_a_photo_that_is_gone_before_the_first_look_is_named(
    folder: Path, workload: Workload
) -> None:
    (folder / "cats" / "00.jpg").unlink()
    with pytest.raises(RequestError, match=r"cats/00\.jpg disappeared before it was read"):
        Sources.now(workload, "")


def a_keeper(folder: Path, sources: Sources, trials: list[TrialRecord], **given: Any) -> Keeper:
    run = RunFolder(folder)
    run.create()
    performed: Any = SimpleNamespace(records=trials, probe_seconds=0.0, restore=lambda: None)
    specs = {label: parse(f"{label}=tfdata_naive") for label in "ab"}
    keeper = Keeper(
        a_run(),
        specs,
        run,
        performed,
        **{"rule": exact_blocks, **given},
        begun=0.0,
        sources=sources,
    )
    keeper.add_proofs({label: a_proof("same") for label in "ab"})
    return keeper


def test_a_run_whose_photos_changed_has_no_verdicts_and_keeps_the_blocks_before_that(
    folder: Path, workload: Workload, tmp_path: Path
) -> None:
    sources = of(workload)
    trials = blocks({"a": CALM, "b": [2 * rate for rate in CALM]})
    keeper = a_keeper(tmp_path / "R", sources, trials, rule=when_precise(0.05))
    keeper.save(blocks=4)
    assert read_run(tmp_path / "R").best == ["b"]
    assert keeper.is_unchanged(4)
    assert keeper.reason_to_stop(("a", "b")) is Stopped.PRECISE
    for file in folder.rglob("*.jpg"):
        shrink(file)
    gone = failed("a", 5, "it raised NotFoundError")
    trials += [*blocks({"a": [*CALM, 9000], "b": [*CALM, 9000]})[4:5], sources.explained(gone)]
    keeper.save(blocks=5)
    assert keeper.reason_to_stop(("a", "b")) is Stopped.SOURCES
    run = keeper.save("complete", 5, Stopped.PRECISE)
    assert run == read_run(tmp_path / "R")
    assert (run.stopped_because, run.blocks, run.best) == (Stopped.SOURCES, 4, [])
    assert run.changed is not None
    assert (run.changed.first_block, run.changed.last_block) == (5, 5)
    assert [(row.withheld, row.failures) for row in run.rows] == [
        (None, []),
        ("photos changed", []),
    ]
    assert [row.rate for row in run.rows] == [
        pytest.approx(1000, rel=0.01),
        pytest.approx(2000, rel=0.01),
    ]
    assert not keeper.is_unchanged(5)


def test_photos_that_change_in_the_last_block_of_those_asked_for_are_noticed_at_the_end(
    folder: Path, workload: Workload, tmp_path: Path
) -> None:
    trials = blocks({"a": CALM, "b": CALM})
    keeper = a_keeper(tmp_path / "R", of(workload), trials)
    keeper.save(blocks=4)
    shrink(folder / "cats" / "00.jpg")
    run = keeper.save("complete", 4, Stopped.BLOCKS)
    assert run.stopped_because is Stopped.SOURCES
    assert run.changed is not None
    assert run.changed.clause == "the photo cats/00.jpg changed during blocks 1 to 4"
    assert {row.verdict for row in run.rows} <= {None, "withheld"}


def test_a_run_that_was_interrupted_is_checked_as_well(
    folder: Path, workload: Workload, tmp_path: Path
) -> None:
    keeper = a_keeper(tmp_path / "R", of(workload), blocks({"a": CALM, "b": CALM}))
    shrink(folder / "cats" / "00.jpg")
    run = keeper.save("interrupted", 4, Stopped.INTERRUPTED)
    assert (run.status, run.stopped_because) == ("interrupted", Stopped.INTERRUPTED)
    assert run.changed is not None
