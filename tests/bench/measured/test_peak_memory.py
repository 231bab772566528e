"""The most memory that a process and its workers held, by processes that hold some."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from feedbench.bench.measured.peak_memory import peak_memory_bytes
from tests.support.programs.family import Family

HELD = 50_000_000  # bytes
NEAR = HELD / 4

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc here")

PEAK = "tell(peak_memory_bytes(root))"


@pytest.fixture
def family() -> Iterator[Family]:
    """A root in the forkserver's place; its children are the trials."""
    with Family() as started:
        started.do(
            "from feedbench.bench.measured.peak_memory import peak_memory_bytes; held = []; tell(0)"
        )
        started.do("root = os.getpid(); tell(0)")
        yield started


@pytest.fixture
def bare(family: Family) -> float:
    """The peak of a trial that holds nothing and has no workers."""
    return family.do(f"os.waitpid(child(lambda: {PEAK}), 0)")


def test_what_was_held_and_given_back_is_in_the_peak(family: Family, bare: float) -> None:
    peak = family.do(f"child(lambda: b'x' * {HELD} and None, lambda: {PEAK})")
    assert peak - bare == pytest.approx(HELD, abs=NEAR)


def trial_with(worker: str) -> str:
    """A trial that starts a worker, waits until it has said something, and tells its peak."""
    wait = "(os.read(pipe[0], 1), os.close(pipe[0]))"
    return f"pipe = os.pipe(); child(lambda: ({worker}, {wait}, {PEAK}))"


HOLDING = f"child(lambda: held.append(b'x' * {HELD}), lambda: os.write(pipe[1], b'.'), sleep)"


def test_what_a_worker_holds_is_in_it(family: Family, bare: float) -> None:
    assert family.do(trial_with(HOLDING)) - bare == pytest.approx(HELD, abs=NEAR)


def test_what_an_orphaned_worker_holds_is_in_it(family: Family, bare: float) -> None:
    orphaned = f"os.waitpid(child(lambda: (os.setsid(), {HOLDING})), 0)"
    assert family.do(trial_with(orphaned)) - bare == pytest.approx(HELD, abs=NEAR)


def test_what_a_worker_shares_with_the_trial_is_counted_once(family: Family, bare: float) -> None:
    sharing = "child(lambda: os.write(pipe[1], b'.'), sleep)"
    peak = family.do(trial_with(f"held.append(b'x' * {HELD}), {sharing}"))
    assert peak - bare == pytest.approx(HELD, abs=NEAR)


def test_a_worker_that_has_ended_holds_nothing(family: Family, bare: float) -> None:
    ended = "child(lambda: os.write(pipe[1], b'.'))"
    zombie = f"{ended}, os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)"
    for worker in (zombie, f"{ended}, os.wait()"):
        assert family.do(trial_with(worker)) - bare == pytest.approx(0, abs=NEAR)


def test_another_trial_that_waits_for_its_turn_does_not_count(family: Family, bare: float) -> None:
    stop = "lambda: os.kill(os.getpid(), signal.SIGSTOP)"
    other = f"child(lambda: held.append(b'x' * {HELD}), {stop})"
    family.do(f"os.waitpid({other}, os.WUNTRACED); tell(0)")
    peak = family.do(f"os.waitpid(child(lambda: {PEAK}), 0)")
    assert peak - bare == pytest.approx(0, abs=NEAR)


def test_outside_a_forkserver_no_worker_is_looked_for(family: Family, bare: float) -> None:
    trial = trial_with(HOLDING).replace("(root)", "()")
    assert family.do(trial) - bare == pytest.approx(0, abs=NEAR)


def test_the_peak_is_not_below_what_this_process_holds_now() -> None:
    held = psutil.Process().memory_info().rss
    peak = peak_memory_bytes()
    assert peak is not None
    assert peak >= 0.9 * held  # the kernel counts neither to the last page


@pytest.mark.parametrize("content", [None, "Name:\tcat\nVmRSS:\t 12 kB\n"])
def test_where_the_system_does_not_say_it_is_not_known(content: str | None, tmp_path: Path) -> None:
    status = tmp_path / "status"
    if content is not None:
        status.write_text(content)
    assert peak_memory_bytes(status=status) is None


def test_where_a_worker_may_not_be_asked_it_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: psutil.Process) -> None:
        raise psutil.AccessDenied

    with Family() as family:
        family.do("child(say, sleep)")
        monkeypatch.setattr(psutil.Process, "memory_full_info", refused)
        assert peak_memory_bytes(family.root) is None
