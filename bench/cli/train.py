"""The command `feedbench train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from feedbench.bench.cli import options
from feedbench.bench.cli.support import (
    images_folder,
    interruptible,
    print_json,
    read_or_not,
    written,
)
from feedbench.bench.options.commands.fit_options import FitOptions, options_of_training
from feedbench.bench.options.option import Given, value_of
from feedbench.bench.options.run_options import RunOptions
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.system.signals import Postponed

if TYPE_CHECKING:
    from feedbench.bench.records.trainings.training import TrainingRecord


@options.takes(options_of_training())
def train(
    *,
    folder: options.Folder = None,
    given: Given,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Train one model through each pipeline, and compare them.

    \b
    Examples:
      feedbench train ~/photos --model flowers_cnn
      feedbench train ~/photos --model mobilenet_v2 --image-size 96 --epochs 3
      feedbench train ~/pets -p py_dataset -p tfdata_tuned --model cats_dogs_cnn
      feedbench train ~/digits --model mnist_cnn --epochs 20 --repeats 3
      feedbench train ~/photos -p mine=loader.py:photos --model model.py:build
      feedbench train ~/photos --model saved.keras --epochs 2 --out more

    \b
    Each pipeline has a process of its own, and the same initial weights. Keras'
    fit trains. The folder of --out gets, as it goes:
      training.json  everything, with each epoch's loss and accuracy
      training.csv   one row for each epoch
      models/        the best model of each pipeline, as .keras
      tensorboard/   event files: tensorboard --logdir OUT/tensorboard
      report.html    at the end: the curves of all pipelines, and the answer

    \b
    Your own model: model.py has a function build(workload), or build(). It
    returns a Keras model, compiled or not. workload has class_names, shape,
    height, width, channels, label_mode and more.

    \b
    Exit codes:
      0    the model was trained through every pipeline
      1    a pipeline failed
      2    the request or the input is wrong, or the photos changed
      130  interrupted by Ctrl-C; the epochs so far are kept
      143  ended by SIGTERM; the epochs so far are kept
    """
    from feedbench.bench.processes.progress import listener

    out: Path = value_of(RunOptions, "out", given)
    asked = FitOptions.of(given)
    progress, shown = listener(quiet=quiet)
    with interruptible("interrupted before anything was trained; nothing was kept", out), shown:
        photos = images_folder(folder, given, progress.note)
        of_run = asked.of_run({**given, "out": str(out)}, photos)
        from feedbench.bench.training.training import train as perform

        record = perform(of_run, asked, progress)
    with Postponed() as interrupts:
        page = _written_page(out)
        with read_or_not():
            _show(record, out, page, as_json=as_json)
    if record.changed and not interrupts.came:
        raise typer.Exit(RequestError.exit_code)
    if interrupts.came or record.status == "interrupted":
        raise typer.Exit(interrupts.exit_code)
    raise typer.Exit(1 if any(each.status == "failed" for each in record.trainings) else 0)


def _show(record: TrainingRecord, out: Path, page: Path | None, *, as_json: bool) -> None:
    if as_json:
        print_json(record)
        return
    from rich.console import Console

    from feedbench.reports.terminal.training import show

    show(record, Console(highlight=False), out, page)


def _written_page(out: Path) -> Path | None:
    """Write the page and return it. If that fails, print why; the trainings themselves are safe."""

    def write() -> Path:
        from feedbench.reports import trainings

        return trainings.write(out)

    return written(out, write)
