"""The split of images into a part for training and one for validation. Pure.

Every pipeline gets the same parts. Which part an image is in depends on its class, the names of the
images in that class, the share and the seed, and on nothing else: not on the order in which a disk
lists files, on other classes, on how many images are measured, or on bad images.
"""

from __future__ import annotations

import dataclasses
import os
import random
from collections.abc import Mapping

from feedbench.pipelines.contract import Part
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import Index, Split, part, shown

_LEAST = 2  # images of a class: one for each part


def split(index: Index, share: float, seed: int, subset: Part = "training") -> Index:
    """Return a part of an index; its `split` holds the other part.

    Of each class, about `share` of its images are for validation, and one at least for each part.
    Raises RequestError for a class of one image.
    """
    validation = set(_validation_places(index, share, seed))
    places: Mapping[Part, list[int]] = {
        "training": [at for at in range(len(index.files)) if at not in validation],
        "validation": sorted(validation),
    }
    other: Part = "validation" if subset == "training" else "training"
    return dataclasses.replace(
        part(index, places[subset]),
        split=Split(
            subset=subset, other=part(index, places[other]), by=f"seed {seed}", share=share
        ),
    )


def _validation_places(index: Index, share: float, seed: int) -> list[int]:
    """Return the places in the index of the images for validation."""
    by_class: list[list[int]] = [[] for _ in index.class_names]
    for place, label in enumerate(index.labels):
        by_class[label].append(place)
    chosen = []
    for name, places in zip(index.class_names, by_class, strict=True):
        if 0 < len(places) < _LEAST:
            raise RequestError(
                f"--validation {share:.4g}: expected {_LEAST} or more images in each class, one for"
                f" each part; class {shown(name)} has only {shown(index.files[places[0]])}",
                hint="add images to this class, choose other classes with --classes, or leave"
                " --validation out",
            )
        # Folder by folder, as os.walk and sorted give them.
        places.sort(key=lambda at: os.path.split(index.files[at]))
        chosen += drawn(places, share, seed)
    return chosen


def drawn(places: list[int], share: float, seed: int) -> list[int]:
    """Return those of a class's places that are for validation.

    Python keeps the numbers of `random()` for a seed the same in all its versions, but not the
    choices of `sample` or `shuffle`.
    """
    rng = random.Random(seed)  # noqa: S311 - a choice, not a secret
    count = min(max(round(share * len(places)), 1), len(places) - 1)
    return sorted(places, key=lambda _: rng.random())[: max(count, 0)]
