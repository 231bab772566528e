"""A report's file: written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from feedbench.pipelines.errors import RequestError

_MODE = 0o644


def replace(file: Path, text: str) -> Path:
    """Put `text` in the place of `file`, and return it; a reader always finds a whole one.

    Raises RequestError where it cannot be written.
    """
    new: str | None = None
    try:
        handle, new = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name[:60]}.")
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(new).chmod(_MODE)  # mkstemp's own is for nobody else to read
        Path(new).replace(file)
    except OSError as error:
        if new is not None:
            with contextlib.suppress(OSError):
                Path(new).unlink()
        raise RequestError(
            f"{file} cannot be written ({error.strerror}); name another file by --out"
        ) from error
    return file
