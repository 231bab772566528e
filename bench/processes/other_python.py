"""Another environment's interpreter, whose pipelines run in the same blocks."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from feedbench.bench.files import DAMAGED
from feedbench.bench.processes.command import command_of
from feedbench.bench.records.conditions.environment import Environment, Other
from feedbench.bench.records.messages import SCHEMA
from feedbench.pipelines import catalog
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import image_id

_SECONDS = 60.0  # for the other interpreter to answer
# With these variables, the other interpreter would import this environment's packages.
_LEADING_HERE = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


class About(msgspec.Struct, frozen=True):
    """The answer of another Feedbench; see bench/about.py."""

    protocol: int
    environment: Environment
    code: str


def look(python: str) -> Other:
    """Return what an interpreter reports about itself and its Feedbench.

    Raises RequestError if there is no such interpreter, or if its Feedbench is missing or speaks
    another protocol.
    """
    program = shutil.which(python)
    if program is None:
        raise RequestError(
            f"--against {python}: there is no such program",
            hint="give the Python of another environment, such as ~/old/bin/python",
        )
    path = os.path.abspath(program)  # noqa: PTH100 - a link is what makes it that environment's
    about = asked(f"--against {python}", path, environment_of(path))
    if about.protocol != SCHEMA:
        raise RequestError(
            f"--against {python}: expected a Feedbench of protocol {SCHEMA}; its Feedbench has"
            f" protocol {about.protocol}",
            hint="install this version of Feedbench there",
        )
    return Other(python=path, name=name_of(path), environment=about.environment, code=about.code)


def asked(
    what: str,
    python: str,
    variables: Mapping[str, str] | None,
    hint: str = "install this Feedbench there as well",
) -> About:
    """Return the answer of an interpreter's Feedbench about itself; `what` names the option.

    Raises RequestError with the hint if there is none.
    """
    try:
        done = subprocess.run(
            command_of("feedbench.bench.about", python=python),
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RequestError(f"{what}: cannot run it: {error}") from error
    try:
        return msgspec.json.decode(done.stdout, type=About)
    except DAMAGED:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise RequestError(
            f"{what}: expected an environment with Feedbench;"
            f" asking for its version failed ({words[-1] if words else 'it printed nothing'})",
            hint=hint,
        ) from None


def arms(
    specs: Iterable[Spec], other: Other | None, *, unaugmented: bool = False
) -> dict[str, Spec]:
    """Return the pipelines by label; each is followed by its copies.

    One is in the other environment. With `unaugmented`, one delivers images as they are; a pipeline
    that does so anyway has no such copy.
    """
    by_label = {}
    for spec in specs:
        by_label[spec.label] = spec
        if other is not None:
            label = other_label(spec.label, other)
            by_label[label] = dataclasses.replace(spec, label=label, python=other.python)
        if unaugmented and catalog.augments(spec):
            label = _unaugmented_label(spec.label)
            by_label[label] = dataclasses.replace(spec, label=label, is_unaugmented=True)
    return by_label


def unaugmented_of(specs: Mapping[str, Spec]) -> dict[str, Spec]:
    """Return the copies that do not augment, by the labels of the pipelines that they are of."""
    copies = {label: specs.get(_unaugmented_label(label)) for label in specs}
    return {label: copy for label, copy in copies.items() if copy and copy.is_unaugmented}


def _unaugmented_label(label: str) -> str:
    return f"{label} (not augmented)"


def other_label(label: str, other: Other) -> str:
    """Return the label of a pipeline in the other environment."""
    return f"{label} @{other.name}"


def environment_of(python: str) -> dict[str, str] | None:
    """Return the environment variables for an interpreter; None for those of this process."""
    if python == sys.executable:
        return None
    return {name: value for name, value in os.environ.items() if name not in _LEADING_HERE}


def name_of(path: str) -> str:
    """Return ENV for ENV/bin/python, or else the file's name."""
    file = Path(path)
    return image_id(file.parent.parent.name if file.parent.name == "bin" else file.name)
