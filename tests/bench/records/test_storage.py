from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pytest

from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.storage import append_trial, read_run, read_trials, write_run
from feedbench.bench.records.trial import SCHEMA, TrialRecord
from feedbench.bench.records.windows import Window
from feedbench.pipelines.errors import RequestError
from tests.support import builders


def a_run(**given: Any) -> RunRecord:
    """A run that has begun, with a figure that has no short decimal form."""
    row = Row(label="a", spec="tfdata_naive", blocks=1, rate=0.1 + 0.2, verdict="faster")
    command = ["feedbench", "run", "a name with \x1b in it"]
    return builders.a_run(row, **{"status": "running", "command": command, **given})


def a_trial(block: int) -> TrialRecord:
    knobs = {"cache": "memory", "prefetch": 2, "deterministic": True}
    windows = [Window(96, 1.0625)]
    return builders.a_trial(block, windows=windows, knobs=knobs, remarks=["one\nof two lines"])


def broken(folder: Path, content: bytes) -> Path:
    """A run folder whose run.json holds just that."""
    (folder / "run.json").write_bytes(content)
    return folder


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_run(tmp_path, a_run())
    assert read_run(tmp_path) == a_run()


def test_a_run_is_replaced_whole(tmp_path: Path) -> None:
    write_run(tmp_path, a_run(command=["a"] * 1000))
    write_run(tmp_path, a_run(status="complete"))
    assert read_run(tmp_path) == a_run(status="complete")


def test_nothing_but_the_run_is_left_when_it_is_written(tmp_path: Path) -> None:
    write_run(tmp_path, a_run())
    assert list(tmp_path.iterdir()) == [tmp_path / "run.json"]


def test_a_run_is_plain_json_of_several_lines_that_names_its_schema(tmp_path: Path) -> None:
    write_run(tmp_path, a_run())
    text = (tmp_path / "run.json").read_text()
    assert json.loads(text)["schema"] == SCHEMA == 2
    assert text.count("\n") > 20
    assert text.endswith("}\n")


def test_a_run_stays_whole_where_the_next_one_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write_run(tmp_path, a_run())
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_run(tmp_path, a_run(status="complete"))
    assert read_run(tmp_path) == a_run()


def test_a_run_takes_its_place_only_when_it_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    sync = os.fsync

    def look(file: int) -> None:
        sync(file)
        seen.append(read_run(tmp_path).status)

    write_run(tmp_path, a_run())
    monkeypatch.setattr(os, "fsync", look)
    write_run(tmp_path, a_run(status="complete"))
    assert seen == ["running"]
    assert read_run(tmp_path).status == "complete"


def test_a_folder_without_a_run_is_refused_by_its_name_and_the_file_that_was_expected(
    tmp_path: Path,
) -> None:
    with pytest.raises(RequestError, match=r"is not a run folder: cannot read .*run\.json \(No "):
        read_run(tmp_path)
    with pytest.raises(RequestError, match="nowhere is not a run folder"):
        read_run(tmp_path / "nowhere")


@pytest.mark.parametrize("schema", [0, 3, "1", None])
def test_a_run_of_another_schema_is_refused_with_both(tmp_path: Path, schema: object) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"schema": schema, "of": "the future"}))
    with pytest.raises(RequestError, match=f"has schema {schema!r}; this Feedbench reads"):
        read_run(tmp_path)


def test_a_run_without_a_schema_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="schema None; this Feedbench reads schemas 1 and 2"):
        read_run(broken(tmp_path, b"{}"))


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b'{"schema": 2}', b"hello"])
def test_a_broken_run_is_refused_by_the_name_of_its_file(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"run\.json is broken: "):
        read_run(broken(tmp_path, content))


def test_what_is_wrong_in_a_run_is_named(tmp_path: Path) -> None:
    fields = msgspec.to_builtins(a_run()) | {"margin": "wide"}
    with pytest.raises(RequestError, match=r"run\.json is broken: .*float.* at `\$\.margin`"):
        read_run(broken(tmp_path, json.dumps(fields).encode()))


def test_fields_that_a_later_version_added_are_passed_over(tmp_path: Path) -> None:
    fields = msgspec.to_builtins(a_run()) | {"colour": "green"}
    assert read_run(broken(tmp_path, json.dumps(fields).encode())) == a_run()


def test_trials_are_read_as_they_were_added_a_line_each(tmp_path: Path) -> None:
    for block in (1, 2, 3):
        append_trial(tmp_path, a_trial(block))
        assert len((tmp_path / "trials.jsonl").read_text().splitlines()) == block
    assert read_trials(tmp_path) == [a_trial(1), a_trial(2), a_trial(3)]


def test_each_line_of_trials_is_plain_json_that_names_its_schema(tmp_path: Path) -> None:
    append_trial(tmp_path, a_trial(1))
    line = json.loads((tmp_path / "trials.jsonl").read_text())
    assert (line["schema"], line["label"], line["block"]) == (2, "a", 1)
    assert line["measured"]["windows"] == [{"images": 96, "seconds": 1.0625}]


def test_a_trial_is_on_disk_before_the_next_one_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.fstat(file).st_size))
    append_trial(tmp_path, a_trial(1))
    assert synced == [(tmp_path / "trials.jsonl").stat().st_size]


@pytest.mark.parametrize("kept", [0, 1, 40, -1])
def test_a_last_line_that_a_crash_cut_short_is_passed_over(kept: int, tmp_path: Path) -> None:
    append_trial(tmp_path, a_trial(1))
    file = tmp_path / "trials.jsonl"
    line = file.read_bytes()
    file.write_bytes(line + line[:kept])
    assert read_trials(tmp_path) == [a_trial(1)]


def test_of_a_single_line_that_was_cut_short_nothing_is_read(tmp_path: Path) -> None:
    (tmp_path / "trials.jsonl").write_bytes(b'{"schema": 2, "lab')
    assert read_trials(tmp_path) == []


def test_a_broken_line_before_the_last_is_refused_by_its_number(tmp_path: Path) -> None:
    append_trial(tmp_path, a_trial(1))
    with (tmp_path / "trials.jsonl").open("ab") as file:
        file.write(b"{broken\n")
    append_trial(tmp_path, a_trial(2))
    with pytest.raises(RequestError, match=r"trials\.jsonl, line 2 is broken: "):
        read_trials(tmp_path)
