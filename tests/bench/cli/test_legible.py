"""Output in an encoding that lacks characters of a label or of a table."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.builders import KOREAN, a_row, a_run, a_run_folder, trials_of
from tests.support.programs.front_door import COMMAND

RATES = [1000, 1004, 998, 1001]


@pytest.mark.parametrize("encoding", ["ascii", pytest.param("latin-1", marks=pytest.mark.thorough)])
@pytest.mark.parametrize("form", ["table", "json"])
def test_a_label_that_the_output_cannot_hold_is_no_error(
    tmp_path: Path, encoding: str, form: str
) -> None:
    run = a_run(a_row("a"), a_row(KOREAN))
    a_run_folder(tmp_path / "R", run, trials_of({"a": RATES, KOREAN: RATES}))
    done = subprocess.run(
        [COMMAND, "compare", "R", "R", "--format", form],
        cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    out = done.stdout.decode(encoding)
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    if form == "json":
        assert KOREAN in [row["label"] for row in json.loads(out)["pipelines"]]
    else:
        assert "??? ?" in out
