"""Find bad images before anything is timed, so that every pipeline gets the same list.

Separate processes check the files (check_task.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePath
from typing import Literal, NamedTuple

import msgspec

from feedbench.bench.images.check_task import CheckTask
from feedbench.bench.images.findings_cache import FindingsCache
from feedbench.bench.machine.cores import usable_cores
from feedbench.bench.processes.client import Processes, what_went_wrong
from feedbench.bench.processes.folders.trial_log import last_line
from feedbench.bench.processes.progress import Listener
from feedbench.bench.records.messages import Checked, Event, Request, Start
from feedbench.bench.text import counted
from feedbench.pipelines.errors import FeedbenchError, RequestError
from feedbench.pipelines.images import image_check
from feedbench.pipelines.images.file_kinds import APPLE_DOUBLE_PREFIX, FOREIGN_SUFFIXES
from feedbench.pipelines.images.image_check import Finding
from feedbench.pipelines.images.index import Index, part, shown, stamps_of
from feedbench.pipelines.remote.address import Address, is_address
from feedbench.pipelines.remote.errors import unreadable
from feedbench.pipelines.system.memory import available_bytes
from feedbench.pipelines.system.workers import LostError

How = Literal["none", "header", "decode"]
OnFinding = Callable[[int, Finding], object]

_ENDLESS_SECONDS = 1e9
_PROGRESS_SECONDS = 0.5  # between two lines of progress
_MOST_LISTED = 100  # bad files in an error
_STORE_WORKERS = 8  # at least, for files in a store: mostly they wait


class Checks(msgspec.Struct, frozen=True, kw_only=True):
    """How files are checked, and what happens to a bad one."""

    how: How = "decode"
    bad_images: Literal["error", "skip"] = "error"
    most_pixels: int = image_check.MOST_PIXELS
    cache: Path | None = None  # the folder that keeps findings; None: they are not kept

    def __post_init__(self) -> None:
        """Raise RequestError for a value that is not one of these."""
        if self.how not in {"none", "header", "decode"}:
            raise RequestError(f"--check {self.how!r}: expected none, header or decode")
        if self.bad_images not in {"error", "skip"}:
            raise RequestError(f"--bad-images {self.bad_images!r}: expected error or skip")
        if not 1 <= self.most_pixels <= image_check.MOST_MOST_PIXELS:
            raise RequestError(
                f"--max-pixels {self.most_pixels}: expected 1 to {image_check.MOST_MOST_PIXELS:,};"
                " Pillow refuses larger images"
            )


class Bad(NamedTuple):
    """A file from which not every pipeline delivers the same image."""

    file: str  # relative to the folder
    reason: str


class Checker:
    """Checks the images of a folder, and remembers the findings."""

    def __init__(
        self,
        checks: Checks,
        channels: int,
        processes: Processes | None,
        scratch: Path,
        listener: Listener,
    ) -> None:
        """Prepare a check; `processes` decode the images, or None if none are decoded."""
        self._checks = checks
        self._channels = channels if checks.how == "decode" else 0
        self._processes = processes
        self._scratch = scratch
        self._listener = listener

    def findings(self, index: Index, limit_seconds: float | None = None) -> list[Finding]:
        """Return the finding on each file, with the reason that a user sees.

        Raises RequestError if `limit_seconds` pass before all files are checked, and FeedbenchError
        if the files cannot be checked at all.
        """
        if self._checks.how == "none":
            fine = Finding()
            return [_by_name(file) or fine for file in index.files]
        listed = zip(index.paths, stamps_of(index), strict=True)
        stamps = {path: stamp for path, stamp in listed if stamp is not None}
        findings: dict[str, Finding] = {}
        cache = None
        if self._checks.cache is not None:
            cache = FindingsCache(self._checks.cache, index.folder)
            findings = cache.find(stamps, self._channels)
        unchecked = [path for path in index.paths if path not in findings]
        progress = _Progress(self._listener, len(unchecked))

        def on_finding(place: int, finding: Finding) -> None:
            path = unchecked[place]
            findings[path] = finding
            if cache is not None and path in stamps:
                cache.add(path, stamps[path], finding)
            progress.done(len(findings) - (len(index.files) - len(unchecked)))

        try:
            if unchecked:
                self._look(unchecked, on_finding, limit_seconds)
        finally:
            if cache is not None:
                cache.flush()
        return [self._judged(findings[path]) for path in index.paths]

    def _judged(self, finding: Finding) -> Finding:
        reason = image_check.judged(finding, self._channels, self._checks.most_pixels)
        return msgspec.structs.replace(finding, reason=reason)

    def _look(
        self, files: Sequence[str], on_finding: OnFinding, limit_seconds: float | None
    ) -> None:
        most_pixels = self._checks.most_pixels
        task = CheckTask(
            files=tuple(files),
            channels=self._channels,
            most_pixels=most_pixels,
            workers=worker_count(
                most_pixels,
                cores=_STORE_WORKERS if is_address(files[0]) else usable_cores(),
                available=available_bytes(),
            ),
        )
        if self._processes is None:
            try:
                for place, finding in task.results():
                    on_finding(place, finding)
            except LostError as error:
                raise FeedbenchError(f"the images could not be checked: {error}") from error
            return
        seen = 0

        def on_event(event: Event) -> None:
            nonlocal seen
            if isinstance(event, Checked):
                seen += 1
                on_finding(event.place, event.finding)

        limit = _ENDLESS_SECONDS if limit_seconds is None else max(limit_seconds, 1.0)
        start = self._start(task)
        outcome = self._processes.run(start, limit, on_event)
        if seen == len(files):
            return
        if outcome.over_limit is not None:
            raise RequestError(
                f"time ran out after {seen:,} of {counted(len(files), 'image')} were checked",
                hint="run the command again to continue from there, raise --time, or use"
                " --check header",
            )
        last = last_line(Path(start.log))
        raise FeedbenchError(
            f"the images could not be checked: {what_went_wrong(outcome)} ({last})"
        )

    def _start(self, task: CheckTask) -> Start:
        file = self._scratch / "check.json"
        task.write(file)
        request = Request(
            label="check",
            spec="",
            purpose="decode",
            workload=str(file),
            prepared="",
            scratch=str(self._scratch),
        )
        return Start(request=request, log=str(self._scratch / "check.log"))


def bad_of(index: Index, findings: Sequence[Finding]) -> list[Bad]:
    """Return the bad files, in the order of the index."""
    pairs = zip(index.files, findings, strict=True)
    return [Bad(file, finding.reason) for file, finding in pairs if finding.reason is not None]


def without(index: Index, bad: Iterable[Bad]) -> Index:
    """Return the index without these files."""
    gone = {file for file, _ in bad}
    if not gone:
        return index
    return part(index, [at for at, file in enumerate(index.files) if file not in gone])


def refuse(index: Index, bad: Sequence[Bad], checks: Checks) -> None:
    """Raise RequestError with the list if bad files are an error, or if all files are bad.

    Photos that a store lists and does not let be read are one sentence: no photo is to blame.
    """
    if not bad or (checks.bad_images == "skip" and len(bad) < len(index.files)):
        return
    refuse_unreadable(index, bad)
    listed = [f"  {shown(file)}: {reason}" for file, reason in bad[:_MOST_LISTED]]
    if len(bad) > _MOST_LISTED:
        listed.append(f"  and {len(bad) - _MOST_LISTED:,} more, which feedbench inspect lists")
    hint = "remove or repair them, or leave them out with --bad-images skip"
    is_all = len(bad) == len(index.files)
    raise RequestError(
        f"{shown(str(index.folder))}: {len(bad):,} of {counted(len(index.files), 'image')} cannot"
        f" be measured{', and none is left' if is_all else ''};"
        " expected images that TensorFlow and Pillow decode alike:\n" + "\n".join(listed),
        hint="" if is_all else hint,
    )


def refuse_unreadable(index: Index, bad: Sequence[Bad]) -> None:
    """Raise RequestError if some of the bad files are in a store, and could not be read."""
    denied = [each for each in bad if each.reason.startswith(image_check.UNREADABLE)]
    if not denied or not isinstance(index.folder, Address):
        return
    file, reason = denied[0]
    raise unreadable(
        str(index.folder),
        f"{len(denied):,} of {counted(len(index.files), 'photo')}",
        dict(zip(index.files, index.paths, strict=True))[file],
        reason.removeprefix(image_check.UNREADABLE),
        "leave them out with --bad-images skip" * (len(denied) < len(index.files)),
    )


def _by_name(file: str) -> Finding | None:
    name = PurePath(file).name
    if name.startswith(APPLE_DOUBLE_PREFIX):
        return Finding("metadata of macOS, not an image (judged by its name)")
    if not name.lower().endswith(FOREIGN_SUFFIXES):
        return None
    suffix = PurePath(file).suffix.lower()
    return Finding(f"not every pipeline decodes {suffix} (judged by its name)")


def worker_count(most_pixels: int, *, cores: float, available: int) -> int:
    """Return how many files to check at once, by the cores and the bytes of free memory."""
    return max(min(int(cores), available // image_check.worker_bytes(most_pixels)), 1)


class _Progress:
    def __init__(self, listener: Listener, count: int) -> None:
        self._listener = listener
        self._count = count
        self._latest = 0.0
        if count:
            listener.stage(f"checking {counted(count, 'image')}")

    def done(self, done: int) -> None:
        now = time.monotonic()
        if now - self._latest > _PROGRESS_SECONDS:
            self._latest = now
            self._listener.stage(f"checking images: {done:,} of {self._count:,}")
