"""Record files to keep, from end to end."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.support.programs.command import Feedbench
from tests.support.waiting import until

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end, pytest.mark.thorough]

ASKED = ("--store", "raw", "--image-size", "32", "--shards", "5", "--check", "header")


def test_a_killed_preparation_resumes_and_a_run_finds_its_record_files(
    feedbench: Feedbench, photos: Path
) -> None:
    out = feedbench.folder / "records"
    asked = ("prepare", photos, "--out", out, *ASKED, "--prepared", "P")
    killed = feedbench.start(*asked)
    first = until(lambda: sorted(out.glob(".preparing/done-*")))[0]
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert not (out / "manifest.json").exists()
    file = out / json.loads(first.read_bytes())["file"]
    written = file.stat().st_mtime_ns

    done = feedbench.run(*asked)
    assert done.returncode == 0, done.stderr
    assert "existed already" in done.stdout
    assert file.stat().st_mtime_ns == written
    assert sorted(each.name for each in out.iterdir() if each.name.startswith(".")) == []
    manifest = json.loads((out / "manifest.json").read_bytes())
    assert sum(shard["images"] for shard in manifest["shards"]) == manifest["images"] == 39

    found = feedbench.run(
        *("verify", photos, "--image-size", "32", "--prepared", "P", "--json", "--check", "header"),
        *("-p", manifest["spec"]),
    )
    assert found.returncode == 0, found.stderr
    assert "reused" in found.stderr
    assert json.loads(found.stdout)["pipelines"][0]["proof"]["work"] == "same"


def test_another_request_leaves_the_record_files_alone(feedbench: Feedbench, photos: Path) -> None:
    out = feedbench.folder / "records"
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")
    done = feedbench.run("prepare", photos, "--out", out)
    assert done.returncode == 2
    assert "expected a new folder, or one of this command; found 1 other file" in done.stderr
    assert [each.name for each in out.iterdir()] == ["thesis.tex"]
