"""Processes of which each may be lost over one piece of work."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from feedbench.pipelines.system.workers import LostError, each

Work = Callable[[int], bytes]


def results(begin: Callable[[], Work], count: int, processes: int = 2, limit: float = 60) -> object:
    answers = dict(each(begin, count, processes, limit))
    return [
        str(answers[number]) if isinstance(answers[number], LostError) else answers[number]
        for number in range(count)
    ]


def doubling() -> Work:
    return lambda number: b"%d" % (2 * number)


@pytest.mark.parametrize(("count", "processes"), [(0, 2), (1, 4), (5, 1), (500, 3)])
def test_every_number_is_answered_once(count: int, processes: int) -> None:
    answers = list(each(doubling, count, processes, 60))
    assert sorted(answers, key=lambda pair: pair[0]) == [(n, b"%d" % (2 * n)) for n in range(count)]


def test_the_processes_share_the_work() -> None:
    def slowly() -> Work:
        def work(_: int) -> bytes:
            time.sleep(0.01)
            return b"%d" % os.getpid()

        return work

    pids = {answer for _, answer in each(slowly, 40, 2, 60)}
    assert len(pids) == 2
    assert b"%d" % os.getpid() not in pids


def test_what_kills_its_process_costs_itself_only() -> None:
    def deadly() -> Work:
        def work(number: int) -> bytes:
            if number % 4 == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            if number % 4 == 2:
                os._exit(3)
            return b"fine"

        return work

    assert results(deadly, 8) == 2 * [
        b"fine",
        "it crashes the process that decodes it (signal 9)",
        "it crashes the process that decodes it (exit code 3)",
        b"fine",
    ]


def test_what_hangs_is_ended_at_its_limit_and_costs_itself_only() -> None:
    def hanging() -> Work:
        def work(number: int) -> bytes:
            if number == 3:
                time.sleep(60)
            return b"fine"

        return work

    begun = time.monotonic()
    assert results(hanging, 6, limit=0.3) == [
        b"fine",
        b"fine",
        b"fine",
        "it takes more than 0 s to decode",
        b"fine",
        b"fine",
    ]
    assert time.monotonic() - begun < 20


def test_a_process_that_somebody_else_killed_is_no_fault_of_what_it_worked_on(
    tmp_path: Path,
) -> None:
    once = tmp_path / "once"

    def unlucky() -> Work:
        def work(_: int) -> bytes:
            if not once.exists():
                once.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return b"fine"

        return work

    assert results(unlucky, 3, processes=1) == [b"fine"] * 3


def test_a_process_that_cannot_begin_is_no_fault_of_any_work() -> None:
    def stillborn() -> Work:
        os._exit(5)

    with pytest.raises(LostError, match=r"ended at its start \(exit code 5\)"):
        results(stillborn, 3)


def test_an_idle_process_that_somebody_killed_is_no_fault_of_any_work() -> None:
    def unequal() -> Work:
        def work(number: int) -> bytes:
            time.sleep(0.5 + number)  # until both have begun
            return b"%d" % os.getpid()

        return work

    running = each(unequal, 2, 2, 60)
    quick, pid = next(running)
    assert isinstance(pid, bytes)
    os.kill(int(pid), signal.SIGKILL)
    slow, answer = next(running)
    assert (quick, slow) == (0, 1)
    assert isinstance(answer, bytes)


def test_ctrl_c_is_for_whoever_asked_and_not_for_the_processes() -> None:
    def interrupted() -> Work:
        os.kill(os.getpid(), signal.SIGINT)

        def work(_: int) -> bytes:
            os.kill(os.getpid(), signal.SIGINT)
            return b"fine"

        return work

    assert results(interrupted, 3) == [b"fine"] * 3


def test_the_processes_are_gone_when_it_ends_early() -> None:
    def whoami() -> Work:
        return lambda _: b"%d" % os.getpid()

    running = each(whoami, 100, 2, 60)
    _, pid = next(iter(running))
    assert isinstance(pid, bytes)
    del running
    assert not Path(f"/proc/{int(pid)}").exists()
