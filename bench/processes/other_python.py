"""Another environment's interpreter, whose pipelines are arms of the same blocks."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from feedbench.bench.records.conditions.environment import Environment, Other
from feedbench.bench.records.messages import SCHEMA
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import image_id

_SECONDS = 60.0  # for that to be answered
# They would lead the other interpreter back to this one's packages.
_LEADING_HERE = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


class _About(msgspec.Struct, frozen=True):
    """What another Feedbench answers; see bench/about.py."""

    protocol: int
    environment: Environment
    code: str


def look(python: str) -> Other:
    """Ask an interpreter what it is.

    Raises RequestError where there is none, or no Feedbench in it that could be a part of this run.
    """
    program = shutil.which(python)
    if program is None:
        raise RequestError(
            f"--against {python}: expected the Python of another environment, such as"
            " ~/old/bin/python; there is no such program"
        )
    path = os.path.abspath(program)  # noqa: PTH100 - a link is what makes it that environment's
    try:
        done = subprocess.run(
            [path, "-P", "-m", "feedbench.bench.about"],
            env=environment_of(path),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RequestError(f"--against {python}: it cannot be run: {error}") from error
    try:
        about = msgspec.json.decode(done.stdout, type=_About)
    except msgspec.MsgspecError:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise RequestError(
            f"--against {python}: there is no Feedbench in that environment that could be asked"
            f" ({words[-1] if words else 'it said nothing'}); install it there as well"
        ) from None
    if about.protocol != SCHEMA:
        raise RequestError(
            f"--against {python}: its Feedbench speaks protocol {about.protocol}, and this one"
            f" {SCHEMA}: install one there that speaks the same"
        )
    name = image_id(_name(path))
    return Other(python=path, name=name, environment=about.environment, code=about.code)


def arms(specs: Iterable[Spec], other: Other | None) -> dict[str, Spec]:
    """Return the pipelines by label: each of this environment, and that of the other behind it."""
    by_label = {}
    for spec in specs:
        by_label[spec.label] = spec
        if other is not None:
            there = dataclasses.replace(spec, label=beside(spec.label, other), python=other.python)
            by_label[there.label] = there
    return by_label


def beside(label: str, other: Other) -> str:
    """Return the label of a pipeline in the other environment."""
    return f"{label} @{other.name}"


def environment_of(python: str) -> dict[str, str] | None:
    """Return the variables that an interpreter is to be started with; None: those of this one."""
    if python == sys.executable:
        return None
    return {name: value for name, value in os.environ.items() if name not in _LEADING_HERE}


def _name(path: str) -> str:
    """Return ENV of ENV/bin/python, or else the file's own name."""
    file = Path(path)
    return file.parent.parent.name if file.parent.name == "bin" else file.name
