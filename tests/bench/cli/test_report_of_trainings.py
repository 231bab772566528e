"""`feedbench report` of a folder of `feedbench train`."""

from __future__ import annotations

from pathlib import Path

from feedbench.bench.records.trainings.training import write_training
from feedbench.reports import trainings
from tests.support.programs.front_door import Call
from tests.support.runs.trainings import compared


def test_report_writes_the_page_again_and_prints_the_other_formats(call: Call) -> None:
    folder = Path("trained")
    folder.mkdir()
    write_training(folder, compared("tuned", "naive"))
    done = call("report", folder)
    assert (done.code, done.out) == (0, "trained/report.html\n")
    assert (folder / "report.html").read_text() == trainings.render("html", folder)
    assert "**The pipelines train alike" in call("report", folder, "--format", "markdown").out
    lines = call("report", folder, "--format", "csv").out.splitlines()
    assert lines[0].startswith("pipeline,seed,epoch")
    assert len(lines) == 1 + 2 * 3
    refused = call("report", folder, "--format", "latex")
    assert refused.code == 2
    assert "expected html, markdown, csv, json for a folder of feedbench train" in refused.err
