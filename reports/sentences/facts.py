"""What was measured, on what machine, and how to repeat it. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from feedbench.bench.records.conditions.environment import Environment, Other
from feedbench.bench.records.run import RunRecord, WorkloadRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.text import counted, duration, listed, size
from feedbench.reports.text.figures import MISSING

_OUT = ("--out", "--feedbench-out")


def facts(run: RunRecord) -> list[tuple[str, str]]:
    """Return the workload, the machine and the software, each with its term."""
    work = run.workload
    images = f"{work.images:,} of {work.folder_images:,}" if work.is_part else f"{work.images:,}"
    network = f", as preprocess_input of {work.preprocess}" if work.preprocess else ""
    how = f"in batches of {work.batch_size}; labels {work.label_mode}; seed {work.seed}"
    why = run.stopped_because
    stopped = f"; ended because {why.clause(run.blocks)}" if why is not None else ""
    given = f" of {duration(run.time_seconds)} allowed" if run.time_seconds is not None else ""
    return [
        ("Started", moment(run.started_at)),
        (
            "Took",
            f"{duration(run.seconds)}{given}; {counted(run.blocks, 'completed block')}{stopped}",
        ),
        ("Photos", work.folder),
        (
            "Images measured",
            f"{images}{work.purpose}, in {counted(len(work.classes), 'class', 'classes')}",
        ),
        *([] if work.split is None else [("Split", work.split.sentence)]),
        ("Files ignored", f"{work.ignored_files:,}"),
        *(("Note", note) for note in work.notes),
        ("Classes", ", ".join(f"{name} ({count:,})" for name, count in work.classes.items())),
        ("Delivered", f"{form(work)}{network}, {how}"),
        *machine(run.environment),
        *(_interpreter(run, each) for each in run.interpreters),
    ]


def _interpreter(run: RunRecord, own: Other) -> tuple[str, str]:
    """Return the software of the pipelines that have this Python of their own, with its term."""
    labels = [each.label for each in run.pipelines if each.python == own.python]
    return f"Software of {listed(labels)}", f"{software(own.environment)}; {own.python}"


def machine(environment: Environment) -> list[tuple[str, str]]:
    """Return the machine and the software, each with its term."""
    cores = f"{environment.cores:g} of {counted(environment.cores_online, 'core')}"
    return [
        ("System", environment.system),
        ("Processor", f"{environment.processor}; {cores}"),
        ("Memory", size(environment.memory_bytes)),
        ("Software", software(environment)),
    ]


def software(environment: Environment) -> str:
    """Return the software with its versions, as one text."""
    versions = {"Python": environment.python} | environment.packages
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def command(run: RunRecord) -> str:
    """Return the command that made the run, with the program's name, without the run's folder.

    That folder would be refused: it is in use. "" if the program is neither Feedbench nor pytest:
    a page asks its reader to run nothing else.
    """
    return command_of(run.command or ["feedbench", "run"])


def command_of(words: Sequence[str]) -> str:
    """Return the command of these words as `command` does."""
    program, *words = words
    name = _name(Path(program))
    places = [place for place, word in enumerate(words) if word in _OUT]
    gone = {*places, *(place + 1 for place in places)}
    words = [
        word
        for place, word in enumerate(words)
        if place not in gone and word.partition("=")[0] not in _OUT
    ]
    return shlex.join([name, *words]) if name in {"feedbench", "pytest"} else ""


def _name(program: Path) -> str:
    """Return a program's name; some have a name in Python only, or an older one."""
    if program.name == "py.test" or program.parts[-2:] == ("pytest", "__main__.py"):
        return "pytest"
    return "feedbench" if program.name in {"-c", "__main__.py"} else program.name


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The facts of a failed trial, as text."""

    label: str
    when: str
    why: str
    end: str  # how its process ended
    last_words: str


def failure(trial: TrialRecord) -> Failure:
    """Return the facts of a failed trial."""
    end = MISSING
    if trial.signal is not None:
        end = f"signal {trial.signal}"
    elif trial.exit_code is not None:
        end = f"exit code {trial.exit_code}"
    return Failure(
        label=trial.label,
        when=f"block {trial.block}" if trial.block else trial.purpose,
        why=trial.why or MISSING,
        end=end,
        last_words=trial.last_words or MISSING,
    )


def form(work: WorkloadRecord) -> str:
    """Return the form of a delivered image: 224x224x3 float32 in [0, 1], fitted by crop.

    And how it is augmented, if so.
    """
    low, high = work.value_range
    values = f"in [{low:g}, {high:g}]"
    if work.normalization != "none":
        values = f"normalized as {work.normalization}"
    fit = "" if work.fit == "stretch" else f", fitted by {work.fit}"
    size = f"{work.height}x{work.width}"
    is_first = work.data_format == "channels_first"
    shape = f"{work.channels}x{size}" if is_first else f"{size}x{work.channels}"
    augmented = f", augmented ({work.augmentation.replace(',', ', ')})" if work.augmentation else ""
    return f"{shape} {work.dtype} {values}{fit}{augmented}"


def moment(text: str) -> str:
    """Return an ISO 8601 time in UTC as readable text."""
    try:
        return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return text
