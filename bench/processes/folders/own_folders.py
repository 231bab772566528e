"""A run's own folders: made anew if another program removes them, such as one that cleans /tmp."""

from __future__ import annotations

import contextlib
import fcntl
import os
import weakref
from collections.abc import Callable
from pathlib import Path

from feedbench.bench.files import write_whole
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.pipelines.errors import FeedbenchError
from feedbench.pipelines.system.regular_files import open_regular

_KEPT = ("images.json", "resume.json")  # of the run's folder, where they exist


class OwnFolders:
    """The run's folder and its scratch folder, with the files in them that trials need.

    The files are held open, so that their content outlasts their names. `note` shows a line to the
    user. `on_restored` writes anew what else was in the scratch folder.
    """

    def __init__(
        self,
        run: RunFolder,
        scratch: Path,
        *,
        note: Callable[[str], object] = lambda _: None,
        on_restored: Callable[[], object] = lambda: None,
    ) -> None:
        self.generation = 0  # how often something was made anew
        self.why = ""  # a clause: what was removed the last time
        self._run = run
        self._path = run.path.absolute()
        self._scratch = scratch
        self._note = note
        self._on_restored = on_restored
        self._descriptors: dict[Path, int] = {}
        self._locks: list[int] = []
        weakref.finalize(self, _close, self._descriptors, self._locks)

    def hold(self, file: Path) -> None:
        """Hold a file of these two folders open from now on, if it exists."""
        file = file.absolute()
        if file.parent in {self._path, self._scratch.absolute()} and file not in self._descriptors:
            with contextlib.suppress(OSError):
                self._descriptors[file] = open_regular(file)

    def restore(self, also: Callable[[], bool] = lambda: False) -> None:
        """Make anew what is gone, and show a note if something was.

        `also` writes a further file of the run's folder if that is gone, and returns whether it
        was. Raises FeedbenchError if there is no room.
        """
        for name in _KEPT:
            self.hold(self._path / name)
        try:
            gone = self._restored(also)
        except OSError as error:
            raise no_room(Path(error.filename or self._scratch), error) from error
        if not gone:
            return
        self.generation += 1
        self.why = f"{' and '.join(gone)} disappeared during it"
        for each in gone:
            self._note(
                f"{each[0].upper()}{each[1:]} disappeared, or a part of it. Another program or a"
                " pipeline removed it. It was made anew, and no pipeline is blamed."
            )
        self._on_restored()

    def _restored(self, also: Callable[[], bool]) -> list[str]:
        """Make anew what is gone, and return it in words. Raises OSError."""
        is_scratch_gone, is_run_gone = not self._scratch.is_dir(), not self._run.logs.is_dir()
        self._scratch.mkdir(parents=True, exist_ok=True)
        self._run.logs.mkdir(parents=True, exist_ok=True)
        for file, descriptor in self._descriptors.items():
            if file.exists():
                continue
            write_whole(file, _content(descriptor))
            self._lock(file)
            is_of_run = file.parent == self._path
            is_run_gone, is_scratch_gone = (
                is_run_gone or is_of_run,
                is_scratch_gone or not is_of_run,
            )
        is_run_gone = also() or is_run_gone
        if self._run.is_temporary:  # it is in the scratch folder
            is_scratch_gone, is_run_gone = is_scratch_gone or is_run_gone, False
        whole = {
            f"the scratch folder {self._scratch}": is_scratch_gone,
            f"the run's folder {self._run.path}": is_run_gone,
        }
        return [folder for folder, is_gone in whole.items() if is_gone]

    def _lock(self, file: Path) -> None:
        """Lock a file as the one was that is gone: no other process may resume the run."""
        with contextlib.suppress(OSError):
            self._locks.append(open_regular(file, os.O_RDWR))
            fcntl.flock(self._locks[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)


def no_room(folder: Path, error: OSError) -> FeedbenchError:
    """Return the error of a folder or a file that a run needs, and cannot write."""
    return FeedbenchError(
        f"cannot write to {folder}: {error.strerror or error}",
        hint="make room there, or set TMPDIR to another folder; --resume continues a run",
    )


def _content(descriptor: int) -> bytes:
    with open(descriptor, "rb", closefd=False) as opened:
        opened.seek(0)
        return opened.read()


def _close(descriptors: dict[Path, int], locks: list[int]) -> None:
    for descriptor in (*descriptors.values(), *locks):
        with contextlib.suppress(OSError):
            os.close(descriptor)
