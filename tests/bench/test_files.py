from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from feedbench.bench.files import add_lines, replace, write_whole
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.system.regular_files import read_regular


def test_a_file_is_replaced_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("a longer text")
    with file.open() as reader:  # as one who has begun to read it
        assert replace(file, "new") == file
        assert reader.read() == "a longer text"
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_one_and_the_file_that_it_leads_to_is_replaced(
    is_there: bool, tmp_path: Path
) -> None:
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "target", tmp_path / "link"
    if is_there:
        target.write_text("old")
    link.symlink_to("far/target")
    assert replace(link, "new") == link
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "far", target, link]


def test_a_link_that_leads_to_itself_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("a")
    with pytest.raises(RequestError, match=r"cannot write .*a: Too many levels of symbolic"):
        replace(tmp_path / "a", "new")


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    replace(pipe, "new")
    reader.join(10)
    assert read == ["new"]
    assert pipe.is_fifo()


def test_what_the_system_calls_a_file_and_is_none_is_written_to() -> None:
    reader, writer = os.pipe()
    replace(Path(f"/dev/fd/{writer}"), "new")  # as /dev/stdout is, where a pipe reads it
    assert os.read(reader, 10) == b"new"
    os.close(reader)
    os.close(writer)
    replace(Path("/dev/null"), "new")
    assert Path("/dev/null").is_char_device()


def test_lines_are_written_whole_too(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", (b"%d\n" % number for number in range(3)))
    assert (tmp_path / "a").read_bytes() == b"0\n1\n2\n"


def test_of_what_cannot_be_written_nothing_is_left_and_the_old_content_stays(
    tmp_path: Path,
) -> None:
    def broken() -> Iterator[bytes]:
        yield b"new"
        raise KeyboardInterrupt

    (tmp_path / "a").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a", broken())
    assert (tmp_path / "a").read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_a_file_may_be_read_by_whom_the_user_lets_read(
    mask: int, mode: int, tmp_path: Path
) -> None:
    before = os.umask(mask)
    try:
        write_whole(tmp_path / "a", b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode


def test_a_link_in_a_folder_that_was_received_is_replaced_and_its_target_is_not(
    tmp_path: Path,
) -> None:
    target, link = tmp_path / "target", tmp_path / "report.html"
    target.write_text("mine")
    link.symlink_to(target)
    replace(link, "page", through_link=False)
    assert (target.read_text(), link.read_text(), link.is_symlink()) == ("mine", "page", False)


def test_a_pipe_in_a_folder_that_was_received_is_replaced_without_a_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "report.html")
    replace(tmp_path / "report.html", "page", through_link=False)
    assert (tmp_path / "report.html").read_text() == "page"


def test_lines_are_not_added_through_a_link_or_to_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("mine\n")
    (tmp_path / "link").symlink_to("target")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(OSError, match=r"symbolic links|No such device"):
            add_lines(tmp_path / name, b"line\n")
    assert (tmp_path / "target").read_text() == "mine\n"
    add_lines(tmp_path / "file", b"line\n")
    add_lines(tmp_path / "file", b"line\n")
    assert (tmp_path / "file").read_text() == "line\nline\n"


def test_a_pipe_is_not_read_and_nothing_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is not a regular file"):
        read_regular(tmp_path / "pipe")
