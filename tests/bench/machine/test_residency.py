"""What is resident of real files, as this kernel says it."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from feedbench.bench.machine import residency as module
from feedbench.bench.machine.residency import MOST_ASKED, evict, residency


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Three files on a disk, and an empty one. Skips where the folder is in memory itself."""
    files = []
    for number, size in enumerate((1, 5000, 300_000, 0)):
        file = tmp_path / f"{number}.jpg"
        file.write_bytes(os.urandom(size))
        files.append(str(file))
    evict(files)
    if residency(files).share != 0:
        pytest.skip("this folder's files cannot be sent out of the page cache")
    return files


def test_files_that_were_read_are_resident_and_those_sent_out_are_not(files: list[str]) -> None:
    assert residency(files).share == 0
    for file in files:
        Path(file).read_bytes()
    whole = residency(files)
    assert (whole.share, whole.files, whole.bytes) == (1.0, 4, 305_001)
    assert evict(files) is None
    assert residency(files).share == 0


def test_a_part_is_resident_where_one_of_the_files_was_read(files: list[str]) -> None:
    Path(files[1]).read_bytes()
    share = residency(files).share
    assert share is not None
    assert 0 < share < 0.1


def test_what_was_just_written_is_on_the_disk_before_it_is_sent_out(tmp_path: Path) -> None:
    file = tmp_path / "new.bin"
    file.write_bytes(b"x" * 100_000)
    assert evict([str(file)]) is None
    assert file.read_bytes() == b"x" * 100_000


def test_of_many_files_a_part_is_asked_for(tmp_path: Path) -> None:
    for number in range(2 * MOST_ASKED + 5):
        (tmp_path / f"{number}.jpg").write_bytes(b"x")
    answer = residency(sorted(map(str, tmp_path.iterdir())))
    assert MOST_ASKED / 2 <= answer.files <= MOST_ASKED


def test_where_the_system_has_no_such_call_nothing_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_libc", lambda: None)
    answer = residency([str(tmp_path)])
    assert (answer.share, answer.why_unknown) == (None, "this system has no mincore")
    monkeypatch.delattr(os, "posix_fadvise")
    assert evict([]) == "this system has no posix_fadvise"


def test_of_files_that_are_neither_ours_nor_writable_nothing_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    monkeypatch.setattr(module, "_may_ask", lambda *_: False)
    assert "not writable; mincore" in str(residency([str(tmp_path / "a.jpg")]).why_unknown)


def test_a_file_that_is_gone_is_a_reason_and_no_error(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.jpg")
    assert "cannot open a file: No such file" in str(residency([gone]).why_unknown)
    assert "cannot open a file: No such file" in str(evict([gone]))


def test_ctrl_c_while_the_kernel_is_asked_is_no_other_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    (tmp_path / "a.jpg").write_bytes(b"x")
    monkeypatch.setattr(module, "_libc", lambda: SimpleNamespace(mincore=interrupted))
    with pytest.raises(KeyboardInterrupt):
        residency([str(tmp_path / "a.jpg")])


def test_of_no_files_all_is_resident() -> None:
    assert residency([]).share == 1
