"""The runs behind the pytest plugin: one for all tests over the same folder."""

from __future__ import annotations

import dataclasses
import os
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pytest

from feedbench.bench.cli.support import images_folder, unwritten
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.progress import Listener, Plain, Quiet
from feedbench.bench.processes.run_folder import slugs
from feedbench.bench.pytest_plugin.judged import Unjudged, why_unjudged
from feedbench.bench.pytest_plugin.wanted import (
    PREFIX,
    WANTED,
    FeedbenchWarning,
    Wanted,
    given_to,
    plugin_options,
)
from feedbench.bench.records.proof import is_equal
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord, left_out_sentence
from feedbench.bench.records.storage import read_trials
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run import benchmark_json
from feedbench.bench.run.run import perform
from feedbench.bench.text import counted, listed
from feedbench.bench.verdicts.rows import of_whole_blocks, rates_by_block
from feedbench.pipelines.errors import FeedbenchError

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

_PAGE = "report.html"  # it is named before anything of the reports is imported, which takes seconds


class _Run(msgspec.Struct, frozen=True):
    """The run of a folder."""

    out: Path
    record: RunRecord
    trials: list[TrialRecord]
    labels: tuple[str, ...]  # of the pipelines that tests name

    @property
    def unjudged(self) -> list[Unjudged]:
        """Why pipelines could not be judged, one for each that could not."""
        results = [_result(self, label).unjudged for label in self.labels]
        return [why for why in results if why is not None]


class NoResult(NamedTuple):
    """Why a test's pipeline has no valid result."""

    why: str
    unjudged: Unjudged | None = None  # it did nothing wrong, but there are no figures


class Blocks(NamedTuple):
    """What a test passes to pytest-benchmark: a pipeline's blocks. Each is a round."""

    row: Row
    seconds_per_image: list[float]  # of each block
    extra_info: Mapping[str, object]
    unjudged: Unjudged | None = None  # there are figures, but no verdict


class Runs:
    """Performs each folder's run when the first test asks for it, and keeps the result."""

    def __init__(
        self,
        session: pytest.Session,
        folders: pytest.TempPathFactory,
        perform: Callable[[RunOptions, Listener], RunRecord] = perform,
    ) -> None:
        self._session = session
        self._perform = perform
        self._folders = folders
        plugins = session.config.pluginmanager
        terminal = plugins.get_plugin("terminalreporter")
        captures = plugins.get_plugin("capturemanager")
        self._listener = Quiet() if terminal is None else _InPytest(terminal, captures)
        self._runs: dict[PurePath | None, _Run | NoResult] = {}
        self._warned = ""  # the sentence of the last warning

    @property
    def is_strict(self) -> bool:
        """Whether a test fails if its pipeline could not be judged."""
        return bool(self._session.config.getoption(f"{PREFIX}strict"))

    @property
    def unjudged(self) -> str:
        """How many pipelines of all runs so far could not be judged, and why.

        It is a clause; "" if there are none.
        """
        runs = [run for run in self._runs.values() if isinstance(run, _Run)]
        reasons = [why for run in runs for why in run.unjudged]
        if not reasons:
            return ""
        pipelines = counted(sum(len(run.labels) for run in runs), "pipeline")
        why = listed(sorted({*reasons}), "or")
        return f"{len(reasons)} of {pipelines} could not be judged: {why}"

    def warn(self, item: pytest.Item) -> None:
        """Issue this clause as a warning of a test, once a run."""
        if self._warned != self.unjudged:
            self._warned = self.unjudged
            item.warn(FeedbenchWarning(self.unjudged))

    def measured(self, wanted: Wanted) -> Blocks | NoResult:
        """Return the blocks of a test's pipeline; with --feedbench-strict, only if it is judged."""
        if wanted.folder not in self._runs:
            self._runs[wanted.folder] = _INTERRUPTED
            self._runs[wanted.folder] = self._performed(wanted.folder)
        run = self._runs[wanted.folder]
        result = run if isinstance(run, NoResult) else _result(run, wanted.label)
        if self.is_strict and isinstance(result, Blocks) and result.unjudged is not None:
            why = f"{wanted.label} could not be judged: {result.unjudged}"
            return NoResult(why, result.unjudged)
        return result

    def _performed(self, folder: PurePath | None) -> _Run | NoResult:
        """Run all pipelines that tests of this session want of a folder."""
        begun = time.monotonic()
        wanted = {each.label: each.text for each in self._wanted() if each.folder == folder}
        out = self._out(folder)
        given = given_to(self._session.config, plugin_options(), folder)
        self._listener.note(
            f"measuring {', '.join(wanted)} over"
            f" {folder or given['records'] or 'sample photos'}; the run is in {out},"
            f" and its page is {out / _PAGE}"
        )
        try:
            photos = images_folder(folder, given, self._listener.note)
            typed = {**given, "pipeline": tuple(wanted.values()), "out": str(out)}
            options = RunOptions.of(typed, photos, begun=begun, prefix=PREFIX)
            options = dataclasses.replace(options, spare_blocks=options.blocks or 0)
            with _importable_as_here():
                is_quiet = self._session.config.get_verbosity() < 0
                record = self._perform(options, Quiet() if is_quiet else self._listener)
        except FeedbenchError as error:
            if given["debug"] and error.__cause__ is not None:
                self._listener.note(str(error.__cause__))
            return NoResult(_as_given_here(str(error)))
        run = _Run(out, record, read_trials(out), tuple(wanted))
        if record.status == "interrupted":
            try:
                self._show(run)
            finally:  # whatever that has raised
                raise KeyboardInterrupt
        self._show(run)
        if record.changed is not None:
            return NoResult(f"{record.changed.clause}, after equal work was proven")
        return run

    def _show(self, run: _Run) -> None:
        """Write what the command line writes too. If that fails, print why; the run is safe."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of libraries, which may be errors in a test suite
                from feedbench.reports.html import page

                benchmark_json.write(run.out, run.record, run.trials)
                page.write(run.out, run.out / _PAGE)
        except Exception as error:  # noqa: BLE001 - nothing that a library raises may lose the tests
            self._listener.note(unwritten(run.out, error))

    def _wanted(self) -> list[Wanted]:
        """Return what the tests of this session want, of all that were collected."""
        items = (item for item in self._session.items if not _is_skipped(item))
        pipelines = (item.stash.get(WANTED, None) for item in items)
        return [each for each in pipelines if each is not None]

    def _out(self, folder: PurePath | None) -> Path:
        given = self._session.config.getoption("--feedbench-out")
        if given is None:
            return self._folders.mktemp("feedbench") / "run"
        folders = dict.fromkeys(each.folder for each in self._wanted())
        if len(folders) == 1:
            return Path(given)
        # Each folder's run has its own folder there.
        names = slugs(tuple(str(each) for each in folders))
        return Path(given) / names[str(folder)]


class _InPytest(Plain):
    """Shows the progress of a run where pytest reports."""

    def __init__(self, terminal: TerminalReporter, captures: Any) -> None:
        self._terminal = terminal
        self._captures = captures  # pytest's plugin for that, if it captures

    def note(self, line: str) -> None:
        """Print the line, whatever pytest captures."""
        free = self._captures.global_and_fixture_disabled() if self._captures else nullcontext()
        with free:
            self._terminal.write_line(f"feedbench: {line}")
            self._terminal.flush()


def _as_given_here(sentence: str) -> str:
    """Rename the options in an error of a stage of the run to those of pytest.

    Stages name them as the command line does. Errors of reading a value have PREFIX already.
    """
    names = "|".join(re.escape(option.name) for option in plugin_options())
    return re.sub(rf"--({names})\b", rf"{PREFIX}\1", sentence)


def _is_skipped(item: pytest.Item) -> bool:
    """Return whether a test is certain to be skipped. Conditions in strings are not evaluated."""
    conditions = [marker.args[:1] for marker in item.iter_markers("skipif")]
    return item.get_closest_marker("skip") is not None or (True,) in conditions


@contextmanager
def _importable_as_here() -> Iterator[None]:
    """Let the processes of trials import what tests can import, in the same order."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


_INTERRUPTED = NoResult("another test was interrupted in the run of this pipeline")


def _result(run: _Run, label: str) -> Blocks | NoResult:
    """Return the blocks of one of a run's pipelines, or why it has no valid result."""
    row = next((row for row in run.record.rows if row.label == label), None)
    if row is None:
        return NoResult(left_out_sentence(run.record.dropped).rstrip("."))
    if (why := _why_not(row)) is not None:
        return NoResult(why)
    rates = rates_by_block(of_whole_blocks(run.trials, run.record.blocks), "main")
    rounds = benchmark_json.seconds_per_image(
        [block.rate for block in rates.get(label, {}).values()]
    )
    if not rounds:
        trials = counted(row.attempts, "trial")
        disturbed = f"other work on this machine disturbed each of its {trials}"
        return NoResult(f"{label}: no trial counts; {disturbed}", Unjudged.BUSY)
    info = benchmark_json.extra_info(row, run.out)
    return Blocks(row, rounds, info, why_unjudged(run.record, row))


def _why_not(row: Row) -> str | None:
    """Return why there is no valid result, as a sentence; None if there is one."""
    if row.failures:
        return f"{row.label}: {row.failures[-1]}"
    if row.proof is not None and not is_equal(row.proof):
        return f"{row.label} does not do equal work: {row.proof.reason}"
    if not row.attempts:
        return f"{row.label} was not measured: the time was up first"
    return None
