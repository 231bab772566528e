"""What a run does with a loader that cannot be imported."""

import traceback
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.processes.underway import Outcome
from feedbench.bench.records.messages import Ended, Failed, Start
from feedbench.bench.run.workplace import preparing_labels
from feedbench.pipelines.catalog import parse
from feedbench.pipelines.errors import RequestError

FAILED = Failed(
    sentence="loader.py cannot be imported: OSError: gone (loader.py, line 3)",
    hint="--debug shows the whole traceback",
    traceback="Traceback (most recent call last):\nOSError: gone\n",
)


class ToldProcesses:
    """A check's process that fails as it is told."""

    def run(self, start: Start, limit_seconds: float) -> Outcome:
        return Outcome(result=FAILED, ended=Ended(exit_code=0, signal=None))


def test_its_error_has_a_hint_and_the_traceback_of_the_check_as_its_cause(tmp_path: Path) -> None:
    processes: Any = {"": ToldProcesses()}
    with pytest.raises(RequestError) as caught:
        preparing_labels(processes, [parse("mine=loader.py:photos")], tmp_path)
    assert str(caught.value) == (
        f"--pipeline loader.py:photos: {FAILED.sentence}\nhint: --debug shows the whole traceback"
    )
    assert FAILED.traceback in "".join(traceback.format_exception(caught.value))
