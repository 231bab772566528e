"""What a loader prints: bounded, and without power over the terminal."""

from __future__ import annotations

from pathlib import Path

from feedbench.bench.forkserver.tasks import _one_line
from feedbench.bench.processes.folders.trial_log import MOST_BYTES, cut, last_line
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.outcomes import recorded
from feedbench.bench.processes.underway import Outcome
from feedbench.pipelines.errors import RequestError
from tests.support.builders import a_record


def test_a_long_log_keeps_its_beginning_and_its_end_and_says_how_much_was_cut(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"begin" + b"x" * 100 + b"ended")
    cut(log, 10)
    assert log.read_bytes() == b"begin\n[feedbench: 100 bytes were cut here]\nended"


def test_a_short_log_and_a_missing_one_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"0123456789")
    cut(tmp_path / "log", 10)
    cut(tmp_path / "missing", 10)
    assert (tmp_path / "log").read_bytes() == b"0123456789"
    assert not (tmp_path / "missing").exists()


def test_the_last_line_of_a_log_is_one_that_a_terminal_can_show(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert last_line(log) == "it printed nothing"
    log.write_bytes(b"x\n" * MOST_BYTES + b"{{node Read}} no \x1b[2Jfile\n \n")
    assert last_line(log) == "no \\x1b[2Jfile"


def test_the_log_of_a_trial_that_printed_much_is_cut_when_it_is_recorded(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"x\n" * MOST_BYTES)
    recorded(a_record(), Outcome(), Limit(1.0), log)
    assert log.stat().st_size < MOST_BYTES + 100


def test_an_escape_sequence_in_an_error_is_shown_and_not_obeyed() -> None:
    error = RequestError("a\x1b[31mb\x9b", hint="c\x07\ttab")
    assert str(error) == "a\\x1b[31mb\\x9b\nhint: c\\x07\ttab"
    assert _one_line("it raised ValueError: \x1b]0;mine\x07") == (
        "it raised ValueError: \\x1b]0;mine\\x07"
    )
