"""Photos that change while a tuning measures: that run does not count, and the search ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.progress import Listener, Quiet
from feedbench.bench.records.conditions.sources import SourceChange
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.tuning.tuning import Allowance, read_tuning
from feedbench.bench.tuning import tuning
from feedbench.pipelines import catalog
from feedbench.pipelines.errors import RequestError
from feedbench.reports.sentences.tuning import answer, remarks
from tests.support.builders import a_proof, a_row, a_run, a_run_folder
from tests.support.runs.summaries import blocks

CHANGE = SourceChange(
    kind="photo", first="cats/00.jpg", files=1, gone=0, first_block=2, last_block=2
)


@pytest.fixture
def asked(photos: Path, tmp_path: Path) -> RunOptions:
    return RunOptions(
        folder=photos, out=tmp_path / "T", seconds=900.0, specs=("tfdata_naive", "tfdata_tuned")
    )


def changing_in(number: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the run of this number have photos that change; return the folders of all runs."""
    runs: list[str] = []

    def perform(options: RunOptions, _: Listener) -> RunRecord:
        runs.append(options.out.name)
        options.out.parent.mkdir(exist_ok=True)
        specs = catalog.parse_all(options.specs)
        rates = {spec.label: 100 + 10 * place for place, spec in enumerate(specs)}
        rows = [a_row(s.label, rates[s.label], spec=s.text, proof=a_proof()) for s in specs]
        trials = blocks({label: [rate] * 8 for label, rate in rates.items()})
        record = a_run(*rows)
        if len(runs) == number:
            record = replace(record, changed=CHANGE)
        a_run_folder(options.out, record, trials)
        return record

    monkeypatch.setattr(tuning, "perform", perform)
    return runs


def test_in_the_first_run_there_is_nothing_to_choose_from(
    asked: RunOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = changing_in(1, monkeypatch)
    with pytest.raises(RequestError, match=r"the photo cats/00\.jpg changed during block 2"):
        tuning.tune(asked, Allowance(), Quiet())
    assert runs == ["rung-1"]
    assert read_tuning(asked.out).status == "interrupted"


def test_in_a_later_run_the_choice_is_that_of_the_runs_before(
    asked: RunOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = changing_in(2, monkeypatch)
    record = tuning.tune(asked, Allowance(), Quiet())
    assert len(runs) == 2
    assert [rung.folder for rung in record.rungs] == ["rung-1"]
    assert (record.status, record.after) == ("interrupted", None)
    assert "so far" in answer(record)
    assert next(remarks(record)) == (
        "Nothing was measured after a change: the photo cats/00.jpg changed during block 2."
    )
