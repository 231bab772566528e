import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from feedbench.pipelines.contract import Preparing, Workload
from feedbench.pipelines.errors import RequestError, WrongWorkError
from feedbench.pipelines.loader_file import FunctionPipeline, load_function

WORKLOAD = Workload(
    files=("/photos/cats/0.jpg", "/photos/dogs/0.jpg"),
    labels=(0, 1),
    class_names=("cats", "dogs"),
    height=2,
    width=2,
    folder_images=2,
)

Load = Callable[..., FunctionPipeline]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Loads a function of the given source, and forgets in the end what was imported by it."""
    monkeypatch.setattr(sys, "path", sys.path.copy())

    def loaded(source: str, function: str = "photos") -> FunctionPipeline:
        file = tmp_path / "their_loader.py"
        file.write_text(source)
        return load_function(file, function)

    yield loaded
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def opened(pipeline: FunctionPipeline) -> Any:
    return pipeline.open(WORKLOAD, Path("prepared"), Path("scratch"))


def module_of(pipeline: FunctionPipeline) -> Any:
    return sys.modules[pipeline.function.__module__]


GENERATOR = """
calls = 0

def photos(workload):
    global calls
    calls += 1
    for label in workload.labels:
        yield (calls, label)
"""


def test_a_generator_function_is_called_again_for_each_epoch(load: Load) -> None:
    pipeline = load(GENERATOR)
    feed = opened(pipeline)
    assert [list(feed) for _ in range(3)] == [
        [(1, 0), (1, 1)],
        [(2, 0), (2, 1)],
        [(3, 0), (3, 1)],
    ]
    assert module_of(pipeline).calls == 3


def test_an_epoch_that_was_abandoned_does_not_shorten_the_next(load: Load) -> None:
    feed = opened(load(GENERATOR))
    next(iter(feed))
    assert len(list(feed)) == 2


def test_a_list_is_iterated_anew_without_another_call_of_the_function(load: Load) -> None:
    pipeline = load("""
calls = 0

def photos(workload):
    global calls
    calls += 1
    return [(calls, 0), (calls, 1)]
""")
    feed = opened(pipeline)
    assert list(feed) == list(feed) == [(1, 0), (1, 1)]
    assert module_of(pipeline).calls == 1


def test_an_iterable_of_one_s_own_is_the_feed_as_it_stands(load: Load) -> None:
    feed = opened(
        load("""
class Photos:
    epochs = 0

    def __init__(self, workload):
        self.files = workload.files

    def __iter__(self):
        self.epochs += 1
        return ((file, self.epochs) for file in self.files)

    def repeat(self):
        return "epochs without end"

def photos(workload):
    return Photos(workload)
""")
    )
    assert list(feed) == [(file, 1) for file in WORKLOAD.files]
    assert list(feed) == [(file, 2) for file in WORKLOAD.files]
    assert feed.repeat() == "epochs without end"


@pytest.mark.parametrize(
    ("returned", "kind"),
    [("None", "None"), ("3", "an object of type int"), ("object()", "an object of type object")],
)
def test_what_cannot_be_iterated_is_refused_with_what_was_expected(
    load: Load, tmp_path: Path, returned: str, kind: str
) -> None:
    pipeline = load(f"def photos(workload):\n    return {returned}\n")
    with pytest.raises(WrongWorkError) as caught:
        opened(pipeline)
    assert str(caught.value) == (
        f"{tmp_path / 'their_loader.py'}:photos returned {kind}; expected an iterable of"
        " (images, labels), such as a tf.data.Dataset, a list or a generator"
    )


PAIRS = """
import numpy as np

class Dataset:
    def __iter__(self):
        return iter([(0, 0), (1, 1)])

def both(workload):
    return Dataset(), Dataset()

def parts(workload):
    return {"train": Dataset(), "validation": Dataset(), "test": Dataset()}

def arrays(workload):
    return np.zeros((2, 4, 4, 3)), np.zeros(2)

def named_arrays(workload):
    return {"image": np.zeros((2, 4, 4, 3)), "label": np.zeros(2)}

def batches(workload):
    return [(0, 0), (1, 1)]

def dicts(workload):
    return [{"image": 0, "label": 0}, {"image": 1, "label": 1}]
"""


@pytest.mark.parametrize(("function", "count"), [("both", 2), ("parts", 3)])
def test_several_datasets_are_named_as_such_with_what_to_do(
    load: Load, function: str, count: int
) -> None:
    sentence = f"{function} returned {count} datasets, as subset='both' makes them; expected one"
    with pytest.raises(WrongWorkError, match=sentence) as caught:
        opened(load(PAIRS, function))
    assert caught.value.hint.startswith("leave out subset and validation_split")


@pytest.mark.parametrize("function", ["arrays", "named_arrays"])
def test_all_images_at_once_are_to_be_cut_into_batches(load: Load, function: str) -> None:
    with pytest.raises(WrongWorkError, match=f"{function} returned 2 arrays; expected") as caught:
        opened(load(PAIRS, function))
    assert caught.value.hint.startswith("cut the arrays into batches of workload.batch_size")


@pytest.mark.parametrize("function", ["batches", "dicts"])
def test_a_list_of_two_batches_is_one_feed(load: Load, function: str) -> None:
    assert len(list(opened(load(PAIRS, function)))) == 2


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import sys; sys.exit('usage: loader FOLDER')", "SystemExit: usage: loader FOLDER"),
        ("def photos(workload:", "SyntaxError: '(' was never closed ("),
    ],
)
def test_a_file_that_cannot_be_imported_says_why(
    load: Load, tmp_path: Path, source: str, why: str
) -> None:
    sentence = f"{tmp_path / 'their_loader.py'} cannot be imported: {why}"
    with pytest.raises(RequestError, match=re.escape(sentence)):
        load(source)


def test_an_import_leaves_nothing_next_to_a_users_files(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "their_helper.py").write_text("batches = []\n")
    load("from their_helper import batches\ndef photos(workload):\n    return batches\n")
    files = {file.name for file in tmp_path.iterdir()}
    assert files == {"their_loader.py", "their_helper.py"}
    assert not sys.dont_write_bytecode


def test_an_interrupt_while_a_file_is_imported_remains_an_interrupt(load: Load) -> None:
    with pytest.raises(KeyboardInterrupt):
        load("raise KeyboardInterrupt")


def test_a_missing_function_is_answered_with_the_functions_that_the_file_has(load: Load) -> None:
    source = """
from os.path import join

SIZE = 3

def cats(workload): ...
def dogs(workload): ...
"""
    with pytest.raises(
        RequestError, match=r"has no function 'photos'; its functions are: cats, dogs$"
    ):
        load(source)


@pytest.mark.parametrize("source", ["", "photos = 3"])
def test_a_file_without_functions_is_answered_so(load: Load, source: str) -> None:
    with pytest.raises(RequestError, match=r"has no function 'photos'; its functions are: none$"):
        load(source)


def test_the_neighbours_of_the_file_can_be_imported(load: Load, tmp_path: Path) -> None:
    (tmp_path / "their_neighbour.py").write_text("BATCHES = ['from next door']\n")
    feed = opened(
        load("""
def photos(workload):
    from their_neighbour import BATCHES
    return BATCHES
""")
    )
    assert list(feed) == ["from next door"]


def test_a_file_in_a_package_can_import_from_its_own_package(load: Load, tmp_path: Path) -> None:
    inner = tmp_path / "their_package" / "inner"
    inner.mkdir(parents=True)
    for folder in (inner.parent, inner):
        (folder / "__init__.py").write_text("")
    (inner.parent / "batches.py").write_text("BATCHES = ['from the package']\n")
    (inner / "loader.py").write_text(
        "from ..batches import BATCHES\ndef photos(workload):\n    return BATCHES\n"
    )
    assert list(opened(load_function(inner / "loader.py", "photos"))) == ["from the package"]


def test_a_package_may_export_the_loader_that_imports_from_it(load: Load, tmp_path: Path) -> None:
    package = tmp_path / "their_exports"
    package.mkdir()
    (package / "__init__.py").write_text("from .loader import photos\n")
    (package / "batches.py").write_text("BATCHES = ['from the package']\n")
    (package / "loader.py").write_text(
        "from .batches import BATCHES\ndef photos(workload):\n    return BATCHES\n"
    )
    assert list(opened(load_function(package / "loader.py", "photos"))) == ["from the package"]


def test_a_file_whose_package_has_anothers_name_is_imported_all_the_same(
    load: Load, tmp_path: Path
) -> None:
    package = tmp_path / "json"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "decoder.py").write_text("def photos(workload):\n    return ['own']\n")
    assert list(opened(load_function(package / "decoder.py", "photos"))) == ["own"]


def test_a_file_next_to_a_loader_hides_nothing_that_is_installed(
    load: Load, tmp_path: Path
) -> None:
    """As in a folder of a student with a file colorsys.py: what Python has is taken."""
    (tmp_path / "colorsys.py").write_text("raise AssertionError\n")
    sys.modules.pop("colorsys", None)
    source = "import colorsys\ndef photos(workload):\n    return [colorsys.rgb_to_hsv(1, 1, 1)]\n"
    assert list(opened(load(source))) == [(0.0, 0.0, 1)]
    assert sys.path.index(str(tmp_path)) > sys.path.index(str(Path(re.__file__).parents[1]))


def test_a_package_is_the_loader_s_own_though_one_of_that_name_is_installed(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, batch in (("installed", "old"), ("working", "new")):
        package = tmp_path / place / "their_twice"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "batches.py").write_text(f"BATCHES = ['{batch}']\n")
        (package / "loader.py").write_text(
            "from .batches import BATCHES\ndef photos(workload):\n    return BATCHES\n"
        )
    monkeypatch.syspath_prepend(tmp_path / "installed")
    file = tmp_path / "working" / "their_twice" / "loader.py"
    assert list(opened(load_function(file, "photos"))) == ["new"]


def test_a_function_has_nothing_to_prepare(load: Load) -> None:
    assert not isinstance(load(GENERATOR), Preparing)
