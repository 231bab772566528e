"""training.json and training.csv: whole at every moment, and what they hold."""

from __future__ import annotations

import csv
from pathlib import Path

import msgspec
import pytest

from feedbench.bench.records.trainings.training import read_training
from feedbench.bench.records.trainings.training_table import CSV
from feedbench.bench.training.keeper import Keeper
from feedbench.pipelines.errors import RequestError
from feedbench.reports.sentences.trainings.training import remarks
from tests.support.runs.trainings import a_record, a_training, an_epoch


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / CSV).open() as file:
        return [*csv.DictReader(file)]


def test_every_epoch_is_on_disk_when_it_is_put(tmp_path: Path) -> None:
    keeper = Keeper(a_record(status="running"), tmp_path, 0.0)
    training = a_training("a", [0.5], status="running")
    keeper.put(training)
    assert read_training(tmp_path).trainings == [training]
    longer = a_training("a", [0.5, 0.6], status="running")
    keeper.put(longer)
    assert read_training(tmp_path).trainings == [longer]
    assert [row["val_accuracy"] for row in rows(tmp_path)] == ["0.5", "0.6"]


def test_an_interruption_keeps_the_epochs_and_says_so(tmp_path: Path) -> None:
    keeper = Keeper(a_record(status="running"), tmp_path, 0.0)
    keeper.put(a_training("a", [0.5, 0.6]))
    keeper.put(a_training("b", [0.4], status="running"))
    keeper.end(is_interrupted=True)
    record = read_training(tmp_path)
    assert record.status == "interrupted"
    assert [each.status for each in record.trainings] == ["trained", "interrupted"]
    assert [len(each.epochs) for each in record.trainings] == [2, 1]


def test_photos_that_change_end_the_training_that_read_them_and_keep_the_others(
    tmp_path: Path,
) -> None:
    keeper = Keeper(a_record(status="running"), tmp_path, 0.0)
    keeper.put(a_training("a", [0.5, 0.6]))
    keeper.put(a_training("b", [0.4], status="running"))
    keeper.change("the photo cats/1.jpg changed while models were trained")
    keeper.end(is_interrupted=True)
    record = read_training(tmp_path)
    assert [each.status for each in record.trainings] == ["trained", "interrupted"]
    assert record.trainings[1].why == record.changed
    assert next(remarks(record)) == (
        "Nothing was trained after a change: the photo cats/1.jpg changed while models were"
        " trained."
    )


def test_the_end_says_whether_they_trained_alike(tmp_path: Path) -> None:
    keeper = Keeper(a_record(status="running"), tmp_path, 0.0)
    keeper.put(a_training("a", [0.5]))
    keeper.put(a_training("b", [0.55]))
    likeness = keeper.end(is_interrupted=False).likeness
    assert likeness is not None
    assert likeness.is_alike


def test_a_loss_that_is_not_a_number_is_an_empty_cell(tmp_path: Path) -> None:
    keeper = Keeper(a_record(status="running"), tmp_path, 0.0)
    keeper.put(a_training("a", epochs=[an_epoch(loss=None)]))
    (row,) = rows(tmp_path)
    assert (row["pipeline"], row["epoch"], row["loss"]) == ("a", "1", "")
    assert row["images_per_second"] == "40"


def test_the_rate_leaves_out_the_first_epoch() -> None:
    epochs = [an_epoch(1, seconds=8.0), an_epoch(2, seconds=2.0), an_epoch(3, seconds=2.0)]
    assert a_training("a", epochs=epochs).rate == 40
    assert a_training("a", epochs=epochs[:1]).rate == 10
    assert a_training("a", epochs=[]).rate is None


def test_what_is_no_training_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="has no training"):
        read_training(tmp_path)
    file = tmp_path / "training.json"
    file.write_bytes(b'{"schema": 99}')
    with pytest.raises(RequestError, match="has schema 99"):
        read_training(tmp_path)
    file.write_bytes(msgspec.json.encode({"schema": 1}))
    with pytest.raises(RequestError, match="is broken"):
        read_training(tmp_path)
