from __future__ import annotations

import contextlib
import io
import os
import pty
import sys
from typing import Any

import pytest
from rich.console import Console

from feedbench.bench.processes.progress import OnTerminal, Plain, Quiet, listener, outcome_text
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.records.windows import Window
from tests.support import builders


def a_trial(**given: Any) -> TrialRecord:
    fields: dict[str, Any] = {
        "label": "mine",
        "spec": "loader.py:photos",
        "purpose": "main",
        "block": 2,
        "started_at": "2026-01-01T00:00:00+00:00",
        "seconds": 9.0,
        "ended": "measured",
        "windows": [Window(2468, 2.0)] * 3,
    }
    return builders.a_record(**fields | given)


def a_pilot(**given: Any) -> TrialRecord:
    fields = {"purpose": "pilot", "block": 0, "windows": []}
    return a_trial(**fields | given)


def a_failure(**given: Any) -> TrialRecord:
    return a_trial(ended="failed", why="it raised OSError: gone", windows=[], **given)


def line(capsys: pytest.CaptureFixture[str], record: TrialRecord, left: float | None = None) -> str:
    """What is printed for a record on standard error; nothing goes to standard output."""
    Plain().trial_ended(record, left)
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err


def test_a_trial_is_a_line_with_its_block_its_label_and_its_rate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert line(capsys, a_trial()) == "block 2  mine: 1,234 images/s\n"


def test_a_line_tells_how_much_time_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    expected = "block 2  mine: 1,234 images/s  (2 min 5 s left)\n"
    assert line(capsys, a_trial(), left=125.0) == expected


def test_a_pilot_is_a_line_with_about_its_rate(capsys: pytest.CaptureFixture[str]) -> None:
    pilot = a_pilot(first_epoch_images=300, first_epoch_seconds=1.5)
    assert line(capsys, pilot) == "pilot    mine: about 200 images/s\n"


def test_a_control_is_named_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    expected = "block 2  mine (control): 1,234 images/s\n"
    assert line(capsys, a_trial(purpose="control")) == expected


def test_a_failure_is_a_line_with_why(capsys: pytest.CaptureFixture[str]) -> None:
    expected = "block 2  mine: failed: it raised OSError: gone  (10 s left)\n"
    assert line(capsys, a_failure(), left=10.0) == expected


def test_the_labels_of_blocks_and_pilots_stand_below_each_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = [line(capsys, record) for record in (a_pilot(), a_trial(), a_trial(block=12))]
    assert {text.index("mine") for text in lines} == {9}


@pytest.mark.parametrize("ended", ["time up", "interrupted"])
def test_a_trial_that_was_cut_short_says_by_what(ended: str) -> None:
    assert outcome_text(a_trial(ended=ended, windows=[])) == ended


def test_lines_that_stay_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    Plain().note("Measuring 64 of the 600 images.")
    assert capsys.readouterr() == ("", "Measuring 64 of the 600 images.\n")


def test_the_answer_so_far_is_a_line_of_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    Plain().block_ended("tuned: about 40 times the rate of naive so far", "3 blocks to come")
    Plain().block_ended("", "3 blocks to come")
    assert capsys.readouterr().err.splitlines() == [
        "tuned: about 40 times the rate of naive so far; 3 blocks to come",
        "3 blocks to come",
    ]


def test_without_a_terminal_nothing_is_said_of_what_will_be_replaced(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain = Plain()
    plain.stage("importing TensorFlow")
    plain.trial_started(1, "mine", 60.0)
    assert capsys.readouterr() == ("", "")


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = Quiet()
    quiet.note("a line")
    quiet.stage("something")
    quiet.trial_started(1, "mine", 60.0)
    quiet.trial_ended(a_failure(), 60.0)
    assert capsys.readouterr() == ("", "")


def test_the_listener_fits_what_was_asked_for_and_where_it_prints(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())  # which is no terminal ...
    for variable in ("FORCE_COLOR", "TTY_COMPATIBLE"):  # ... unless these say it is
        monkeypatch.delenv(variable, raising=False)
    for quiet, kind in ((True, Quiet), (False, Plain)):
        chosen, shown = listener(quiet=quiet)
        assert type(chosen) is kind
        with shown:
            pass


class Screen:
    """A terminal of 80 columns, and all that was drawn on it so far."""

    def __init__(self) -> None:
        self._file = io.StringIO()
        console = Console(width=80, force_terminal=True, file=self._file, color_system=None)
        self.listener = OnTerminal(console)
        self.shown: contextlib.AbstractContextManager[object] = self.listener.display()

    @property
    def drawn(self) -> str:
        return self._file.getvalue()


def test_a_terminal_shows_which_trial_goes_on_and_the_rates_so_far() -> None:
    screen = Screen()
    with screen.shown:
        screen.listener.trial_started(0, "mine", None)
        assert "pilot: mine ..." in screen.drawn
        screen.listener.trial_ended(a_trial(windows=[Window(500, 1.0)] * 3), 60.0)
        screen.listener.trial_ended(a_trial(windows=[Window(2000, 1.0)] * 3), 60.0)
        screen.listener.trial_ended(a_trial(purpose="control"), 60.0)
        screen.listener.trial_started(3, "other", 59.0)
    assert "block 3: other, 59 s left ..." in screen.drawn
    assert "800 images/s  2 blocks" in screen.drawn
    assert "1,234" not in screen.drawn


def test_a_terminal_keeps_a_failure_as_a_line() -> None:
    screen = Screen()
    with screen.shown:
        screen.listener.trial_ended(a_failure(), 60.0)
        screen.listener.trial_ended(a_trial(ended="time up", windows=[]), 0.0)
    assert "mine: failed: it raised OSError: gone\n" in screen.drawn
    assert "time up" not in screen.drawn


@pytest.mark.parametrize("label", ["[red]x[/red]", "[/red]"])
def test_a_terminal_shows_a_label_as_it_is(label: str) -> None:
    screen = Screen()
    with screen.shown:
        screen.listener.trial_ended(a_trial(label=label), 60.0)
        screen.listener.trial_started(3, "other", 59.0)
    assert f"{label}  1,234 images/s" in screen.drawn


def test_a_terminal_says_one_block_and_two_blocks() -> None:
    screen = Screen()
    with screen.shown:
        screen.listener.trial_ended(a_trial(), 60.0)
        screen.listener.trial_started(3, "other", 59.0)
    assert "1 blocks" not in screen.drawn


def test_on_a_terminal_the_answer_so_far_stays_until_the_next_block_has_ended() -> None:
    screen = Screen()
    with screen.shown:
        screen.listener.block_ended("tuned: about 40 times", "3 blocks to come")
        screen.listener.trial_started(2, "naive", None)
        screen.listener.trial_started(2, "tuned", None)
    assert screen.drawn.count("tuned: about 40 times; 3 blocks to come") >= 2


@pytest.mark.parametrize("kind", ["pipe", "terminal"])
def test_progress_that_nobody_can_read_any_more_interrupts_once(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after `| head -1`, and when a terminal is closed. Later lines are dropped."""
    if kind == "pipe":
        reader, writer = os.pipe()
    else:
        reader, writer = pty.openpty()
    os.close(reader)
    with os.fdopen(writer, "w", buffering=1) as stream:
        monkeypatch.setattr("sys.stderr", stream)
        shown, display = listener(quiet=False)
        with display:
            with pytest.raises(KeyboardInterrupt):
                shown.note("one line")
            shown.note("another")
