"""A run folder of another user: its code is not run, and nothing is written through its links."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
from pathlib import Path

import pytest

from feedbench.bench.machine import environment
from feedbench.bench.options.run_options import user_cache
from feedbench.bench.records.conditions.environment import Other
from feedbench.bench.records.storage import read_run
from feedbench.bench.run.resuming import past as resumption
from feedbench.bench.run.resuming import trust
from feedbench.pipelines.errors import RequestError
from tests.support.runs.killed import Killed

_REFUSED = r"it was not made by you on this machine, and it runs code: .*\nhint: .*--trust"


def _change_request(killed: Killed, **changed: object) -> None:
    file = killed.folder / "resume.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | changed))


def test_a_run_made_by_another_user_runs_its_loader_only_when_trusted(
    killed: Killed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resumption.read(killed.folder).specs.keys() == {"mine"}
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
    with pytest.raises(RequestError, match=_REFUSED):
        resumption.read(killed.folder)
    assert resumption.read(killed.folder, trust=True).specs.keys() == {"mine"}


def test_a_run_made_by_another_user_writes_to_this_users_own_caches(
    killed: Killed, tmp_path: Path
) -> None:
    killed.write(dataclasses.replace(killed.options, specs=("mine=tfdata_naive",)))
    assert resumption.read(killed.folder).options.prepared == killed.options.prepared
    _change_request(killed, signature="")
    options = resumption.read(killed.folder).options
    for folder in (options.prepared, options.proofs, options.findings):
        assert folder is not None
        assert folder.is_relative_to(user_cache("."))


def test_a_request_that_was_changed_after_it_was_signed_is_not_trusted(killed: Killed) -> None:
    evil = {"mine": "0" * 64}
    _change_request(killed, pipelines=evil)
    with pytest.raises(RequestError, match=_REFUSED):
        resumption.read(killed.folder)


@pytest.mark.parametrize("signed", [None, "", 3, "é", "0" * 64])
def test_a_forged_signature_is_not_trusted(killed: Killed, signed: object) -> None:
    _change_request(killed, signature=signed)
    with pytest.raises(RequestError, match=_REFUSED):
        resumption.read(killed.folder)


def test_another_python_that_only_the_record_names_is_not_started(killed: Killed) -> None:
    proof = killed.folder.parent / "started"
    python = killed.folder.parent / "python"
    python.write_text(f"#!/bin/sh\ntouch {proof}\n")
    python.chmod(0o755)
    other = Other(python=str(python), name="b", environment=environment.describe(), code="")
    killed.change_run(against=other)
    with pytest.raises(RequestError, match=_REFUSED):
        resumption.read(killed.folder)
    assert not proof.exists()


def test_a_run_of_built_in_pipelines_needs_no_trust(
    killed: Killed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed.write(dataclasses.replace(killed.options, specs=("tfdata_naive",)))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
    assert resumption.read(killed.folder).specs.keys() == {"tfdata_naive"}


@pytest.mark.parametrize("name", ["left-out.jsonl", "logs", "trials.jsonl", "run.json"])
def test_a_run_folder_with_a_link_is_not_resumed(killed: Killed, name: str, tmp_path: Path) -> None:
    target = tmp_path / "target"
    place = killed.folder / name
    if place.exists():
        place.rename(target)
    else:
        target.mkdir()
    place.symlink_to(target)
    with pytest.raises(RequestError, match=f"{name} in it is a link"):
        resumption.read(killed.folder, trust=True)


def test_a_run_folder_with_a_pipe_is_refused_without_a_wait(killed: Killed) -> None:
    os.mkfifo(killed.folder / "left-out.jsonl")
    with pytest.raises(RequestError, match=r"left-out.jsonl in it is neither a file nor a folder"):
        resumption.read(killed.folder)


def test_the_key_is_secret_and_one_that_others_may_read_signs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    signed = trust.signature({"a": 1})
    key = tmp_path / "feedbench" / "key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert [*key.parent.iterdir()] == [key]
    assert trust.is_signed({"a": 1}, signed)
    assert not trust.is_signed({"a": 2}, signed)
    key.chmod(0o644)
    assert trust.signature({"a": 1}) == ""
    assert not trust.is_signed({"a": 1}, "")


def test_without_a_folder_for_the_key_nothing_is_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert trust.signature({}) == ""


def test_the_record_of_a_run_is_read_from_a_file_alone(killed: Killed) -> None:
    (killed.folder / "run.json").unlink()
    os.mkfifo(killed.folder / "run.json")
    with pytest.raises(RequestError, match=r"cannot read .*run.json \(it is not a regular file\)"):
        read_run(killed.folder)


def test_a_pipeline_s_own_python_is_not_started_for_a_run_of_another_user(
    killed: Killed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof, python = tmp_path / "started", tmp_path / "python"
    python.write_text(f"#!/bin/sh\ntouch {proof}\n")
    python.chmod(0o755)
    killed.write(dataclasses.replace(killed.options, specs=(f"mine=tfdata_naive@{python}",)))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
    with pytest.raises(RequestError, match=f"it runs code: tfdata_naive@{python}"):
        resumption.read(killed.folder)
    assert not proof.exists()
