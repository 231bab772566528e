"""The folder that a loader may walk: exactly the workload's images, class folder by class folder.

That is the folder of the images if it holds these and nothing else. Otherwise it is a view, a
folder of symbolic links in the run's scratch. Nothing is ever written to the folder of the images.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from feedbench.bench.processes.workload_file import read_workload
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.file_formats import signature
from feedbench.pipelines.images.index import image_id
from feedbench.pipelines.remote.address import is_address

LISTED = (".jpg", ".jpeg", ".png", ".bmp")
"""The suffixes that all three list: Keras' image_dataset_from_directory and flow_from_directory,
and torchvision's ImageFolder. The first lists GIF as well, the last WebP."""

_SUFFIXES = {"JPEG": ".jpg", "BMP": ".bmp"}  # by content; decoders ignore the suffix
_OTHER_SUFFIX = ".png"
_MOST_BYTES = 255  # of a name, on Linux
_MOST_LETTERS = 60  # of a name that follows a number


class Views:
    """The folders that loaders walk, by workload. A view is made at its first use."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._folders: dict[Path, str] = {}  # by the workload's file
        self._made: list[tuple[Workload, str]] = []

    def folder(self, workload: Path) -> str:
        """Return the folder for the workload in this file.

        Raises RequestError if the view cannot be written.
        """
        if workload not in self._folders:
            self._folders[workload] = self._folder(read_workload(workload))
        folder = self._folders[workload]
        if Path(folder).parent == self._scratch and not Path(folder).is_dir():
            _write_view(read_workload(workload), Path(folder))  # another program removed it
        return folder

    def _folder(self, workload: Workload) -> str:
        if is_address(workload.folder) or holds_exactly(workload):
            return workload.folder  # no link leads into a store
        for other, folder in self._made:
            if other.files == workload.files and other.labels == workload.labels:
                return folder
        view = self._scratch / f"images-{len(self._made) + 1}"
        _write_view(workload, view)
        self._made.append((workload, str(view)))
        return str(view)


def holds_exactly(workload: Workload) -> bool:
    """Return whether the folder holds a folder for each class, with its images and nothing else.

    False also if some loader ignores a file or a folder because of its name.
    """
    try:
        if _names_in(workload.folder) != sorted(workload.class_names):
            return False
        return all(
            _holds(os.path.join(workload.folder, name), files)  # noqa: PTH118 - a million times
            for name, files in zip(workload.class_names, _by_class(workload), strict=True)
        )
    except OSError:  # a file where a folder was expected
        return False


def _holds(folder: str, files: list[str]) -> bool:
    names = _names_in(folder)
    paths = [os.path.join(folder, name) for name in names]  # noqa: PTH118 - a million times
    return paths == files and _is_folder_name(Path(folder).name) and _are_plain(names)


def _names_in(folder: str) -> list[str]:
    return sorted(os.listdir(folder))  # noqa: PTH208 - a million times


def _write_view(workload: Workload, view: Path) -> None:
    """Make a view. Raises RequestError if it cannot be written."""
    try:
        make_view(workload, view)
    except OSError as error:
        raise RequestError(
            f"cannot write the links to {workload.images:,} images to {view}: {error.strerror}",
            hint="make room there, or set TMPDIR to another folder",
        ) from error


def make_view(workload: Workload, view: Path) -> None:
    """Make a folder `view` of one folder a class, with a link to each of its images.

    The names are those of the classes and of the files, if these sort as the workload does and a
    loader lists them; else they begin with a number. Raises OSError.
    """
    view.mkdir()
    folders = class_folders(workload.class_names)
    for folder, files in zip(folders, _by_class(workload), strict=True):
        below = os.path.join(view, folder)  # noqa: PTH118 - a million times
        os.mkdir(below)  # noqa: PTH102
        for name, file in zip(link_names(files), files, strict=True):
            os.symlink(file, f"{below}/{name}")  # noqa: PTH211


def class_folders(class_names: Sequence[str]) -> list[str]:
    """Return the classes' folders: their names, all numbered if one cannot name a folder.

    Keras takes no folder for a class whose name begins with a dot.
    """
    if all(map(_is_folder_name, class_names)):
        return list(class_names)
    return _numbered([_letters(name) for name in class_names])


def link_names(files: Sequence[str]) -> list[str]:
    """Return the names of the links to the files of a class, in code-point order."""
    names = [_with_listed_suffix(file) for file in files]
    if _are_plain(names) and all(name < following for name, following in pairwise(names)):
        return names
    parts = map(os.path.splitext, names)
    return _numbered([_letters(stem) + suffix.lower() for stem, suffix in parts])


def _by_class(workload: Workload) -> list[list[str]]:
    """Return the files of each class, in the workload's order."""
    files: list[list[str]] = [[] for _ in workload.class_names]
    for file, label in zip(workload.files, workload.labels, strict=True):
        files[label].append(file)
    return files


def _with_listed_suffix(file: str) -> str:
    """Return a file's name, with another suffix added if some loader does not list its own."""
    name = os.path.basename(file)  # noqa: PTH119 - a million times
    if name.lower().endswith(LISTED):
        return name
    return name + _SUFFIXES.get(signature(file) or "", _OTHER_SUFFIX)


def _are_plain(names: Sequence[str]) -> bool:
    """Return whether every loader lists files of these names, and TensorFlow can open them."""
    return all(_is_folder_name(name) and name.lower().endswith(LISTED) for name in names)


def _is_folder_name(name: str) -> bool:
    """Return whether a name is valid UTF-8, not hidden, and can be written to a disk."""
    if not name or name.startswith(".") or "/" in name:
        return False
    try:
        return len(name.encode()) <= _MOST_BYTES
    except UnicodeEncodeError:
        return False


def _numbered(names: Sequence[str]) -> list[str]:
    width = len(str(max(len(names) - 1, 0)))
    return [f"{place:0{width}d}-{name}" for place, name in enumerate(names)]


def _letters(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", image_id(name))[:_MOST_LETTERS]
