"""Plays a scenario: a run with its faults, then its report and its resumption."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.storage import read_run, read_trials
from feedbench.bench.records.trial import TrialRecord
from feedbench.pipelines.errors import RequestError
from tests.faults import invariants
from tests.faults.actions import act
from tests.faults.disk import unseal
from tests.faults.invariants import Hit
from tests.faults.phases import has_finished, reach
from tests.faults.scenario import OF_CLOCK, Line, Scenario
from tests.faults.stage import Ended, Stage, fake_clock, homeless

LIMIT_SECONDS = 150.0  # of a run that takes 15 s on an idle machine
TIME = "100s"


@dataclass(frozen=True)
class Outcome:
    """What a scenario came to. `broken` are the invariants that do not hold."""

    hits: tuple[Hit, ...]
    missed: tuple[Line, ...]  # lines whose moment never came
    run: Ended
    state: str  # of the run's folder after it
    resumed: Ended | None
    broken: tuple[str, ...]

    def __str__(self) -> str:
        hits = "; ".join(f"{line} [{whom}]" for line, whom in self.hits)
        missed = "; ".join(f"{line} [missed]" for line in self.missed)
        resumed = "-" if self.resumed is None else f"{self.resumed.code}"
        return " | ".join(
            [
                "; ".join(filter(None, [hits, missed])),
                f"exit {self.run.code} in {self.run.seconds:.0f} s",
                self.state,
                f"resumed {resumed}",
                "; ".join(self.broken) or "ok",
            ]
        )


def play(stage: Stage, scenario: Scenario) -> Outcome:
    """Run with these faults, mend what can be mended, resume, and check everything."""
    hits: list[Hit] = []
    missed: list[Line] = []
    try:
        stage.start_run(*_options(scenario), variables=_variables(stage, scenario))
        for line in scenario:
            whom = act(stage, line) if reach(stage, line, LIMIT_SECONDS) else None
            if whom is None:
                missed.append(line)
            else:
                hits.append((line, f"{whom}, late" if has_finished(stage) else whom))
        ended = stage.wait(LIMIT_SECONDS)
        broken = [*_after_run(stage, ended, hits)]
        state = _state(stage)
        _mend(stage)
        resumed = None
        if stage.run.exists() and ended.code is not None:
            stage.start("run", "--resume", "R")
            resumed = stage.wait(LIMIT_SECONDS)
            broken += [f"resumed: {what}" for what in _after_resumption(stage, resumed)]
    finally:
        stage.kill_all()
        _mend(stage)
    return Outcome(tuple(hits), tuple(missed), ended, state, resumed, tuple(broken))


def _options(scenario: Scenario) -> tuple[str, ...]:
    """Return the options for a trial that may hang: a preparation has an hour without a time."""
    may_hang = any(line.fault == "bound memory" for line in scenario)
    return ("--time", TIME) if may_hang else ()


def _variables(stage: Stage, scenario: Scenario) -> dict[str, str]:
    faults = {line.fault for line in scenario}
    variables = homeless() if "remove HOME" in faults else {}
    if faults & OF_CLOCK:
        variables |= fake_clock(stage)
    return variables


def _mend(stage: Stage) -> None:
    unseal(stage.run)
    if stage.disk is not None:
        stage.disk.free()


def _after_run(stage: Stage, ended: Ended, hits: list[Hit]) -> Iterator[str]:
    yield from invariants.of_end(ended, hits)
    if ended.code is None:  # it was killed here, with all its processes
        return
    was_killed = any(line.fault == "kill command" for line, _ in hits)
    yield from invariants.of_leftovers(stage, was_killed=was_killed)
    yield from invariants.of_files(stage.run)
    if (record := _record(stage)) is not None:
        yield from invariants.of_numbers(*record)
        yield from invariants.of_marks(*record, hits, ended.code)
    if not stage.run.exists():
        return
    stage.start("report", "R", "--format", "json")
    report = stage.wait(LIMIT_SECONDS)
    yield from (f"report: {what}" for what in invariants.of_end(report, ()))
    if report.code:
        yield from (f"report: {what}" for what in invariants.of_refusal(report))


def _after_resumption(stage: Stage, ended: Ended) -> Iterator[str]:
    yield from invariants.of_end(ended, ())
    yield from invariants.of_leftovers(stage, was_killed=False)
    yield from invariants.of_files(stage.run)
    record = _record(stage)
    if ended.code == 2 and (record is None or record[0].changed is None):
        yield from invariants.of_refusal(ended)
    if ended.code in {0, 1} and record is not None:
        yield from invariants.of_completion(*record)
        yield from invariants.of_numbers(*record)
    if ended.code == 0 and record is None:
        yield "it ended with 0 and has no record"


def _record(stage: Stage) -> tuple[RunRecord, list[TrialRecord]] | None:
    with suppress(RequestError, OSError):
        return read_run(stage.run), read_trials(stage.run)
    return None


def _state(stage: Stage) -> str:
    record = _record(stage)
    if record is not None:
        return f"{record[0].status}, {record[0].blocks} blocks"
    return "preparing" if (stage.run / "run.json").exists() else "no run"
