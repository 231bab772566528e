"""The user's own record files from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from feedbench.bench.records.storage import read_run
from tests.support.images.record_files import write_shards
from tests.support.programs.command import SMALL, Feedbench

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end, pytest.mark.thorough]


def test_a_run_over_record_files_measures_them_and_proves_them_the_same(
    feedbench: Feedbench, photos: Path
) -> None:
    pattern = write_shards(photos, feedbench.folder / "records")
    asked = ("run", "--records", pattern, *SMALL, "--blocks", "1", "--prepared", "P")
    pipelines = ("-p", "tfrecord_existing", "-p", "tfdata_naive", "-p", "tfrecord_gzip")
    done = feedbench.run(*asked, *pipelines, "--out", "R")
    assert done.returncode == 0, done.stderr
    assert "Extracted 39 images from 3 record files" in done.stderr
    run = read_run(feedbench.folder / "R")
    assert {row.label: row.proof and row.proof.work for row in run.rows} == {
        "tfrecord_existing": "same",
        "tfdata_naive": "same",
        "tfrecord_gzip": "same",
    }
    assert all(row.rate for row in run.rows)
    assert "(1 GZIP, 1 ZLIB)" in run.workload.notes[0]
    page = (feedbench.folder / "R" / "report.html").read_text()
    assert "tf.data.TFRecordDataset(file, compression)" in page
    listed = feedbench.run("prepared", "--prepared", "P").stdout
    assert "records: " in listed
    part = feedbench.run(
        *("verify", "--records", pattern, *SMALL, "--limit", "11", "--prepared", "P", "--json"),
        *pipelines,
    )
    assert part.returncode == 0, part.stderr
    assert "Extracted" not in part.stderr
    proofs = [each["proof"] for each in json.loads(part.stdout)["pipelines"]]
    assert [(proof["work"], proof["counts"]["images"]) for proof in proofs] == [("same", 11)] * 3
    inspected = feedbench.run(
        *("inspect", "--records", pattern, "--prepared", "P"),
        *("--check", "header", "--format", "json"),
    )
    assert inspected.returncode == 0, inspected.stderr
    assert json.loads(inspected.stdout)["images"] == 39
