"""The images and the labels of a batch in any usual form, without copying.

A pair, Keras' (images, labels, weights), or a dict. Only this module handles more than a pair: the
timed part takes two items by their keys, and converts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from feedbench.bench.text import listed
from feedbench.pipelines.errors import WrongWorkError

IMAGE_KEYS = ("image", "images", "pixel_values", "x", "img", "input", "inputs", "data")
LABEL_KEYS = ("label", "labels", "y", "target", "targets", "class")
_PAIR, _WITH_WEIGHTS = 2, 3
_MOST_NAMED = 6  # keys of a dict

Array = np.ndarray[Any, Any]


def pair(delivered: object) -> tuple[Array, Array]:
    """Return a batch's images and labels as arrays, without copying a tensor's data.

    Raises WrongWorkError if they are not arrays, or if it is not clear which is which.
    """
    if isinstance(delivered, tuple | list) and len(delivered) == _PAIR:
        images, labels = delivered
    elif isinstance(delivered, tuple | list) and len(delivered) == _WITH_WEIGHTS:
        images, labels, _ = delivered
    elif isinstance(delivered, Mapping):
        images, labels = (delivered[key] for key in _keys(delivered))
    else:
        raise WrongWorkError(
            f"it delivered {_what(delivered)}; expected batches of (images, labels)"
        )
    return _array("images", images), _array("labels", labels)


def form_note(delivered: object) -> str | None:
    """Return which parts of a batch are compared, as a clause; None for a pair."""
    if isinstance(delivered, Mapping):
        images, labels = map(repr, _keys(delivered))
        return f"it delivers dicts: {images} and {labels} are compared, and nothing else"
    if isinstance(delivered, tuple | list) and len(delivered) == _WITH_WEIGHTS:
        return "it delivers (images, labels, weights): the weights are not compared"
    return None


def _keys(delivered: Mapping[Any, object]) -> tuple[str, str]:
    """Return the keys of the images and of the labels. Raises WrongWorkError."""
    image = next((key for key in IMAGE_KEYS if key in delivered), None)
    label = next((key for key in LABEL_KEYS if key in delivered), None)
    if image is not None and label is not None:
        return image, label
    names = [repr(key) for key in delivered]
    more = ", ..." if len(names) > _MOST_NAMED else ""
    raise WrongWorkError(
        f"it delivered a dict with the keys {', '.join(names[:_MOST_NAMED]) or 'none'}{more};"
        f" expected (images, labels), or a dict with images as"
        f" {listed(list(map(repr, IMAGE_KEYS)), 'or')} and labels as"
        f" {listed(list(map(repr, LABEL_KEYS)), 'or')}"
    )


def _array(what: str, value: object) -> Array:
    """Return delivered data as one array, without a copy. Raises WrongWorkError if it is ragged."""
    try:
        array = np.asarray(value)
    except ValueError:  # a list of arrays of several shapes
        array = np.empty(0, object)
    if array.dtype != object:
        return array
    if array.size and isinstance(array.flat[0], str | bytes):  # a tensor of strings holds objects
        raise WrongWorkError(f"it delivered {what} as text; expected numbers")
    raise WrongWorkError(
        f"it delivered {what} of several sizes in one batch ({type(value).__name__}); expected one"
        f" array, all of one size"
    )


def _what(delivered: object) -> str:
    if isinstance(delivered, tuple | list):
        return f"a {type(delivered).__name__} of {len(delivered)}"
    return f"an object of type {type(delivered).__name__}"
