"""Which file below a folder the text of a label file means: a path, a bare name, or an id."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import cached_property
from pathlib import Path, PurePath

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.file_kinds import is_candidate
from feedbench.pipelines.images.index import named, shown


class FileFinder:
    """Finds files below a folder. All paths that it returns are relative to the folder."""

    def __init__(
        self, folder: PurePath, images: Collection[str], others: Collection[str], beside: Path
    ) -> None:
        """Prepare to find files in `folder`, below which are these `images` and `others`.

        Names may also be relative to the folder `beside`.
        """
        self.folder = folder
        self._top = os.path.abspath(folder)  # noqa: PTH100 - keeps links, as the index does
        self._beside = os.path.abspath(beside)  # noqa: PTH100
        self._images = images
        self._files = frozenset(images).union(others)

    def find(self, text: str) -> str | None:
        r"""Return the file that is meant; None if there is none.

        In this order: a path below the folder (a\b.jpg is a/b.jpg), an absolute path, a bare name
        or a path without its suffix where it is unique, and a path relative to `beside`.
        Raises RequestError if several files are meant, or one outside the folder.
        """
        if text in self._files:
            return text
        if not text or "\0" in text:
            return None
        path = os.path.normpath(text.replace("\\", "/"))
        if path in self._files:
            return path
        if os.path.isabs(path):  # noqa: PTH117 - a million times
            return self._below(path, text)
        if alike := self._alike(path):
            return self._only(alike, text)
        return self._on_disk(path, text)

    def is_likely(self, text: str) -> bool:
        """Whether the text has an image's suffix, or is the path of a file below the folder."""
        return is_candidate(text) or text in self._files

    def is_meant(self, text: str) -> bool:
        """Whether the text means a file, be it one of several or one that is missing."""
        with suppress(RequestError):
            return self.is_likely(text) or self.find(text) is not None
        return True

    def _below(self, path: str, text: str) -> str | None:
        """Return an absolute path relative to the folder. Raises RequestError if it is outside."""
        for top in (self._top, self._real_top):
            if path.startswith(top + os.sep):
                file = path[len(top) + 1 :]
                return file if file in self._files or self._is_file(file) else None
        raise RequestError(
            f"expected a name relative to {self.folder}, below it; found {shown(text)}"
        )

    def _alike(self, path: str) -> str | list[str]:
        """Return the images that a path without its folder, or without its suffix, may mean."""
        if is_candidate(path):
            return self._by_name.get(path, "")
        return self._by_stem.get(path) or self._by_stem_of_name.get(path, "")

    def _only(self, alike: str | list[str], text: str) -> str:
        if isinstance(alike, str):
            return alike
        raise RequestError(
            f"expected a name of one file; found {shown(text)}, which {len(alike)} files have:"
            f" {named(alike)}",
            hint="give the path below the folder, with the suffix",
        )

    def _on_disk(self, path: str, text: str) -> str | None:
        """Return a file behind a link, or one whose path is relative to `beside`."""
        is_outside = path.startswith(os.pardir)
        if not is_outside and self._is_file(path):
            return path
        beside = os.path.normpath(os.path.join(self._beside, path))  # noqa: PTH118
        if is_outside or os.path.isfile(beside):  # noqa: PTH113
            return self._below(beside, text)
        return None

    @cached_property
    def _real_top(self) -> str:
        return os.path.realpath(self._top)

    @cached_property
    def _by_name(self) -> dict[str, str | list[str]]:
        return self._grouped(_name)

    @cached_property
    def _by_stem(self) -> dict[str, str | list[str]]:
        return self._grouped(_stem)

    @cached_property
    def _by_stem_of_name(self) -> dict[str, str | list[str]]:
        return self._grouped(lambda image: _stem(_name(image)))

    def _grouped(self, key: Callable[[str], str]) -> dict[str, str | list[str]]:
        """Return the images by a key: each one itself, or a list where several have that key."""
        groups: dict[str, str | list[str]] = {}
        for image in self._images:
            group = groups.setdefault(key(image), image)
            if isinstance(group, list):
                group.append(image)
            elif group is not image:
                groups[key(image)] = [group, image]
        return groups

    def _is_file(self, path: str) -> bool:
        with suppress(OSError, ValueError):
            return os.path.isfile(os.path.join(self._top, path))  # noqa: PTH113, PTH118
        return False


def _name(image: str) -> str:
    """Return the name of an image without its folders; faster than os.path.basename."""
    return image.rpartition(os.sep)[2]


def _stem(image: str) -> str:
    return image.rpartition(".")[0]  # every image has a suffix
