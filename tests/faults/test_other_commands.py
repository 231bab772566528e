"""Photos that change while other commands than `run` read them: no pipeline is blamed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from feedbench.bench.records.trainings.training import read_training
from tests.support.pipelines import loaders
from tests.support.programs.command import SMALL, Feedbench

pytestmark = [pytest.mark.tensorflow, pytest.mark.faults]

REPLACES_A_PHOTO = """
def photos(workload):
    Image.new("RGB", (48, 40), "white").save(workload.files[0])
    return Feed(workload)
"""
REMOVES_A_PHOTO = """
def photos(workload):
    os.remove(workload.files[0])
    return Feed(workload)
"""
MODEL = """
import keras

def build(workload):
    flat = [keras.layers.Flatten(), keras.layers.Dense(len(workload.class_names))]
    return keras.Sequential([keras.Input(workload.shape), *flat, keras.layers.Softmax()])
"""


@pytest.fixture
def folder(feedbench: Feedbench, photos: Path) -> Path:
    return shutil.copytree(photos, feedbench.folder / "P")


def loader(feedbench: Feedbench, text: str) -> str:
    return feedbench.loader(loaders.FEED + text)


@pytest.mark.end_to_end
def test_verify_names_a_photo_that_changed_and_remembers_nothing(
    feedbench: Feedbench, folder: Path
) -> None:
    mine = loader(feedbench, REPLACES_A_PHOTO)
    done = feedbench.run("verify", folder, *SMALL, "-p", f"mine={mine}", "-p", "tfdata_naive")
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    *_, sentence, hint = done.stderr.splitlines()
    assert sentence == "feedbench: the photo cats/00.jpg changed while pipelines were compared"
    assert hint == "hint: run it again when nothing writes to them"
    assert not [*(feedbench.folder / "cache").rglob("*.proof")]
    assert feedbench.left_in_scratch() == []


def test_verify_names_a_photo_that_is_gone(feedbench: Feedbench, folder: Path) -> None:
    done = feedbench.run("verify", folder, *SMALL, "-p", loader(feedbench, REMOVES_A_PHOTO))
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "the photo cats/00.jpg disappeared while pipelines were compared" in done.stderr


@pytest.mark.parametrize(
    ("text", "verb"), [(REPLACES_A_PHOTO, "changed"), (REMOVES_A_PHOTO, "disappeared")]
)
def test_show_draws_no_picture_of_photos_that_changed(
    text: str, verb: str, feedbench: Feedbench, folder: Path
) -> None:
    done = feedbench.run(
        "show", folder, *SMALL, "--out", "P.png", "-p", f"mine={loader(feedbench, text)}"
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert f"the photo cats/00.jpg {verb} while the picture was made" in done.stderr
    assert not (feedbench.folder / "P.png").exists()
    assert feedbench.left_in_scratch() == []


def test_train_keeps_what_was_trained_before_and_trains_nothing_more(
    feedbench: Feedbench, folder: Path
) -> None:
    (feedbench.folder / "model.py").write_text(MODEL)
    done = feedbench.run(
        *("train", folder, *SMALL, "--model", "model.py:build", "--epochs", "1", "--out", "OUT"),
        *("-p", "tfdata_naive", "-p", f"mine={loader(feedbench, REMOVES_A_PHOTO)}"),
        *("-p", "tfdata_tuned"),
    )
    assert done.returncode == 2, done.stderr
    record = read_training(feedbench.folder / "OUT")
    assert [(each.label, each.status) for each in record.trainings] == [
        ("tfdata_naive", "trained"),
        ("mine", "interrupted"),
    ]
    assert record.status == "interrupted"
    assert "disappeared while models were trained" in record.changed
    assert record.changed in " ".join(done.stdout.split())
    assert (feedbench.folder / "OUT" / "report.html").is_file()
    assert feedbench.left_in_scratch() == []


def test_tune_counts_no_run_whose_photos_changed(feedbench: Feedbench, folder: Path) -> None:
    shrinking = loaders.SHRINKS_PHOTOS.replace('"R"', '"T", "rung-1"')
    done = feedbench.run(
        *("tune", folder, *SMALL, "--time", "90s", "--out", "T", "--quiet"),
        *("-p", "tfdata_naive", "-p", f"mine={feedbench.loader(shrinking)}"),
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "changed during block" in done.stderr
    assert not (feedbench.folder / "T" / "winner.py").exists()
