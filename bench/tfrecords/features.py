"""Which features of a record hold the image and the label, and what they are. No TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.file_formats import is_delivered, signature_of
from feedbench.pipelines.images.index import listed, shown

_USUAL_LABELS = ("label", "image/class/label")
_LONGEST_TEXT = 200  # bytes of a label
_MOST_NAMED = 20
_ENCODED = "an encoded image (JPEG, PNG, BMP, GIF or WebP)"
_ENCODE = "if the records hold raw pixels, write them again with tf.io.encode_png(image)"

Label = int | str
"""A label as a record holds it. Undecodable bytes of a text are as os.fsdecode returns them."""


@dataclass(frozen=True)
class Feature:
    """One feature of a tf.train.Example."""

    kind: Literal["bytes", "float", "int64", "nothing"]
    values: Sequence[bytes] | Sequence[float] | Sequence[int]


Features = Mapping[str, Feature]


def image_key(features: Features, asked: str | None) -> str:
    """Return the name of the feature with the image: the one that was asked for, or the only one.

    `features` are those of the first record. Raises RequestError.
    """
    if asked is not None:
        return _present(features, asked, "--image-key")
    encoded = [name for name, each in features.items() if _is_image(each)]
    if len(encoded) == 1:
        return encoded[0]
    if not encoded:
        raise RequestError(
            f"the records: expected a feature with {_ENCODED}; found {_listed(features)}",
            hint=_ENCODE,
        )
    raise RequestError(
        f"the records have several features with an image: {listed(sorted(encoded))}",
        hint=f"choose one, such as --image-key {min(encoded)}",
    )


def label_key(features: Features, asked: str | None, image: str) -> str:
    """Return the name of the feature with the label, as `image_key` does."""
    if asked is not None:
        return _present(features, asked, "--label-key")
    candidates = [name for name, each in features.items() if name != image and _may_be_label(each)]
    usual = [name for name in _USUAL_LABELS if name in candidates]
    if len(usual) == 1 or len(candidates) == 1:
        return (usual or candidates)[0]
    what = "several features that may be the label" if candidates else "no label of one value"
    raise RequestError(
        f"the records have {what}; found {_listed(features)}",
        hint="name the feature with --label-key",
    )


def image_in(features: Features, key: str) -> bytes:
    """Return a record's image, still encoded. Raises RequestError, with a clause."""
    feature = features.get(key, Feature("nothing", ()))
    if feature.kind != "bytes" or len(feature.values) != 1:
        raise RequestError(f"{key}: expected {_ENCODED}; found {_what(feature)}", hint=_ENCODE)
    image = feature.values[0]
    assert isinstance(image, bytes)
    return image


def refuse_not_encoded(image: bytes, key: str) -> None:
    """Raise RequestError, with a clause, if the bytes are no image that pipelines decode."""
    kind = signature_of(image)
    if kind is None:
        raise RequestError(
            f"{key}: expected {_ENCODED}; found {len(image):,} bytes that begin like no image",
            hint=f"{_ENCODE}, or name another feature with --image-key",
        )
    if not is_delivered(kind):
        raise RequestError(
            f"{key}: expected {_ENCODED}; found {kind}, which TensorFlow does not decode",
            hint="write the records again with JPEG or PNG images",
        )


def label_in(features: Features, key: str) -> Label:
    """Return a record's label. Raises RequestError, with a clause."""
    feature = features.get(key, Feature("nothing", ()))
    if feature.kind not in {"int64", "bytes"} or len(feature.values) != 1:
        raise RequestError(
            f"{key}: expected one label, an int64 or a text; found {_what(feature)}",
            hint="name another feature with --label-key, or write the records with one label each",
        )
    value = feature.values[0]
    if isinstance(value, bytes):
        if not 0 < len(value) <= _LONGEST_TEXT:
            raise RequestError(
                f"{key}: expected a label of 1 to {_LONGEST_TEXT} bytes; found {len(value):,}",
                hint="name another feature with --label-key",
            )
        return os.fsdecode(value)
    return int(value)


def text_in(features: Features, key: str) -> str | None:
    """Return the text of a feature; None if it holds anything else."""
    feature = features.get(key)
    if feature is None or feature.kind != "bytes" or len(feature.values) != 1:
        return None
    value = feature.values[0]
    return os.fsdecode(value) if isinstance(value, bytes) and value else None


def _present(features: Features, name: str, option: str) -> str:
    if name not in features:
        raise RequestError(
            f"{option} {name}: expected a feature of the records; found {_listed(features)}",
            hint="choose one of these",
        )
    return name


def _is_image(feature: Feature) -> bool:
    if feature.kind != "bytes" or len(feature.values) != 1:
        return False
    value = feature.values[0]
    kind = signature_of(value) if isinstance(value, bytes) else None
    return kind is not None and is_delivered(kind)


def _may_be_label(feature: Feature) -> bool:
    if len(feature.values) != 1:
        return False
    value = feature.values[0]
    if isinstance(value, bytes):
        return 0 < len(value) <= _LONGEST_TEXT and not _is_image(feature)
    return feature.kind == "int64"


def _what(feature: Feature) -> str:
    if feature.kind == "nothing" or not feature.values:
        return "nothing"
    count = len(feature.values)
    return f"one {feature.kind} value" if count == 1 else f"{count:,} {feature.kind} values"


def _listed(features: Features) -> str:
    if not features:
        return "no features"
    names = [f"{shown(name)} ({_what(each)})" for name, each in sorted(features.items())]
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
