"""The folder of a run: created for a valid request, removed if an early stage fails."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from feedbench.pipelines.errors import RequestError

_ANOTHER = "name another folder with --out"
_MEASURED = ("trials.jsonl", "images.json", "images-validation.json")
_FILES = ("run.json", *_MEASURED, "resume.json")


class RunFolder:
    """The folder that a run writes to. `discard` removes all of it.

    `is_temporary` says that it is removed with all its logs when the command ends. With
    `is_begun_again`, it is that of a run which ended while it was prepared: its request stays.
    """

    def __init__(
        self, path: Path, *, is_temporary: bool = False, is_begun_again: bool = False
    ) -> None:
        self.path = path
        self._is_begun_again = is_begun_again
        self.is_temporary = is_temporary
        self._made: list[Path] = []  # folders that were not there before, innermost last

    @property
    def logs(self) -> Path:
        """The folder for the output of the trials' processes."""
        return self.path / "logs"

    @property
    def samples(self) -> Path:
        """The folder for contact sheets."""
        return self.path / "samples"

    @property
    def traces(self) -> Path:
        """The folder for traces, which TensorBoard reads as its log folder."""
        return self.path / "traces"

    def create(self) -> None:
        """Create the folder. Raises RequestError if it is not empty or cannot be created."""
        if self._is_begun_again:
            self._clear()
            return
        refuse_used(self.path)
        try:
            for folder in (*reversed(self.path.absolute().parents), self.path, self.logs):
                if not folder.exists():
                    folder.mkdir()
                    self._made.append(folder)
        except OSError as error:
            self.discard()
            raise _no_folder(self.path, error) from error

    def _clear(self) -> None:
        """Remove what was measured, but not the request. Raises RequestError if that fails."""
        shutil.rmtree(self.logs, ignore_errors=True)
        try:
            self.logs.mkdir(exist_ok=True)
            for file in _MEASURED:
                (self.path / file).unlink(missing_ok=True)
        except OSError as error:
            raise _no_folder(self.path, error) from error

    def clear_traces(self) -> None:
        """Remove the traces of a run that was killed: they are recorded again."""
        shutil.rmtree(self.traces, ignore_errors=True)

    @contextlib.contextmanager
    def discarded_on_error(self) -> Iterator[None]:
        """Remove the folder if this context raises."""
        try:
            yield
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Remove everything that `create` and the run made."""
        if self.logs in self._made:
            # A trial may create its log at this moment; that error must not hide a Ctrl-C.
            shutil.rmtree(self.logs, ignore_errors=True)
            shutil.rmtree(self.samples, ignore_errors=True)
            shutil.rmtree(self.traces, ignore_errors=True)
            shutil.rmtree(self.path / "models", ignore_errors=True)
            for file in _FILES:
                (self.path / file).unlink(missing_ok=True)
        for folder in reversed(self._made):
            with contextlib.suppress(OSError):
                folder.rmdir()
        self._made = []


def refuse_used(path: Path) -> None:
    """Raise RequestError if `path` exists and is not an empty folder, or cannot be read."""
    try:
        if not path.exists() or (path.is_dir() and not any(path.iterdir())):
            return
        obstacle = "it is not empty" if path.is_dir() else "it is a file"
    except OSError as error:  # a folder around it may not be entered, or its name is too long
        raise _no_folder(path, error) from error
    raise RequestError(f"--out {path}: expected a new or empty folder; {obstacle}", hint=_ANOTHER)


def _no_folder(path: Path, error: OSError) -> RequestError:
    sentence = f"--out {path}: cannot create the folder: {error.strerror}"
    return RequestError(sentence, hint=_ANOTHER)


def slugs(labels: tuple[str, ...]) -> dict[str, str]:
    """Return a short and unique file name for each label."""
    taken: dict[str, str] = {}
    for label in labels:
        slug = stem = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:60] or "pipeline"
        number = 2
        while slug in taken.values():
            slug = f"{stem}-{number}"
            number += 1
        taken[label] = slug
    return taken
