"""What the interpreter of a single pipeline must be, and how Feedbench gets there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from feedbench.bench.machine import software
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.interpreters.interpreter import (
    described,
    lent,
    needed,
    refuse_own_python,
    variables_of,
)
from feedbench.bench.processes.progress import Quiet
from feedbench.bench.run.plan import make_plan
from feedbench.pipelines import catalog
from feedbench.pipelines.errors import RequestError
from tests.support.programs.thin_python import CORE, thin_python

THREADS = {"simplejpeg": "simplejpeg", "cv2": "opencv-python-headless"}


def a_program(folder: Path, text: str) -> Path:
    """A program that stands in for a Python."""
    file = folder / "env" / "bin" / "python"
    file.parent.mkdir(parents=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def an_answer(version: list[int], *missing: str) -> str:
    return f"echo '{json.dumps({'version': version, 'missing': missing})}'"


def refusal(python: object, name: str = "threads") -> str:
    with pytest.raises(RequestError) as caught:
        described([catalog.parse(f"mine={name}@{python}")])
    return str(caught.value)


def test_each_interpreter_is_asked_once_for_all_that_its_pipelines_need(tmp_path: Path) -> None:
    python = a_program(tmp_path, "")
    loader = tmp_path / "loader.py"
    loader.write_text("def photos(workload):\n    from keras.utils import Sequence\n")
    specs = ["tfdata_naive", f"threads@{python}", f"{loader}:photos@{python}"]
    (only,) = needed(map(catalog.parse, specs))
    assert (only.python, only.modules) == (str(python), {**THREADS, "keras": "keras"})


def test_what_does_not_exist_is_refused() -> None:
    assert refusal("no/such/python") == (
        "--pipeline threads@no/such/python: there is no program no/such/python"
        "\nhint: give the Python of another environment, such as ~/torch/bin/python"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [("exit 0", "it did not answer as one"), ("echo broken >&2; exit 1", "broken"), ("echo 3", "")],
)
def test_a_program_that_is_no_python_is_refused(tmp_path: Path, text: str, why: str) -> None:
    python = a_program(tmp_path, text)
    why = f"expected a Python interpreter; {python} does not run as one ({why}"
    assert why in refusal(python)


def test_a_python_that_is_too_old_is_refused(tmp_path: Path) -> None:
    python = a_program(tmp_path, an_answer([3, 9, 2], "msgspec"))
    assert f": expected Python 3.11 or newer; {python} is 3.9.2\nhint: " in refusal(python)


def test_what_is_missing_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    python = a_program(tmp_path, an_answer([3, 12, 1], "msgspec", "PIL", "cv2"))
    assert refusal(python) == (
        f"--pipeline threads@{python}: {python} does not have msgspec, pillow and"
        f" opencv-python-headless\nhint: {python} -m pip install msgspec pillow"
        " opencv-python-headless"
    )


def test_a_python_without_pip_gets_a_command_that_does_without(tmp_path: Path) -> None:
    hint = refusal(thin_python(tmp_path / "env"), "loader.py:photos").partition("hint: ")[2]
    words = hint.split()
    assert "pip" in words
    assert words[words.index("--python") + 1] == f"{tmp_path}/env/bin/python"
    assert words[-5:] == ["msgspec", "numpy", "psutil", "scipy", "pillow"]


def test_a_python_without_feedbench_describes_itself_by_the_one_that_is_lent(
    tmp_path: Path,
) -> None:
    python = thin_python(tmp_path / "env", *CORE)
    assert python.resolve() == Path(sys.executable).resolve()
    (own,) = described([catalog.parse(f"mine=loader.py:photos@{python}")])
    assert (own.name, own.code) == ("env", software.code())
    assert own.environment.packages.keys() == {"numpy", "pillow", "scipy"}


def test_the_folder_that_is_lent_holds_what_a_trial_imports_and_nothing_else(
    tmp_path: Path,
) -> None:
    python = thin_python(tmp_path / "env", *CORE)
    path = lent(tmp_path / "lent")
    assert [file.name for file in path.iterdir()] == ["feedbench"]
    code = "import feedbench.bench.forkserver.tasks as it; print(it.__file__)"
    done = subprocess.run(
        [python, "-P", "-c", code],
        env=variables_of(str(python), path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(str(path))


def test_a_pipeline_with_its_own_python_runs_in_no_second_environment_as_well(
    tmp_path: Path, photos: Path
) -> None:
    python = a_program(tmp_path, "")
    options = RunOptions.of({"pipeline": [f"threads@{python}"], "against": sys.executable}, photos)
    with pytest.raises(RequestError, match=r"with --against, each runs in both.*\nhint: leave out"):
        make_plan(options, Quiet())


def test_the_hint_names_the_pipeline_without_its_python(tmp_path: Path) -> None:
    spec = catalog.parse(f"a@b/c.py:photos@{tmp_path}")
    with pytest.raises(RequestError, match=r"hint: leave out the Python: -p a@b/c.py:photos$"):
        refuse_own_python([spec], "no")
