"""Run folders that somebody else wrote, or damaged: a report or a sentence, and nothing else."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from feedbench.bench.records.storage import write_trials
from feedbench.bench.run.resuming import past, preparing
from feedbench.bench.verdicts import comparison
from feedbench.bench.verdicts.two_runs import Run
from feedbench.pipelines.errors import RequestError
from feedbench.reports import formats, waits
from feedbench.reports.tables import frames
from tests.fuzzing.examples import amounts, try_all
from tests.fuzzing.guard import bounded_memory, guarded
from tests.fuzzing.mutations import deep_json, mutated_bytes, mutated_json
from tests.support.builders import a_run, a_run_folder, trials_of
from tests.support.html.large import LABELS, a_calm, a_diagnosis, a_full_row
from tests.support.runs import waits as watched
from tests.support.runs.killed import Killed

Files = dict[str, bytes]
FORMATS = ("json", "csv", "markdown", "latex")
SLOW_FORMATS = ("html",)  # a third of a second each


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two pipelines, with all that a page can show of them."""
    folder = tmp_path_factory.mktemp("run") / "R"
    rows = [a_full_row(place, label) for place, label in enumerate(LABELS[:2])]
    run = a_run(
        *rows, best=LABELS[:1], blocks=3, calm=a_calm(random.Random(0)), diagnosis=a_diagnosis()
    )
    a_run_folder(folder, run, [])
    rates = {label: [900, 1000, 990] for label in LABELS[:2]}
    write_trials(folder / "trials.jsonl", trials_of(rates))
    (folder / "samples").mkdir()
    for name in ("_reference", *(each.slug for each in run.pipelines)):
        (folder / "samples" / f"{name}.webp").write_bytes(b"RIFF\0\0\0\0WEBP" + bytes(100))
    for name in FORMATS:  # imports what they need, outside of any guard
        formats.render(name, folder)
    return folder


def changes(folder: Path) -> st.SearchStrategy[Files]:
    """One of a run's files, changed as JSON or as bytes."""
    run = (folder / "run.json").read_bytes()
    trials = (folder / "trials.jsonl").read_bytes()
    lines = [json.loads(line) for line in trials.splitlines()]
    as_tree = mutated_json(json.loads(run)).map(lambda tree: {"run.json": _encoded(tree)})
    as_lines = mutated_json(lines).map(
        lambda tree: {"trials.jsonl": b"".join(_encoded(line) + b"\n" for line in tree)}
    )
    return st.one_of(
        as_tree,
        as_lines,
        mutated_bytes(run).map(lambda content: {"run.json": content}),
        mutated_bytes(trials).map(lambda content: {"trials.jsonl": content}),
        st.sampled_from(["run.json", "trials.jsonl"]).map(lambda name: {name: deep_json()}),
    )


def _encoded(tree: Any) -> bytes:
    return json.dumps(tree).encode()


def _copy(folder: Path, to: Path, files: Files) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(folder, to)
    for name, content in files.items():
        (to / name).write_bytes(content)
    return to


def _renders(names: tuple[str, ...]) -> Callable[[Path], None]:
    def check(folder: Path) -> None:
        for name in names:
            with suppress(RequestError):
                formats.render(name, folder)

    return check


@amounts(25, 1000)
def test_a_changed_run_is_reported_or_refused_in_a_sentence(
    folder: Path, tmp_path: Path, examples: int
) -> None:
    render = _renders(FORMATS)

    def check(files: Files) -> None:
        changed = _copy(folder, tmp_path / "R", files)
        with guarded(tmp_path / "nowhere"):
            render(changed)

    with bounded_memory():
        try_all(changes(folder), examples, check)


@pytest.mark.parametrize("damaged", [b"\xff", b"\xed\xa0\x80"])
@pytest.mark.parametrize("name", ["run.json", "trials.jsonl"])
def test_a_run_with_a_byte_that_is_no_text_is_refused(
    folder: Path, tmp_path: Path, name: str, damaged: bytes
) -> None:
    content = (folder / name).read_bytes().replace(LABELS[0].encode(), damaged, 1)
    changed = _copy(folder, tmp_path / "R", {name: content})
    with pytest.raises(RequestError, match=f"{name}.* is broken"):
        frames.read(changed)


@pytest.mark.faults
def test_the_page_of_a_changed_run_is_made_or_refused(folder: Path, tmp_path: Path) -> None:
    render = _renders(SLOW_FORMATS)
    render(folder)

    def check(files: Files) -> None:
        changed = _copy(folder, tmp_path / "R", files)
        with guarded(tmp_path / "nowhere"):
            render(changed)

    try_all(changes(folder), 200, check)


@amounts(10, 500)
def test_a_changed_run_is_compared_or_refused(folder: Path, tmp_path: Path, examples: int) -> None:
    before = Run("BASE", *frames.read(folder))

    def check(files: Files) -> None:
        changed = _copy(folder, tmp_path / "R", files)
        with guarded(tmp_path / "nowhere"), suppress(RequestError):
            comparison.compare(before, Run("NEW", *frames.read(changed)), 0.05)

    try_all(changes(folder), examples, check)


def _as_link(file: Path, canary: Path) -> None:
    file.symlink_to(canary)


def _as_pipe(file: Path, canary: Path) -> None:
    os.mkfifo(file)


def _as_folder(file: Path, canary: Path) -> None:
    file.mkdir()


@pytest.mark.parametrize("make", [_as_link, _as_pipe, _as_folder])
@pytest.mark.parametrize("name", ["run.json", "trials.jsonl", "images.json", "samples"])
@pytest.mark.thorough
def test_a_link_a_pipe_or_a_folder_instead_of_a_file_is_not_waited_for(
    folder: Path, tmp_path: Path, name: str, make: Callable[[Path, Path], None]
) -> None:
    """A page shows nothing of a file elsewhere; a link to a file of another kind is read only."""
    secret = "a secret of this user"
    (tmp_path / "canary").write_text(secret)
    changed = _copy(folder, tmp_path / "R", {})
    if (changed / name).is_dir():
        shutil.rmtree(changed / name)
    else:
        (changed / name).unlink(missing_ok=True)
    make(changed / name, tmp_path / "canary")
    _renders(SLOW_FORMATS)(folder)  # imports matplotlib, which makes a folder of its own
    with guarded(tmp_path / "nowhere", canary="no canary"):
        for each in (*FORMATS, *SLOW_FORMATS):
            with suppress(RequestError):
                assert secret not in formats.render(each, changed)


@pytest.fixture
def killed(tmp_path: Path, photos: Path) -> Killed:
    return Killed(tmp_path, photos)


def requests(killed: Killed) -> st.SearchStrategy[Files]:
    """The files that a resumption reads, changed."""
    trees = {
        name: json.loads((killed.folder / name).read_bytes())
        for name in ("run.json", "resume.json", "images.json")
    }
    changed = [
        mutated_json(tree).map(lambda tree, name=name: {name: _encoded(tree)})  # type: ignore[misc]
        for name, tree in trees.items()
    ]
    damaged = [
        mutated_bytes((killed.folder / name).read_bytes()).map(
            lambda content, name=name: {name: content}  # type: ignore[misc]
        )
        for name in (*trees, "trials.jsonl")
    ]
    names = st.sampled_from([*trees, "trials.jsonl"])
    return st.one_of(*changed, *damaged, names.map(lambda name: {name: deep_json()}))


@amounts(30, 2000)
def test_a_changed_run_is_resumed_or_refused_and_stays_as_it_is(
    killed: Killed, tmp_path: Path, examples: int
) -> None:
    """Nothing is written, and no program is started: least of all an interpreter that it names."""

    def check(files: Files) -> None:
        changed = _copy(killed.folder, tmp_path / "changed" / "R", files)
        with guarded(tmp_path / "nowhere"), suppress(RequestError):
            past.read(changed)

    try_all(requests(killed), examples, check)


@amounts(20, 500)
def test_a_changed_request_of_a_run_that_has_not_begun_is_read_or_refused(
    killed: Killed, tmp_path: Path, examples: int
) -> None:
    request = (killed.folder / "resume.json").read_bytes()

    def check(content: bytes) -> None:
        changed = _copy(killed.folder, tmp_path / "changed" / "R", {"resume.json": content})
        with guarded(changed), suppress(RequestError):  # it is opened to be locked
            preparing.asked_before(changed)

    tree = mutated_json(json.loads(request)).map(_encoded)
    try_all(st.one_of(tree, mutated_bytes(request), st.just(deep_json())), examples, check)


@amounts(20, 2000)
def test_a_changed_file_of_a_watched_training_is_reported_or_refused(
    tmp_path: Path, examples: int
) -> None:
    file = tmp_path / "watch.json"
    watched.write(file, watched.a_watch())
    content = file.read_bytes()
    waits.render("json", file)

    def check(changed: bytes) -> None:
        file.write_bytes(changed)
        with guarded(tmp_path / "nowhere"):
            for name in ("json", "markdown", "csv"):
                with suppress(RequestError):
                    waits.render(name, file)

    tree = mutated_json(json.loads(content)).map(_encoded)
    try_all(st.one_of(tree, mutated_bytes(content), st.just(deep_json())), examples, check)
