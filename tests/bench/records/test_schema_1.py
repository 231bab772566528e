from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.records.conditions.usage import Latency
from feedbench.bench.records.diagnosis import Autotune
from feedbench.bench.records.measurement import Profile
from feedbench.bench.records.run import Stopped
from feedbench.bench.records.storage import (
    append_trial,
    read_run,
    read_trials,
    write_run,
    write_trials,
)
from feedbench.bench.records.trial import SCHEMA
from feedbench.bench.records.windows import Window
from feedbench.pipelines.errors import RequestError
from tests.support.builders import a_trial, measured_in

MEASURED = (
    b'{"schema":1,"label":"a","spec":"tfdata_naive","purpose":"main","block":1,"attempt":1,'
    b'"started_at":"2026-01-01T00:00:00.000+00:00","seconds":5.25,"ended":"measured","why":null,'
    b'"exit_code":0,"signal":null,"last_words":null,"asked_to_first_batch_seconds":0.375,'
    b'"prepare_seconds":0.0,"open_seconds":0.25,"first_batch_seconds":0.125,'
    b'"first_epoch_seconds":2.5,"first_epoch_images":600,"epoch_seconds":[2.0,1.5],'
    b'"turnover_seconds":[0.5,0.0625],"continuous":false,"windows":[{"images":600,"seconds":1.5}],'
    b'"preparation":null,"proof":null,'
    b'"latency":{"batches":19,"p50":0.01,"p95":0.02,"p99":0.03,"longest":0.04},'
    b'"usage":{"seconds":1.5,"cores":2.0,"cpu_seconds":3.0,"others_cpu_seconds":0.0,'
    b'"read_bytes":0,"written_bytes":0,"gpus":"no GPU"},"peak_memory_bytes":464490496,'
    b'"page_cache":null,"around":null,"run_delay_seconds":0.5,"consumer_seconds":0.0000027,'
    b'"threads":14,"until":"","autotune":{"cpu_budget":2,"ram_budget":1024,"choices":[]},'
    b'"traced":null,"knobs":{"cache":"none"},"remarks":["mind the gap"]}'
)
FAILED = (
    b'{"schema":1,"label":"b","spec":"loader.py:photos","purpose":"main","block":1,"attempt":1,'
    b'"started_at":"2026-01-01T00:00:06.000+00:00","seconds":1.0,"ended":"failed",'
    b'"why":"it raised OSError: gone","exit_code":1,"signal":null,"last_words":null,'
    b'"asked_to_first_batch_seconds":null,"prepare_seconds":null,"open_seconds":null,'
    b'"first_batch_seconds":null,"first_epoch_seconds":null,"first_epoch_images":null,'
    b'"epoch_seconds":[],"turnover_seconds":[],"continuous":true,"windows":[],"preparation":null,'
    b'"proof":null,"latency":null,"usage":null,"peak_memory_bytes":null,"page_cache":null,'
    b'"around":null,"run_delay_seconds":null,"consumer_seconds":null,"threads":null,"until":"",'
    b'"autotune":null,"traced":null,"knobs":{},"remarks":[]}'
)
TRACED = FAILED.replace(
    b'"ended":"failed","why":"it raised OSError: gone"', b'"ended":"traced"'
).replace(
    b'"traced":null',
    b'"traced":{"event":"traced","images":440,"steps":14,"seconds":1.5,"cpu_seconds":1.25,'
    b'"is_tf_data":false,"functions":[["decode",0.5]]}',
)
RUN = {
    "schema": 1,
    "status": "complete",
    "command": ["feedbench", "run"],
    "started_at": "2026-01-01T00:00:00+00:00",
    "seconds": 245.0,
    "time_seconds": 300.0,
    "blocks": 8,
    "margin": 0.05,
    "pipelines": [{"label": "a", "spec": "tfdata_naive", "slug": "a", "beside": None}],
    "workload": {
        "folder": "/photos",
        "folder_images": 600,
        "images": 600,
        "ignored_files": 0,
        "classes": {"daisy": 600},
        "height": 180,
        "width": 240,
        "channels": 3,
        "batch_size": 32,
        "dtype": "float32",
        "value_range": [0.0, 1.0],
        "label_mode": "int",
        "seed": 0,
    },
    "environment": {
        "system": "Linux",
        "processor": "a processor",
        "cores": 2.0,
        "cores_online": 2,
        "memory_bytes": 2**33,
        "python": "3.11.7",
        "packages": {"numpy": "2.4.6"},
    },
    "control": [1.001, 0.995, 1.007],
}


def a_run_folder(folder: Path, *lines: bytes, **run: Any) -> Path:
    """A run folder as a version wrote it that wrote schema 1."""
    (folder / "run.json").write_text(json.dumps(RUN | run, indent=2))
    (folder / "trials.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    return folder


def test_a_trial_that_was_measured_has_all_its_figures(tmp_path: Path) -> None:
    (trial,) = read_trials(a_run_folder(tmp_path, MEASURED))
    assert (trial.schema, trial.label, trial.ended, trial.seconds) == (
        SCHEMA,
        "a",
        "measured",
        5.25,
    )
    assert trial.asked_to_first_batch_seconds == 0.375
    assert trial.usage is not None
    measured = measured_in(trial)
    assert (measured.open_seconds, measured.first_batch_seconds) == (0.25, 0.125)
    assert (measured.first_epoch_seconds, measured.first_epoch_images) == (2.5, 600)
    assert (measured.epoch_seconds, measured.turnover_seconds) == ([2.0, 1.5], [0.5, 0.0625])
    assert (measured.continuous, measured.windows) == (False, [Window(600, 1.5)])
    assert measured.latency == Latency(batches=19, p50=0.01, p95=0.02, p99=0.03, longest=0.04)
    assert (measured.peak_memory_bytes, measured.threads) == (464490496, 14)
    assert (measured.run_delay_seconds, measured.consumer_seconds) == (0.5, 0.0000027)
    assert measured.autotune == Autotune(cpu_budget=2, ram_budget=1024, choices=[])
    assert (measured.knobs, measured.remarks) == ({"cache": "none"}, ["mind the gap"])
    assert trial.rate == 400


def test_a_trial_that_failed_has_its_reason_and_no_figures(tmp_path: Path) -> None:
    (trial,) = read_trials(a_run_folder(tmp_path, FAILED))
    assert (trial.ended, trial.why, trial.exit_code) == ("failed", "it raised OSError: gone", 1)
    assert trial.measured is None


def test_a_trial_that_was_traced_has_its_profile(tmp_path: Path) -> None:
    (trial,) = read_trials(a_run_folder(tmp_path, TRACED))
    assert (trial.ended, trial.measured) == ("traced", None)
    assert trial.traced == Profile(
        images=440,
        steps=14,
        seconds=1.5,
        cpu_seconds=1.25,
        is_tf_data=False,
        functions=[("decode", 0.5)],
    )


def test_a_run_is_read_with_all_it_says(tmp_path: Path) -> None:
    run = read_run(a_run_folder(tmp_path))
    assert (run.schema, run.blocks, run.margin) == (SCHEMA, 8, 0.05)
    assert run.control == (1.001, 0.995, 1.007)
    assert run.workload.value_range == (0.0, 1.0)


@pytest.mark.parametrize(
    ("clause", "stopped"),
    [
        ("its time was up", Stopped.TIME),
        ("every interval was narrow enough", Stopped.PRECISE),
        ("every pipeline failed", Stopped.FAILED),
        ("it was interrupted", Stopped.INTERRUPTED),
        ("1 block was asked for", Stopped.BLOCKS),
        ("8 blocks were asked for", Stopped.BLOCKS),
        (None, None),
    ],
)
def test_why_a_run_stopped_is_read_from_its_words(
    tmp_path: Path, clause: str | None, stopped: Stopped | None
) -> None:
    assert read_run(a_run_folder(tmp_path, stopped_because=clause)).stopped_because == stopped


def test_what_is_written_into_such_a_folder_is_of_todays_schema(tmp_path: Path) -> None:
    folder = a_run_folder(tmp_path, MEASURED, stopped_because="its time was up")
    run, trials = read_run(folder), read_trials(folder)
    write_run(folder, run)
    write_trials(folder / "trials.jsonl", trials)
    written = json.loads((folder / "run.json").read_text())
    assert (written["schema"], written["stopped_because"]) == (SCHEMA, Stopped.TIME.value)
    assert json.loads((folder / "trials.jsonl").read_text())["schema"] == SCHEMA
    assert (read_run(folder), read_trials(folder)) == (run, trials)


def test_lines_of_both_schemas_may_stand_in_one_file(tmp_path: Path) -> None:
    folder = a_run_folder(tmp_path, MEASURED, FAILED)
    before = read_trials(folder)
    append_trial(folder, a_trial(2))
    assert read_trials(folder) == [*before, a_trial(2)]


def test_a_line_of_an_unknown_schema_is_refused_by_its_number(tmp_path: Path) -> None:
    a_run_folder(tmp_path, MEASURED, MEASURED.replace(b'"schema":1', b'"schema":3'))
    with pytest.raises(RequestError, match=r"trials\.jsonl, line 2 has schema 3; this Feedbench"):
        read_trials(tmp_path)


def test_what_is_wrong_in_a_line_or_in_a_run_is_named(tmp_path: Path) -> None:
    a_run_folder(tmp_path, MEASURED.replace(b'"seconds":5.25', b'"seconds":"long"'), margin="wide")
    with pytest.raises(RequestError, match=r"line 1 is broken: .*float.* at `\$\.seconds`"):
        read_trials(tmp_path)
    with pytest.raises(RequestError, match=r"run\.json is broken: .*float.* at `\$\.margin`"):
        read_run(tmp_path)


def test_a_measured_trial_without_its_first_epoch_is_broken(tmp_path: Path) -> None:
    a_run_folder(tmp_path, MEASURED.replace(b'"first_epoch_seconds":2.5,', b""))
    with pytest.raises(RequestError, match=r"line 1 is broken: .*first_epoch_seconds"):
        read_trials(tmp_path)
