"""`feedbench report` on a folder of `feedbench tune`."""

from __future__ import annotations

from pathlib import Path

from tests.support.programs.front_door import Call
from tests.support.runs.tunings import a_tuning_folder


def test_the_report_of_a_tuning_is_that_of_its_last_run(call: Call, tmp_path: Path) -> None:
    folder = a_tuning_folder(tmp_path / "tuning")
    done = call("report", str(folder))
    assert (done.code, done.out) == (0, f"{folder / 'final' / 'report.html'}\n")
    assert "Tuning" in (folder / "final" / "report.html").read_text()
