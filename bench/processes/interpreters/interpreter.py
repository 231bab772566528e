"""The interpreter of one pipeline, SPEC@PYTHON, which needs no Feedbench and no TensorFlow.

This Feedbench is lent to it: a folder with links to its code alone is put on that Python's path.
The packages that the process of a trial imports must be there; Feedbench installs nothing.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import msgspec

from feedbench.bench.processes.other_python import asked, environment_of, name_of
from feedbench.bench.records.conditions.environment import Other
from feedbench.bench.text import listed
from feedbench.pipelines import catalog
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.errors import RequestError

CORE = {name: name for name in ("msgspec", "numpy", "psutil", "scipy")} | {"PIL": "pillow"}
"""The modules that the process of a trial and the proof of equal work import.

Each has the distribution that it is in.
"""

_LEAST = (3, 11)  # requires-python of Feedbench
_SECONDS = 60.0  # for an interpreter to answer
# It may run in a Python of any age, and not in Feedbench's folder.
_QUESTION = """
import sys
sys.path[:] = [path for path in sys.path if path]
import json
missing = []
if sys.version_info >= (3, 4):
    from importlib.util import find_spec
    for name in sys.argv[1:]:
        try:
            is_there = find_spec(name) is not None
        except (ImportError, ValueError):
            is_there = False
        if not is_there:
            missing.append(name)
print(json.dumps({"version": list(sys.version_info[:3]), "missing": missing}))
"""


class _Answer(msgspec.Struct, frozen=True):
    """What an interpreter is, and which of the modules it does not have."""

    version: tuple[int, int, int]
    missing: list[str]


class Needed(NamedTuple):
    """An interpreter, one of its pipelines, and the modules that all of its pipelines need.

    Each module has the distribution that it is in.
    """

    python: str
    spec: Spec
    modules: dict[str, str]


def needed(specs: Iterable[Spec]) -> list[Needed]:
    """Return the interpreters of pipelines that have one of their own, each once."""
    by_python: dict[str, list[Spec]] = {}
    for spec in specs:
        if spec.python:
            by_python.setdefault(spec.python, []).append(spec)
    return [
        Needed(python, every[0], dict(item for it in every for item in catalog.needs(it).items()))
        for python, every in by_python.items()
    ]


def described(specs: Iterable[Spec]) -> tuple[Other, ...]:
    """Return what each interpreter of a single pipeline reports about itself.

    Raises RequestError if one does not exist, is no Python, is too old, or lacks a package.
    """
    all_needed = needed(specs)
    if not all_needed:
        return ()
    with tempfile.TemporaryDirectory(prefix="feedbench-") as folder:
        path = lent(Path(folder))
        return tuple(_described(each, path) for each in all_needed)


def _described(of: Needed, path: Path) -> Other:
    what = f"--pipeline {of.spec.text}"
    _refuse(what, of)
    newer = shlex.join([of.python, "-m", "pip", "install", "--upgrade", *CORE.values()])
    about = asked(what, of.python, variables_of(of.python, path), hint=newer)
    return Other(
        python=of.python, name=name_of(of.python), environment=about.environment, code=about.code
    )


def _refuse(what: str, of: Needed) -> None:
    """Raise RequestError if an interpreter cannot perform the trials of its pipelines."""
    modules = CORE | of.modules
    answer = _answer(what, of.python, [*modules, "pip"])
    version = ".".join(map(str, answer.version))
    if answer.version < _LEAST:
        raise RequestError(
            f"{what}: expected Python {_LEAST[0]}.{_LEAST[1]} or newer; {of.python} is {version}",
            hint="make an environment of a newer Python",
        )
    missing = [modules[name] for name in answer.missing if name != "pip"]
    if missing:
        raise RequestError(
            f"{what}: {of.python} does not have {listed(missing)}",
            hint=_installing(of.python, missing, has_pip="pip" not in answer.missing),
        )


def _answer(what: str, python: str, modules: Iterable[str]) -> _Answer:
    if not os.path.isfile(python) or not os.access(python, os.X_OK):  # noqa: PTH113
        raise RequestError(
            f"{what}: there is no program {python}",
            hint="give the Python of another environment, such as ~/torch/bin/python",
        )
    try:
        done = subprocess.run(
            [python, "-c", _QUESTION, *modules],
            env=environment_of(python),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
        lines = done.stdout.splitlines()  # a start-up file there may print as well
        return msgspec.json.decode(lines[-1] if lines else b"", type=_Answer)
    except subprocess.TimeoutExpired:
        why = f"it did not answer in {_SECONDS:.0f} s"
    except OSError as error:
        why = str(error.strerror)
    except msgspec.MsgspecError:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        why = words[-1] if words else "it did not answer as one"
    raise RequestError(
        f"{what}: expected a Python interpreter; {python} does not run as one ({why})",
        hint="give the Python of another environment, such as ~/torch/bin/python",
    )


def _installing(python: str, projects: list[str], *, has_pip: bool) -> str:
    """Return the command that installs packages for an interpreter; it may have no pip."""
    words = [python, "-m", "pip", "install", *projects]
    if not has_pip and find_spec("pip") is not None:
        words = [sys.executable, "-m", "pip", "--python", python, "install", *projects]
    elif not has_pip:
        words = ["uv", "pip", "install", "--python", python, *projects]
    return shlex.join(words)


def lent(folder: Path) -> Path:
    """Make a folder for the path of another Python, with this Feedbench alone, and return it."""
    package = folder / "feedbench"
    package.mkdir(parents=True)
    # An editable installation has the three in different places.
    init, bench, pipelines = (
        Path(str(sys.modules[name].__file__))
        for name in ("feedbench", "feedbench.bench", "feedbench.pipelines")
    )
    (package / "__init__.py").symlink_to(init)
    (package / "bench").symlink_to(bench.parent, target_is_directory=True)
    (package / "pipelines").symlink_to(pipelines.parent, target_is_directory=True)
    return folder


def variables_of(python: str, path: Path) -> dict[str, str]:
    """Return the environment variables for an interpreter that is lent the Feedbench at `path`."""
    variables = environment_of(python)
    variables = dict(os.environ) if variables is None else variables
    places = [str(path), *filter(None, [variables.get("PYTHONPATH")])]
    return variables | {"PYTHONPATH": os.pathsep.join(places)}


def refuse_own_python(specs: Iterable[Spec], why: str) -> None:
    """Raise RequestError if a pipeline has a Python of its own; `why` is a clause on a command."""
    for spec in specs:
        if spec.python:
            head = spec.text.rpartition("@")[0]
            raise RequestError(
                f"--pipeline {spec.text}: expected a pipeline of this Python; {why}",
                hint=f"leave out the Python: -p {head}",
            )
