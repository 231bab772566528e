"""What commands share: what Ctrl-C prints, output that may fail, the sample photos."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import NoReturn, TypeVar

from feedbench.bench.options.option import Given
from feedbench.pipelines.errors import FeedbenchError, InterruptionError, RequestError
from feedbench.pipelines.remote.address import place
from feedbench.pipelines.system.signals import ignore_endings

SAMPLE_PHOTOS = 512

Written = TypeVar("Written")


@contextmanager
def interruptible(sentence: str, folder: Path, hint: str = "") -> Iterator[None]:
    """Turn Ctrl-C into an error with this sentence; typer would end without one.

    Where `folder` has come to be meanwhile, the sentence names that instead.
    """
    there = os.path.exists(folder)  # noqa: PTH110 - where a folder around it may not be entered
    try:
        yield
    except KeyboardInterrupt:
        if os.path.exists(folder) > there:  # noqa: PTH110
            hint = _reporting(folder) if os.path.exists(folder / "run.json") else ""  # noqa: PTH110
            raise InterruptionError(
                f"interrupted; the files so far are in {folder}", hint=hint
            ) from None
        raise InterruptionError(sentence, hint=hint) from None


@contextmanager
def read_or_not() -> Iterator[None]:
    """Print. If the reader closes the pipe, as `head` does, go on: the exit code is an answer."""
    try:
        yield
        flush()
    except (BrokenPipeError, SystemExit):  # rich turns the first into the second
        _let_go()


def unwritten(out: Path, why: Exception | str) -> str:
    """Return, as two lines, that a run's report cannot be written, and how to try again."""
    reason = " ".join(str(why).split()) or type(why).__name__
    return str(
        FeedbenchError(
            f"cannot write the report: {reason}; the run is safe in {out}",
            hint=_reporting(out),
        )
    )


def written(out: Path, write: Callable[[], Written]) -> Written | None:
    """Write a report of what `out` holds, and return what `write` does.

    If that fails, or Ctrl-C interrupts it, print why and return None; what was measured is safe.
    """
    try:
        return write()
    except KeyboardInterrupt:
        lines = unwritten(out, "interrupted")
    except Exception as error:  # noqa: BLE001 - nothing that a library raises may lose the answer
        lines = unwritten(out, error)
    print(f"feedbench: {lines}", file=sys.stderr)
    return None


def _reporting(out: Path) -> str:
    return f"feedbench report {shlex.quote(str(out))} writes the report"


def flush() -> None:
    """Write what was printed now, while an error can still be reported."""
    if sys.stdout is not None:  # as where the shell has closed it
        sys.stdout.flush()


def end(code: int) -> NoReturn:
    """Exit with this code, even if something cannot be written or a signal comes."""
    _let_go()
    ignore_endings()  # at exit, a KeyboardInterrupt would be printed and change nothing
    sys.exit(code)


def _let_go() -> None:
    """Drop output that cannot be written. Python would try again at its end, and exit with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            with suppress(OSError):  # where it is no file
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def print_json(record: object) -> None:
    """Print a record as JSON, indented; in ASCII unless the output is in UTF-8."""
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(record), indent=2).decode()
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    if not encoding.lower().startswith("utf"):
        import json

        text = json.dumps(json.loads(text), indent=2)
    print(text)


def images_folder(folder: PurePath | None, given: Given, say: Callable[[str], None]) -> PurePath:
    """Return the folder that is given, or that of the sample photos; of --records, where they are.

    It may be an Address. Raises RequestError if both a folder and records are given, and for an
    address that Feedbench does not read.
    """
    records = given["records"]
    if not isinstance(records, str):
        return sample_photos(say) if folder is None else place(str(folder))
    if folder is not None:
        raise RequestError(
            f"--records {records}: expected no FOLDER as well; found {folder}",
            hint="leave one of them out, and put a pattern such as 'train-*.tfrecord' in quotes",
        )
    return Path(records).parent


def sample_photos(say: Callable[[str], None]) -> Path:
    """Return the folder of sample photos, made once in the user's cache folder."""
    import platformdirs

    from feedbench.pipelines.images.sample_photos import write_photos

    folder = platformdirs.user_cache_path("feedbench") / f"photos-{SAMPLE_PHOTOS}"
    if not folder.is_dir():
        say(f"Writing {SAMPLE_PHOTOS} sample photos to {folder}; this takes a few seconds.")
        try:
            write_photos(folder, SAMPLE_PHOTOS)
        except OSError:
            if not folder.is_dir():  # otherwise another run was first, with the same photos
                raise
    return folder
