"""A file that has become a pipe, as nothing writes to it: no process waits for it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from feedbench.bench.disk_cache import DiskCache
from feedbench.bench.equal_work.references import decoded
from feedbench.bench.images.decode_cost import decode_seconds
from feedbench.bench.images.duplicates import _digest
from feedbench.bench.machine.residency import evict, residency
from feedbench.bench.machine.warming import warm
from feedbench.bench.prepared.store import Store, _size_and_checksum
from feedbench.bench.processes.folders.trial_log import last_line
from feedbench.bench.processes.workload_file import read_workload
from feedbench.bench.records.trainings.watch_file import read_watch
from feedbench.bench.records.tuning.tuning import read_tuning
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.file_formats import first_bytes
from feedbench.pipelines.images.image_check import header
from feedbench.pipelines.remote.reading import read
from feedbench.pipelines.system.regular_files import pipes_released


class _WaitedError(BaseException):
    """A call waited for a pipe."""


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[str]:
    """A pipe without a writer, and two seconds in which a test must not open it."""

    def waited(*_: object) -> None:
        raise _WaitedError

    before = signal.signal(signal.SIGALRM, waited)
    signal.setitimer(signal.ITIMER_REAL, 2)
    pipe = tmp_path / "0.jpg"
    os.mkfifo(pipe)
    yield str(pipe)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    "use",
    [
        lambda pipe: residency([pipe]),
        lambda pipe: evict([pipe]),
        lambda pipe: warm([pipe]),
        lambda pipe: first_bytes(pipe, 8),
        lambda pipe: _size_and_checksum(Path(pipe)),
        _digest,
        lambda pipe: decode_seconds([pipe], (8, 8)),
        lambda pipe: read_workload(Path(pipe)),
        lambda pipe: read_watch(Path(pipe)),
        lambda pipe: last_line(Path(pipe)),
        read,
        decoded,
    ],
    ids=[
        *("residency", "evict", "warm", "first bytes", "prepared", "duplicates", "decoding"),
        *("workload", "watch", "log", "preparation", "reference"),
    ],
)
def test_a_photo_that_is_a_pipe_is_not_waited_for(use: Callable[[str], object], pipe: str) -> None:
    with suppress(OSError, RequestError):
        use(pipe)


def test_how_much_of_a_pipe_is_resident_is_unknown(pipe: str) -> None:
    answer = residency([pipe])
    assert (answer.share, answer.why_unknown) == (
        None,
        "cannot open a file: it is not a regular file",
    )
    assert evict([pipe]) == "cannot open a file: it is not a regular file"


def test_a_photo_that_becomes_a_pipe_before_it_is_read_is_named(pipe: str) -> None:
    with pytest.raises(RequestError, match=r"0.jpg': it is not a regular file\nhint: remove it"):
        warm([pipe])


def test_a_photo_that_becomes_a_pipe_after_it_was_found_to_be_a_file_is_not_waited_for(
    pipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"a photo")
    status = (tmp_path / "file").stat()
    monkeypatch.setattr("feedbench.pipelines.images.image_check.os.stat", lambda *_, **__: status)
    assert header(pipe).reason == "it cannot be read: it is not a regular file"


@pytest.mark.parametrize("name", ["tuning.json", ".in-use", "0-0123456789abcdef0123"])
def test_a_pipe_in_a_folder_that_others_write_to_is_not_waited_for(
    name: str, pipe: str, tmp_path: Path
) -> None:
    Path(pipe).rename(tmp_path / name)
    store = Store(tmp_path)
    with suppress(RequestError), store.in_use():
        store.contents()
    with pytest.raises(RequestError):
        read_tuning(tmp_path)


def test_a_cache_file_that_is_a_pipe_is_no_cache(pipe: str, tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, suffix=".jpg", most_bytes=1000)
    cache.append("0", b"a finding")
    assert cache.read("0") is None
    assert [*cache.lines("0")] == []


def test_a_library_that_opens_a_pipe_itself_is_released(
    pipe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedbench.pipelines.system.regular_files._PAUSE_SECONDS", 0.05)
    with pipes_released(lambda: [pipe, f"{pipe}-that-is-gone"]):
        assert Path(pipe).read_bytes() == b""
