"""Links to users' loaders, so that two versions of a loader are imported by equally long paths.

The length of a path, as of an environment variable, moves what a process keeps in memory, and with
it the rates: Mytkowicz et al. (2009), "Producing wrong data without doing anything obviously
wrong!", ASPLOS. Nothing is copied: a loader finds the modules and the files next to it, and finds
its own place with Path(__file__).resolve().
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path

from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.errors import RequestError


def linked(specs: Iterable[Spec], folder: Path) -> dict[str, str]:
    """Link to the folders of all loaders that are files, and return each one's path by its label.

    The links are in `folder`, which is created if it is missing. All paths have the same number of
    bytes. Raises RequestError if a link cannot be written.
    """
    files = {spec.label: Path(spec.name).absolute() for spec in specs if spec.is_file}
    if not files:
        return {}
    within = _within([*files.values()])
    inner = {
        label: file.relative_to(root)
        for (label, file), root in zip(files.items(), within, strict=True)
    }
    longest = max(map(_bytes, inner.values())) + len(str(len(files)))
    paths = {}
    try:
        folder.mkdir(exist_ok=True)
        for place, (label, root) in enumerate(zip(files, within, strict=True)):
            link = folder / f"{place:0{longest - _bytes(inner[label])}d}"
            if not link.is_symlink():
                link.symlink_to(root, target_is_directory=True)
            paths[label] = str(link / inner[label])
    except OSError as error:
        raise RequestError(
            f"cannot write links to the loaders in {folder}: {error.strerror}",
            hint="make room there, or set TMPDIR to another folder",
        ) from error
    return paths


def _within(files: list[Path]) -> list[Path]:
    """Return for each file a folder around it, below which all have the same path if they can.

    It is never a package, whose name its modules may need.
    """
    from_the_end = zip(*(file.parts[::-1] for file in files), strict=False)
    same = [*takewhile(lambda parts: len(set(parts)) == 1, from_the_end)]
    depth = 0 if len(set(files)) == 1 else max(len(same) - 1, 0)
    return [_outside_packages(file.parents[depth]) for file in files]


def _outside_packages(folder: Path) -> Path:
    while (folder / "__init__.py").is_file() and folder != folder.parent:
        folder = folder.parent
    return folder


def _bytes(path: Path) -> int:
    return len(str(path).encode("utf-8", "surrogateescape"))
