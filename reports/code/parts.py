"""How the code to paste lists the images, and those for validation."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

from feedbench.pipelines.contract import Workload
from feedbench.pipelines.images.file_kinds import FOREIGN_SUFFIXES, SUFFIXES
from feedbench.pipelines.remote.address import is_address, scheme_of


@dataclass(frozen=True, kw_only=True)
class Parts:
    """How the code lists the images."""

    is_listed: bool  # it reads the run's list; else it walks the classes' folders
    has_validation: bool  # it has images for validation
    split_by: Literal["", "seed", "folder"]  # how it divides what it walks
    validation_folder: str  # that it walks, if it divides by folder
    scheme: str  # of the images' addresses; "": they are on this machine


def parts_of(workload: Workload, share: float | None, *, is_labelled: bool) -> Parts:
    """Return how the code lists the images of a workload.

    `share` is that of the images for validation, if the run split them by its seed.
    """
    validation = _validation(workload)
    folder = workload.folder
    if validation is not None and share is None:
        folder = _next_to(workload)
        validation = replace(validation, folder=folder)
    scheme = scheme_of(workload.folder) if is_address(workload.folder) else ""
    is_listed = (
        bool(scheme)
        or is_labelled
        or not _is_by_class(workload)
        or (validation is not None and not _is_validation_by_class(validation))
        or (validation is None and share is not None)  # it measured the images for validation
    )
    is_walked = validation is not None and not is_listed
    return Parts(
        is_listed=is_listed,
        has_validation=validation is not None,
        split_by="" if not is_walked else "folder" if share is None else "seed",
        validation_folder=folder,
        scheme=scheme,
    )


def _validation(workload: Workload) -> Workload | None:
    """Return the workload of the images for validation; None if there are none."""
    if not workload.validation_files:
        return None
    return replace(workload, files=workload.validation_files, labels=workload.validation_labels)


def _next_to(workload: Workload) -> str:
    """Return the folder of the images for validation, which is next to that of the others."""
    around = os.path.dirname(workload.folder)  # noqa: PTH120 - a name may not be valid UTF-8
    below = os.path.relpath(workload.validation_files[0], around)
    return os.path.join(around, Path(below).parts[0])  # noqa: PTH118


@lru_cache(maxsize=1)  # for a million files it takes seconds, and every row asks
def _is_by_class(workload: Workload) -> bool:
    """Whether walking the classes' sub-folders finds these files, in this order."""
    if not workload.folder or any(os.sep in name for name in workload.class_names):
        return False
    inside = [os.path.join(workload.folder, name, "") for name in workload.class_names]  # noqa: PTH118
    order = [
        (label, *os.path.split(file))
        for file, label in zip(workload.files, workload.labels, strict=True)
    ]
    return order == sorted(order) and all(
        file.startswith(inside[label]) and file.lower().endswith(SUFFIXES + FOREIGN_SUFFIXES)
        for file, label in zip(workload.files, workload.labels, strict=True)
    )


@lru_cache(maxsize=1)
def _is_validation_by_class(workload: Workload) -> bool:
    return _is_by_class.__wrapped__(workload)
