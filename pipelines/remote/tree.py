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
    for info in _answer(fs, address, expected, "ls", _slashed(address)):
        name = _relative(fs, address, info["name"])
        if name and "/" not in name:
            found.append(Entry(name, str(folder / name), info["type"] == "directory"))
    return found


def matching(pattern: Address, expected: str) -> dict[str, bool]:
    """Return what a pattern such as s3://bucket/train-* names, and whether each is a file.

    Raises RequestError if the store does not answer or denies access.
    """
    address = str(pattern)
    fs = file_system(address)
    details = _answer(fs, address, expected, "glob", address)
    return {
        fs.unstrip_protocol(name): details[name]["type"] == "file" and not name.endswith("/")
        for name in details
    }


def _answer(fs: Any, address: str, expected: str, method: str, asked: str) -> Any:
    """Return the answer of a file system's method, with details. Raises RequestError.

    Libraries limit the time of each attempt: all of them together would take minutes.
    """
    from fsspec.asyn import sync

    def answer() -> Any:
        if not fs.async_impl:
            return getattr(fs, method)(asked, detail=True)
        call = getattr(fs, f"_{method}")
        return sync(fs.loop, call, asked, detail=True, timeout=ANSWER_SECONDS)

    try:
        return retried(address, answer)
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
