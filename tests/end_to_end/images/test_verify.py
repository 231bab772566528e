"""Equal work from end to end: `feedbench verify`, and what a run makes of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.records.storage import read_run, read_trials
from feedbench.pipelines.catalog import DEFAULT_SPECS
from tests.support.pipelines import loaders
from tests.support.programs.command import SMALL, Feedbench
from tests.support.programs.smoke import Smoke

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end]


def as_json(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def test_verify_says_what_each_pipeline_delivers_and_how_it_shuffles(
    feedbench: Feedbench, photos: Path
) -> None:
    done = feedbench.run(
        *("verify", photos, *SMALL, "--out", "sheets"),
        *(word for spec in DEFAULT_SPECS for word in ("-p", spec)),
        *("-p", "fast=tfdata_naive:dct=integer_fast", "-p", "none=tfdata_naive:shuffle=none"),
        *("-p", "ten=tfdata_tuned:shuffle=10"),
    )
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 100
    lines = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line.strip()}
    assert lines["fast"][1:4] == ["39,", "each", "once"]
    assert "TensorFlow's fast JPEG transform" in " ".join(done.stdout.split())
    assert "none does not shuffle, which is less work" in done.stdout
    assert "ten shuffles only partly, through about" in done.stdout
    assert done.stdout.splitlines()[-1] == "The contact sheets are in sheets"
    names = {file.name for file in (feedbench.folder / "sheets").iterdir()}
    assert {"_reference.webp", "tfdata-naive.webp", "image-data-generator_full.webp"} <= names
    assert "tfdata-naive_full.webp" not in names  # in full only where the work is not the same
    assert feedbench.left_in_scratch() == []


def test_keras_own_datasets_deliver_a_part_of_a_folder(feedbench: Feedbench, photos: Path) -> None:
    """One of them lists a folder, which then is a view of the part; one has processes."""
    done = feedbench.run(
        *("verify", photos, *SMALL, "--limit", "20", "--json", "--quiet"),
        *("-p", "image_dataset_from_directory"),
        *("-p", "py_dataset:workers=2,use_multiprocessing=true"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    proofs = [each["proof"] for each in as_json(done.stdout)["pipelines"]]
    assert [proof["counts"]["images"] for proof in proofs] == [20, 20]
    assert [proof["work"] for proof in proofs] == ["same", "near"]
    assert feedbench.left_in_scratch() == []


def test_verify_ends_with_1_where_a_pipeline_is_different_and_shows_the_figures_as_json(
    feedbench: Feedbench, photos: Path
) -> None:
    done = feedbench.run(
        *("verify", photos, *SMALL, "--json", "--quiet", "-p", "tfdata_naive"),
        *("-p", f"mirrored={feedbench.loader(loaders.MIRRORED, 'mirrored.py')}"),
        *("-p", f"twice={feedbench.loader(loaders.TWICE, 'twice.py')}"),
        *("-p", f"few={feedbench.loader(loaders.TOO_FEW, 'few.py')}"),
        *("-p", f"near={feedbench.loader(loaders.GOOD, 'near.py')}"),
    )
    assert (done.returncode, done.stderr) == (1, "")
    found = {one["label"]: one for one in as_json(done.stdout)["pipelines"]}
    words = {label: one["proof"] and one["proof"]["work"] for label, one in found.items()}
    assert words == {
        "tfdata_naive": "same",
        "mirrored": "different",
        "twice": "different",
        "few": None,
        "near": "near",
    }
    assert "images mirrored left to right" in found["mirrored"]["proof"]["reason"]
    assert found["twice"]["proof"]["is_wrong"]
    assert found["few"]["failure"].startswith("it delivered 36 images in an epoch; expected 39")
    assert not (feedbench.folder / "samples").exists()


def test_a_wrong_request_is_one_sentence_and_at_most_a_hint(
    feedbench: Feedbench, photos: Path
) -> None:
    for words, sentence in (
        (("verify", feedbench.folder / "nowhere"), "there is no folder"),
        (("verify", photos, "--limit", "some"), "--limit 'some': expected a number of images"),
        (("verify", photos, "-p", "tfdata_naiv"), "did you mean tfdata_naive?"),
        (("verify", photos, "--out", photos), "expected a new or empty folder"),
    ):
        done = feedbench.run(*words)
        assert done.returncode == 2
        assert sentence in done.stderr
        _, *hints = done.stderr.splitlines()
        assert len(hints) <= 1
        assert all(hint.startswith("hint: ") for hint in hints)
        assert done.stdout == ""


def test_a_run_shows_equal_work_first_and_remembers_what_another_run_has_shown(
    smoke: Smoke, feedbench: Feedbench
) -> None:
    """The smoke run has proven tfdata_naive, over the same photos in the same form."""
    (proven,) = [row.proof for row in smoke.run.rows if row.label == "tfdata_naive"]
    assert proven is not None
    assert not proven.is_remembered
    assert "tfdata_naive" in [t.label for t in smoke.trials if t.purpose == "verify"]
    shutil.copytree(smoke.feedbench.folder / "cache", feedbench.folder / "cache")
    done = feedbench.run(
        *("run", smoke.photos, *SMALL, "--blocks", "1", "--out", "R"),
        *("-p", "tfdata_naive", "-p", f"mine={feedbench.loader(loaders.GOOD)}"),
    )
    assert done.returncode == 0, done.stderr
    folder = feedbench.folder / "R"
    trials = read_trials(folder)
    assert [trial.label for trial in trials if trial.purpose == "verify"] == ["mine"]
    purposes = [trial.purpose for trial in trials]
    assert purposes.index("verify") < purposes.index("main")
    proofs = [(row.label, row.proof) for row in read_run(folder).rows]
    assert [(label, proof and (proof.work, proof.is_remembered)) for label, proof in proofs] == [
        ("tfdata_naive", ("same", True)),
        ("mine", ("near", False)),
    ]
    names = {file.name for file in (folder / "samples").iterdir()}
    assert {"tfdata-naive.webp", "mine.webp", "mine_full.webp", "_reference.webp"} <= names
    page = (folder / "report.html").read_text()
    assert page.count("data:image/webp;base64,") == 3
    assert "tfdata_naive: same images (compared on " in done.stderr


def test_other_pixels_are_measured_without_a_verdict_and_wrong_counts_are_a_failure(
    feedbench: Feedbench, photos: Path
) -> None:
    done = feedbench.run(
        *("run", photos, *SMALL, "--blocks", "4", "--out", "R", "-p", "tfdata_naive"),
        *("-p", f"mirrored={feedbench.loader(loaders.MIRRORED, 'mirrored.py')}"),
        *("-p", f"twice={feedbench.loader(loaders.TWICE, 'twice.py')}"),
    )
    assert done.returncode == 1, done.stderr
    run = read_run(feedbench.folder / "R")
    rows = {row.label: row for row in run.rows}
    assert rows["mirrored"].rate is not None
    assert rows["mirrored"].ratio is not None
    assert (rows["mirrored"].verdict, rows["mirrored"].withheld) == ("withheld", "work")
    assert "mirrored: no verdict, different images: 39 of 39 delivered" in done.stdout
    assert rows["twice"].blocks == 0
    assert rows["twice"].rate is None
    (why,) = rows["twice"].failures
    assert why.startswith("5 images too many (")
    assert f"twice failed: {why}" in " ".join(done.stdout.split())
    assert "mirrored" not in run.best


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Feedbench:
    return Feedbench(tmp_path_factory.mktemp("work"))


def test_real_photos_are_the_same_in_all_tfdata_pipelines_and_near_in_keras(
    work: Feedbench, flowers: Path
) -> None:
    done = work.run("verify", flowers, "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    proofs = {one["label"]: one["proof"] for one in as_json(done.stdout)["pipelines"]}
    assert {label: proof["work"] for label, proof in proofs.items()} == {
        "image_data_generator": "near",
        **dict.fromkeys(DEFAULT_SPECS[1:], "same"),
    }
    for proof in proofs.values():
        assert proof["counts"]["images"] == proof["compared"] == 600
        assert proof["shuffle"]["kind"] == "full"
    assert "Pillow's antialiased bilinear filter" in proofs["image_data_generator"]["reason"]
    assert proofs["image_data_generator"]["from_sampled"]["mean"] == pytest.approx(1.87, abs=0.05)
    assert proofs["tfdata_naive"]["from_sampled"]["worst"] < 0.01


def test_digits_at_one_channel_are_told_from_each_other(work: Feedbench, mnist: Path) -> None:
    done = work.run(
        *("verify", mnist, "--json", "--quiet", "--image-size", "28", "--channels", "1"),
    )
    assert done.returncode == 0, done.stderr
    for one in as_json(done.stdout)["pipelines"]:
        assert one["proof"]["work"] == "same", one["label"]
        assert one["proof"]["counts"]["images"] == 600


def test_three_files_of_one_content_are_three_images(
    work: Feedbench, photos: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(photos, tmp_path / "photos")
    for name in ("copy", "again"):
        shutil.copy(folder / "cats" / "03.jpg", folder / "cats" / f"{name}.jpg")
    done = work.run("verify", folder, *SMALL, "--json", "-p", "tfdata_naive", "-p", "tfrecord_gzip")
    assert done.returncode == 0, done.stderr
    for one in as_json(done.stdout)["pipelines"]:
        assert (one["proof"]["work"], one["proof"]["counts"]["images"]) == ("same", 41)


def test_a_file_that_pillow_cannot_decode_is_said_and_the_rest_compared(
    work: Feedbench, photos: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(photos, tmp_path / "photos")
    broken = folder / "cats" / "03.jpg"
    broken.write_bytes(broken.read_bytes()[:-400])
    lenient = work.loader(loaders.DECODES_WHAT_IS_CUT_OFF, "lenient.py")
    done = work.run("verify", folder, *SMALL, "--check", "none", "--json", "-p", f"mine={lenient}")
    assert "Not compared, because Pillow does not decode them: 1 image." in done.stderr
    assert done.returncode == 0
    (pipeline,) = as_json(done.stdout)["pipelines"]
    proof = pipeline["proof"]
    assert (proof["work"], proof["compared"], proof["counts"]["images"]) == ("near", 38, 39)
