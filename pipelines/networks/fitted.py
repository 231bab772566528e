"""A model that suits a workload: built or loaded, checked, and compiled."""

from __future__ import annotations

import hashlib
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.exceptions import raised
from feedbench.pipelines.networks.applications import application
from feedbench.pipelines.networks.compiling import compile_for, refuse_other_labels
from feedbench.pipelines.networks.course import COURSE_NETWORKS, course_network
from feedbench.pipelines.networks.loading import load_weights
from feedbench.pipelines.networks.shapes import (
    refuse_failing,
    refuse_other_answers,
    refuse_other_images,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from feedbench.pipelines.contract import Workload
    from feedbench.pipelines.networks.spec import ModelSpec

_TRACEBACK = "--debug shows the whole traceback"


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A compiled Keras model that takes a workload's images and labels."""

    model: Any
    parameters: int  # that training changes, and others
    weights: str  # SHA-256 of all weights in their order
    compiled_with: str  # in words, if Feedbench compiled it; "": it was compiled
    note: str = ""  # a sentence on weights that were loaded


def fitted_model(spec: ModelSpec, workload: Workload, seed: int) -> Fitted:
    """Return the model of a SPEC, with the weights that `seed` gives; imports TensorFlow.

    A saved model keeps its own weights, and a file of weights replaces those of its layers. Raises
    RequestError if the model cannot be built or loaded, and if its input, its output or its loss
    does not suit the workload.
    """
    import keras

    keras.utils.set_random_seed(seed)
    model = _made(spec, workload)
    if not isinstance(model, keras.Model):
        what = "None" if model is None else f"an object of type {type(model).__name__}"
        raise RequestError(
            f"--model {spec.text} returned {what}; expected a Keras model",
            hint=f"end {spec.name} with: return model",
        )
    refuse_other_images(model, workload, spec.text)
    answers = refuse_failing(model, workload, spec.text, spec.source)
    refuse_other_answers(answers, workload, spec.text)
    note = load_weights(model, spec) if spec.weights else ""
    compiled_with = ""
    if model.compiled:
        refuse_other_labels(model, workload, spec.text)
    else:
        compiled_with = compile_for(model, workload)
    return Fitted(
        model=model,
        parameters=model.count_params(),
        weights=digest_of(model),
        compiled_with=compiled_with,
        note=note,
    )


def digest_of(model: Any) -> str:
    """Return the SHA-256 of a model's weights, in their order, as hexadecimal digits."""
    digest = hashlib.sha256()
    for weights in model.get_weights():
        digest.update(f"{weights.dtype} {weights.shape} ".encode())
        digest.update(weights.tobytes())
    return digest.hexdigest()


def _made(spec: ModelSpec, workload: Workload) -> Any:
    """Build or load the model. Raises RequestError if that raises."""
    match spec.kind:
        case "course":
            network = COURSE_NETWORKS[spec.name]
            return _built_in(spec, lambda: course_network(network, spec.name, workload))
        case "application":
            return _built_in(spec, lambda: application(spec.name, workload))
        case "function":
            return _of_function(spec, workload)
        case "saved":
            return _loaded(spec)


def _built_in(spec: ModelSpec, build: Callable[[], Any]) -> Any:
    try:
        return build()
    except ValueError as error:
        raise RequestError(
            f"--model {spec.text} cannot take these images: {' '.join(str(error).split())}",
            hint="use a greater --image-size, or leave it out",
        ) from error


def _of_function(spec: ModelSpec, workload: Workload) -> Any:
    """Call the user's function, with the workload if it takes one."""
    from feedbench.pipelines.loader_file import load_function

    function: Any = load_function(Path(spec.file), spec.name).function
    try:
        return function(workload) if _takes_workload(function) else function()
    except (Exception, SystemExit) as error:
        raise RequestError(
            f"--model {spec.text} raised {raised(error, spec.source)}", hint=_TRACEBACK
        ) from error


def _takes_workload(function: Callable[..., Any]) -> bool:
    """Return whether the first parameter is for the workload: it has its name, or no default."""
    try:
        parameters = [*inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):  # a callable that hides its parameters
        return False
    if not parameters or parameters[0].kind is inspect.Parameter.KEYWORD_ONLY:
        return False
    first = parameters[0]
    is_open = first.kind in {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    return first.name == "workload" or (first.default is inspect.Parameter.empty and not is_open)


def _loaded(spec: ModelSpec) -> Any:
    import keras

    try:
        return keras.models.load_model(spec.file)
    except Exception as error:
        raise RequestError(
            f"--model {spec.text} cannot be loaded: {raised(error, None)}",
            hint="its own classes need FILE.py:FUNCTION, a function that loads the model",
        ) from error
