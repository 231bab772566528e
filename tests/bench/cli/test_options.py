"""A new option is one field: it is then on the command line, in pytest and in a run's record."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from feedbench.bench.cli import options
from feedbench.bench.cli.app import app
from feedbench.bench.options.demand_options import DEMAND_FIELDS
from feedbench.bench.options.option import Given, option, options_of
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.options.values import one_of
from feedbench.bench.pytest_plugin.wanted import add_options, given_to, plugin_options
from tests.support.programs.front_door import Call

FOLDER = Path("photos")


@dataclass(frozen=True, kw_only=True)
class Tinted(RunOptions):
    """The options of a run, and another one."""

    red_tint: int = option(
        "none",
        read=one_of({"none": 0, "light": 10, "full": 100}),
        metavar="none|light|full",
        help="How red the images are: 100% is full.",
    )


def command_line(*words: str) -> tuple[str, Tinted | None]:
    """What is printed by a command that takes these options, and what it was asked for."""
    asked: list[Tinted] = []

    @options.takes(options_of(Tinted))
    def command(*, given: Given) -> None:
        asked.append(Tinted.of(given, FOLDER))

    tinted = typer.Typer()
    tinted.command()(command)
    done = CliRunner().invoke(tinted, words, env={"COLUMNS": "100", "NO_COLOR": "1"})
    assert done.exit_code == 0, done.output
    return done.output, asked[0] if asked else None


def in_pytest(*words: str) -> tuple[str, Tinted]:
    """What pytest's help says of these options, and what a run is asked for there."""
    parser = pytest.Parser(_ispytest=True)
    group = parser.getgroup("feedbench")
    add_options(group, plugin_options(Tinted))
    given = vars(parser.parse(list(words)))
    config = SimpleNamespace(getoption=lambda name: given[name.lstrip("-").replace("-", "_")])
    typed = given_to(cast("pytest.Config", config), plugin_options(Tinted), None)
    text = "\n".join(str(each.attrs()) for each in group.options)
    return text, Tinted.of(typed, FOLDER, prefix="--feedbench-")


def test_a_new_field_is_an_option_of_the_command_line() -> None:
    shown, _ = command_line("--help")
    assert "--red-tint" in shown
    assert re.search(r"How red\s.*default: none", shown, re.DOTALL)
    for words, tint in (((), 0), (("--red-tint", "light"), 10)):
        _, asked = command_line(*words)
        assert asked is not None
        assert asked.red_tint == tint


def test_a_new_field_is_an_option_of_pytest() -> None:
    shown, asked = in_pytest("--feedbench-red-tint=full")
    assert "How red the images are: 100%% is full. (default: none)" in shown
    assert asked.red_tint == 100
    assert in_pytest()[1].red_tint == 0


def test_a_new_field_is_in_what_is_written_down_of_a_run() -> None:
    record = msgspec.to_builtins(Tinted.of({"red-tint": "light"}, FOLDER), enc_hook=str)
    assert record["red_tint"] == 10
    assert msgspec.convert(record, Tinted, dec_hook=lambda _, text: Path(text)).red_tint == 10


def test_the_commands_take_the_options_of_a_run() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    names = {option.key for option in options_of(RunOptions)}
    taken = {
        command: {parameter.name for parameter in group.commands[command].params} & names
        for command in ("run", "verify", "inspect", "prepared")
    }
    assert taken["run"] == names
    of_times = {"quick", "time", "blocks", "until_told", "margin"}
    of_times |= {"page_cache", "trace", "against", "augment_cost", *DEMAND_FIELDS}
    assert taken["verify"] == names - of_times
    for command in ("inspect", "prepared"):
        taken[command] -= {"debug"}  # each command has that, for its own errors
    assert taken["inspect"] == {
        "records",
        "image_key",
        "label_key",
        "prepared",
        "labels",
        "label_column",
        "classes",
        "part",
        "classes_from",
        "follow_links",
        "check",
        "max_pixels",
        "image_size",
        "channels",
    }
    assert taken["prepared"] == {"prepared"}


@pytest.mark.parametrize(("option", "text"), [("--blocks", "+4"), ("--time", "+5m")])
def test_a_plus_is_refused_without_a_run_to_add_to(option: str, text: str, call: Call) -> None:
    refused = call("run", "photos", option, text)
    assert refused.code == 2
    assert f"{option} {text}: there is no run to add to" in refused.err
    assert f"leave out the plus: {option} {text[1:]}" in refused.err
