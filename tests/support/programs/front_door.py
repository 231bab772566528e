"""The front door, called in the process of the tests: a process of its own takes 0.6 s."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from feedbench.bench.cli.app import app
from feedbench.bench.options.addition import Addition
from feedbench.bench.options.option import options_of
from feedbench.bench.options.run_options import RunOptions
from feedbench.pipelines import catalog
from feedbench.pipelines.system.signals import ENDING
from tests.support.builders import a_row, a_run, a_run_folder, trials_of

COMMAND = Path(sys.executable).with_name("feedbench")


@dataclass
class Called:
    """What came of a command that was called in this very process."""

    code: object
    out: str
    err: str


Call = Callable[..., Called]


@contextmanager
def handlers_kept() -> Iterator[None]:
    """Restore the handlers of signals, which the command sets."""
    before = {number: signal.getsignal(number) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def a_folder_of(name: str, factor: float = 1.0, blocks: int = 8, **given: Any) -> str:
    """A run folder in the current one, all of whose trials are at about 1,000 images/s."""
    rates = {
        label: [round(factor * (1000 + block)) for block in range(blocks)] for label in ("a", "b")
    }
    run = a_run(a_row("a"), a_row("b"), **given)
    a_run_folder(Path(name), run, trials_of(rates))
    return name


def refusal(words: list[str]) -> str | None:
    """Why the command would not take these words; nothing is run."""
    group = typer.main.get_group(app)
    try:
        command = group.commands[words[0]]
        parsed = command.make_context(words[0], list(words[1:])).params
        if words[0] == "run":
            given = {each.name: parsed[each.key] for each in options_of(RunOptions)}
            if parsed["resume"] is not None:
                Addition.of(given)
                return None
            RunOptions.of(given, Path("photos"))
            catalog.parse_all(tuple(text for text in parsed["pipeline"] or () if ".py" not in text))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - click's have no common class
        return f"{type(error).__name__}: {getattr(error, 'message', error)}"
    return None
