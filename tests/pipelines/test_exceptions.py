"""What a person reads of an exception in a user's code. The texts of TensorFlow are its own."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from feedbench.pipelines.exceptions import raised
from feedbench.pipelines.loader_file import load_function

NODE = (
    "{{function_node __wrapped__IteratorGetNext_output_types_1_device_/job:localhost/replica:0/"
    "task:0/device:CPU:0}} "
)
FROM_GENERATOR = (
    NODE
    + """ValueError: bad photo
second line
Traceback (most recent call last):

  File "/lib/python3.11/site-packages/tensorflow/python/ops/script_ops.py", line 269, in __call__
    ret = func(*args)
          ^^^^^^^^^^^

  File "LOADER", line 10, in gen
    yield check(i)
          ^^^^^^^^

  File "LOADER", line 5, in check
    raise ValueError("bad photo\\nsecond line")

ValueError: bad photo
second line


\t [[{{node PyFunc}}]] [Op:IteratorGetNext] name: """
)
PY_FUNCTION = FROM_GENERATOR.replace(
    NODE,
    NODE + "Error in user-defined function passed to MapDataset:4 transformation with iterator:"
    " Iterator::Root::Prefetch::Map: ",
)
AUTOGRAPH = """in user code:

    File "LOADER", line 5, in decode  *
        return tf.image.resize(x, 3)

    ValueError: 'images' must have either 3 or 4 dimensions.
"""
PYTORCH = """Caught KeyError in DataLoader worker process 0.
Original Traceback (most recent call last):
  File "/lib/python3.11/site-packages/torch/utils/data/_utils/worker.py", line 349, in _worker_loop
    data = fetcher.fetch(index)
  File "LOADER", line 5, in __getitem__
    return self.labels[place]
KeyError: 'cats'
"""
NO_FRAME = (
    NODE + "Error in user-defined function passed to MapDataset:13 transformation with iterator:"
    " Iterator::Root::ParallelMapV2: Unknown image file format.\n\t [[{{node DecodeJpeg}}]]"
    " [Op:IteratorGetNext] name: "
)


class InvalidArgumentError(Exception):
    """As TensorFlow calls its own."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FROM_GENERATOR, "ValueError: bad photo second line (loader.py, line 5)"),
        (PY_FUNCTION, "ValueError: bad photo second line (loader.py, line 5)"),
        (AUTOGRAPH, "ValueError: 'images' must have either 3 or 4 dimensions. (loader.py, line 5)"),
        (PYTORCH, "KeyError: 'cats' (loader.py, line 5)"),
        (NO_FRAME, "InvalidArgumentError: Unknown image file format."),
    ],
)
def test_a_traceback_in_a_message_gives_the_exception_and_the_line_of_the_loader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "loader.py"
    error = InvalidArgumentError(text.replace("LOADER", str(file)))
    assert str(raised(error, file)) == expected


Fail = Callable[..., str]


@pytest.fixture
def fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fail:
    """Calls `photos` in a file of the current folder, and returns what is read of its error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())

    def failed(source: str, file: str = "its_loader.py", **neighbours: str) -> str:
        for name, text in neighbours.items():
            monkeypatch.delitem(sys.modules, name, raising=False)
            (tmp_path / f"{name}.py").write_text(text)
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        try:
            load_function(Path(file), "photos").function(None)  # type: ignore[arg-type]
        except Exception as error:  # noqa: BLE001
            return str(raised(error, Path(file)))
        raise AssertionError("nothing was raised")

    return failed


def test_an_error_in_a_library_is_at_the_line_that_called_it(fail: Fail) -> None:
    source = "import json\n\ndef photos(workload):\n    return json.loads('[')\n"
    assert fail(source).startswith("JSONDecodeError: Expecting value")
    assert fail(source).endswith(" (its_loader.py, line 4)")


def test_the_innermost_line_in_the_loaders_folder_is_named(fail: Fail) -> None:
    source = "import its_labels\n\ndef photos(workload):\n    return its_labels.find('a')\n"
    labels = "def find(name):\n\n    return {}[name]\n"
    assert fail(source, its_labels=labels) == "KeyError: 'a' (its_labels.py, line 3)"


def test_packages_installed_below_the_loaders_folder_are_not_its_own(
    fail: Fail, tmp_path: Path
) -> None:
    packages = tmp_path / ".venv" / "lib" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "its_package.py").write_text("def find(name):\n    return {}[name]\n")
    source = f"""import sys
sys.path.append({str(packages)!r})
import its_package

def photos(workload):
    return its_package.find("a")
"""
    assert fail(source) == "KeyError: 'a' (its_loader.py, line 6)"


def test_the_folder_of_an_installed_loader_is_its_own(fail: Fail) -> None:
    source = "import json\n\ndef photos(workload):\n    return json.loads('[')\n"
    file = ".venv/site-packages/its_package_1/loader.py"
    assert fail(source, file).endswith(f" ({file}, line 4)")


def test_without_a_line_of_the_loaders_folder_the_users_innermost_line_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = compile("import json\njson.loads('[')\n", str(tmp_path / "other.py"), "exec")
    with pytest.raises(json.JSONDecodeError) as caught:
        exec(code)
    error = caught.value.with_traceback(caught.tb.tb_next)  # without this test's own line
    assert raised(error, tmp_path / "there" / "loader.py").place == "other.py, line 2"
    assert raised(error, None).place == "other.py, line 2"


def test_an_error_in_a_worker_process_is_at_the_workers_line(fail: Fail) -> None:
    source = """import multiprocessing

def check(place):
    raise ValueError("bad photo")

def photos(workload):
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.map(check, [3])
"""
    assert fail(source) == "ValueError: bad photo (its_loader.py, line 4)"


def test_the_cause_is_named_if_the_error_itself_has_no_line_of_the_user(tmp_path: Path) -> None:
    inner = ValueError("bad")
    code = compile("\n\nraise inner", str(tmp_path / "loader.py"), "exec")
    try:
        exec(code, {"inner": inner})
    except ValueError:
        outer = RuntimeError("cannot read")
        outer.__cause__ = inner
    assert raised(outer, tmp_path / "loader.py").place == f"{tmp_path / 'loader.py'}, line 3"


@pytest.mark.parametrize(
    ("source", "neighbour", "expected"),
    [
        ("\ndef photos(:\n", "", "SyntaxError: invalid syntax (its_loader.py, line 2)"),
        (
            "import its_labels\n",
            "\n\nx = (\n",
            "SyntaxError: '(' was never closed (its_labels.py, line 3)",
        ),
        (
            "\nimport no_such_package\n",
            "",
            "ModuleNotFoundError: No module named 'no_such_package' (its_loader.py, line 2)",
        ),
        (
            "import its_labels\n",
            "from json import no_such_name\n",
            "ImportError: cannot import name 'no_such_name' from 'json'",
        ),
    ],
)
def test_an_error_of_the_import_names_file_and_line(
    fail: Fail, source: str, neighbour: str, expected: str
) -> None:
    failed = fail(source, its_labels=neighbour)
    assert f"its_loader.py cannot be imported: {expected}" in failed
    if "ImportError" in expected:
        assert "(its_labels.py, line 1)" in failed


def test_a_message_has_no_addresses() -> None:
    error = ValueError("<mine.Feed object at 0x7f0011223344> {{colocation_node a}} is bad")
    assert raised(error, None).message == "<mine.Feed object> is bad"


def test_a_message_is_not_bold() -> None:
    assert raised(ValueError("calling A. \x1b[1mno room\x1b[0m here"), None).message == (
        "calling A. no room here"
    )


NOT_FOUND = """
{{function_node __wrapped__Next_device_/job:localhost/replica:0/task:0/device:CPU:0}} /p/0.jpg; gone
\t [[{{node ReadFile}}]] [Op:IteratorGetNext] name:
---
Graph execution error:

Detected at node ReadFile defined at (most recent call last):
<stack traces unavailable>
/p/0.jpg; gone
\t [[{{node ReadFile}}]]
\t [[IteratorGetNext]] [Op:__inference_one_step_on_iterator_310]
---
Graph execution error:

Detected at node 'a/ReadFile' defined at (most recent call last):
Node: 'a/ReadFile'
2 root error(s) found.
  (0) NOT_FOUND:  /p/0.jpg; gone
\t [[{{node a/ReadFile}}]]
\t [[IteratorGetNext]]
\t [[IteratorGetNext/_2]]
  (1) NOT_FOUND:  /p/0.jpg; gone
\t [[{{node a/ReadFile}}]]
\t [[IteratorGetNext]]
0 successful operations.
0 derived errors ignored. [Op:__inference_train_function_12]
---
Error in user-defined function passed to ParallelMapDatasetV2:3 transformation with iterator: \
Iterator::Root::Prefetch::BatchV2::ParallelMapV2: /p/0.jpg; gone
\t [[{{node ReadFile}}]]
"""


@pytest.mark.parametrize("message", NOT_FOUND.split("---\n"))
def test_of_tensorflows_message_a_person_reads_what_went_wrong_and_no_names_of_nodes(
    message: str,
) -> None:
    assert raised(OSError(message.strip("\n")), None).message == "/p/0.jpg; gone"


@pytest.mark.parametrize(
    "message",
    [
        "expected [[1, 2], [3, 4]]; found [[5]]",
        "labels were [[nan]], at node 3 (see Node: 'a')",
        "the job: /job/photos/device:1",
        "(1) FIRST: read it; (2) SECOND: decode it",
    ],
)
def test_a_message_of_a_users_own_stays_as_it_is(message: str) -> None:
    assert raised(ValueError(message), None).message == message
