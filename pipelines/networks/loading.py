"""Weights from a file, such as those of a pretrained network."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.exceptions import raised

if TYPE_CHECKING:
    from feedbench.pipelines.networks.spec import ModelSpec

_BY_PLACE = (".weights.h5", ".keras")  # other files hold layers by their names


def load_weights(model: Any, spec: ModelSpec) -> str:
    """Load the weights of a SPEC into a model; return in a sentence how many layers got some.

    A layer whose shape differs, as a last one for other classes, keeps the weights that it has.
    Raises RequestError if the file cannot be read, and if no layer gets any weights from it.
    """
    names = {} if spec.weights.endswith(_BY_PLACE) else {"by_name": True}
    before = [layer.get_weights() for layer in model.layers]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one for each layer that is skipped
            model.load_weights(spec.weights, skip_mismatch=True, **names)
    except Exception as error:
        raise RequestError(
            f"--weights {spec.weights} cannot be loaded into {spec.text}: {raised(error, None)}",
            hint="expected the weights of the same network",
        ) from error
    weighted = [place for place, weights in enumerate(before) if weights]
    loaded = sum(
        not _are_same(before[place], model.layers[place].get_weights()) for place in weighted
    )
    if not loaded:
        raise RequestError(
            f"--weights {spec.weights}: no layer of {spec.text} gets weights from this file",
            hint="expected the weights of the same network",
        )
    rest = "" if loaded == len(weighted) else "; the others keep those of the seed"
    return f"{loaded} of {len(weighted)} layers have weights from {spec.weights}{rest}."


def _are_same(before: list[Any], after: list[Any]) -> bool:
    return all(np.array_equal(old, new) for old, new in zip(before, after, strict=True))
