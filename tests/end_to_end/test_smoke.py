"""One real run of the command, and what is to be seen of it: that the whole thing works.

Everything else that starts the command with TensorFlow is marked end_to_end, and run by
`tox -e full`.
"""

from __future__ import annotations

import json
import sys

import pytest

from feedbench.bench.cli import app
from feedbench.bench.run import run as run_module
from tests.support.html.reader import Reader
from tests.support.programs.front_door import handlers_kept
from tests.support.programs.smoke import Smoke

pytestmark = pytest.mark.tensorflow

MEASURED = ["tfdata_naive", "tfrecord_sharded"]


def test_the_exit_code_says_that_a_pipeline_failed(smoke: Smoke) -> None:
    assert smoke.done.returncode == 1, smoke.done.stderr


def test_the_terminal_shows_what_came_of_each_pipeline_and_where_the_report_lies(
    smoke: Smoke,
) -> None:
    out = smoke.done.stdout
    assert smoke.done.stderr.startswith("Measuring 39 of the 39 images in 3 classes of")
    assert "Rates only: 1 block completed, and verdicts need 4" in out
    assert "short failed: it delivered 36 images in an epoch; expected 39" in out
    assert "images/s" in out
    for label in MEASURED:
        assert any(line.split()[:1] == [label] for line in out.splitlines())
    assert out.splitlines()[-1] == "The report is R/report.html"
    assert max(map(len, out.splitlines())) <= 100


def test_every_pipeline_has_its_trials_in_the_block_and_the_baseline_its_control(
    smoke: Smoke,
) -> None:
    assert (smoke.run.status, smoke.run.blocks) == ("complete", 1)
    assert {row.label: row.rate is not None for row in smoke.run.rows} == {
        "tfdata_naive": True,
        "tfrecord_sharded": True,
        "short": False,
    }
    measured = [(t.label, t.purpose) for t in smoke.trials if t.block]
    assert sorted(measured) == [
        ("tfdata_naive", "control"),
        ("tfdata_naive", "main"),
        ("tfrecord_sharded", "main"),
    ]


def test_what_a_measured_pipeline_used_is_recorded(smoke: Smoke) -> None:
    assert [row.label for row in smoke.run.rows if row.gpus is not None] == MEASURED
    for row in smoke.run.rows[:2]:
        assert row.latency is not None
        assert (row.cpu_seconds_per_1000_images or 0) > 0
        assert (row.peak_memory_bytes or 0) > 0
        assert row.page_cache is not None
        assert row.page_cache.resident == 1  # a warm run


def test_that_the_work_is_equal_is_proven_before_anything_is_measured(smoke: Smoke) -> None:
    proofs = {row.label: row.proof for row in smoke.run.rows}
    assert {label: proof and proof.work for label, proof in proofs.items()} == {
        "tfdata_naive": "same",
        "tfrecord_sharded": "same",
        "short": None,
    }
    purposes = [trial.purpose for trial in smoke.trials]
    assert purposes.index("verify") < purposes.index("main")
    names = {file.name for file in (smoke.folder / "samples").iterdir()}
    assert {"_reference.webp", "tfdata-naive.webp", "tfrecord-sharded.webp"} <= names


def test_records_are_written_once_and_what_they_cost_is_recorded(smoke: Smoke) -> None:
    assert "tfrecord_sharded: wrote" in smoke.done.stderr
    plain, of_records, _ = (row.preparation for row in smoke.run.rows)
    assert plain is None
    assert of_records is not None
    assert (of_records.images, of_records.was_found) == (39, False)


def test_the_page_shows_the_pipelines_the_failure_and_what_to_try(smoke: Smoke) -> None:
    text = (smoke.folder / "report.html").read_text()
    shown = Reader(text)
    assert "short failed" in text
    assert '<h2 id="reasons">Why</h2>' in text
    assert "step by step" in text
    cells = {cell for table in shown.tables.values() for row in table for cell in row}
    assert set(MEASURED) <= cells


def test_the_benchmark_file_has_an_entry_for_each_measured_pipeline(smoke: Smoke) -> None:
    saved = json.loads((smoke.folder / "benchmark.json").read_text())["benchmarks"]
    assert [each["name"] for each in saved] == MEASURED
    for each, row in zip(saved, smoke.run.rows, strict=False):
        assert each["stats"]["ops"] == pytest.approx(row.rate)


def test_standard_output_holds_the_record_and_nothing_else_with_json(
    smoke: Smoke, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run is not made again: it is handed to the command as if it had just been made."""
    monkeypatch.setattr(run_module, "perform", lambda options, listener: smoke.run)
    words = ["run", str(smoke.photos), "--json", "--quiet", "--out", str(smoke.folder)]
    monkeypatch.setattr(sys, "argv", ["feedbench", *words])
    with handlers_kept(), pytest.raises(SystemExit) as end:
        app.main()
    assert end.value.code == 1
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out) == json.loads((smoke.folder / "run.json").read_bytes())


def test_the_diagnosis_has_a_trace_a_waterfall_and_ceilings(smoke: Smoke) -> None:
    diagnosis = smoke.run.diagnosis
    assert diagnosis is not None
    assert list(diagnosis.traces) == MEASURED
    for label in MEASURED:
        assert diagnosis.traces[label].stages
        (file,) = (smoke.folder / diagnosis.traces[label].folder).rglob("*.xplane.pb")
        assert file.stat().st_size > 1000
    (waterfall,) = [w for w in diagnosis.waterfalls if w.label == "tfdata_naive"]
    assert waterfall.like == ""
    assert [step.name for step in waterfall.steps] == ["read", "decode", "resize", "the rest"]
    # The CPU time is unknown where a step is not known to take any: on a busy machine.
    assert all((step.rate or 0) > 0 for step in waterfall.steps)
    assert sum(step.cpu_ms or 0 for step in waterfall.steps) > 0
    assert [ceiling.name for ceiling in diagnosis.ceilings] == ["read", "decode", "ready"]


def test_a_traced_trial_is_no_part_of_the_rates(smoke: Smoke) -> None:
    purposes = [trial.purpose for trial in smoke.trials]
    assert purposes.count("trace") == 2
    assert purposes.count("ceiling") == 3
    assert {row.blocks for row in smoke.run.rows[:2]} == {1}
    assert all(trial.block == 0 for trial in smoke.trials if trial.purpose == "trace")


def test_what_autotune_chose_is_recorded(smoke: Smoke) -> None:
    for row in smoke.run.rows[:2]:
        assert row.autotune is not None
        assert (row.autotune.cpu_budget or 0) >= 1
        for choice in row.autotune.choices:
            if choice.parallelism is not None:
                assert 1 <= choice.parallelism <= (choice.most_parallelism or 0)


def test_nothing_is_left_in_the_scratch_folder(smoke: Smoke) -> None:
    assert smoke.feedbench.left_in_scratch() == []


def test_the_parent_loads_no_tensorflow(smoke: Smoke) -> None:
    assert "tensorflow" in smoke.mapped_by_trial  # what is looked for would be seen
    assert "tensorflow" not in smoke.mapped_by_parent
