"""The key of a preparation, and what happens in the process that obtains it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.prepared.preparation_task import key_of, obtain
from feedbench.bench.prepared.store import Store
from feedbench.bench.records.messages import Event, Prepared, Writing
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import PreparationError
from tests.support.builders import workload_over

BUILT_IN = Spec("r", "tfrecord_gzip", "tfrecord_gzip", "")
FOREIGN = Spec("r", "theirs", "theirs", "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("cats/0.jpg", "cats/1.jpg", "dogs/0.jpg"):
        file = tmp_path / "photos" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(name.encode())
    return tmp_path / "photos"


@pytest.fixture
def workload(folder: Path) -> Workload:
    return workload_over(folder)


@dataclass(frozen=True)
class Copies:
    """Writes the images one behind the other."""

    level: int = 1

    def prepare(self, workload: Workload, prepared: Path) -> None:
        content = b"".join(Path(file).read_bytes() for file in workload.files)
        (prepared / "all").write_bytes(content)

    def open(self, workload: Workload, prepared: Path, scratch: Path) -> Any: ...


class SaysWhatMatters(Copies):
    """Depends on nothing of what is delivered."""

    def preparation(self, workload: Workload) -> dict[str, Any]:
        return {"level": self.level}


class Changes(Copies):
    """Is overtaken by somebody who writes to a photo."""

    def prepare(self, workload: Workload, prepared: Path) -> None:
        super().prepare(workload, prepared)
        Path(workload.files[0]).write_bytes(b"another photo")


def obtained(
    pipeline: Any, workload: Workload, folder: Path, spec: Spec = BUILT_IN
) -> tuple[Prepared, list[Event]]:
    store = Store(folder.parent / "store")
    store.folder.mkdir(exist_ok=True)
    events: list[Event] = []
    obtain(pipeline, spec, workload, workload, store, events.append)
    assert isinstance(events[-1], Prepared)
    return events[-1], events


def key(workload: Workload, **depends_on: Any) -> str:
    return key_of("tfrecord_gzip", depends_on, workload)[0]


def test_the_same_photos_have_the_same_key(folder: Path, workload: Workload) -> None:
    assert key(workload, shards=2) == key(workload_over(folder), shards=2)
    assert key(workload).startswith("tfrecord-gzip-")


def test_a_photo_that_changed_in_size_or_time_has_another_key(workload: Workload) -> None:
    before = key(workload)
    file, other = map(Path, workload.files[:2])
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    file.write_bytes(b"longer than it was")
    os.utime(file, ns=times)
    longer = key(workload)
    os.utime(other, ns=(0, 1))
    later = key(workload)
    assert len({before, longer, later}) == 3


def test_another_list_of_photos_or_labels_has_another_key(workload: Workload) -> None:
    keys = {
        key(workload),
        key(replace(workload, files=workload.files[:2], labels=workload.labels[:2])),
        key(replace(workload, files=workload.files[::-1])),
        key(replace(workload, labels=(0, 1, 1))),
        key(replace(workload, class_names=("cats", "wolves"))),
    }
    assert len(keys) == 5


def test_other_knobs_and_other_pipelines_have_other_keys(workload: Workload) -> None:
    assert key(workload, shards=2) != key(workload, shards=3)
    assert key_of("a", {}, workload)[0] != key_of("b", {}, workload)[0]


def test_the_bytes_of_the_photos_are_counted(folder: Path, workload: Workload) -> None:
    total = sum(file.stat().st_size for file in folder.rglob("*.jpg"))
    assert key_of("a", {}, workload)[1] == total


def test_it_is_written_once_and_found_from_then_on(folder: Path, workload: Workload) -> None:
    made, events = obtained(Copies(), workload, folder)
    assert isinstance(events[0], Writing)
    assert not made.was_found
    content = (Path(made.folder) / "all").read_bytes()
    assert content == b"cats/0.jpgcats/1.jpgdogs/0.jpg"
    again, events = obtained(Copies(), workload, folder)
    assert events == [again]
    assert again.was_found
    assert (again.seconds, again.made_at) == (made.seconds, made.made_at)  # when it was made
    assert (again.images, again.source_bytes, again.bytes, again.files) == (3, 30, 30, 1)


def test_a_pipeline_that_does_not_say_what_matters_depends_on_all_that_is_delivered(
    folder: Path, workload: Workload
) -> None:
    smaller = replace(workload, height=16)
    assert not obtained(Copies(), workload, folder)[0].was_found
    assert not obtained(Copies(), smaller, folder)[0].was_found
    assert not obtained(Copies(level=2), workload, folder)[0].was_found
    assert not obtained(SaysWhatMatters(), workload, folder)[0].was_found
    assert obtained(SaysWhatMatters(), smaller, folder)[0].was_found


def test_somebody_elses_pipeline_is_another_when_its_code_is(
    folder: Path, workload: Workload, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code = tmp_path / "theirs.py"
    code.write_text("one")
    monkeypatch.setattr("inspect.getfile", lambda _: str(code))
    assert not obtained(Copies(), workload, folder, FOREIGN)[0].was_found
    assert obtained(Copies(), workload, folder, FOREIGN)[0].was_found
    code.write_text("two")
    assert not obtained(Copies(), workload, folder, FOREIGN)[0].was_found


def test_photos_that_change_while_they_are_read_are_no_preparation(
    folder: Path, workload: Workload
) -> None:
    with pytest.raises(PreparationError, match="changed while they were read\nhint: run it again"):
        obtained(Changes(), workload, folder)
    assert Store(folder.parent / "store").contents() == []


def test_files_of_one_part_of_a_split_are_never_those_of_the_other(
    folder: Path, workload: Workload
) -> None:
    parts = [
        replace(
            workload,
            files=tuple(workload.files[at] for at in places),
            labels=tuple(workload.labels[at] for at in places),
        )
        for places in ((0, 2), (1,))
    ]
    folders = {obtained(Copies(), part, folder)[0].folder for part in (*parts, workload)}
    assert len(folders) == 3
    contents = {(Path(each) / "all").read_bytes() for each in folders}
    assert contents == {b"cats/0.jpgdogs/0.jpg", b"cats/1.jpg", b"cats/0.jpgcats/1.jpgdogs/0.jpg"}


def test_a_pipeline_that_does_not_say_what_matters_may_write_images_for_validation_too(
    folder: Path, workload: Workload
) -> None:
    training = replace(
        workload, validation_files=workload.files[:1], validation_labels=workload.labels[:1]
    )
    other = replace(training, validation_labels=(1,))
    assert not obtained(Copies(), training, folder)[0].was_found
    assert obtained(Copies(), training, folder)[0].was_found
    assert not obtained(Copies(), other, folder)[0].was_found
