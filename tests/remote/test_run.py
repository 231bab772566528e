"""The command on photos in a bucket, from end to end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.remote.conftest import BUCKET
from tests.support.images.record_files import write_shards
from tests.support.programs.command import SMALL, Feedbench
from tests.support.programs.flaky_proxy import FlakyProxy
from tests.support.waiting import until

pytestmark = pytest.mark.end_to_end

SECRET = b"the-secret-of-the-tests"


def test_a_run_on_a_bucket_proves_equal_work_and_has_a_read_ceiling(
    bucket: str, proxy: FlakyProxy, feedbench: Feedbench
) -> None:
    pytest.importorskip("simplejpeg")
    proxy.latency_seconds = 0.01
    pipelines = ["-p", "threads", "-p", "tfrecord_sharded"]
    asked = [*pipelines, *SMALL, "--blocks", "2", "--trace", "--out", "R"]
    done = feedbench.run("run", bucket, *asked)
    assert done.returncode == 0, done.stderr
    run = json.loads((feedbench.folder / "R/run.json").read_text())
    assert run["workload"]["folder"] == bucket
    assert [row["label"] for row in run["rows"] if row["rate"]] == ["threads", "tfrecord_sharded"]
    assert {row["proof"]["work"] for row in run["rows"]} == {"same"}
    assert run["diagnosis"]["store"]["latency_ms"] >= 10
    ceilings = {each["name"]: each["rate"] for each in run["diagnosis"]["ceilings"]}
    assert {"read", "ready"} == {*ceilings}
    assert run["rows"][0]["rate"] <= 1.1 * ceilings["read"]  # of trials at different times
    assert "--page-cache means nothing there" in done.stderr
    assert SECRET not in everything(feedbench.folder)


def test_record_files_in_a_bucket_are_one_more_pipeline(
    bucket: str, photos: Path, store: Any, feedbench: Feedbench
) -> None:
    write_shards(photos, feedbench.folder / "shards")
    for number in range(2):  # a plain one and one with GZIP
        name = f"train-{number}.tfrecord"
        store.pipe_file(
            f"{BUCKET}/records/{name}", (feedbench.folder / "shards" / name).read_bytes()
        )
    pipelines = ["-p", "tfrecord_existing", "-p", "tfdata_naive"]
    asked = [*pipelines, *SMALL, "--blocks", "2", "--out", "R"]
    done = feedbench.run("run", "--records", f"s3://{BUCKET}/records/train-*", *asked)
    assert done.returncode == 0, done.stderr
    run = json.loads((feedbench.folder / "R/run.json").read_text())
    assert {row["proof"]["work"] for row in run["rows"]} == {"same"}
    assert all(row["rate"] for row in run["rows"])
    assert SECRET not in everything(feedbench.folder)


def test_record_files_are_prepared_from_a_bucket_as_from_a_folder(
    bucket: str, photos: Path, feedbench: Feedbench
) -> None:
    digests: list[list[str]] = []
    for folder in (bucket, photos):
        done = feedbench.run("prepare", folder, "--out", f"records-{len(digests)}", "--shards", 3)
        assert done.returncode == 0, done.stderr
        manifest = json.loads(
            (feedbench.folder / f"records-{len(digests)}/manifest.json").read_text()
        )
        assert (manifest["folder"], manifest["images"]) == (str(folder), 39)
        digests.append([shard["sha256"] for shard in manifest["shards"]])
    assert digests[0] == digests[1]
    assert SECRET not in everything(feedbench.folder)


def test_rights_that_end_while_record_files_are_written_end_it_and_it_resumes(
    bucket: str, photos: Path, proxy: FlakyProxy, feedbench: Feedbench
) -> None:
    from tests.support.programs.command import finished

    asked = ["--out", "records", "--shards", 3, "--check", "header"]
    proxy.latency_seconds = 0.2
    process = feedbench.start("prepare", bucket, *asked)
    until((feedbench.folder / "records/.preparing/plan.json").exists)
    proxy.denied = "/dogs/"
    done = finished(process)
    assert done.returncode == 1, done.stderr
    (sentence,) = (line for line in done.stderr.splitlines() if line.startswith("feedbench: "))
    assert sentence.startswith(f"feedbench: {bucket}/dogs/")
    assert sentence.endswith(": the store denies access (Access Denied)")
    assert not (feedbench.folder / "records/manifest.json").exists()
    assert not [*(feedbench.folder / "records").glob("*.tfrecord")]  # each has dogs

    proxy.denied, proxy.latency_seconds = "", 0.0
    for folder, out in ((bucket, "records"), (photos, "local")):
        done = feedbench.run("prepare", folder, "--out", out, *asked[2:])
        assert done.returncode == 0, done.stderr
    written, wanted = (
        [file.read_bytes() for file in sorted((feedbench.folder / out).glob("*.tfrecord"))]
        for out in ("records", "local")
    )
    assert written == wanted
    assert SECRET not in everything(feedbench.folder)


@pytest.mark.parametrize("asked", [["run", "-p", "tfrecord_sharded", *SMALL], ["inspect"]])
def test_photos_that_may_be_listed_and_not_read_end_a_command_with_one_sentence(
    asked: list[str], bucket: str, proxy: FlakyProxy, feedbench: Feedbench
) -> None:
    proxy.denied = ".jpg"
    done = feedbench.run(*asked, bucket, "--check", "header")
    assert done.returncode == 2
    sentence, hint = done.stderr.strip().splitlines()[-2:]
    assert "the store lists 39 of 39 photos that cannot be read, such as" in sentence
    assert hint == f"hint: check what this shows: aws s3 cp {bucket}/cats/00.jpg ."


def everything(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_an_inspection_shows_a_bucket(bucket: str, feedbench: Feedbench) -> None:
    done = feedbench.run("inspect", bucket, "--check", "header", "--format", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["folder"], found["images"], found["bad"]) == (bucket, 39, [])


def test_what_cannot_read_a_bucket_says_why_before_anything_is_timed(
    bucket: str, feedbench: Feedbench
) -> None:
    done = feedbench.run("run", bucket, "-p", "threads", "-p", "tfdata_tuned", "--out", "R")
    assert done.returncode == 2
    why = "it cannot read s3://, because TensorFlow has no file system for s3://"
    assert f"--pipeline tfdata_tuned: {why}\n" in done.stderr
    assert "hint: use threads or tfrecord_sharded, which read it by fsspec" in done.stderr
    assert not (feedbench.folder / "R").exists()


def test_a_photo_that_changes_in_mid_run_ends_it(
    bucket: str, store: Any, feedbench: Feedbench
) -> None:
    from tests.support.programs.command import finished, trials_until

    asked = ["-p", "tfrecord_sharded", *SMALL, "--blocks", "500", "--out", "R"]
    process = feedbench.start("run", bucket, *asked)
    trials_until(feedbench, process, lambda lines: any(each["block"] for each in lines))
    store.pipe_file(f"{BUCKET}/in/cats/00.jpg", b"another photo")
    done = finished(process)
    assert done.returncode == 2, done.stderr
    run = json.loads((feedbench.folder / "R/run.json").read_text())
    assert run["changed"]["first"] == "cats/00.jpg"


def test_rights_that_end_in_mid_run_end_it_and_no_photo_is_called_gone(
    bucket: str, proxy: FlakyProxy, feedbench: Feedbench
) -> None:
    from tests.support.programs.command import finished, trials_until

    asked = ["-p", "tfrecord_sharded", *SMALL, "--blocks", "500", "--out", "R"]
    process = feedbench.start("run", bucket, *asked)
    trials_until(feedbench, process, lambda lines: any(each["block"] for each in lines))
    proxy.denied = " /"
    done = finished(process)
    assert done.returncode == 2, done.stderr
    run = json.loads((feedbench.folder / "R/run.json").read_text())
    assert run["changed"]["refusal"].startswith("the store denies access (")
    assert run["changed"]["gone"] == 0
    assert "No verdicts: the store denies access (" in done.stdout
    assert "disappeared" not in done.stdout + done.stderr
