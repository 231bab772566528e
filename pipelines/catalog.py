"""Pipelines by their SPEC: a built-in one, one of another package, or a user's function."""

from __future__ import annotations

import ast
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedbench.pipelines import knobs
from feedbench.pipelines.contract import Pipeline
from feedbench.pipelines.errors import RequestError, did_you_mean
from feedbench.pipelines.peers.peer import Peer

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "feedbench.pipelines"
"""The entry-point group by which a package offers pipelines."""

DEFAULT_SPECS = (
    "image_data_generator",
    "tfdata_naive",
    "tfdata_tuned:cache=none",
    "tfdata_tuned",
    "tfrecord_gzip",
    "tfrecord_sharded",
)
"""The default pipelines of a run; the first is the baseline."""

RECORDS_NAME = "tfrecord_existing"
"""The pipeline that reads the user's own record files, and needs some."""

BUILT_IN = {  # name: module and class, imported when asked for
    "image_data_generator": "image_data_generator:ImageDataGenerator",
    "py_dataset": "keras.py_dataset:PyDataset",
    "image_dataset_from_directory": "keras.image_dataset_from_directory:ImageDatasetFromDirectory",
    "image_dataset_from_directory_grain": (
        "keras.image_dataset_from_directory_grain:ImageDatasetFromDirectoryGrain"
    ),
    "tfdata_naive": "tfdata_naive:TfdataNaive",
    "tfdata_tuned": "tfdata_tuned:TfdataTuned",
    "tfdata_service": "service.tfdata_service:TfdataService",
    "tfdata_saved": "stored.tfdata_saved:TfdataSaved",
    RECORDS_NAME: "tfrecord.tfrecord_existing:TfrecordExisting",
    "tfrecord_gzip": "tfrecord.tfrecord_gzip:TfrecordGzip",
    "tfrecord_sharded": "tfrecord.tfrecord_sharded:TfrecordSharded",
    "threads": "threaded.threads:Threads",
}

PEERS = {  # loaders of other libraries, each with an extra: name, module and class as above
    "dali_cpu": "dali:DaliCpu",
    "dali_gpu": "dali:DaliGpu",
    "grain": "grain:Grain",
    "spdl": "spdl:Spdl",
    "torch_dataloader": "torch_dataloader:TorchDataloader",
    "webdataset": "tar_shards.webdataset:Webdataset",
}

# What a knob's value makes of a pipeline: module and class of one that has further knobs.
_VARIANTS = {("tfdata_service", "of", "tfrecord_sharded"): "service.served_records:ServedRecords"}

_ROOMS = dict.fromkeys(BUILT_IN, "built_in") | dict.fromkeys(PEERS, "peers")
_READERS = ("threads", "tfrecord_sharded")

_WALKING = {"image_dataset_from_directory", "image_dataset_from_directory_grain"}
"""The built-in pipelines that list `workload.folder`; all others read `workload.files`."""

TENSORFLOW = {"tensorflow": "tensorflow", "keras": "keras"}
"""The modules that a built-in pipeline needs, unless its class has others as `needs`."""

# The interpreter follows the first @ after the name: a loader's folder may have one as well.
_WITH_PYTHON = re.compile(r"((?:.*\.py:)?+[^@]*)@(.*)", re.DOTALL)


@dataclass(frozen=True)
class Spec:
    """The text for a pipeline.

    `[label=]NAME[:knob=value,...]`, `[label=]FILE.py:FUNCTION` or
    `[label=]PACKAGE.MODULE:FUNCTION`; each may end with `@PYTHON`, an interpreter of its own.
    """

    label: str  # the row's name
    text: str  # the SPEC without its label
    name: str  # the text before the first colon
    argument: str  # the text after it, or ""; without @PYTHON
    python: str = ""  # the path of another environment's interpreter; "": this one
    link: str = ""  # the path that its file is imported by; "": its own
    is_unaugmented: bool = False  # a copy that delivers images as they are, whatever --augment says

    @property
    def is_file(self) -> bool:
        """Whether it names a function in a file."""
        return self.name.endswith(".py")

    @property
    def reads_records(self) -> bool:
        """Whether it reads the user's own record files, and not the images' files."""
        return self.name == RECORDS_NAME

    @property
    def is_module(self) -> bool:
        """Whether it names a function in a module. A name of one part is never a module."""
        parts = self.name.split(".")
        return (
            not self.is_file
            and len(parts) > 1
            and all(part.isidentifier() for part in (*parts, self.argument))
        )

    @property
    def is_foreign(self) -> bool:
        """Whether the code is not Feedbench's. Only child processes import such code."""
        return self.name not in _ROOMS

    @property
    def is_peer(self) -> bool:
        """Whether it is a loader of another library, whose version counts as well."""
        return self.name in PEERS

    @property
    def walks_folder(self) -> bool:
        """Whether it may list `workload.folder`, which then holds exactly the workload's images."""
        return self.is_foreign or self.name in _WALKING


def parse(text: str) -> Spec:
    """Read one SPEC. The label is the text before the first `=`, if no `:` comes before it.

    Raises RequestError for an empty label, an empty name, and text that is not valid UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RequestError(f"--pipeline {text!r}: expected a name in valid UTF-8") from None
    head, _, _ = text.partition(":")
    label, equals, _ = head.partition("=")
    if equals and not label.strip():
        raise RequestError(f"--pipeline {text!r}: expected a label before the =")
    return spec_of(label, text[len(label) + 1 :]) if equals else spec_of(text, text)


def spec_of(label: str, text: str) -> Spec:
    """Return the SPEC of a `text` without a label, with this `label`.

    Raises RequestError if the name is empty, or the interpreter's after an @.
    """
    written = _WITH_PYTHON.fullmatch(text)
    head, python = written.groups() if written else (text, "")
    if written and not python:
        raise RequestError(
            f"--pipeline {text!r}: expected a Python after the @",
            hint=f"give the Python of another environment, such as {text}~/torch/bin/python",
        )
    name, _, argument = head.partition(":")
    if not name:
        raise RequestError(
            f"--pipeline {text!r}: expected [label=]NAME[:knob=value,...],"
            " [label=]FILE.py:FUNCTION or [label=]PACKAGE.MODULE:FUNCTION"
        )
    return Spec(
        label=label, text=text, name=name, argument=argument, python=python and _program(python)
    )


def _program(python: str) -> str:
    """Return the path of a program; what was written if there is no such program."""
    expanded = os.path.expanduser(python)  # noqa: PTH111 - a name may not be valid UTF-8
    program = shutil.which(expanded)
    # A link is what makes it that environment's: it is not resolved.
    return expanded if program is None else os.path.abspath(program)  # noqa: PTH100


def parse_all(texts: tuple[str, ...]) -> tuple[Spec, ...]:
    """Read all SPECs of a run, and check them as far as possible without importing foreign code.

    Raises RequestError for two equal labels, an unknown name or knob, a bad value, and a missing
    file or module. Of a pipeline with a Python of its own, only that Python knows the modules.
    """
    specs = tuple(parse(text) for text in texts)
    for place, spec in enumerate(specs):
        if spec.label in {other.label for other in specs[:place]}:
            raise RequestError(
                f"two pipelines have the label {spec.label!r}; expected a different label each",
                hint=f"give one of them another label, such as -p again={spec.text}",
            )
        _check(spec)
    return specs


def load(spec: Spec) -> Pipeline:
    """Return the pipeline of a SPEC. This may import foreign code.

    Raises RequestError if the pipeline cannot be found, imported or built.
    """
    if spec.is_file:
        from feedbench.pipelines.loader_file import load_function

        return load_function(Path(spec.name), spec.argument, link=spec.link)
    if spec.is_module:
        from feedbench.pipelines.loader_file import load_from_module

        return load_from_module(spec.name, spec.argument)
    if not spec.is_foreign:
        return _built(class_of(spec), spec)
    return _from_entry_point(_entry_point(spec.name), spec)


def augments(spec: Spec) -> bool:
    """Whether a pipeline augments images with `--augment`: it is asked to, and not the model."""
    if spec.is_unaugmented:
        return False
    return spec.is_foreign or getattr(load(spec), "augment_in", "pipeline") == "pipeline"


def needs(spec: Spec) -> Mapping[str, str]:
    """Return the modules that a pipeline needs, each with the distribution that has it.

    Its processes can import them in advance. Of a user's file, only whether it names TensorFlow or
    Keras is known. Imports no foreign code.
    """
    if spec.is_file:
        return {name: TENSORFLOW[name] for name in TENSORFLOW.keys() & _named_in(Path(spec.name))}
    if spec.is_foreign:
        return {}
    pipeline = load(spec)
    if isinstance(pipeline, Peer):
        return pipeline.requirement.modules
    modules: Mapping[str, str] = getattr(pipeline, "needs", TENSORFLOW)
    return modules


def _named_in(file: Path) -> set[str]:
    """Return the first names of the modules that a file imports; none if it cannot be read."""
    try:
        nodes = [*ast.walk(ast.parse(file.read_bytes()))]
    except (OSError, SyntaxError, ValueError):  # its import fails, and reports it
        return set()
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def refuse_store(spec: Spec, scheme: str) -> None:
    """Raise RequestError if a built-in pipeline cannot read images in a store of this scheme.

    A user's own gets the addresses as `workload.files`, and may read them as it likes.
    """
    if spec.is_foreign or scheme in getattr(class_of(spec), "stores", frozenset()):
        return
    from feedbench.pipelines.built_in.tail_knobs import TailKnobs

    is_tf_data = issubclass(class_of(spec), TailKnobs)
    why = f"TensorFlow has no file system for {scheme}://"
    raise RequestError(
        f"--pipeline {spec.text}: it cannot read {scheme}://, because"
        f" {why if is_tf_data else 'it reads only files on this machine'}",
        hint=f"use {' or '.join(_READERS)}, which read it by fsspec, or your own loader",
    )


def is_elsewhere(spec: Spec) -> bool:
    """Whether processes do its work that no trial starts or can stop, as far as is known."""
    return not spec.is_foreign and bool(getattr(load(spec), "is_elsewhere", False))


def source_file(spec: Spec) -> Path | None:
    """Return the file of a user's pipeline. Imports no foreign code.

    None for a built-in pipeline, and if there is no such file.
    """
    if spec.is_file:
        return Path(spec.name)
    if not spec.is_foreign:
        return None
    from feedbench.pipelines.user_modules import file_of

    try:
        return file_of(spec.name if spec.is_module else _entry_point(spec.name).module)
    except RequestError:
        return None


def built_in(name: str) -> type[Any]:
    """Return the class of a pipeline, by its name in BUILT_IN or PEERS.

    Loads neither TensorFlow nor a peer's library.
    """
    return _imported(_ROOMS[name], {**BUILT_IN, **PEERS}[name])


def class_of(spec: Spec) -> type[Any]:
    """Return the class of a built-in SPEC: its name's, or the variant that its knobs ask for."""
    for knob, value in knobs_given(spec).items():
        if variant := _VARIANTS.get((spec.name, knob, value)):
            return _imported(_ROOMS[spec.name], variant)
    return built_in(spec.name)


def _imported(room: str, place: str) -> type[Any]:
    module_name, _, class_name = place.partition(":")
    module = import_module(f"feedbench.pipelines.{room}.{module_name}")
    pipeline: type[Any] = getattr(module, class_name)
    return pipeline


def names() -> tuple[str, ...]:
    """Return the built-in names, the peers', then those that installed packages offer, sorted.

    Imports none.
    """
    from importlib.metadata import entry_points  # slow, and `--help` needs none

    offered = sorted(entry_point.name for entry_point in entry_points(group=GROUP))
    return (*BUILT_IN, *PEERS, *offered)


def _check(spec: Spec) -> None:
    if spec.is_file:
        if not Path(spec.name).is_file():
            raise RequestError(
                f"--pipeline {spec.text}: there is no file {spec.name};"
                f" the working directory is {Path.cwd()}"
            )
        if not spec.argument.isidentifier():
            raise RequestError(
                f"--pipeline {spec.text}: expected FILE.py:FUNCTION, the name of a function in"
                f" {spec.name}; found {spec.argument!r}"
            )
    elif not spec.is_foreign:
        load(spec)
    elif spec.python:  # that Python's packages are not known here
        pass
    elif spec.is_module:
        from feedbench.pipelines.user_modules import file_of

        try:
            file_of(spec.name)
        except RequestError as error:
            sentence = f"--pipeline {spec.text}: {error.sentence}"
            raise RequestError(sentence, hint=error.hint) from None
    else:
        _entry_point(spec.name, spec.argument)
        knobs_given(spec)


def _built(kind: type[Any], spec: Spec) -> Pipeline:
    pipeline: Pipeline = knobs.build(kind, spec.name, knobs_given(spec))
    return pipeline


def knobs_given(spec: Spec) -> dict[str, str]:
    """Return knob -> value as text, as the SPEC of a built-in pipeline has them.

    Raises RequestError for another text than knob=value, and for a knob that is given twice.
    """
    given: dict[str, str] = {}
    for part in filter(None, spec.argument.split(",")):
        knob, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise RequestError(f"--pipeline {spec.text}: expected knob=value; found {part!r}")
        if knob in given:
            raise RequestError(f"--pipeline {spec.text}: the knob {knob} is given twice")
        given[knob] = value
    return given


def _entry_point(name: str, argument: str = "") -> EntryPoint:
    from importlib.metadata import entry_points  # slow, and `--help` needs none

    for entry_point in entry_points(group=GROUP, name=name):
        return entry_point
    raise RequestError(f"there is no pipeline {name!r}", hint=_meant(name, argument))


def _meant(name: str, argument: str) -> str:
    """Return a hint on what may be meant by the name of a pipeline that does not exist."""
    if Path(f"{name}.py").is_file():
        return f"did you mean {name}.py:{argument or 'FUNCTION'}?"
    offered = names()
    advice = did_you_mean(name, offered) or f"choose among {', '.join(offered)}"
    return f"{advice} (your own function is FILE.py:FUNCTION or PACKAGE.MODULE:FUNCTION)"


def _from_entry_point(entry_point: EntryPoint, spec: Spec) -> Pipeline:
    from feedbench.pipelines.loader_file import FunctionPipeline, imported

    what = f"the pipeline {spec.name} ({entry_point.value})"
    offered = imported(what, entry_point.load, source_file(spec))
    if isinstance(offered, type):
        return _built(offered, spec)
    if spec.argument:
        raise RequestError(f"{spec.name} is a function and has no knobs; found {spec.argument!r}")
    return FunctionPipeline(offered, spec.name)
