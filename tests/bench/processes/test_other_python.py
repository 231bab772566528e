"""Another environment's interpreter as further arms of the same blocks."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import msgspec
import pytest

from feedbench import pipelines
from feedbench.bench.machine import software
from feedbench.bench.machine.environment import describe
from feedbench.bench.processes.other_python import arms, environment_of, look
from feedbench.bench.records.conditions.environment import Other
from feedbench.bench.records.messages import SCHEMA
from feedbench.bench.records.run import PipelineRecord, RunRecord
from feedbench.bench.records.storage import read_run, read_trials
from feedbench.bench.verdicts.comparison import compare, within
from feedbench.bench.verdicts.two_runs import Run
from feedbench.pipelines import catalog
from feedbench.pipelines.errors import RequestError
from tests.support.builders import ENVIRONMENT, a_row, a_run, trials_of
from tests.support.programs.command import SMALL, Feedbench

OTHER = Other(python="/old/bin/python", name="old", environment=ENVIRONMENT, code="0" * 64)
CALM = [1000, 1004, 998, 1001, 1003, 999, 1002, 997]
# On a machine whose speed doubles and halves between blocks.
RESTLESS = [round(rate * (2 if place % 2 else 0.5)) for place, rate in enumerate(CALM)]


def a_python(folder: Path, text: str) -> Path:
    """A program that stands in for the Python of the environment `old`."""
    file = folder / "old" / "bin" / "python"
    file.parent.mkdir(parents=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def test_each_pipeline_is_followed_by_itself_in_the_other_environment() -> None:
    specs = catalog.parse_all(("tfdata_naive", "tfdata_tuned:cache=none"))
    specs_by_label = arms(specs, OTHER)
    assert list(specs_by_label) == [
        "tfdata_naive",
        "tfdata_naive @old",
        "tfdata_tuned:cache=none",
        "tfdata_tuned:cache=none @old",
    ]
    assert [spec.python for spec in specs_by_label.values()] == ["", OTHER.python] * 2
    assert {spec.text for spec in specs_by_label.values()} == {spec.text for spec in specs}
    assert list(arms(specs, None)) == [spec.label for spec in specs]


def test_this_environment_answers_what_it_is() -> None:
    other = look(sys.executable)
    assert other.environment == describe()
    assert other.code == software.code()
    assert other.python == sys.executable


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "echo 'no module named feedbench' >&2; exit 1",
            r"\(no module named feedbench\)\nhint: install",
        ),
        ("exit 0", r"\(it printed nothing\)\nhint: install this Feedbench there"),
        ('echo "{}"', "expected an environment with Feedbench; asking for its version failed"),
    ],
)
def test_an_environment_without_feedbench_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        look(str(a_python(tmp_path, text)))


def test_one_that_speaks_another_protocol_is_refused(tmp_path: Path) -> None:
    machine = msgspec.to_builtins(ENVIRONMENT)
    answer = json.dumps({"protocol": SCHEMA + 1, "environment": machine, "code": ""})
    sentence = f"of protocol {SCHEMA}; its Feedbench has protocol {SCHEMA + 1}"
    with pytest.raises(RequestError, match=sentence):
        look(str(a_python(tmp_path, f"cat <<'END'\n{answer}\nEND")))


def test_what_is_no_program_is_refused(feedbench: Feedbench, photos: Path) -> None:
    done = feedbench.run("run", photos, "--against", "no/such/python", "--out", "R")
    assert done.returncode == 2
    assert "--against no/such/python: there is no such program\nhint: " in done.stderr
    assert not (feedbench.folder / "R").exists()


def test_the_other_interpreter_is_not_led_to_the_packages_of_this_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/here")
    monkeypatch.setenv("KEPT", "yes")
    assert environment_of(sys.executable) is None
    variables = environment_of("/old/bin/python")
    assert variables is not None
    assert "PYTHONPATH" not in variables
    assert variables["KEPT"] == "yes"


def a_run_of_both() -> RunRecord:
    rows = [a_row("a"), a_row("a @old")]
    return a_run(
        *rows,
        pipelines=[PipelineRecord("a", "a", "a"), PipelineRecord("a @old", "a", "a-old", "a")],
        against=OTHER,
    )


def test_what_slows_a_block_slows_both_environments_and_cancels() -> None:
    rates = {"a @old": RESTLESS, "a": [round(0.9 * rate) for rate in RESTLESS]}
    comparison = within(Run("R", a_run_of_both(), trials_of(rates)), 0.05)
    assert (comparison.word, comparison.is_paired) == ("slower", True)
    (one,) = comparison.pipelines
    assert one.label == "a"
    assert one.ratio == pytest.approx(0.9, abs=0.002)
    assert one.ratio_high is not None
    assert one.ratio_high < 0.91
    # As two runs, the same figures tell nothing.
    runs = [Run("R", a_run(a_row("a")), trials_of({"a": rates[it]})) for it in ("a @old", "a")]
    assert compare(runs[0], runs[1], 0.05).word == "cannot tell"


def test_a_block_that_one_of_them_lacks_does_not_count() -> None:
    rates = {"a @old": CALM[:4], "a": CALM}
    (one,) = within(Run("R", a_run_of_both(), trials_of(rates)), 0.05).pipelines
    assert one.blocks == (4, 4)
    short = {"a @old": CALM[:3], "a": CALM}
    (one,) = within(Run("R", a_run_of_both(), trials_of(short)), 0.05).pipelines
    assert (one.word, one.why) == ("cannot tell", "it has 3 and 3 undisturbed blocks; both need 4")


def test_a_run_of_one_environment_has_nothing_to_be_compared_with() -> None:
    with pytest.raises(RequestError, match="R: expected two runs, or a run with two environments"):
        within(Run("R", a_run(a_row("a")), trials_of({"a": CALM})), 0.05)


@pytest.mark.tensorflow
@pytest.mark.end_to_end
def test_two_versions_are_compared_in_the_same_blocks(feedbench: Feedbench, photos: Path) -> None:
    (rooms,) = {Path(room).parent for room in pipelines.__path__}
    old = feedbench.folder / "before"
    shutil.copytree(rooms, old / "feedbench", ignore=shutil.ignore_patterns("__pycache__"))
    pipeline = old / "feedbench" / "pipelines" / "built_in" / "tfdata_naive.py"
    pipeline.write_text(pipeline.read_text() + NOTING)
    python = a_python(feedbench.folder, f'PYTHONPATH={old} exec {sys.executable} "$@"')
    words = ("-p", "tfdata_naive", "--blocks", "1", "--against", python, "--out", "R")
    done = feedbench.run("run", photos, *SMALL, *words)
    assert done.returncode == 0, done.stderr
    run, trials = read_run(feedbench.folder / "R"), read_trials(feedbench.folder / "R")
    assert [row.label for row in run.rows] == ["tfdata_naive", "tfdata_naive @old"]
    assert {t.label for t in trials if t.block == 1} == {"tfdata_naive", "tfdata_naive @old"}
    assert run.rows[1].proof is not None
    assert run.rows[1].proof.work == "same"
    assert all(row.rate is not None for row in run.rows)
    assert pipeline.with_name("opened").exists()  # it is the other one's code that was measured
    assert "Each pipeline is compared with itself in the environment old" in done.stdout
    assert "Compared with old" in (feedbench.folder / "R" / "report.html").read_text()
    compared = feedbench.run("compare", "R", "--format", "json")
    assert compared.returncode == 3  # one block tells nothing
    assert json.loads(compared.stdout)["is_paired"] is True
    assert feedbench.left_in_scratch() == []


NOTING = """
import pathlib

_open = TfdataNaive.open


def _noted(self, *given):
    pathlib.Path(__file__).with_name("opened").touch()
    return _open(self, *given)


TfdataNaive.open = _noted
"""
