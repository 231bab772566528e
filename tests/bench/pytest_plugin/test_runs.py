"""What becomes of a run that pytest has made; the run itself is a planted one."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer

from feedbench.bench.cli.app import app
from feedbench.bench.options.demand_options import DEMAND_FIELDS
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.pytest_plugin.hooks import pytest_addoption
from feedbench.bench.pytest_plugin.runs import Blocks, NoResult, Runs
from feedbench.bench.pytest_plugin.wanted import WANTED, Wanted
from feedbench.bench.records.run import PipelineRecord, RunRecord, Stopped
from feedbench.reports.html import page
from tests.bench.processes.test_other_python import OTHER
from tests.support.builders import a_row, a_run, a_run_folder, trials_of

RUN = a_run(a_row("a", attempts=3), a_row("b", 2000.0, attempts=3), blocks=3)
RATES = {"a": [1000, 1250, 800], "b": [2000, 2000, 2000]}
SOMEWHERE = Path("/somewhere")


def given(*words: str) -> dict[str, Any]:
    """The plugin's options as pytest reads them, by their names."""
    parser = pytest.Parser(_ispytest=True)
    pytest_addoption(parser)
    options = vars(parser.parse(list(words)))
    return {
        f"--{name.replace('_', '-')}": value
        for name, value in options.items()
        if name.startswith("feedbench_")
    }


class Planted:
    """A session of two tests whose run is there already."""

    def __init__(self, folders: pytest.TempPathFactory, run: RunRecord = RUN) -> None:
        self.lines: list[str] = []
        self.asked: list[RunOptions] = []
        self.run = run
        self.wanted = [Wanted(label, label, SOMEWHERE) for label in ("a", "b")]
        self._folders = folders

    def perform(self, options: RunOptions, listener: object) -> RunRecord:
        self.asked.append(options)
        rates = RATES | {"a @old": RATES["b"]}
        trials = trials_of({row.label: rates[row.label] for row in self.run.rows})
        a_run_folder(options.out, self.run, trials)
        return self.run

    def runs(self, *words: str) -> Runs:
        options = given(*words)
        terminal = SimpleNamespace(write_line=self.lines.append, flush=lambda: None)
        plugins = {"terminalreporter": terminal}
        config = SimpleNamespace(
            pluginmanager=SimpleNamespace(get_plugin=plugins.get),
            getoption=options.__getitem__,
            get_verbosity=lambda: 0,
        )
        items = [
            SimpleNamespace(
                stash={WANTED: wanted},
                iter_markers=lambda name: [],
                get_closest_marker=lambda name: None,
            )
            for wanted in self.wanted
        ]
        session = SimpleNamespace(config=config, items=items)
        return Runs(cast("pytest.Session", session), self._folders, self.perform)


@pytest.fixture
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return Planted(tmp_path_factory)


def breaking(error: BaseException) -> Callable[..., Path]:
    def write(*words: object) -> Path:
        raise error

    return write


def test_a_run_leaves_what_one_of_the_command_line_leaves_and_it_is_said_where(
    planted: Planted, tmp_path: Path
) -> None:
    runs = planted.runs(f"--feedbench-out={tmp_path / 'R'}")
    for wanted in planted.wanted:
        assert isinstance(runs.measured(wanted), Blocks)
    assert len(planted.asked) == 1
    (line,) = planted.lines
    assert line.startswith("feedbench: measuring a, b over /somewhere; ")
    assert line.endswith(f"; the run is in {tmp_path}/R, and its page is {tmp_path}/R/report.html")
    assert (tmp_path / "R" / page.NAME).read_text() == page.read(tmp_path / "R")
    saved = json.loads((tmp_path / "R" / "benchmark.json").read_text())["benchmarks"]
    assert [each["name"] for each in saved] == ["a", "b"]


def test_nothing_of_the_reports_is_imported_before_a_run_is_done() -> None:
    look = (
        "import feedbench.bench.pytest_plugin.runs, sys;"
        " print(*{'feedbench.reports', 'matplotlib', 'pandas', 'tensorflow'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_a_page_that_cannot_be_rendered_costs_no_test_its_figures(
    planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "write", breaking(ValueError("out of\nink")))
    blocks = planted.runs(f"--feedbench-out={tmp_path / 'R'}").measured(planted.wanted[0])
    assert isinstance(blocks, Blocks)
    assert blocks.seconds_per_image == pytest.approx([0.001, 0.0008, 0.00125])
    _, line = planted.lines
    assert line.startswith("feedbench: cannot write the report: out of ink; ")
    assert line.endswith(
        f"; the run is safe in {tmp_path}/R\nhint: feedbench report {tmp_path}/R writes the report"
    )


def test_a_page_is_written_where_warnings_are_errors(
    planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = page.write

    def warning(folder: Path, to: Path) -> Path:
        warnings.warn("a library's own", DeprecationWarning, stacklevel=1)
        return writes(folder, to)

    monkeypatch.setattr(page, "write", warning)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        planted.runs(f"--feedbench-out={tmp_path / 'R'}").measured(planted.wanted[0])
    assert len(planted.lines) == 1
    assert (tmp_path / "R" / page.NAME).exists()


def test_what_there_is_of_an_interrupted_run_is_shown_before_ctrl_c_goes_on(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    run = a_run(*RUN.rows, blocks=2, status="interrupted", stopped_because=Stopped.INTERRUPTED)
    planted = Planted(tmp_path_factory, run)
    with pytest.raises(KeyboardInterrupt):
        planted.runs(f"--feedbench-out={tmp_path / 'R'}").measured(planted.wanted[0])
    assert "it was interrupted" in (tmp_path / "R" / page.NAME).read_text()
    saved = json.loads((tmp_path / "R" / "benchmark.json").read_text())["benchmarks"]
    assert [each["stats"]["rounds"] for each in saved] == [2, 2]


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1), pytest.fail.Exception("late")])
def test_nothing_takes_the_place_of_ctrl_c(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    planted = Planted(tmp_path_factory, a_run(*RUN.rows, status="interrupted"))
    monkeypatch.setattr(page, "write", breaking(error))
    with pytest.raises(KeyboardInterrupt):
        planted.runs().measured(planted.wanted[0])


def test_beside_another_environment_a_test_has_the_row_of_this_one(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    pipelines = [PipelineRecord("a", "a", "a"), PipelineRecord("a @old", "a", "a-old", "a")]
    rows = [a_row("a @old", 2000.0, attempts=3), a_row("a", attempts=3)]
    run = a_run(*rows, blocks=3, pipelines=pipelines, against=OTHER)
    planted = Planted(tmp_path_factory, run)
    words = ("--feedbench-against=/old/bin/python", f"--feedbench-out={tmp_path / 'R'}")
    blocks = planted.runs(*words).measured(planted.wanted[0])
    assert planted.asked[0].against == "/old/bin/python"
    assert isinstance(blocks, Blocks)
    assert (blocks.row.label, blocks.row.rate) == ("a", 1000.0)
    assert blocks.seconds_per_image == pytest.approx([0.001, 0.0008, 0.00125])
    assert "Compared with old" in (tmp_path / "R" / page.NAME).read_text()
    saved = json.loads((tmp_path / "R" / "benchmark.json").read_text())["benchmarks"]
    assert {each["name"] for each in saved} == {"a", "a @old"}


def test_what_is_asked_for_reaches_the_run(planted: Planted) -> None:
    words = ("part=validation", "check=header", "max-pixels=1000", "fresh-interpreter", "trace")
    planted.runs(*(f"--feedbench-{word}" for word in words)).measured(planted.wanted[0])
    (asked,) = planted.asked
    assert asked.layout.part == "validation"
    assert (asked.checks.how, asked.checks.most_pixels) == ("header", 1000)
    assert asked.fresh_interpreter
    assert asked.trace
    assert asked.against is None


@pytest.mark.parametrize(("words", "spare"), [(("--feedbench-blocks=8",), 8), ((), 0)])
def test_a_run_of_so_many_blocks_may_measure_as_many_more_while_it_is_disturbed(
    planted: Planted, words: tuple[str, ...], spare: int
) -> None:
    planted.runs(*words).measured(planted.wanted[0])
    assert planted.asked[0].spare_blocks == spare


def test_records_are_measured_for_tests_that_name_no_folder(planted: Planted) -> None:
    planted.wanted[0].folder = None
    runs = planted.runs("--feedbench-records=shards/*.tfrecord", "--feedbench-label-key=label")
    for wanted in planted.wanted:
        runs.measured(wanted)
    assert [(each.records, each.label_key, each.specs) for each in planted.asked] == [
        ("shards/*.tfrecord", "label", ("a",)),
        (None, None, ("b",)),
    ]
    assert "feedbench: measuring a over shards/*.tfrecord; " in planted.lines[0]
    assert "feedbench: measuring b over /somewhere; " in planted.lines[1]


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("max-pixels=many", "--feedbench-max-pixels 'many': expected a whole number"),
        ("check=twice", "--feedbench-check 'twice': expected none, header or decode"),
    ],
)
def test_what_is_wrong_is_named_as_it_is_called_here(
    planted: Planted, option: str, sentence: str
) -> None:
    result = planted.runs(f"--feedbench-{option}").measured(planted.wanted[0])
    assert result == NoResult(sentence)


def test_the_options_are_those_of_the_command_with_its_defaults() -> None:
    command = typer.main.get_command(app)
    assert isinstance(command, typer.core.TyperGroup)
    theirs = {
        parameter.opts[0].removeprefix("--"): parameter.default
        for parameter in command.commands["run"].params
    }
    ours = {name.removeprefix("--feedbench-"): default for name, default in given().items()}
    # A test's folder is its marker's, or --feedbench-data; the rest is pytest's own business.
    of_the_command = {"folder", "pipeline", "resume", "trust", "quiet", "json"}
    of_the_command |= {name.replace("_", "-") for name in DEMAND_FIELDS}
    assert theirs.keys() - of_the_command == ours.keys() - {"data", "strict"}
    # Of a suite nobody waits for the reasons unless they ask.
    assert (theirs.pop("trace"), ours.pop("trace")) == (True, False)
    for name in theirs.keys() & ours.keys():
        assert (name, str(ours[name])) == (name, str(theirs[name]))  # a number is text here
