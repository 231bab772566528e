"""The folders and files of a store, as far as an index needs them: names, sizes and versions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from feedbench.pipelines.remote.address import Address
from feedbench.pipelines.remote.errors import nothing_at, os_error, refusal
from feedbench.pipelines.remote.file_systems import ANSWER_SECONDS, file_system
from feedbench.pipelines.remote.reading import Stamp, retried, stamp_in

_AT_ONCE = 8  # folders that are listed

OnListed = Callable[[int], object]
"""Gets the number of files that are listed so far."""


@dataclass(frozen=True)
class Entry:
    """What is directly in a folder. It has what the index needs of an os.DirEntry."""

    name: str
    path: str
    is_folder: bool

    def is_dir(self) -> bool:
        """Whether it is a folder."""
        return self.is_folder

    def is_symlink(self) -> bool:
        """Whether it is a link: a store has none."""
        return False


@dataclass(frozen=True)
class Tree:
    """The files below a folder, at any depth, by their paths relative to it."""

    files: dict[str, Stamp | None]  # None: the listing does not tell the file's size


def check(folder: Address, expected: str) -> None:
    """Raise RequestError if the store does not answer, denies access, or has nothing there."""
    if not entries(folder, expected):
        raise nothing_at(str(folder), expected)


def entries(folder: Address, expected: str = "a folder that can be listed") -> list[Entry]:
    """Return what is directly in a folder. Raises RequestError as `check` does."""
    address = str(folder)
    fs = file_system(address)
    found = []
    for info in _listed(fs, address, expected):
        name = _relative(fs, address, info["name"])
        if name and "/" not in name:
            found.append(Entry(name, str(folder / name), info["type"] == "directory"))
    return found


def _listed(fs: Any, address: str, expected: str) -> list[dict[str, Any]]:
    """Return what a file system reports of each entry of a folder.

    Libraries limit the time of each attempt: all of them together would take minutes.
    """
    from fsspec.asyn import sync

    path = _slashed(address)

    def listed() -> Any:
        if not fs.async_impl:
            return fs.ls(path, detail=True)
        return sync(fs.loop, fs._ls, path, detail=True, timeout=ANSWER_SECONDS)  # noqa: SLF001

    try:
        return list(retried(address, listed))
    except Exception as error:  # noqa: BLE001 - whatever a library raises
        failed = os_error(address, error)
        raise refusal(address, failed, expected, ANSWER_SECONDS) from None


def tree(folder: Address) -> Tree:
    """Return all files below a folder. Raises RequestError if the store cannot list them."""
    address = str(folder)
    fs = file_system(address)
    try:
        listed = retried(address, lambda: fs.find(_slashed(address), detail=True))
    except Exception as error:  # noqa: BLE001 - whatever a library raises
        failed = os_error(address, error)
        raise refusal(address, failed, "a folder that can be listed", ANSWER_SECONDS) from None
    files: dict[str, Stamp | None] = {}
    for name, info in listed.items():
        inside = _relative(fs, address, name)
        if inside and not name.endswith("/"):  # some tools write an object for each folder
            files[inside] = None if info.get("size") is None else stamp_in(info)
    return Tree(files)


def trees(folders: Sequence[Address], on_listed: OnListed) -> list[Tree]:
    """Return all files below each of several folders, which are listed at once."""
    count = 0
    found = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for each in pool.map(tree, folders):
            count += len(each.files)
            on_listed(count)
            found.append(each)
    return found


def _slashed(address: str) -> str:
    return address.rstrip("/") + "/"


def _relative(fs: Any, address: str, name: str) -> str:
    """Return a listed name relative to the folder, without a slash at its end."""
    top = str(fs._strip_protocol(address)).rstrip("/")  # noqa: SLF001 - subclasses override it
    return str(name).removeprefix(top).strip("/")
