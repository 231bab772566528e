"""A trial's own folders: made before its process, and removed after it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from feedbench.bench.processes.folders.own_folders import OwnFolders, no_room
from feedbench.bench.processes.run_folder import RunFolder, slugs
from feedbench.bench.records import storage
from feedbench.bench.records.messages import Request, Start
from feedbench.bench.records.trial import Fault, TrialRecord

_ATTEMPTS = 2
_EXCUSED = (Fault.RAISED, Fault.EXITED)  # if a folder is gone; wrong work is not


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What exists of a trial before its process."""

    record: TrialRecord  # as if it was interrupted
    start: Start
    folder: Path
    log: Path
    generation: int  # of the run's own folders


class TrialFolders:
    """Makes and removes the folders of a run's trials, and adds them to `records`."""

    def __init__(
        self,
        run: RunFolder,
        scratch: Path,
        labels: tuple[str, ...],
        own: OwnFolders,
        records: list[TrialRecord],
    ) -> None:
        self._run = run
        self._scratch = scratch
        self._slugs = slugs(labels)
        self._own = own
        self._records = records

    def make(
        self, request: Request, record: TrialRecord, *, fresh: bool, has_turns: bool = False
    ) -> Made:
        """Make a trial's folders, and the command that starts it.

        Raises FeedbenchError if there is no room for them.
        """
        self.restore()
        self._own.hold(Path(request.workload))
        name = self._name(request)
        log = self._run.logs / f"{name}.log"
        folder = self._scratch / name
        scratch, empty, turns = folder / "scratch", folder / "prepared", folder / "turns"
        try:
            for new in (folder, scratch, empty):
                new.mkdir()
            if has_turns:
                os.mkfifo(turns)
        except OSError as error:
            raise no_room(folder, error) from error
        request = replace(
            request,
            scratch=str(scratch),
            prepared=request.prepared or str(empty.absolute()),
            turns=str(turns.absolute()) if has_turns else "",
        )
        start = Start(request=request, log=str(log.absolute()), fresh_interpreter=fresh)
        return Made(
            record=record, start=start, folder=folder, log=log, generation=self._own.generation
        )

    def remove(self, made: Made) -> None:
        """Remove a trial's folders."""
        # Its processes are gone, unless this is Ctrl-C; then the whole scratch goes soon.
        shutil.rmtree(made.folder, ignore_errors=True)

    def excused(self, made: Made, record: TrialRecord) -> TrialRecord:
        """Return the record of a failed trial: interrupted, if the run's folders were removed.

        A pipeline that was interrupted is not blamed, and a resumption repeats its trial.
        """
        self.restore()
        if made.generation == self._own.generation or record.fault not in _EXCUSED:
            return record
        return replace(record, ended="interrupted", fault=None, why=self._own.why, last_words=None)

    def keep(self, record: TrialRecord) -> None:
        """Add a trial to the run's, in memory and on the disk."""
        self.restore()
        self._records.append(record)
        storage.append_trial(self._run.path, record)

    def restore(self) -> None:
        """Make the run's folders anew if they are gone, with all its trials so far."""
        self._own.restore(self._is_rewritten)

    def _is_rewritten(self) -> bool:
        """Write all trials so far if their file is gone; return whether it was."""
        if not self._records or self._file.exists():
            return False
        storage.write_trials(self._file, self._records)
        return True

    @property
    def _file(self) -> Path:
        return self._run.path / "trials.jsonl"

    def _name(self, request: Request) -> str:
        """Return the name of a trial's folder and log."""
        slug = self._slugs.get(request.label) or slugs((request.label,))[request.label]
        cores = len(request.cores) if request.purpose == "cores" else ""
        name = f"{request.block:03d}-{request.purpose}{cores}-{slug}"
        return f"{name}-{request.attempt}" if request.attempt > 1 else name


def repeated_if_lost(perform: Callable[[], TrialRecord]) -> TrialRecord:
    """Perform a trial, and once more if the run's own folders were removed during it."""
    record = perform()
    for _ in range(1, _ATTEMPTS):
        if record.ended != "interrupted":
            break
        record = perform()
    return record
