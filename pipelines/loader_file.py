"""A user's own loader: a function in a file or a module. It needs no import from Feedbench."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from feedbench.pipelines.contract import Batch, Feed, Workload
from feedbench.pipelines.errors import RequestError, WrongWorkError
from feedbench.pipelines.exceptions import raised
from feedbench.pipelines.keras_fit import is_py_dataset
from feedbench.pipelines.user_modules import file_of, find

_LEAST_PARTS = 2  # of a tuple or a dict that holds several datasets


def load_function(file: Path, function: str, *, link: str = "") -> FunctionPipeline:
    """Import `file` and return its function as a pipeline.

    With `link`, the file is imported by this path, an absolute one to the same file.
    Raises RequestError if the file raises on import or has no such function.
    """
    module = imported(str(file), lambda: _module(Path(link) if link else file.resolve()), file)
    return _pipeline(module, function, str(file))


def load_from_module(name: str, function: str) -> FunctionPipeline:
    """Import a module by its full name and return its function as a pipeline.

    Raises RequestError if there is no such module, if it raises on import, or if it has no such
    function.
    """
    file = file_of(name)
    head, here = name.partition(".")[0], os.getcwd()  # noqa: PTH109 - a name may not be UTF-8
    package = find(head, [here, *sys.path])

    def load() -> ModuleType:
        if package is not None and file.is_relative_to(Path(here, head)):
            _importable(os.path.dirname(os.path.abspath(file)), here)  # noqa: PTH100, PTH120
            _register(package)
        return importlib.import_module(name)

    module = imported(name, load, file)
    place = getattr(module, "__file__", None)
    if place is not None and os.path.realpath(place) != os.path.realpath(file):
        raise RequestError(
            f"{name} is {place}, which was imported first; expected {file}",
            hint=f"name the file: {file}:{function}",
        )
    return _pipeline(module, function, name)


def _pipeline(module: ModuleType, function: str, place: str) -> FunctionPipeline:
    """Return a function of a module as a pipeline; `place` is what the user calls the module."""
    loader = getattr(module, function, None)
    if not callable(loader):
        functions = [name for name, value in vars(module).items() if _is_own(value, module)]
        raise RequestError(
            f"{place} has no function {function!r}; its functions are: "
            + (", ".join(functions) or "none")
        )
    return FunctionPipeline(loader, f"{place}:{function}")


def _module(file: Path) -> ModuleType:
    """Import a file that can import the modules next to it, unless one of that name is installed.

    A file in a package becomes that package's module, and can import from the package.
    """
    name, root = _place(file)
    _importable(str(file.parent), str(root))
    if "." in name:
        package = find(name.partition(".")[0], [str(root)])
        assert package is not None
        _register(package)
        module = importlib.import_module(name)
        if module.__file__ is not None and Path(module.__file__).resolve() == file.resolve():
            return module
        name = file.stem  # another package of that name was imported before
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # workers can find it
    spec.loader.exec_module(module)
    return module


def _importable(*folders: str) -> None:
    """Let modules of these folders be imported, after all that are installed.

    A file json.py or tensorflow.py next to a loader must not be taken for the real one. This
    process performs nothing but a trial of that loader.
    """
    sys.path.extend(folder for folder in dict.fromkeys(folders) if folder not in sys.path)


def _register(package: ModuleSpec) -> None:
    """Import the user's package itself, though one of that name may be installed.

    One that was imported before stays.
    """
    if package.name in sys.modules:
        return
    module = sys.modules[package.name] = importlib.util.module_from_spec(package)
    try:
        if package.loader is not None:
            package.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(package.name, None)
        raise


def _place(file: Path) -> tuple[str, Path]:
    """Return a module's full name, and the folder that holds its outermost package."""
    name, folder = file.stem, file.parent
    while (folder / "__init__.py").is_file() and folder.name.isidentifier():
        name, folder = f"{folder.name}.{name}", folder.parent
    return name, folder


def imported(what: str, load: Callable[[], Any], source: Path | None) -> Any:
    """Run an import of foreign code; any exception becomes a RequestError of one sentence.

    `source` is the file of that code, whose line the sentence names. No `__pycache__` is written
    next to it.
    """
    writes_none = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        return load()
    except (Exception, SystemExit) as error:
        raise RequestError(
            f"{what} cannot be imported: {raised(error, source)}",
            hint="--debug shows the whole traceback",
        ) from error
    finally:
        sys.dont_write_bytecode = writes_none


class FunctionPipeline:
    """A pipeline made of one function `(workload) -> iterable of (images, labels)`.

    It is not a dataclass, because a dataclass's fields would be knobs.
    """

    def __init__(self, function: Callable[[Workload], Iterable[Batch]], name: str) -> None:
        self.function = function
        self.name = name

    def open(self, workload: Workload, prepared: Path, scratch: Path) -> Feed:
        """Call the function; if it returns an iterator, call it again for each epoch."""
        made = self.function(workload)
        _refuse(made, self.name)
        # Keras' iterators over a folder are endless, and PyDatasets: they have epochs in fit().
        if _is_iterator(made) and not is_py_dataset(made):
            return _CalledEachEpoch(self, workload, made)
        return made


class _CalledEachEpoch:
    """A feed that uses the first call's result, and then calls the function for each epoch."""

    def __init__(self, pipeline: FunctionPipeline, workload: Workload, first: Any) -> None:
        self._pipeline = pipeline
        self._workload = workload
        self._first: Any = first

    def __iter__(self) -> Iterator[Batch]:
        made, self._first = self._first, None
        return iter(made if made is not None else self._pipeline.function(self._workload))


def _is_iterator(made: Any) -> bool:
    """Whether it is an iterator, good for one pass, and not an iterable that starts over."""
    return hasattr(made, "__next__") and iter(made) is made


def _refuse(made: object, name: str) -> None:
    """Raise WrongWorkError for an object that is not one feed of batches."""
    if not isinstance(made, Iterable):
        raise WrongWorkError(
            f"{name} returned {_a(made)}; expected an iterable of (images, labels),"
            " such as a tf.data.Dataset, a list or a generator"
        )
    parts = list(made.values()) if isinstance(made, Mapping) else made
    if not isinstance(parts, tuple | list) or len(parts) < _LEAST_PARTS:
        return
    if all(map(_is_dataset, parts)):
        raise WrongWorkError(
            f"{name} returned {len(parts)} datasets, as subset='both' makes them; expected one of"
            " all images",
            hint="leave out subset and validation_split; --part chooses a part of the images",
        )
    if all(hasattr(each, "shape") for each in parts):
        raise WrongWorkError(
            f"{name} returned {len(parts)} arrays; expected an iterable of batches of"
            " (images, labels)",
            hint="cut the arrays into batches of workload.batch_size, and yield one at a time",
        )


def _is_dataset(each: object) -> bool:
    """Tell a dataset from a batch, which is a pair, a dict or an array."""
    is_batch = isinstance(each, tuple | list | Mapping | str | bytes) or hasattr(each, "shape")
    return is_py_dataset(each) or (isinstance(each, Iterable) and not is_batch)


def _is_own(value: object, module: object) -> bool:
    return callable(value) and getattr(value, "__module__", "") == getattr(module, "__name__", None)


def _a(made: object) -> str:
    return "None" if made is None else f"an object of type {type(made).__name__}"
