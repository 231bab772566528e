"""The front door: its commands, each in a file of its own, and how errors are printed.

A command imports what it needs when it is called. So `--help` is fast.
"""

from __future__ import annotations

import re
import sys
import traceback
from contextlib import suppress
from typing import NoReturn

import typer

from feedbench.bench.cli.gates.compare import compare
from feedbench.bench.cli.gates.gate import gate
from feedbench.bench.cli.images.inspection import inspect
from feedbench.bench.cli.images.photos import photos
from feedbench.bench.cli.images.show import show
from feedbench.bench.cli.legible import encodable
from feedbench.bench.cli.pipelines import pipelines
from feedbench.bench.cli.prepared_files.prepare import prepare
from feedbench.bench.cli.prepared_files.prepared import prepared
from feedbench.bench.cli.report import report
from feedbench.bench.cli.run import run
from feedbench.bench.cli.scale import scale
from feedbench.bench.cli.selftest import selftest
from feedbench.bench.cli.support import end, flush
from feedbench.bench.cli.tensorboard import tensorboard
from feedbench.bench.cli.top import top
from feedbench.bench.cli.train import train
from feedbench.bench.cli.tune import tune
from feedbench.bench.cli.verify import verify
from feedbench.pipelines.errors import FeedbenchError, InterruptionError, RequestError
from feedbench.pipelines.system.signals import Interrupts

_EXTRA = re.compile(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", re.DOTALL)
_NO_MORE = r"expected no further argument; found \1"

app = typer.Typer(
    name="feedbench",
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


app.callback(invoke_without_command=True)(top)
app.command()(run)
app.command()(verify)
app.command()(train)
app.command()(tune)
app.command()(scale)
app.command()(show)
app.command()(report)
app.command()(gate)
app.command()(compare)
app.command()(inspect)
app.command()(pipelines)
app.command()(prepare)
app.command()(prepared)
app.command()(tensorboard)
app.command()(selftest)
app.command()(photos)


def main() -> NoReturn:
    """Run the command line. An error is a sentence and a hint, or with --debug a traceback."""
    interrupts = Interrupts()
    interrupts.install()
    encodable()
    try:
        code = _called(interrupts)
    except KeyboardInterrupt:  # it came at the very end
        code = InterruptionError.exit_code
    end(interrupts.exit_code if code == InterruptionError.exit_code else code)


def _called(interrupts: Interrupts) -> int:
    """Call the command, print its error if it has one, and return its exit code."""
    try:
        code = app(prog_name="feedbench", standalone_mode=False)
        flush()
    except BrokenPipeError:  # the reader has closed the pipe
        return _code(FeedbenchError.exit_code)
    except Exception as error:  # noqa: BLE001 - a traceback ends with 1, which is an answer
        if interrupts.came and not isinstance(error, FeedbenchError):
            error = InterruptionError("interrupted")  # such as an import that was cut short
        lines, code = _described(error)
        text = traceback.format_exc() if "--debug" in sys.argv else f"feedbench: {lines}\n"
        with suppress(OSError):
            print(text, end="", file=sys.stderr)
        return _code(code)
    return code if isinstance(code, int) else 0


def _described(error: Exception) -> tuple[str, int]:
    """Return an error as its sentence and its hint, two lines, and its exit code."""
    if isinstance(error, FeedbenchError):
        return str(error), error.exit_code
    if isinstance(error, OSError):  # such as a full disk
        name = f"{error.filename}: " if error.filename else ""
        return f"{name}{error.strerror or error}", FeedbenchError.exit_code
    # typer has a copy of click; only its usage errors have this method.
    usage = getattr(error, "format_message", None)
    if usage is not None:
        near = getattr(error, "possibilities", None)  # names of options
        meant = f"did you mean {near[0]}? See" if near else "see"
        sentence = getattr(error, "message", "") if near else _EXTRA.sub(_NO_MORE, usage())
        wrong = RequestError(sentence.rstrip("."), hint=f"{meant} {_command()} --help")
        return str(wrong), wrong.exit_code
    what = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(":")
    bug = FeedbenchError(f"this is a bug in Feedbench: {what}", hint="add --debug to see where")
    return str(bug), bug.exit_code


def _code(code: int) -> int:
    """Return the exit code of an error. For a gate, 1 means that a pipeline is slower."""
    is_gate = _command() in {"feedbench compare", "feedbench gate"}
    return RequestError.exit_code if is_gate and code == FeedbenchError.exit_code else code


def _command() -> str:
    commands = app.registered_commands
    names = {each.name or each.callback.__name__ for each in commands if each.callback}
    return " ".join(["feedbench", *(word for word in sys.argv[1:2] if word in names)])
