"""What commands share: what Ctrl-C says, what is printed and cannot be, the sample photos."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from feedbench.pipelines.errors import InterruptionError

SAMPLE_PHOTOS = 512


@contextmanager
def interruptible(sentence: str, folder: Path) -> Iterator[None]:
    """Have Ctrl-C say what came of it; typer would end without a word."""
    there = os.path.exists(folder)  # noqa: PTH110 - where a folder around it may not be entered
    try:
        yield
    except KeyboardInterrupt:
        if os.path.exists(folder) > there:  # noqa: PTH110
            raise InterruptionError(f"interrupted; what there is lies in {folder}") from None
        raise InterruptionError(sentence) from None


@contextmanager
def read_or_not() -> Iterator[None]:
    """Print, and go on where the reader has left, as `head` does: the exit code is an answer."""
    try:
        yield
        flush()
    except (BrokenPipeError, SystemExit):  # rich makes the second of the first
        _let_go()


def unwritten(out: Path, why: Exception | str) -> str:
    """Return that a run's report could not be written, and that the run itself is safe."""
    reason = " ".join(str(why).split()) or type(why).__name__
    return (
        f"the report could not be written: {reason}; the run lies in {out}, and feedbench report"
        f" {out} tries again"
    )


def flush() -> None:
    """Have what was printed written now, while an error of it can still be told."""
    if sys.stdout is not None:  # as where the shell has closed it
        sys.stdout.flush()


def end(code: int) -> NoReturn:
    """Exit with this code, also where something cannot be written."""
    _let_go()
    sys.exit(code)


def _let_go() -> None:
    """Forget what cannot be written, which Python would try again at its end, and exit with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            with suppress(OSError):  # where it is no file
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def print_json(record: object) -> None:
    """Print a record as JSON, indented."""
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(record), indent=2).decode())


def sample_photos(say: Callable[[str], None]) -> Path:
    """Return the folder of sample photos, made once in the user's cache folder."""
    import platformdirs

    from feedbench.pipelines.images.sample_photos import write_photos

    folder = platformdirs.user_cache_path("feedbench") / f"photos-{SAMPLE_PHOTOS}"
    if not folder.is_dir():
        say(f"Makes {SAMPLE_PHOTOS} sample photos in {folder}, which takes some seconds.")
        try:
            write_photos(folder, SAMPLE_PHOTOS)
        except OSError:
            if not folder.is_dir():  # else another run was first, with the same photos
                raise
    return folder
